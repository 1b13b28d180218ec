//! What came of tests: as text for people, as JSON, and as JUnit XML for build servers.

use super::coverage::{Covered, percent};
use super::events::told;
use super::expect::Failure;
use super::run::{FileResult, Results, TestResult};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;

/// Which words stand out, on a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub colour: bool,
}

impl Style {
    fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Every failed test with what differs and the lead's story, then a line for each file and the sum.
pub fn text(results: &Results, coverage: bool, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for file in &results.files {
        file.drawn().try_for_each(|drawn| writeln!(out, "{drawn}\n"))?;
        for test in file.tests.iter().filter(|test| !test.played.failures.is_empty()) {
            failed_test(file, test, style, out)?;
        }
        let failed = file.tests.iter().filter(|test| !test.played.failures.is_empty()).count();
        let path = file.path.display();
        match (file.findings.is_empty(), failed) {
            (false, _) => writeln!(out, "{} {path}: not run", style.bad("FAILED"))?,
            (true, 0) if file.tests.is_empty() => {}
            (true, 0) => writeln!(out, "{}     {path}: {} passed", style.good("ok"), file.tests.len())?,
            (true, failed) => {
                writeln!(out, "{} {path}: {failed} of {} failed", style.bad("FAILED"), file.tests.len())?
            }
        }
    }
    if coverage {
        for (path, model) in &results.models {
            coverage_text(&path.display().to_string(), &model.covered(), out)?;
        }
    }
    let (all, failed, broken) = (results.tests().count(), results.failed(), results.broken());
    let took: Duration = results.tests().map(|test| test.took).sum();
    let left_out = match results.left_out {
        0 => String::new(),
        count => format!(", {count} left out"),
    };
    let broken = match broken {
        0 => String::new(),
        1 => ", 1 file cannot be read".to_owned(),
        count => format!(", {count} files cannot be read"),
    };
    writeln!(
        out,
        "{} passed, {failed} failed{broken}{left_out} in {:.0} ms",
        all - failed,
        took.as_secs_f64() * 1000.0
    )
}

fn failed_test(file: &FileResult, test: &TestResult, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {}:{}: {}", style.bad("FAILED"), file.path.display(), test.line, test.name)?;
    let mut place = None;
    for failure in &test.played.failures {
        if place != Some((failure.at, failure.span.line)) {
            place = Some((failure.at, failure.span.line));
            writeln!(out, "  at {}, line {}:", told(failure.at, test.start), failure.span.line)?;
        }
        difference(failure, style, out)?;
    }
    writeln!(out, "  the lead's story:")?;
    story(file, test).lines().try_for_each(|line| match line.is_empty() {
        true => writeln!(out),
        false => writeln!(out, "    {line}"),
    })?;
    writeln!(out)
}

/// What the lead did in a test, up to the last moment that the test looks at.
fn story(file: &FileResult, test: &TestResult) -> String {
    let Some(rules) = &file.rules else { return String::new() };
    let lines = test.played.lines.iter().map(Vec::as_slice);
    crate::story::text::story(&crate::story::tell(rules, &test.lead, lines, Some(test.played.until)))
}

/// What is expected above what is, so that the eye finds where they part.
fn difference(failure: &Failure, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "    {}", failure.what)?;
    writeln!(out, "      expected  {}", style.good(&failure.expected))?;
    writeln!(out, "      found     {}", style.bad(&failure.found))
}

fn coverage_text(model: &str, covered: &[Covered], out: &mut dyn Write) -> io::Result<()> {
    let parts = covered.iter().filter(|covered| covered.all > 0);
    let parts: Vec<String> =
        parts.map(|covered| format!("{} {} of {}", covered.kind, covered.touched, covered.all)).collect();
    writeln!(out, "coverage {model}: {:.0} %: {}", percent(covered).floor(), parts.join(", "))?;
    for covered in covered.iter().filter(|covered| !covered.untouched.is_empty()) {
        writeln!(out, "  no test touches the {} {}", covered.kind, covered.untouched.join(", "))?;
    }
    Ok(())
}

/// One object: files with their tests, models with their coverage.
pub fn json(results: &Results) -> Value {
    let failure = |test: &TestResult, failure: &Failure| {
        json!({
            "at": told(failure.at, test.start), "line": failure.span.line, "what": failure.what,
            "expected": failure.expected, "found": failure.found,
        })
    };
    let test = |file: &FileResult, test: &TestResult| {
        let failures: Vec<Value> = test.played.failures.iter().map(|found| failure(test, found)).collect();
        let story = (!failures.is_empty()).then(|| story(file, test));
        let passed = failures.is_empty();
        json!({ "name": test.name, "line": test.line, "passed": passed, "failures": failures, "story": story })
    };
    let file = |file: &FileResult| {
        let findings: Vec<String> = file.findings.iter().map(ToString::to_string).collect();
        let tests: Vec<Value> = file.tests.iter().map(|found| test(file, found)).collect();
        json!({ "file": file.path.display().to_string(), "findings": findings, "tests": tests })
    };
    let models = results.models.iter().map(|(path, model)| {
        let covered = model.covered();
        json!({ "model": path.display().to_string(), "percent": percent(&covered), "coverage": covered })
    });
    json!({
        "files": results.files.iter().map(file).collect::<Vec<_>>(),
        "models": models.collect::<Vec<_>>(),
        "passed": results.tests().count() - results.failed(),
        "failed": results.failed(),
    })
}

/// JUnit XML: a suite for each file. A file that cannot be read is a suite with one error.
pub fn junit(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let (all, failed) = (results.tests().count() + results.broken(), results.failed());
    writeln!(out, "<testsuites tests=\"{all}\" failures=\"{failed}\" errors=\"{}\">", results.broken())?;
    for file in &results.files {
        let name = escaped(&file.path.display().to_string());
        let failed = file.tests.iter().filter(|test| !test.played.failures.is_empty()).count();
        let broken = usize::from(!file.findings.is_empty());
        let tests = file.tests.len() + broken;
        writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{broken}\">"
        )?;
        for test in &file.tests {
            junit_test(file, &name, test, out)?;
        }
        if broken == 1 {
            let findings: Vec<String> = file.findings.iter().map(ToString::to_string).collect();
            writeln!(out, "    <testcase classname=\"{name}\" name=\"can be read\">")?;
            writeln!(
                out,
                "      <error message=\"the file or its model has mistakes\">{}</error>",
                escaped(&findings.join("\n"))
            )?;
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn junit_test(file: &FileResult, class: &str, test: &TestResult, out: &mut dyn Write) -> io::Result<()> {
    let (name, seconds) = (escaped(&test.name), test.took.as_secs_f64());
    write!(out, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{seconds:.6}\"")?;
    let Some(first) = test.played.failures.first() else { return writeln!(out, "/>") };
    let message = escaped(&format!("{}: expected {}, found {}", first.what, first.expected, first.found));
    let mut differences = Vec::new();
    for failure in &test.played.failures {
        writeln!(differences, "at {}, line {}:", told(failure.at, test.start), failure.span.line)?;
        difference(failure, Style { colour: false }, &mut differences)?;
    }
    write!(differences, "\n{}", story(file, test))?;
    writeln!(out, ">\n      <failure message=\"{message}\">")?;
    write!(out, "{}", escaped(&String::from_utf8_lossy(&differences)))?;
    writeln!(out, "      </failure>\n    </testcase>")
}

/// Text for XML 1.0, which has no place for most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
