//! Draws a finding at its place in the file.

use crate::model::{Diagnostic, Severity};
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use std::borrow::Cow;

/// Longer lines are cut around the place.
const WIDTH: usize = 120;

/// The finding with the line of its file where it is, and a mark under the place. With colours: print it through
/// `anstream`, which takes them out where nobody can see them.
pub fn draw(finding: &Diagnostic, line: Option<&str>) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(plain(&finding.message));
    let group = match line {
        Some(line) => {
            let line = plain(line);
            let (from, to) = place(finding, &line);
            let mark = AnnotationKind::Primary.span(from..to);
            let snippet = Snippet::source(line).line_start(finding.line as usize).path(plain(&finding.file));
            title.element(snippet.annotation(mark))
        }
        None => {
            let origin = Origin::path(plain(&finding.file)).line(finding.line as usize);
            title.element(origin.char_column(finding.column as usize))
        }
    };
    let group = match &finding.hint {
        Some(hint) => group.element(Level::HELP.with_name(Some("hint")).message(plain(hint))),
        None => group,
    };
    Renderer::styled().term_width(WIDTH).render(&[group])
}

/// The bytes of the line that the finding is about; at least one character, if there is one.
fn place(finding: &Diagnostic, line: &str) -> (usize, usize) {
    let byte = |column: u32| {
        line.char_indices().nth(column.saturating_sub(1) as usize).map_or(line.len(), |(byte, _)| byte)
    };
    let from = byte(finding.column);
    let to = match finding.end {
        Some((end_line, end)) if end_line == finding.line => byte(end.max(finding.column + 1)),
        // What goes on in later lines is marked where it begins.
        _ => byte(finding.column + 1),
    };
    (from, to)
}

/// Without characters that steer a terminal.
fn plain(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\t';
    match text.contains(steers) {
        true => text.replace(steers, "�").into(),
        false => text.into(),
    }
}
