//! `qualifyd check`: reads models and tells all that is wrong with them.

use crate::model::{Diagnostic, Loaded, MAX_BYTES, Model, Severity};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The longest file of a list.
const MAX_LIST_BYTES: u64 = 256 << 20;

/// Reads and checks the model in a file; files of lists are looked for beside it.
///
/// # Errors
/// All mistakes of the model, or that its file cannot be read.
pub fn load(path: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    load_text(path).1
}

/// Checks each file and prints what it finds, or a line of summary for a good one. False if any has errors.
///
/// # Errors
/// Those of writing to `out`.
pub fn check(paths: &[PathBuf], out: &mut dyn Write) -> io::Result<bool> {
    let mut all_good = true;
    for path in paths {
        let (text, loaded) = load_text(path);
        let findings = match &loaded {
            Ok(loaded) => &loaded.warnings,
            Err(findings) => findings,
        };
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let name = path.display().to_string();
        for finding in findings {
            let line =
                (finding.file == name).then(|| lines.get(finding.line.saturating_sub(1) as usize)).flatten();
            print(finding, line.copied(), out)?;
        }
        match &loaded {
            Ok(loaded) => writeln!(out, "{name}: ok: {}", summary(&loaded.model))?,
            Err(findings) => {
                all_good = false;
                let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
                writeln!(out, "{name}: {}", counted(errors, "error"))?;
            }
        }
    }
    Ok(all_good)
}

/// The model's text, as far as it could be read, and what it says.
fn load_text(path: &Path) -> (Vec<u8>, Result<Loaded, Vec<Diagnostic>>) {
    let name = path.display().to_string();
    // One byte more than a model may have, so that the reader sees when it is too long.
    let text = match read(path, MAX_BYTES as u64 + 1) {
        Ok(text) => text,
        Err(error) => {
            let unreadable = Diagnostic {
                severity: Severity::Error,
                file: name,
                line: 1,
                column: 1,
                end: None,
                message: format!("the file cannot be read: {error}"),
                hint: None,
            };
            return (Vec::new(), Err(vec![unreadable]));
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let loaded = Model::load(&name, &text, &mut |list| {
        let bytes = read(&folder.join(list), MAX_LIST_BYTES + 1)?;
        match bytes.len() as u64 > MAX_LIST_BYTES {
            true => Err(io::Error::other(format!("it is longer than {} MiB", MAX_LIST_BYTES >> 20))),
            false => Ok(bytes),
        }
    });
    (text, loaded)
}

fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The finding, and the line where it is with a mark under the place.
fn print(finding: &Diagnostic, line: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    /// Longer lines are cut around the place.
    const WIDTH: usize = 120;
    let plain = Diagnostic { hint: None, ..finding.clone() };
    writeln!(out, "{plain}")?;
    if let Some(line) = line {
        let column = finding.column.saturating_sub(1) as usize;
        let first = column.saturating_sub(WIDTH / 2);
        let shown: String =
            line.chars().skip(first).take(WIDTH).map(|c| if c == '\t' { ' ' } else { c }).collect();
        let length = match finding.end {
            Some((end_line, end)) if end_line == finding.line => {
                end.saturating_sub(finding.column).max(1) as usize
            }
            _ => 1,
        };
        let mark = "^".repeat(length.min(WIDTH - (column - first)));
        writeln!(out, "  | {}", shown.trim_end())?;
        writeln!(out, "  | {}{mark}", " ".repeat(column - first))?;
    }
    finding.hint.iter().try_for_each(|hint| writeln!(out, "  hint: {hint}"))
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

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
