//! Random valid models that use every section of the model file.

use super::super::doc::{Doc, list, map};
use super::conditions::{Names, REGIONS, TAGS, condition, fit_condition, matcher, number};
use super::{Pace, Rng};

struct Maker<'a> {
    rng: &'a mut Rng,
    pace: Pace,
    names: Names,
    /// Scores with groups: what `reset` may name.
    resettable: Vec<String>,
}

pub fn model(rng: &mut Rng, pace: Pace) -> Doc {
    let signals = (0..rng.between(4, 7)).map(|n| format!("s{n}")).collect();
    let names = Names {
        signals,
        scores: Vec::new(),
        graded: Vec::new(),
        qualifications: Vec::new(),
        stages: Vec::new(),
    };
    Maker { rng, pace, names, resettable: Vec::new() }.model()
}

impl Maker<'_> {
    fn model(&mut self) -> Doc {
        let mut model = map([
            ("model", Doc::from("random")),
            ("version", Doc::from(self.rng.between(1, 9))),
            ("thresholds", map([("t0", Doc::from(5)), ("t1", Doc::from(12.5)), ("t2", Doc::from(20))])),
            (
                "lists",
                map([
                    ("l0", list(TAGS[1..4].iter().map(|tag| Doc::from(*tag)))),
                    ("l1", list([Doc::from("@gmail.com"), Doc::from("@Yahoo.com")])),
                ]),
            ),
        ]);
        model.put("signals", self.signals());
        model.put("scores", self.scores());
        self.names.stages = (0..self.rng.between(4, 6)).map(|n| format!("stage{n}")).collect();
        if !self.rng.one_in(4) {
            model.put("qualifications", self.qualifications());
        }
        model.put("stages", self.stages());
        model.put("transitions", self.transitions());
        if !self.rng.one_in(5) {
            model.put("alerts", self.alerts());
        }
        if !self.rng.one_in(5) {
            model.put("slas", self.slas());
        }
        if !self.rng.one_in(4) {
            model.put("attribution", self.attribution());
        }
        if !self.rng.one_in(8) {
            model.put("emit", self.emit());
        }
        if self.rng.one_in(3) {
            model.put("spend", spend());
        }
        model
    }

    fn duration(&mut self) -> Doc {
        self.pace.duration(self.rng)
    }

    fn signal(&mut self) -> Doc {
        Doc::from(self.rng.pick(&self.names.signals).as_str())
    }

    fn stage(&mut self) -> Doc {
        Doc::from(self.rng.pick(&self.names.stages).as_str())
    }

    fn condition(&mut self) -> Doc {
        condition(self.rng, &self.names, self.pace)
    }

    fn on(&mut self) -> Doc {
        if self.rng.one_in(5) { Doc::from("activity") } else { self.signal() }
    }

    fn signals(&mut self) -> Doc {
        let mut signals = Doc::Map(Vec::new());
        for name in self.names.signals.clone() {
            let mut signal = map([("match", matcher(self.rng))]);
            if self.rng.one_in(3) {
                signal.put("activity", Doc::from(self.rng.one_in(4)));
            }
            if self.rng.one_in(3) {
                signal.put("label", Doc::from(format!("Label of {name}")));
            }
            signals.put(&name, signal);
        }
        signals
    }

    fn scores(&mut self) -> Doc {
        let mut scores = vec![("engagement".to_string(), self.engagement("engagement"))];
        self.resettable.push("engagement".into());
        if self.rng.one_in(2) {
            scores.push(("extra".into(), self.engagement("extra")));
            self.resettable.push("extra".into());
        }
        if !self.rng.one_in(5) {
            scores.push(("fit".into(), self.fit("fit")));
        }
        if self.rng.one_in(3) {
            scores.push(("fit_two".into(), self.fit("fit_two")));
        }
        let mut parts: Vec<String> = scores.iter().map(|(name, _)| name.clone()).collect();
        if self.rng.one_in(2) {
            scores.push(("total".into(), self.sum(&parts)));
            parts.push("total".into());
        }
        if self.rng.one_in(2) {
            let parts = self.rng.some(&parts);
            let mut best = map([("max", list(parts.iter().map(|part| Doc::from(part.as_str()))))]);
            self.range_and_grades("best", &mut best);
            scores.push(("best".into(), best));
        }
        self.rng.shuffle(&mut scores);
        self.names.scores = scores.iter().map(|(name, _)| name.clone()).collect();
        Doc::Map(scores)
    }

    fn sum(&mut self, parts: &[String]) -> Doc {
        let mut weights = Doc::Map(Vec::new());
        for part in self.rng.some(parts) {
            weights.put(&part, Doc::from(*self.rng.pick(&[0.6, 0.4, 1.0, -0.5, 2.0, 0.25])));
        }
        let mut sum = map([("sum", weights)]);
        self.range_and_grades("total", &mut sum);
        sum
    }

    fn range(&mut self) -> Doc {
        let low = if self.rng.one_in(3) { Doc::from(()) } else { Doc::from(self.rng.between(-10, 0)) };
        let high = if self.rng.one_in(3) { Doc::from(()) } else { Doc::from(self.rng.between(20, 80)) };
        list([low, high])
    }

    fn range_and_grades(&mut self, name: &str, score: &mut Doc) {
        if self.rng.one_in(2) {
            let range = self.range();
            score.put("range", range);
        }
        if self.rng.one_in(3) {
            return;
        }
        let mut bars = vec![("A", 40), ("B", 20), ("C", 10), ("D", 0)];
        self.rng.shuffle(&mut bars);
        bars.truncate(self.rng.between(2, 4) as usize);
        self.names.graded.push((name.to_string(), bars.iter().map(|(grade, _)| grade.to_string()).collect()));
        let bars =
            bars.into_iter().map(|(grade, bar)| (grade.to_string(), Doc::from(bar + self.rng.between(0, 3))));
        score.put("grades", Doc::Map(bars.collect()));
    }

    fn inactivity(&mut self) -> Doc {
        let mut inactivity =
            map([("after", self.duration()), ("points", Doc::from(-self.rng.between(1, 10)))]);
        if self.rng.one_in(2) {
            let every = if self.pace == Pace::Fast { "20s" } else { "6h" };
            inactivity.put("every", Doc::from(every));
        }
        inactivity
    }

    fn engagement(&mut self, name: &str) -> Doc {
        let mut groups = Doc::Map(Vec::new());
        for n in 0..self.rng.between(1, 3) {
            let mut points = Doc::Map(Vec::new());
            for signal in self.rng.some(&self.names.signals) {
                let of_signal = self.points();
                points.put(&signal, of_signal);
            }
            let mut group = map([]);
            if self.rng.one_in(2) {
                let range = self.range();
                group.put("range", range);
            }
            if self.rng.one_in(2) {
                let decay = self.decay();
                group.put("decay", decay);
            }
            group.put("points", points);
            groups.put(&format!("g{n}"), group);
        }
        let mut score = map([("groups", groups)]);
        self.range_and_grades(name, &mut score);
        if self.rng.one_in(2) {
            let inactivity = self.inactivity();
            score.put("inactivity", inactivity);
        }
        if self.rng.one_in(6) {
            let criterion = self.criterion();
            score.put("criteria", list([criterion]));
        }
        score
    }

    fn decay(&mut self) -> Doc {
        if self.pace == Pace::Slow {
            return map([("window", self.duration())]);
        }
        let form = *self.rng.pick(&["half_life", "half_life", "lifespan", "window"]);
        map([(form, Doc::from(*self.rng.pick(&["20s", "1m", "2m", "5m", "500ms", "200s"])))])
    }

    fn points(&mut self) -> Doc {
        let fixed = match self.rng.below(4) {
            0 => Doc::from(-self.rng.between(0, 15)),
            _ => number(self.rng, 1, 25),
        };
        if self.rng.one_in(3) {
            return fixed;
        }
        let mut points = if self.rng.one_in(3) { self.drawn_points() } else { map([("points", fixed)]) };
        if self.rng.one_in(2) {
            points.put("at_most", Doc::from(self.rng.between(1, 3)));
            if !self.rng.one_in(3) {
                let per = self.duration();
                points.put("per", per);
            }
        }
        if self.rng.one_in(3) {
            let decay = self.decay();
            points.put("decay", decay);
        }
        points
    }

    fn drawn_points(&mut self) -> Doc {
        let mut points = map([(
            "from",
            Doc::from(*self.rng.pick(&["properties.n", "properties.items.n", "traits.budget"])),
        )]);
        if self.rng.one_in(2) {
            points.put("scale", Doc::from(*self.rng.pick(&[0.05, 2.0, -1.0, 0.5])));
        }
        if self.rng.one_in(2) {
            points
                .put("range", list([Doc::from(-self.rng.between(0, 5)), Doc::from(self.rng.between(1, 15))]));
        }
        points
    }

    fn criterion(&mut self) -> Doc {
        let mut criterion = map([
            ("when", fit_condition(self.rng, &self.names, self.pace)),
            ("points", Doc::from(self.rng.between(-10, 25))),
        ]);
        if self.rng.one_in(2) {
            criterion.put("label", Doc::from(format!("Criterion {}", self.rng.below(9))));
        }
        criterion
    }

    fn fit(&mut self, name: &str) -> Doc {
        let mut criteria = Vec::new();
        for _ in 0..self.rng.between(1, 4) {
            if self.rng.one_in(3) {
                let first = vec![self.criterion(), self.criterion()];
                criteria.push(map([("first", list(first))]));
            } else {
                criteria.push(self.criterion());
            }
        }
        let mut score = map([("criteria", list(criteria))]);
        let mut bars = vec![("A", 30), ("B", 15), ("C", 5), ("D", -5)];
        self.rng.shuffle(&mut bars);
        self.names.graded.push((name.to_string(), bars.iter().map(|(grade, _)| grade.to_string()).collect()));
        let bars = bars.into_iter().map(|(grade, bar)| (grade.to_string(), Doc::from(bar)));
        score.put("grades", Doc::Map(bars.collect()));
        if self.rng.one_in(8) {
            let inactivity = self.inactivity();
            score.put("inactivity", inactivity);
        }
        score
    }

    fn qualifications(&mut self) -> Doc {
        let mut all = Doc::Map(Vec::new());
        for n in 0..self.rng.between(1, 2) {
            let mut criteria = Doc::Map(Vec::new());
            for c in 0..self.rng.between(1, 3) {
                let condition = self.condition();
                criteria.put(&format!("c{c}"), condition);
            }
            all.put(&format!("q{n}"), criteria);
            self.names.qualifications.push(format!("q{n}"));
        }
        all
    }

    fn stages(&mut self) -> Doc {
        let mut stages = Vec::new();
        for (n, name) in self.names.stages.clone().iter().enumerate() {
            let mut stage = map([("name", Doc::from(name.as_str()))]);
            if self.rng.one_in(2) {
                stage.put("owner", Doc::from(*self.rng.pick(&["marketing", "sales"])));
            }
            if self.rng.one_in(3) {
                stage.put("action", Doc::from("nurture"));
            }
            if n > 1 && self.rng.one_in(3) {
                let fields = self.rng.some(&["traits.email", "traits.title", "traits.company.size"]);
                stage.put("requires", list(fields.into_iter().map(Doc::from)));
            }
            if n > 2 && self.rng.one_in(3) {
                stage.put("side", Doc::from(true));
            }
            stages.push(stage);
        }
        list(stages)
    }

    fn transitions(&mut self) -> Doc {
        let count = self.rng.between(5, 10);
        list((0..count).map(|n| self.transition(n)).collect::<Vec<_>>())
    }

    fn transition(&mut self, n: i64) -> Doc {
        let mut stages = self.names.stages.clone();
        self.rng.shuffle(&mut stages);
        let to = stages.remove(0);
        let from = match self.rng.below(5) {
            0 => Doc::from("any"),
            // The initial stage often, so that leads get under way.
            1 if to != "stage0" => Doc::from("stage0"),
            2 => Doc::from(stages[0].as_str()),
            _ => list(self.rng.some(&stages).into_iter().map(Doc::from)),
        };
        let mut transition =
            map([("name", Doc::from(format!("tr{n}"))), ("from", from), ("to", Doc::from(to))]);
        let part = self.rng.below(8);
        if part < 3 {
            let on = self.on();
            transition.put("on", on);
        }
        if part == 3 {
            let after = self.duration();
            transition.put("after", after);
        }
        if part == 4 {
            let period = self.duration();
            transition.put("inactive_for", period);
        }
        if part > 4 || self.rng.one_in(3) {
            let when = self.condition();
            transition.put("when", when);
        }
        if self.rng.one_in(4) {
            let scores = self.rng.some(&self.resettable);
            transition.put("reset", list(scores.into_iter().map(Doc::from)));
        }
        if part < 3 && self.rng.one_in(2) {
            transition.put(
                "reason",
                Doc::from(*self.rng.pick(&["properties.tag", "properties.items.sku", "event"])),
            );
        }
        transition
    }

    fn alerts(&mut self) -> Doc {
        let mut alerts = Doc::Map(Vec::new());
        for n in 0..self.rng.between(1, 3) {
            let mut alert = map([]);
            if self.rng.one_in(3) {
                let on = self.on();
                alert.put("on", on);
                if self.rng.one_in(3) {
                    let when = self.condition();
                    alert.put("when", when);
                }
            } else {
                let when = self.condition();
                alert.put("when", when);
                if self.rng.one_in(3) {
                    let rearm = self.condition();
                    alert.put("rearm", rearm);
                }
            }
            if self.rng.one_in(2) {
                let cooldown = self.duration();
                alert.put("cooldown", cooldown);
            }
            let route = self.route();
            alert.put("route", route);
            if self.rng.one_in(2) {
                alert.put("priority", Doc::from("high"));
            }
            alerts.put(&format!("alert{n}"), alert);
        }
        alerts
    }

    fn route(&mut self) -> Doc {
        if self.rng.one_in(2) {
            return Doc::from("sdr");
        }
        let region = map([("traits.region", Doc::from(*self.rng.pick(&REGIONS)))]);
        let mut routes = vec![map([("when", region), ("to", Doc::from("near"))])];
        routes.push(map([("when", self.condition()), ("to", Doc::from("middle"))]));
        if self.rng.one_in(2) {
            routes.push(map([("to", Doc::from("far"))]));
        }
        list(routes)
    }

    fn moment(&mut self, may_leave: bool) -> Doc {
        match self.rng.below(4) {
            0 => map([("enter", self.stage())]),
            1 if may_leave => map([("leave", self.stage())]),
            _ => map([("on", self.on())]),
        }
    }

    fn slas(&mut self) -> Doc {
        let mut slas = Doc::Map(Vec::new());
        for n in 0..self.rng.between(1, 3) {
            let mut sla = map([("start", self.moment(false)), ("stop", self.moment(true))]);
            if self.rng.one_in(2) {
                let cancel = self.moment(true);
                sla.put("cancel", cancel);
            }
            let (due, past_due) = match self.pace {
                Pace::Fast => (["500ms", "3s", "20s", "2m"], ["3s", "4s", "90s", "4m"]),
                Pace::Slow => (["10s", "1m", "1h", "2d"], ["20s", "1h", "1d", "1w"]),
            };
            let choice = self.rng.below(4) as usize;
            sla.put("due", Doc::from(due[choice]));
            if self.rng.one_in(2) {
                sla.put("past_due", Doc::from(past_due[choice]));
            }
            slas.put(&format!("sla{n}"), sla);
        }
        slas
    }

    fn attribution(&mut self) -> Doc {
        let channels = map([
            ("paid", map([("context.campaign.medium", list([Doc::from("cpc"), Doc::from("ppc")]))])),
            ("referral", map([("context.page.referrer", map([("exists", Doc::from(true))]))])),
            ("any_medium", map([("context.campaign.medium", map([("exists", Doc::from(true))]))])),
        ]);
        let mut models = vec![
            Doc::from("first"),
            Doc::from("last"),
            Doc::from("linear"),
            map([("time_decay", map([("half_life", self.duration())]))]),
            map([("position", map([("first", Doc::from(0.4)), ("last", Doc::from(0.4))]))]),
        ];
        self.rng.shuffle(&mut models);
        models.truncate(self.rng.between(1, 5) as usize);
        let mut attribution = map([
            ("channels", channels),
            ("touches", Doc::from(self.rng.between(1, 5))),
            ("models", list(models)),
            ("credit", list(self.rng.some(&self.names.stages).into_iter().map(Doc::from))),
        ]);
        match self.rng.below(3) {
            0 => {}
            1 => attribution.put("gap", Doc::from("0s")),
            _ => {
                let gap = self.duration();
                attribution.put("gap", gap);
            }
        }
        if self.rng.one_in(2) {
            let window = self.duration();
            attribution.put("window", window);
        }
        if self.rng.one_in(2) {
            let mut value = Doc::Map(Vec::new());
            for signal in self.rng.some(&self.names.signals) {
                value.put(&signal, Doc::from(*self.rng.pick(&["properties.n", "properties.items.n"])));
            }
            attribution.put("value", value);
        }
        attribution
    }

    fn emit(&mut self) -> Doc {
        let traits = ["email", "company.name", "company", "tags", "bio", "title"];
        let mut emit = map([("traits", list(self.rng.some(&traits).into_iter().map(Doc::from)))]);
        if !self.rng.one_in(4) {
            let mut scores = map([("on_change_of", Doc::from(*self.rng.pick(&[0.5, 1.0, 5.0, 20.0])))]);
            if self.rng.one_in(2) {
                let every = self.duration();
                scores.put("every", every);
            }
            emit.put("scores", scores);
        }
        emit
    }
}

fn spend() -> Doc {
    map([
        ("match", map([("event", Doc::from("Ad Spend Recorded"))])),
        ("channel", Doc::from("properties.tag")),
        ("amount", Doc::from("properties.n")),
    ])
}
