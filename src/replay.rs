//! `qualifyd replay`: what would come out of a file of events (SPEC §10). One partition, no wall clock.

use crate::core::effects::{Effects, Output};
use crate::core::partition::{Limits, Outcome, Partition, Record, Timestamp, Wakes};
use crate::core::rules::Rules;
use crate::event::Rejection;
use crate::event::time::write_rfc3339;
use crate::input::LONGEST_LINE;
use crate::json;
use crate::model::Model;
use crate::output::{event_type, topic_name};
use std::io::{self, BufRead, Write};
use std::sync::Arc;

/// What to do besides reading the events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Fire every due time up to this moment (ms) after the last line.
    pub until_ms: Option<i64>,
    /// Print every lead's score record at the end.
    pub scores: bool,
}

/// What a replay came to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Lines that were not blank.
    pub events: u64,
    pub applied: u64,
    pub ignored: u64,
    pub duplicates: u64,
    pub spend: u64,
    pub rejected: u64,
    /// Records printed, dead letters left out.
    pub records: u64,
    pub leads: usize,
    pub wakes: Wakes,
    /// Heap bytes of the leads: blocks, entries, index, timers.
    pub heap_bytes: [usize; 4],
}

/// A replay in progress.
pub struct Replay<W> {
    partition: Partition,
    effects: Effects,
    out: W,
    text: Vec<u8>,
    /// Lines read so far, blank ones included.
    line: u64,
    summary: Summary,
}

impl<W: Write> Replay<W> {
    pub fn new(model: Arc<Model>, out: W) -> Self {
        let partition = Partition::new(Arc::new(Rules::new(model)), Limits::default());
        let (effects, summary) = (Effects::default(), Summary::default());
        Replay { partition, effects, out, text: Vec::new(), line: 0, summary }
    }

    /// Applies all lines of an input, numbered on from the input before. Calls `progress` now and then.
    pub fn read(&mut self, mut input: impl BufRead, mut progress: impl FnMut(&Summary)) -> io::Result<()> {
        // A line that does not lie whole in the input's buffer.
        let mut pieces = Vec::new();
        loop {
            let buffer = input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', buffer) {
                if pieces.is_empty() {
                    self.line(&buffer[start..end])?;
                } else {
                    add_piece(&mut pieces, &buffer[start..end]);
                    self.line(&pieces)?;
                    pieces.clear();
                }
                start = end + 1;
            }
            add_piece(&mut pieces, &buffer[start..]);
            let length = buffer.len();
            input.consume(length);
            progress(&self.summary);
        }
        if pieces.is_empty() { Ok(()) } else { self.line(&pieces) }
    }

    /// Applies one line, given without its line feed.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.line += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(|byte| byte.is_ascii_whitespace()) {
            return Ok(());
        }
        self.summary.events += 1;
        let record = Record { value: Some(line), timestamp: Timestamp::Received };
        match self.partition.apply(record, None, &mut self.effects) {
            Outcome::Applied => self.summary.applied += 1,
            Outcome::Ignored => self.summary.ignored += 1,
            Outcome::Duplicate => self.summary.duplicates += 1,
            Outcome::Spend => self.summary.spend += 1,
            Outcome::Tombstone => {}
            Outcome::Rejected(rejection) => {
                self.summary.rejected += 1;
                self.dead_letter(&rejection)?;
            }
        }
        self.print_effects()
    }

    /// Fires and prints what the options ask for at the end.
    pub fn finish(mut self, options: &Options) -> io::Result<Summary> {
        if let Some(until) = options.until_ms {
            self.partition.advance_until(until, &mut self.effects);
            self.print_effects()?;
        }
        if options.scores {
            let at = options.until_ms.unwrap_or(self.partition.stream_time_ms());
            let Replay { partition, effects, out, text, summary, .. } = &mut self;
            let mut result = Ok(());
            partition.score_records(at, effects, |effects| {
                if result.is_ok() {
                    result = print(effects, text, out, summary);
                }
            });
            result?;
        }
        self.out.flush()?;
        self.summary.leads = self.partition.len();
        self.summary.wakes = self.partition.wakes();
        self.summary.heap_bytes = self.partition.heap_bytes();
        Ok(self.summary)
    }

    fn print_effects(&mut self) -> io::Result<()> {
        if self.effects.is_empty() {
            return Ok(());
        }
        print(&mut self.effects, &mut self.text, &mut self.out, &mut self.summary)
    }

    fn dead_letter(&mut self, rejection: &Rejection) -> io::Result<()> {
        let data = DeadLetter { line: self.line, reason: rejection.reason.name(), detail: &rejection.detail };
        let line = Line { topic: "dead-letter", key: None, id: None, kind: None, time: None, data };
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")
    }
}

#[derive(serde::Serialize)]
struct Line<'a, D> {
    topic: &'a str,
    key: Option<&'a str>,
    id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    time: Option<&'a str>,
    data: D,
}

#[derive(serde::Serialize)]
struct DeadLetter<'a> {
    line: u64,
    reason: &'a str,
    detail: &'a str,
}

fn print(
    effects: &mut Effects,
    text: &mut Vec<u8>,
    out: &mut impl Write,
    summary: &mut Summary,
) -> io::Result<()> {
    for output in effects.outputs() {
        text.clear();
        write_line(text, &output)?;
        out.write_all(text)?;
        summary.records += 1;
    }
    effects.clear();
    Ok(())
}

/// Appends a record as `replay` prints it.
fn write_line(text: &mut Vec<u8>, output: &Output<'_>) -> io::Result<()> {
    write!(text, "{{\"topic\":\"{}\",\"key\":", topic_name(output.topic))?;
    json::write_text(text, output.lead);
    text.extend_from_slice(b",\"id\":");
    json::write_text(text, output.lead);
    // The number goes inside of the quotes.
    text.pop();
    text.push(b'/');
    json::write_whole(text, false, output.seq);
    write!(text, "\",\"type\":\"{}\",\"time\":\"", event_type(output.topic))?;
    write_rfc3339(text, output.at_ms);
    text.extend_from_slice(b"\",\"data\":");
    text.extend_from_slice(output.data);
    text.extend_from_slice(b"}\n");
    Ok(())
}

fn add_piece(pieces: &mut Vec<u8>, piece: &[u8]) {
    let room = LONGEST_LINE.saturating_sub(pieces.len());
    pieces.extend_from_slice(&piece[..piece.len().min(room)]);
}

/// Replays one input in one go.
pub fn replay(
    model: &Arc<Model>,
    input: impl BufRead,
    options: &Options,
    out: impl Write,
) -> io::Result<Summary> {
    let mut replay = Replay::new(model.clone(), out);
    replay.read(input, |_| ())?;
    replay.finish(options)
}
