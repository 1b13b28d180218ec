use crate::model::Model;
use crate::model::compiled::*;
use crate::model::matcher::{Matcher, NumberTest, Op, Scalar};

fn example() -> Model {
    let text = include_bytes!("../../../tests/models/contract-example.yaml");
    let read = &mut |file: &str| {
        assert_eq!(file, "target-accounts.txt");
        Ok(b"Acme Corp\n".to_vec())
    };
    let loaded = Model::load("b2b-saas.yaml", text, read).unwrap();
    assert_eq!(loaded.warnings, []);
    loaded.model
}

/// A model of two signals, two stages and what the case adds.
fn model(rest: &str) -> Model {
    let text = format!(
        "model: m\nversion: 1\nstages: [ {{ name: a }}, {{ name: b }} ]\n\
         signals: {{ visit: {{ match: {{ kind: page }} }}, order: {{ match: {{ event: Order }} }} }}\n{rest}"
    );
    Model::load("m.yaml", text.as_bytes(), &mut |_| unreachable!())
        .unwrap_or_else(|found| panic!("{found:#?}"))
        .model
}

fn stages(model: &Model, names: &[&str]) -> IndexSet {
    names.iter().map(|name| model.stages.iter().position(|stage| stage.name == *name).unwrap()).collect()
}

const DAY: i64 = 86_400_000;

#[test]
fn example_scores() {
    let model = example();
    let names: Vec<&str> = model.scores.iter().map(|score| score.name.as_str()).collect();
    assert_eq!(names, ["engagement", "fit", "total"]);
    assert_eq!(model.scores[0].range, Range { min: 0.0, max: 100.0 });
    assert_eq!(model.scores[2].range, Range { min: 0.0, max: Range::UNBOUNDED.max });
    let grades: Vec<(&str, f64)> = model.scores[1].grades.iter().map(|g| (g.name.as_str(), g.bar)).collect();
    assert_eq!(grades, [("A", 70.0), ("B", 45.0), ("C", 20.0), ("D", 0.0)]);
    let ScoreKind::Sum(parts) = &model.scores[2].kind else { panic!() };
    assert_eq!(parts, &[(0, 0.6), (1, 0.4)]);
    assert_eq!(model.score_order.len(), 3);
    assert_eq!(model.score_order.last(), Some(&2));
}

#[test]
fn example_contributions() {
    let model = example();
    let ScoreKind::Points(engagement) = &model.scores[0].kind else { panic!() };
    let groups: Vec<_> = engagement.groups.iter().map(|g| (g.name.as_str(), g.start, g.end)).collect();
    assert_eq!(groups, [("content", 0, 3), ("disengagement", 3, 4), ("manual", 4, 5)]);
    let [ebook, pricing, demo, bounced, manual] = model.contributions.as_slice() else { panic!() };
    assert_eq!((ebook.points, ebook.decay), (Points::Fixed(5.0), Decay::HalfLife(30 * DAY)));
    assert_eq!(pricing.at_most, Some(AtMost { n: 3, per: Some(DAY) }));
    assert_eq!(demo.decay, Decay::Lifespan { life: 90 * DAY, slot: DAY });
    assert_eq!((bounced.group, bounced.points), (1, Points::Fixed(-15.0)));
    let Points::From { field: Field::Path(path), scale, range } = manual.points else { panic!() };
    assert_eq!(model.event_paths[usize::from(path)], EventPath::Properties(vec!["points".into()]));
    assert_eq!((scale, range), (1.0, Range { min: -50.0, max: 50.0 }));
    assert_eq!(manual.decay, Decay::None);
    assert_eq!(model.signals[1].contributions, [1]);
}

#[test]
fn example_criteria() {
    let model = example();
    let ScoreKind::Points(fit) = &model.scores[1].kind else { panic!() };
    let positions: Vec<Vec<u32>> = fit
        .criteria
        .iter()
        .map(|entry| match entry {
            CriterionEntry::One(one) => vec![one.position],
            CriterionEntry::First(first) => first.iter().map(|one| one.position).collect(),
        })
        .collect();
    assert_eq!(positions, [vec![1, 2], vec![3], vec![4]]);
    let unknown: Vec<&str> =
        fit.unknown_without.iter().map(|&id| model.traits[usize::from(id)].name.as_str()).collect();
    assert_eq!(unknown, ["title", "company.employees", "email"]);
    let ScoreKind::Points(engagement) = &model.scores[0].kind else { panic!() };
    let inactivity = engagement.inactivity.unwrap();
    assert_eq!((inactivity.after, inactivity.points, inactivity.every), (30 * DAY, -10.0, Some(30 * DAY)));
    assert!(engagement.unknown_without.is_empty());
}

#[test]
fn example_funnel() {
    let model = example();
    let win = model.transitions.iter().find(|transition| transition.name == "win").unwrap();
    assert!(!win.from.contains(usize::from(win.to)));
    assert!((0..9).filter(|&stage| win.from.contains(stage)).count() == 8);
    let requalify = &model.transitions[3];
    assert_eq!((requalify.on, requalify.from.clone()), (Some(On::Activity), stages(&model, &["recycled"])));
    let Some(Condition::Score(0, NumberTest::Gte(bar))) = &requalify.when else {
        panic!("{:?}", requalify.when)
    };
    assert_eq!(*bar, 50.0);
    let handback = &model.transitions[6];
    assert_eq!((handback.after, handback.reset.as_slice()), (Some(14 * DAY), &[0][..]));
    assert!(matches!(model.transitions[7].reason, Some(Field::Path(_))));
    let sal = &model.stages[3];
    let requires: Vec<&str> =
        sal.requires.iter().map(|&id| model.traits[usize::from(id)].name.as_str()).collect();
    assert_eq!((requires, sal.side, model.stages[6].side), (vec!["email"], false, true));
}

#[test]
fn example_alerts_and_slas() {
    let model = example();
    let hot = &model.alerts[0];
    assert_eq!((hot.cooldown, hot.priority.as_deref()), (DAY, Some("high")));
    let Route::FirstOf(route) = &hot.route else { panic!() };
    assert_eq!(
        route.iter().map(|(when, to)| (when.is_some(), to.as_str())).collect::<Vec<_>>(),
        [(true, "ae-emea"), (false, "ae")]
    );
    let Some(Condition::All(parts)) = &hot.when else { panic!() };
    let Condition::Grade(1, at_least_b) = &parts[1] else { panic!() };
    assert_eq!(*at_least_b, IndexSet::from_iter([0, 1]));
    let Condition::Stage(in_sales) = &parts[2] else { panic!() };
    assert_eq!(*in_sales, stages(&model, &["mql", "sal"]));
    let acceptance = &model.slas[1];
    assert_eq!(
        (acceptance.start, acceptance.stop, acceptance.cancel),
        (Edge::Enter(2), Edge::Enter(3), Some(Edge::Leave(2)))
    );
    assert_eq!((acceptance.due, acceptance.past_due), (2 * DAY, None));
}

#[test]
fn example_attribution_and_emit() {
    let model = example();
    let attribution = model.attribution.as_ref().unwrap();
    assert_eq!((attribution.touches, attribution.gap, attribution.window), (20, 1_800_000, Some(90 * DAY)));
    let names: Vec<&str> = attribution.models.iter().map(AttributionModel::name).collect();
    assert_eq!(names, ["first", "last", "linear", "time_decay", "position"]);
    assert_eq!(attribution.credit, stages(&model, &["mql", "sql", "customer"]));
    assert_eq!(attribution.value[0].0, 9);
    assert_eq!(model.emit_scores, Some(EmitScores { on_change_of: 5.0, every: 3_600_000 }));
    let emitted: Vec<&str> =
        model.emit_traits.iter().map(|&id| model.traits[usize::from(id)].name.as_str()).collect();
    assert_eq!(emitted, ["email", "company.name"]);
    assert!(model.spend.is_some());
}

#[test]
fn signals_are_found_by_name_or_kind() {
    let model = example();
    let by_name = |name: &str| model.dispatch.by_name.get(name).map(Vec::as_slice);
    assert_eq!(by_name("document downloaded"), Some(&[0][..]));
    assert_eq!(by_name("demo requested"), Some(&[2][..]));
    assert_eq!(by_name("quote requested"), Some(&[2][..]));
    assert_eq!(by_name("Demo Requested"), None);
    // pricing_visit, of pages alone.
    assert_eq!(model.dispatch.by_kind, [vec![], vec![1], vec![], vec![], vec![], vec![]]);
}

#[test]
fn kinds_follow_from_names_and_combinators() {
    let by_kind = |matcher: &str| {
        let text = format!(
            "model: m\nversion: 1\nstages: [ {{ name: a }} ]\nsignals: {{ s: {{ match: {matcher} }} }}"
        );
        let model = Model::load("m", text.as_bytes(), &mut |_| unreachable!()).unwrap().model;
        let kinds: Vec<usize> = (0..6).filter(|&kind| !model.dispatch.by_kind[kind].is_empty()).collect();
        (model.dispatch.by_name.len(), kinds)
    };
    assert_eq!(by_kind("{ event: { prefix: a } }"), (0, vec![0, 1, 2]));
    assert_eq!(by_kind("{ event: { exists: false } }"), (0, vec![0, 1, 2, 3, 4, 5]));
    assert_eq!(by_kind("{ kind: [Page, screen] }"), (0, vec![1, 2]));
    assert_eq!(by_kind("{ kind: { not: page } }"), (0, vec![0, 2, 3, 4, 5]));
    assert_eq!(by_kind("{ any: [ { kind: page }, { kind: group } ], traits.a: 1 }"), (0, vec![1, 4]));
    assert_eq!(by_kind("{ event: [A, B], kind: track }"), (2, vec![]));
    assert_eq!(by_kind("{ any: [ { event: A }, { kind: page } ] }"), (0, vec![0, 1, 2]));
    assert_eq!(by_kind("{ not: { event: A } }"), (0, vec![0, 1, 2, 3, 4, 5]));
}

#[test]
fn equal_tests_of_a_trait_share_a_fact() {
    let model = model(
        "transitions:\n\
         - { name: x, from: a, to: b, when: { traits.a: { gte: 1 }, traits.b: { gte: 1 } } }\n\
         - { name: y, from: a, to: b, when: { any: [ { traits.a: { gte: 1.0 } }, { traits.a: { gt: 1 } } ] } }\n",
    );
    assert_eq!(model.facts.len(), 3);
    assert_eq!(model.traits[0].facts, [0, 2]);
}

#[test]
fn seen_conditions_share_a_slot_by_signal_and_distinct() {
    let model = model(
        "transitions:\n\
         - { name: x, from: a, to: b, when: { seen: visit } }\n\
         - { name: y, from: a, to: b, when: { seen: { signal: visit, at_least: 5, within: 2d } } }\n\
         - { name: z, from: a, to: b, when: { seen: { signal: visit, distinct: day } } }\n\
         - { name: w, from: a, to: b, when: { seen: { signal: order, at_least: 3 } } }\n",
    );
    let slots: Vec<_> = model.seen.iter().map(|s| (s.signal, s.distinct, s.keep, s.timed)).collect();
    assert_eq!(slots, [(0, None, 5, true), (0, Some(Distinct::Day), 1, false), (1, None, 3, false)]);
    assert_eq!(model.signals[0].seen, [0, 1]);
}

#[test]
fn lists_stand_where_lists_are_allowed() {
    let model = model(
        "lists: { L: [Ab, cD], open: [a, b] }\n\
         transitions: [ { name: x, from: a, to: b, when: { traits.a: $L, traits.b: { equals: $L }, traits.c: { suffix: $L, contains: [$L] }, stage: $open } } ]\n",
    );
    let ops: Vec<&Op> = model.facts.iter().flat_map(|fact| &fact.test.ops).collect();
    let [Op::In(items), Op::Equals(Scalar::Text(text)), Op::Suffix(suffixes), Op::Contains(parts)] =
        ops.as_slice()
    else {
        panic!("{ops:?}")
    };
    assert!(items.texts.contains("ab") && items.texts.contains("cd"));
    assert_eq!(
        (text.as_str(), suffixes.as_ref(), parts.as_ref()),
        ("$l", &["ab".to_owned(), "cd".to_owned()][..], &["$l".to_owned()][..])
    );
}

#[test]
fn thresholds_stand_for_numbers() {
    let model = model(
        "thresholds: { x: 7, low: -3 }\n\
         scores:\n\
        \x20 s: { range: [$low, null], groups: { g: { range: [null, $x], points: { visit: $x } } }, grades: { hi: $x, lo: 0 } }\n\
        \x20 t: { sum: { s: $x } }\n",
    );
    assert_eq!(model.scores[0].range, Range { min: -3.0, max: Range::UNBOUNDED.max });
    assert_eq!(model.contributions[0].points, Points::Fixed(7.0));
    assert_eq!(model.scores[0].grades[0].bar, 7.0);
    assert!(matches!(&model.scores[1].kind, ScoreKind::Sum(parts) if parts == &[(0, 7.0)]));
    let ScoreKind::Points(points) = &model.scores[0].kind else { panic!() };
    assert_eq!(points.groups[0].range, Range { min: Range::UNBOUNDED.min, max: 7.0 });
}

#[test]
fn slots_are_at_least_a_second_and_rounded_up() {
    let slot = |decay: &str| {
        let model = model(&format!(
            "scores: {{ s: {{ groups: {{ g: {{ decay: {decay}, points: {{ visit: 1 }} }} }} }} }}"
        ));
        match model.contributions[0].decay {
            Decay::Lifespan { slot, .. } | Decay::Window { slot, .. } => slot,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(slot("{ window: 1m }"), 1000);
    assert_eq!(slot("{ window: 90s }"), 1000);
    assert_eq!(slot("{ lifespan: 90001ms }"), 1001);
}

#[test]
fn numbers_true_and_on_can_be_names() {
    let model = model("alerts: { on: { on: order }, 404: { on: order }, true: { on: visit } }");
    let names: Vec<&str> = model.alerts.iter().map(|alert| alert.name.as_str()).collect();
    assert_eq!(names, ["on", "404", "true"]);
}

#[test]
fn score_parts_come_before_what_is_made_of_them() {
    let model = model(
        "scores:\n\
        \x20 top: { max: [mid, low] }\n\
        \x20 mid: { sum: { low: 1 } }\n\
        \x20 low: { groups: { g: { points: { visit: 1 } } } }\n",
    );
    assert_eq!(model.score_order, [2, 1, 0]);
}

/// What is wrong with a model of one signal, one stage and these sections.
fn mistakes(sections: &str) -> Vec<String> {
    let text = format!(
        "model: m\nversion: 1\nstages: [ {{ name: a }} ]\nsignals: {{ visit: {{ match: {{ kind: page }} }} }}\n{sections}"
    );
    let found = Model::load("m.yaml", text.as_bytes(), &mut |_| unreachable!());
    found.map_or_else(|found| found.into_iter().map(|found| found.message).collect(), |_| Vec::new())
}

#[test]
fn scores_and_qualifications_nest_only_so_deep() {
    let scores = |most: usize| {
        let sums = (1..=most).map(|n| format!("  s{n}: {{ sum: {{ s{}: 1 }} }}\n", n - 1));
        let first = "scores:\n  s0: { groups: { g: { points: { visit: 1 } } } }\n";
        mistakes(&(first.to_owned() + &sums.collect::<String>()))
    };
    assert_eq!(scores(15), Vec::<String>::new());
    let message = "the score 's16' is made of scores that are made of scores, more than 16 deep";
    assert_eq!(scores(60), [message]);

    let qualifications = |most: usize, criteria: usize| {
        let asks = |n: usize| {
            let each = (0..criteria).map(|at| format!("c{at}: {{ qualified.q{}: all }}", n - 1));
            format!("  q{n}: {{ {} }}\n", each.collect::<Vec<_>>().join(", "))
        };
        let first = "qualifications:\n  q0: { a: { identified: true } }\n";
        mistakes(&(first.to_owned() + &(1..=most).map(asks).collect::<String>()))
    };
    assert_eq!(qualifications(15, 1), Vec::<String>::new());
    assert!(qualifications(16, 1)[0].starts_with("the qualification 'q16' asks for others"));
    assert_eq!(qualifications(11, 2), Vec::<String>::new());
    assert!(qualifications(14, 2)[0].starts_with("the qualification 'q12' asks for others"));
}

#[test]
fn a_look_up_by_name_or_kind_leaves_only_the_rest_to_ask() {
    let rest = |matcher: &str| {
        let text = format!(
            "model: m\nversion: 1\nstages: [ {{ name: a }} ]\nsignals: {{ s: {{ match: {matcher} }} }}"
        );
        let model = Model::load("m", text.as_bytes(), &mut |_| unreachable!()).unwrap().model;
        format!("{:?}", model.signals[0].rest)
    };
    let nothing = format!("{:?}", Matcher::ALWAYS);
    for decided in ["{ event: A }", "{ event: [A, B] }", "{ kind: [page, screen] }"] {
        assert_eq!(rest(decided), nothing, "{decided}");
    }
    assert!(rest("{ event: { equals: A, not: B } }").contains("Name"));
    assert!(rest("{ event: { prefix: A } }").contains("Name"));
    let left = rest("{ event: A, kind: track, traits.a: 1 }");
    assert!(!left.contains("Name") && left.contains("Kind") && left.contains("Path"), "{left}");
    let left = rest("{ kind: page, traits.a: 1 }");
    assert!(!left.contains("Kind") && left.contains("Path"), "{left}");
}
