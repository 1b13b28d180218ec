//! `qualifyd check`: reads models and tells all that is wrong with them.

mod draw;
#[cfg(test)]
mod tests;

pub use draw::draw;

use crate::model::{Diagnostic, Loaded, MAX_BYTES, Model, Severity};
use crate::words::counted;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The longest file of a list.
const MAX_LIST_BYTES: u64 = 256 << 20;

/// A model's file as it was read and checked.
#[derive(Debug)]
pub struct Checked {
    /// The file's name in messages.
    pub name: String,
    /// Its text, as far as it could be read.
    pub text: String,
    /// The model with its warnings, or all mistakes.
    pub loaded: Result<Loaded, Vec<Diagnostic>>,
}

impl Checked {
    pub fn findings(&self) -> &[Diagnostic] {
        match &self.loaded {
            Ok(loaded) => &loaded.warnings,
            Err(findings) => findings,
        }
    }

    /// Every finding drawn at its place, with colours.
    pub fn drawn(&self) -> impl Iterator<Item = String> {
        let lines: Vec<&str> = self.text.lines().collect();
        self.findings().iter().map(move |finding| {
            let own = finding.file == self.name;
            draw(finding, own.then(|| lines.get(finding.line.saturating_sub(1) as usize)).flatten().copied())
        })
    }
}

/// Reads and checks the model in a file; files of lists are looked for beside it.
pub fn read(path: &Path) -> Checked {
    let name = path.display().to_string();
    // One byte more than a model may have, so that the reader sees when it is too long.
    let text = match read_bytes(path, MAX_BYTES as u64 + 1) {
        Ok(text) => text,
        Err(error) => {
            let unreadable = Diagnostic {
                severity: Severity::Error,
                file: name.clone(),
                line: 1,
                column: 1,
                end: None,
                message: format!("the file cannot be read: {error}"),
                hint: None,
            };
            return Checked { name, text: String::new(), loaded: Err(vec![unreadable]) };
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let loaded = Model::load(&name, &text, &mut |list| {
        let bytes = read_bytes(&folder.join(list), MAX_LIST_BYTES + 1)?;
        match bytes.len() as u64 > MAX_LIST_BYTES {
            true => Err(io::Error::other(format!("it is longer than {} MiB", MAX_LIST_BYTES >> 20))),
            false => Ok(bytes),
        }
    });
    Checked { name, text: String::from_utf8_lossy(&text).into_owned(), loaded }
}

/// As [`read`], without the text.
///
/// # Errors
/// All mistakes of the model, or that its file cannot be read.
pub fn load(path: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    read(path).loaded
}

fn read_bytes(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How findings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Drawn at their place in the file.
    Text,
    /// One JSON object a finding, each in a line of its own.
    Json,
}

/// How many findings there were in all files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub errors: usize,
    pub warnings: usize,
}

/// Checks each file and tells what it finds, and as text also a line of summary for each file.
///
/// # Errors
/// Those of writing to `out`.
pub fn check(paths: &[PathBuf], format: Format, out: &mut dyn Write) -> io::Result<Count> {
    let mut all = Count::default();
    for path in paths {
        let checked = read(path);
        let errors = checked.findings().iter().filter(|found| found.severity == Severity::Error).count();
        let warnings = checked.findings().len() - errors;
        match format {
            Format::Text => {
                checked.drawn().try_for_each(|drawn| writeln!(out, "{drawn}\n"))?;
                let found: Vec<String> = [(errors, "error"), (warnings, "warning")]
                    .into_iter()
                    .filter(|(count, _)| *count > 0)
                    .map(|(count, what)| counted(count, what))
                    .collect();
                let found = if found.is_empty() { "ok".to_owned() } else { found.join(", ") };
                let summary = checked.loaded.as_ref().map(|loaded| format!(": {}", summary(&loaded.model)));
                writeln!(out, "{}: {found}{}", checked.name, summary.unwrap_or_default())?;
            }
            Format::Json => {
                for finding in checked.findings() {
                    serde_json::to_writer(&mut *out, &Finding::of(finding))?;
                    writeln!(out)?;
                }
            }
        }
        all = Count { errors: all.errors + errors, warnings: all.warnings + warnings };
    }
    Ok(all)
}

/// A finding for machines. Lines and columns count characters from 1; the end is exclusive, and the start itself where
/// the place is a point.
#[derive(Debug, Serialize)]
struct Finding<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    severity: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
}

impl<'a> Finding<'a> {
    fn of(found: &'a Diagnostic) -> Self {
        let (end_line, end_column) = found.end.unwrap_or((found.line, found.column));
        Finding {
            file: &found.file,
            line: found.line,
            column: found.column,
            end_line,
            end_column,
            severity: found.severity.name(),
            message: &found.message,
            hint: found.hint.as_deref(),
        }
    }
}

fn summary(model: &Model) -> String {
    let counts = [
        (model.signals.len(), "signal"),
        (model.scores.len(), "score"),
        (model.qualifications.len(), "qualification"),
        (model.stages.len(), "stage"),
        (model.transitions.len(), "transition"),
        (model.alerts.len(), "alert"),
        (model.slas.len(), "SLA"),
        (model.attribution.as_ref().map_or(0, |attribution| attribution.channels.len()), "channel"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, what)| counted(count, what)).collect();
    format!("{} version {}: {}", model.name, model.version, counts.join(", "))
}
