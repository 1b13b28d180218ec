//! The story of a lead against the replay of all leads: it tells every record that was sent, in order, and its numbers
//! add up from one line to the next.

use qualifyd::core::rules::Rules;
use qualifyd::generate::{Generator, Options};
use qualifyd::model::Model;
use qualifyd::replay::{self, Replay};
use qualifyd::story::{Change, Chapter, Gain, Story, tell};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Two decimals are shown.
const ROUNDED: f64 = 0.006;

fn model() -> Arc<Model> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/models/b2b-saas.yaml");
    Arc::new(qualifyd::check::load(&path).unwrap_or_else(|found| panic!("{found:#?}")).model)
}

/// A stream in which many events come late, twice or broken.
fn lines() -> Vec<Vec<u8>> {
    let options =
        Options { leads: 90, days: 150, late: 0.1, duplicates: 0.05, malformed: 0.02, ..Options::default() };
    Generator::new(options).map(|event| event.value).collect()
}

/// The records of every lead but its score records, as a replay of all leads sends them.
fn sent(model: &Arc<Model>, lines: &[Vec<u8>], until_ms: i64) -> BTreeMap<String, Vec<Value>> {
    let mut out = Vec::new();
    let mut replay = Replay::new(model.clone(), &mut out);
    lines.iter().for_each(|line| replay.line(line).unwrap());
    replay.finish(&replay::Options { until_ms: Some(until_ms), ..replay::Options::default() }).unwrap();
    let mut sent: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in std::str::from_utf8(&out).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        if let Some(lead) = record["key"].as_str() {
            let records = sent.entry(lead.to_owned()).or_default();
            records.extend((record["topic"] != "scores").then(|| record["data"].clone()));
        }
    }
    sent
}

#[test]
fn stories_tell_every_record_and_their_numbers_add_up() {
    let (model, lines) = (model(), lines());
    let rules = Arc::new(Rules::new(model.clone()));
    let until = Options::default().start_ms + 400 * 86_400_000;
    let sent = sent(&model, &lines, until);
    let records: usize = sent.values().map(Vec::len).sum();
    assert!(sent.len() > 50 && records > 100, "{} leads, {records} records", sent.len());
    for (lead, records) in &sent {
        let story = tell(&rules, lead, lines.iter().map(Vec::as_slice), Some(until));
        let happened = story.chapters.iter().flat_map(|chapter| &chapter.happened);
        let told: Vec<&Value> = happened.filter_map(|happened| happened.record.as_ref()).collect();
        assert!(told.iter().copied().eq(records), "{lead}: {}", qualifyd::story::text::story(&story));
        adds_up(&story);
    }
}

/// A story that was followed by hand: every number in it comes from the ones before and the model.
/// `QUALIFYD_UPDATE=1 cargo test --test story` writes it anew; follow it again before you keep it.
#[test]
fn a_story_reads_as_it_was_followed_by_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/story");
    let loaded =
        qualifyd::check::load(&folder.join("model.yaml")).unwrap_or_else(|found| panic!("{found:#?}"));
    let rules = Arc::new(Rules::new(Arc::new(loaded.model)));
    let events = std::fs::read(folder.join("events.jsonl")).unwrap();
    let until = qualifyd::event::time::parse_text("2026-04-20");
    let story =
        qualifyd::story::text::story(&tell(&rules, "ana", events.split(|byte| *byte == b'\n'), until));
    let path = folder.join("ana.txt");
    if std::env::var_os("QUALIFYD_UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, &story).unwrap();
    }
    assert_eq!(story, std::fs::read_to_string(&path).unwrap());
}

fn adds_up(story: &Story) {
    let mut scores: HashMap<&str, f64> = HashMap::new();
    for chapter in &story.chapters {
        for change in chapter.by_time.iter().chain(&chapter.changes) {
            let before = scores.insert(&change.score, change.after.number());
            if let Some(before) = before {
                assert_eq!(
                    before,
                    change.before.number(),
                    "{} of {} at {:?}",
                    change.score,
                    story.lead,
                    chapter.at
                );
            }
            parts_add_up(story, chapter, change);
        }
        chapter.changes.iter().for_each(|change| gains_add_up(story, &chapter.gains, change));
        if chapter.happened.iter().any(|happened| happened.what.contains("starts anew")) {
            scores.clear();
        }
    }
}

/// What the parts of a score gain or lose, it gains or loses, unless its range cuts something off.
fn parts_add_up(story: &Story, chapter: &Chapter, change: &Change) {
    let cut = change.note.is_some()
        || chapter
            .by_time
            .iter()
            .chain(&chapter.changes)
            .any(|other| other.score == change.score && other.note.is_some());
    if cut || matches!(change.score.as_str(), "best_fit") {
        return;
    }
    let weight = |part: &str| part.split_once(" × ").map_or(1.0, |(weight, _)| weight.parse().unwrap());
    let parts = change.parts.iter().map(|part| weight(&part.part) * (part.after.0 - part.before.0));
    let difference = change.after.0 - change.before.0;
    // Parts whose change does not show are not told.
    assert!((parts.sum::<f64>() - difference).abs() < 10.0 * ROUNDED, "{}: {change:#?}", story.lead);
}

/// What an event's signals add to a group, it gains, unless its range cuts something off.
fn gains_add_up(story: &Story, gains: &[Gain], change: &Change) {
    for part in change.parts.iter().filter(|part| part.note.is_none()) {
        let gains = gains.iter().filter(|gain| gain.score == change.score && gain.group == part.part);
        let gained: Vec<f64> = gains.map(|gain| gain.adds.0).collect();
        let difference = part.after.0 - part.before.0;
        if !gained.is_empty() && !was_cut(part.before.0) {
            assert!((gained.iter().sum::<f64>() - difference).abs() < ROUNDED, "{}: {change:#?}", story.lead);
        }
    }
}

/// A group that was at its bound before may have had more than it showed.
fn was_cut(before: f64) -> bool {
    before.fract() == 0.0 && before != 0.0
}

fn explain(arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/story");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_qualifyd"));
    let run = command
        .arg("explain")
        .args(["--model", "model.yaml"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (run.status.code(), text(&run.stdout), text(&run.stderr))
}

#[test]
fn the_command_tells_the_story_as_text_and_as_data() {
    let (status, told, _) = explain(&["--lead", "ana", "--until", "2026-04-20", "events.jsonl"]);
    let known = include_str!("story/ana.txt");
    assert_eq!((status, told.as_str()), (Some(0), known));
    let (status, told, _) = explain(&["--lead", "bob", "--format", "json", "events.jsonl"]);
    let story: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, &story["ending"]["view"]["stage"]), (Some(0), &Value::from("lead")));
    assert_eq!(story["chapters"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_lead_without_events_is_told_to_be_missing() {
    let (status, told, error) = explain(&["--lead", "cy", "events.jsonl"]);
    assert_eq!(status, Some(1));
    assert!(told.contains("No event of this lead was applied."), "{told}");
    assert!(error.contains("no event of the lead 'cy' is among 14 others"), "{error}");
}
