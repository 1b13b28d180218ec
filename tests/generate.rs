//! The generated stream against the model that it is made for: by what the model makes of it, it must look like a
//! company's funnel.

use qualifyd::generate::{Generator, Options};
use qualifyd::replay::{self, Replay, Summary};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

#[derive(Default)]
struct Funnel {
    /// The leads that have ever been in a stage.
    stages: BTreeMap<String, BTreeSet<String>>,
    transitions: BTreeMap<String, usize>,
    alerts: BTreeMap<String, usize>,
    slas: BTreeMap<(String, String), usize>,
    rejections: BTreeMap<String, usize>,
}

impl Funnel {
    fn of(records: &[u8]) -> Funnel {
        let mut funnel = Funnel::default();
        for line in records.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let record: serde_json::Value = serde_json::from_slice(line).expect("a record is JSON");
            let text = |name: &str| record["data"][name].as_str().unwrap_or_default().to_owned();
            match record["topic"].as_str() {
                Some("transitions") => {
                    funnel.stages.entry(text("to")).or_default().insert(text("lead"));
                    *funnel.transitions.entry(text("transition")).or_default() += 1;
                }
                Some("alerts") => *funnel.alerts.entry(text("alert")).or_default() += 1,
                Some("slas") => *funnel.slas.entry((text("sla"), text("state"))).or_default() += 1,
                Some("dead-letter") => *funnel.rejections.entry(text("reason")).or_default() += 1,
                _ => {}
            }
        }
        funnel
    }

    fn reached(&self, stage: &str) -> f64 {
        self.stages.get(stage).map_or(0, BTreeSet::len) as f64
    }
}

fn replay(options: Options) -> (Funnel, Summary) {
    let model =
        qualifyd::check::load(Path::new("deploy/models/b2b-saas.yaml")).expect("the model is good").model;
    let mut records = Vec::new();
    let mut replay = Replay::new(Arc::new(model), &mut records);
    for event in Generator::new(options) {
        assert!(!event.value.contains(&b'\n'), "an event is one line");
        replay.line(&event.value).expect("writing to memory succeeds");
    }
    let summary = replay.finish(&replay::Options::default()).expect("writing to memory succeeds");
    (Funnel::of(&records), summary)
}

#[test]
fn a_year_looks_like_a_funnel() {
    let (funnel, summary) = replay(Options { leads: 1_000, malformed: 0.005, ..Options::default() });
    let visitors = summary.leads as f64;
    assert!((950.0..=1_000.0).contains(&visitors), "{visitors} leads: no id but theirs");
    let steps = ["lead", "mql", "sal", "sql", "opportunity", "customer"];
    let mut before = ("visitor", visitors);
    let bands = [(0.25, 0.55), (0.15, 0.45), (0.35, 0.75), (0.6, 1.1), (0.6, 1.0), (0.4, 0.95)];
    for (stage, (least, most)) in steps.into_iter().zip(bands) {
        let reached = funnel.reached(stage);
        let share = reached / before.1;
        assert!((least..=most).contains(&share), "{} to {stage}: {share:.2}", before.0);
        before = (stage, reached);
    }
    for (stage, least, most) in
        [("recycled", 0.1, 0.5), ("disqualified", 0.005, 0.05), ("dormant", 0.02, 0.3)]
    {
        let share = funnel.reached(stage) / visitors;
        assert!((least..=most).contains(&share), "{stage}: {share:.3}");
    }
}

#[test]
fn everything_that_the_model_can_say_is_said() {
    let (funnel, summary) = replay(Options { leads: 1_000, seed: 5, malformed: 0.005, ..Options::default() });
    let transitions = [
        "employee",
        "competitor",
        "win",
        "churn",
        "reject",
        "recycle",
        "lose",
        "identify",
        "pql_teammates",
        "pql_limit",
        "accept",
        "open_deal",
        "sell",
        "hand_raise",
        "qualify",
        "handback",
        "stall",
        "go_cold",
        "sleep",
    ];
    for transition in transitions {
        assert!(funnel.transitions.contains_key(transition), "{transition}: {:?}", funnel.transitions);
    }
    let alerts =
        ["hot_lead", "contact_request", "product_qualified", "warm_lead", "target_account", "ticket"];
    for alert in alerts {
        assert!(funnel.alerts.contains_key(alert), "{alert}: {:?}", funnel.alerts);
    }
    for sla in ["speed_to_lead", "ticket_response", "acceptance", "first_call", "sql_contact"] {
        for state in ["due", "met", "breached"] {
            let key = (sla.to_owned(), state.to_owned());
            assert!(funnel.slas.contains_key(&key), "{key:?}: {:?}", funnel.slas);
        }
    }
    for reason in ["not_json", "not_object", "unknown_kind", "missing_lead", "bad_lead", "bad_time"] {
        assert!(funnel.rejections.contains_key(reason), "{reason}: {:?}", funnel.rejections);
    }
    assert!(summary.duplicates > 0 && summary.spend == 3 * 365, "{summary:?}");
}
