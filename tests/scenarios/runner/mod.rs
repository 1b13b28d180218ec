//! Plays a scenario through the engine and writes down what came of it.

pub mod diff;
pub mod record;
pub mod render;
pub mod story;

use qualifyd::model::{Diagnostic, Loaded, Model};
use qualifyd::replay::{Options, Replay, replay};
use record::{Record, Schemas};
use std::cell::RefCell;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use story::{ModelSource, Step, Story};

/// The scenario's snapshot: events and what each brought about, in order, and the scores where the story asks for them.
pub fn tell(story: &Story, schemas: &Schemas) -> Result<String, String> {
    let model = Arc::new(model_of(story)?);
    let mut text = format!("{}\n{}\n\n", story.title, story.story.trim());
    let printed = Printed::default();
    let mut live = Replay::new(model.clone(), printed.clone());
    let mut lines: Vec<String> = Vec::new();
    for step in &story.steps {
        match step {
            Step::Event { line, at, shown } => {
                live.line(line.as_bytes()).map_err(|error| error.to_string())?;
                lines.push(line.clone());
                let records = Record::read_all(&printed.take(), schemas)?;
                // What time brought about before the event is told before it.
                let before = |record: &&Record| at.is_some_and(|at| record.at_ms().is_some_and(|ms| ms < at));
                let told_before = records.iter().take_while(before).count();
                let shown_lines =
                    |records: &[Record]| -> String { records.iter().map(render::record).collect() };
                text.push_str(&shown_lines(&records[..told_before]));
                text.push_str(&format!("{shown}\n"));
                text.push_str(&shown_lines(&records[told_before..]));
            }
            Step::Scores { at } => text.push_str(&scores_at(&model, &lines, *at, schemas)?),
        }
    }
    if let Some(until) = story.until {
        let until_shown = render::moment(until);
        live.finish(&Options { until_ms: Some(until), scores: false }).map_err(|error| error.to_string())?;
        let records = Record::read_all(&printed.take(), schemas)?;
        text.extend(records.iter().map(render::record));
        text.push_str(&format!("{until_shown}  (the story ends)\n"));
    }
    Ok(text)
}

/// What the story says of itself, which no new snapshot can change: the first thing that is not so.
pub fn broken_promise(story: &Story, told: &str) -> Option<String> {
    let mut rest = told;
    for promise in &story.says {
        match rest.find(promise.as_str()) {
            Some(at) => rest = &rest[at + promise.len()..],
            None => {
                return Some(format!("does not say \"{promise}\" (any more, after what comes before it)"));
            }
        }
    }
    let broken = story.never_says.iter().find(|promise| told.contains(promise.as_str()));
    broken.map(|promise| format!("says \"{promise}\""))
}

/// Every lead's scores at a moment, after the events so far. Asking changes nothing, so it is a replay of its own.
fn scores_at(model: &Arc<Model>, lines: &[String], at: i64, schemas: &Schemas) -> Result<String, String> {
    let mut out = Vec::new();
    let options = Options { until_ms: Some(at), scores: true };
    let events = lines.join("\n");
    let summary = replay(model, events.as_bytes(), &options, &mut out).map_err(|error| error.to_string())?;
    let records = Record::read_all(&out, schemas)?;
    let scores = &records[records.len() - summary.leads..];
    let shown: String = scores.iter().map(render::checkpoint).collect();
    Ok(format!("{}  (how do they stand?)\n{shown}", render::moment(at)))
}

fn model_of(story: &Story) -> Result<Model, String> {
    let loaded = match &story.model {
        ModelSource::Inline(text) => load(Path::new("inline"), text.as_bytes()),
        ModelSource::File(path) => {
            let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            load(path, &text)
        }
    };
    // Warnings are for whoever owns a model; these show one sentence of the contract each and are small on purpose.
    loaded
        .map(|loaded| loaded.model)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// Reads a model; its list files lie beside it.
pub fn load(path: &Path, text: &[u8]) -> Result<Loaded, Vec<Diagnostic>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    Model::load(&path.display().to_string(), text, &mut |list| std::fs::read(folder.join(list)))
}

/// What the replay printed and nobody has taken yet.
#[derive(Clone, Default)]
struct Printed(Rc<RefCell<Vec<u8>>>);

impl Printed {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut())
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
