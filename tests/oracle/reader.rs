//! From a model file to the model.

use regex::Regex;
use serde_json::Value;

use super::condition::{Condition, GradeTest, Seen, Within};
use super::doc::Doc;
use super::matcher::{Matcher, Operator, Test};
use super::model::*;
use super::time::{MINUTE, duration};

pub fn read(doc: &Doc) -> Model {
    Reader { doc }.model()
}

struct Reader<'d> {
    doc: &'d Doc,
}

const EMPTY: &Doc = &Doc::Map(Vec::new());

impl Reader<'_> {
    fn section(&self, name: &str) -> &[(String, Doc)] {
        self.doc.get(name).unwrap_or(EMPTY).entries()
    }

    fn names(&self, section: &str) -> Vec<&str> {
        self.section(section).iter().map(|(name, _)| name.as_str()).collect()
    }

    fn signal(&self, name: &str) -> usize {
        self.names("signals").iter().position(|signal| *signal == name).expect("a known signal")
    }

    fn stage(&self, name: &str) -> usize {
        let stages = self.doc.get("stages").expect("stages").items();
        stages
            .iter()
            .position(|stage| stage.get("name").expect("a name").text() == name)
            .expect("a known stage")
    }

    fn model(&self) -> Model {
        let emit = self.doc.get("emit").unwrap_or(EMPTY);
        Model {
            name: self.doc.get("model").expect("a name").text().to_string(),
            version: scalar(self.doc.get("version").expect("a version")),
            signals: self.section("signals").iter().map(|(name, doc)| self.read_signal(name, doc)).collect(),
            scores: self.section("scores").iter().map(|(name, doc)| self.read_score(name, doc)).collect(),
            qualifications: self
                .section("qualifications")
                .iter()
                .map(|(n, doc)| self.qualification(n, doc))
                .collect(),
            stages: self.doc.get("stages").expect("stages").items().iter().map(read_stage).collect(),
            transitions: match self.doc.get("transitions") {
                Some(list) => list.items().iter().map(|doc| self.transition(doc)).collect(),
                None => Vec::new(),
            },
            alerts: self.section("alerts").iter().map(|(name, doc)| self.alert(name, doc)).collect(),
            slas: self.section("slas").iter().map(|(name, doc)| self.sla(name, doc)).collect(),
            attribution: self.doc.get("attribution").map(|doc| self.attribution(doc)),
            emit_traits: emit.get("traits").map(texts).unwrap_or_default(),
            emit_scores: emit.get("scores").map(|doc| EmitScores {
                on_change_of: doc.get("on_change_of").map_or(1.0, |doc| self.number(doc)),
                every: doc.get("every").map_or(0, millis),
            }),
            spend: self.doc.get("spend").map(|doc| self.matcher(doc.get("match").expect("match"))),
        }
    }

    /// A number, or `$name` of a threshold.
    fn number(&self, doc: &Doc) -> f64 {
        match doc {
            Doc::Scalar(Value::Number(number)) => number.as_f64().expect("a number"),
            other => {
                let name = other.text().strip_prefix('$').expect("a number or $name");
                let thresholds = self.doc.get("thresholds").expect("thresholds");
                self.number(thresholds.get(name).expect("a known threshold"))
            }
        }
    }

    fn range(&self, doc: Option<&Doc>, default: Range) -> Range {
        let bound = |doc: &Doc| match doc {
            Doc::Scalar(Value::Null) => None,
            other => Some(self.number(other)),
        };
        doc.map_or(default, |doc| (bound(&doc.items()[0]), bound(&doc.items()[1])))
    }

    fn read_signal(&self, name: &str, doc: &Doc) -> Signal {
        Signal {
            name: name.to_string(),
            matcher: self.matcher(doc.get("match").expect("match")),
            label: text(doc, "label").unwrap_or_else(|| name.to_string()),
            activity: doc.get("activity").is_none_or(|doc| scalar(doc) == true),
        }
    }

    fn read_score(&self, name: &str, doc: &Doc) -> Score {
        let kind = if let Some(parts) = doc.get("sum") {
            ScoreKind::Sum(parts.entries().iter().map(|(part, w)| (part.clone(), self.number(w))).collect())
        } else if let Some(parts) = doc.get("max") {
            ScoreKind::Max(texts(parts))
        } else {
            ScoreKind::Own {
                groups: doc
                    .get("groups")
                    .unwrap_or(EMPTY)
                    .entries()
                    .iter()
                    .map(|(n, g)| self.group(n, g))
                    .collect(),
                criteria: self.criteria(doc),
                inactivity: doc.get("inactivity").map(|doc| Inactivity {
                    after: millis(doc.get("after").expect("after")),
                    points: self.number(doc.get("points").expect("points")),
                    every: doc.get("every").map(millis),
                }),
            }
        };
        Score {
            name: name.to_string(),
            range: self.range(doc.get("range"), (Some(0.0), None)),
            kind,
            grades: doc.get("grades").map(|grades| {
                grades.entries().iter().map(|(grade, bar)| (grade.clone(), self.number(bar))).collect()
            }),
        }
    }

    fn group(&self, name: &str, doc: &Doc) -> Group {
        let decay = doc.get("decay").map_or(Decay::None, read_decay);
        Group {
            name: name.to_string(),
            range: self.range(doc.get("range"), (None, None)),
            points: doc
                .get("points")
                .expect("points")
                .entries()
                .iter()
                .map(|(n, p)| self.points(n, p, decay))
                .collect(),
        }
    }

    fn points(&self, signal: &str, doc: &Doc, decay: Decay) -> Points {
        let gain = match (doc.get("from"), doc.get("points")) {
            (Some(field), _) => Gain::From {
                field: field.text().to_string(),
                scale: doc.get("scale").map_or(1.0, |doc| self.number(doc)),
                range: self.range(doc.get("range"), (None, None)),
            },
            (None, Some(points)) => Gain::Fixed(self.number(points)),
            (None, None) => Gain::Fixed(self.number(doc)),
        };
        Points {
            signal: self.signal(signal),
            decay: doc.get("decay").map_or(decay, read_decay),
            gain,
            at_most: doc.get("at_most").map(count),
            per: doc.get("per").map(millis),
        }
    }

    fn criteria(&self, doc: &Doc) -> Vec<Criterion> {
        let mut position = 0;
        let mut rule = |doc: &Doc| {
            position += 1;
            Rule {
                position,
                when: self.condition(doc.get("when").expect("when")),
                points: self.number(doc.get("points").expect("points")),
                label: text(doc, "label"),
            }
        };
        let criteria = doc.get("criteria").map_or(&[][..], Doc::items);
        criteria
            .iter()
            .map(|doc| match doc.get("first") {
                Some(first) => Criterion::First(first.items().iter().map(&mut rule).collect()),
                None => Criterion::One(rule(doc)),
            })
            .collect()
    }

    fn qualification(&self, name: &str, doc: &Doc) -> Qualification {
        let criteria =
            doc.entries().iter().map(|(n, condition)| (n.clone(), self.condition(condition))).collect();
        Qualification { name: name.to_string(), criteria }
    }

    fn transition(&self, doc: &Doc) -> Transition {
        let from = match doc.get("from").expect("from") {
            Doc::List(stages) => From::These(stages.iter().map(|stage| self.stage(stage.text())).collect()),
            one if one.text() == "any" => From::Any,
            one => From::These(vec![self.stage(one.text())]),
        };
        let score_names = self.names("scores");
        let score =
            |name: &String| score_names.iter().position(|score| score == name).expect("a known score");
        Transition {
            name: text(doc, "name").expect("a name"),
            from,
            to: self.stage(doc.get("to").expect("to").text()),
            on: doc.get("on").map(|on| self.on(on)),
            after: doc.get("after").map(millis),
            inactive_for: doc.get("inactive_for").map(millis),
            when: doc.get("when").map(|when| self.condition(when)),
            reset: doc.get("reset").map(texts).unwrap_or_default().iter().map(score).collect(),
            reason: text(doc, "reason"),
        }
    }

    fn on(&self, doc: &Doc) -> On {
        match doc.text() {
            "activity" => On::Activity,
            signal => On::Signal(self.signal(signal)),
        }
    }

    fn alert(&self, name: &str, doc: &Doc) -> Alert {
        let route = match doc.get("route") {
            Some(Doc::List(routes)) => routes
                .iter()
                .map(|route| {
                    (route.get("when").map(|when| self.condition(when)), text(route, "to").expect("to"))
                })
                .collect(),
            Some(name) => vec![(None, name.text().to_string())],
            None => Vec::new(),
        };
        Alert {
            name: name.to_string(),
            on: doc.get("on").map(|on| self.on(on)),
            when: doc.get("when").map(|when| self.condition(when)),
            rearm: doc.get("rearm").map(|rearm| self.condition(rearm)),
            cooldown: doc.get("cooldown").map_or(0, millis),
            route,
            priority: text(doc, "priority"),
        }
    }

    fn sla(&self, name: &str, doc: &Doc) -> Sla {
        let moment = |doc: &Doc| match &doc.entries()[0] {
            (form, on) if form == "on" => Moment::On(self.on(on)),
            (form, stage) if form == "enter" => Moment::Enter(self.stage(stage.text())),
            (_, stage) => Moment::Leave(self.stage(stage.text())),
        };
        Sla {
            name: name.to_string(),
            start: moment(doc.get("start").expect("start")),
            stop: moment(doc.get("stop").expect("stop")),
            cancel: doc.get("cancel").map(moment),
            due: millis(doc.get("due").expect("due")),
            past_due: doc.get("past_due").map(millis),
        }
    }

    fn attribution(&self, doc: &Doc) -> Attribution {
        let mut value: Vec<(usize, String)> = doc
            .get("value")
            .unwrap_or(EMPTY)
            .entries()
            .iter()
            .map(|(signal, field)| (self.signal(signal), field.text().to_string()))
            .collect();
        // Choice: "first in model order" is the order of the signals.
        value.sort();
        Attribution {
            channels: doc
                .get("channels")
                .expect("channels")
                .entries()
                .iter()
                .map(|(n, m)| (n.clone(), self.matcher(m)))
                .collect(),
            touches: count(doc.get("touches").expect("touches")),
            gap: doc.get("gap").map_or(30 * MINUTE, millis),
            window: doc.get("window").map(millis),
            models: doc.get("models").expect("models").items().iter().map(|doc| self.weighing(doc)).collect(),
            credit: doc.get("credit").map(texts).unwrap_or_default().iter().map(|s| self.stage(s)).collect(),
            value,
        }
    }

    fn weighing(&self, doc: &Doc) -> Weighing {
        if let Some(decay) = doc.get("time_decay") {
            return Weighing::TimeDecay(millis(decay.get("half_life").expect("half_life")));
        }
        if let Some(position) = doc.get("position") {
            let weight = |name: &str| self.number(position.get(name).expect("a weight"));
            return Weighing::Position { first: weight("first"), last: weight("last") };
        }
        match doc.text() {
            "first" => Weighing::First,
            "last" => Weighing::Last,
            "linear" => Weighing::Linear,
            other => panic!("unknown attribution model {other}"),
        }
    }

    fn matcher(&self, doc: &Doc) -> Matcher {
        let part = |(key, value): &(String, Doc)| match key.as_str() {
            "any" => Matcher::Any(value.items().iter().map(|doc| self.matcher(doc)).collect()),
            "all" => Matcher::All(value.items().iter().map(|doc| self.matcher(doc)).collect()),
            "not" => Matcher::Not(Box::new(self.matcher(value))),
            field => Matcher::Field(field.to_string(), self.test(value)),
        };
        Matcher::All(doc.entries().iter().map(part).collect())
    }

    fn condition(&self, doc: &Doc) -> Condition {
        let part = |(key, value): &(String, Doc)| match key.split_once('.') {
            Some(("score", name)) => Condition::Score(name.to_string(), self.test(value)),
            Some(("grade", name)) => Condition::Grade(name.to_string(), grade_test(value)),
            Some(("traits", path)) => Condition::Trait(path.to_string(), self.test(value)),
            Some(("qualified", name)) => {
                Condition::Qualified(name.to_string(), value.get("at_least").map(count))
            }
            _ => match key.as_str() {
                "any" => Condition::Any(value.items().iter().map(|doc| self.condition(doc)).collect()),
                "all" => Condition::All(value.items().iter().map(|doc| self.condition(doc)).collect()),
                "not" => Condition::Not(Box::new(self.condition(value))),
                "stage" => Condition::Stage(self.test(value)),
                "identified" => Condition::Identified,
                "seen" => Condition::Seen(self.seen(value)),
                other => panic!("unknown condition {other}"),
            },
        };
        Condition::All(doc.entries().iter().map(part).collect())
    }

    fn seen(&self, doc: &Doc) -> Seen {
        let signal = if doc.is_map() { doc.get("signal").expect("signal") } else { doc };
        Seen {
            signal: self.signal(signal.text()),
            at_least: doc.get("at_least").map_or(1, count),
            within: doc.get("within").map(|within| match within.text() {
                "stage" => Within::Stage,
                period => Within::Period(duration(period)),
            }),
            distinct: text(doc, "distinct"),
        }
    }

    fn test(&self, doc: &Doc) -> Test {
        let mut test = Test::default();
        match doc {
            Doc::List(_) => test.each.push(Operator::In(self.values(doc))),
            Doc::Scalar(Value::String(name)) if name.starts_with('$') => {
                test.each.push(Operator::In(self.values(doc)));
            }
            Doc::Scalar(value) => test.each.push(Operator::Equals(value.clone())),
            Doc::Map(operators) => {
                for (operator, operand) in operators {
                    match operator.as_str() {
                        "exists" => test.exists = scalar(operand).as_bool(),
                        "not" => test.not = Some(Box::new(self.test(operand))),
                        other => test.each.push(self.operator(other, operand)),
                    }
                }
            }
        }
        test
    }

    fn operator(&self, name: &str, doc: &Doc) -> Operator {
        match name {
            "equals" => Operator::Equals(scalar(doc)),
            "in" => Operator::In(self.values(doc)),
            "prefix" => Operator::Prefix(self.strings(doc)),
            "suffix" => Operator::Suffix(self.strings(doc)),
            "contains" => Operator::Contains(self.strings(doc)),
            "regex" => Operator::Regex(Regex::new(doc.text()).expect("a valid regex")),
            "gt" => Operator::Gt(self.number(doc)),
            "gte" => Operator::Gte(self.number(doc)),
            "lt" => Operator::Lt(self.number(doc)),
            "lte" => Operator::Lte(self.number(doc)),
            other => panic!("unknown operator {other}"),
        }
    }

    /// A list, `$name` of one, or one value.
    fn values(&self, doc: &Doc) -> Vec<Value> {
        match doc {
            Doc::List(items) => items.iter().map(scalar).collect(),
            Doc::Scalar(Value::String(name)) if name.starts_with('$') => {
                let lists = self.doc.get("lists").expect("lists");
                self.values(lists.get(&name[1..]).expect("a known list"))
            }
            one => vec![scalar(one)],
        }
    }

    fn strings(&self, doc: &Doc) -> Vec<String> {
        self.values(doc).iter().map(|value| value.as_str().expect("a string").to_string()).collect()
    }
}

fn read_stage(doc: &Doc) -> Stage {
    Stage {
        name: text(doc, "name").expect("a name"),
        owner: text(doc, "owner"),
        action: text(doc, "action"),
        requires: doc.get("requires").map(texts).unwrap_or_default(),
    }
}

fn read_decay(doc: &Doc) -> Decay {
    if !doc.is_map() {
        return Decay::None;
    }
    let (form, period) = &doc.entries()[0];
    match form.as_str() {
        "half_life" => Decay::HalfLife(millis(period)),
        "lifespan" => Decay::Lifespan(millis(period)),
        "window" => Decay::Window(millis(period)),
        other => panic!("unknown decay {other}"),
    }
}

fn grade_test(doc: &Doc) -> GradeTest {
    match doc {
        Doc::Map(_) => GradeTest::AtLeast(text(doc, "at_least").expect("at_least")),
        Doc::List(_) => GradeTest::OneOf(texts(doc)),
        one => GradeTest::OneOf(vec![one.text().to_string()]),
    }
}

fn scalar(doc: &Doc) -> Value {
    match doc {
        Doc::Scalar(value) => value.clone(),
        other => panic!("a scalar is expected, not {other:?}"),
    }
}

fn text(doc: &Doc, key: &str) -> Option<String> {
    doc.get(key).map(|doc| doc.text().to_string())
}

/// The texts of a list, or of one.
fn texts(doc: &Doc) -> Vec<String> {
    match doc {
        Doc::List(items) => items.iter().map(|item| item.text().to_string()).collect(),
        one => vec![one.text().to_string()],
    }
}

fn millis(doc: &Doc) -> i64 {
    duration(doc.text())
}

fn count(doc: &Doc) -> usize {
    scalar(doc).as_u64().expect("a count") as usize
}
