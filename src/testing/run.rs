//! Runs files of tests.

use super::coverage::{Covered, Touched};
use super::play::{Common, Played, play};
use crate::check::draw;
use crate::core::rules::Rules;
use crate::model::ast::Span;
use crate::model::diagnostic::Diagnostics;
use crate::model::{Diagnostic, MAX_BYTES};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How the files of tests in a folder end.
pub const ENDING: &str = ".test.yaml";

/// What came of all tests.
#[derive(Default)]
pub struct Results {
    pub files: Vec<FileResult>,
    /// Models whose tests were run, by their file.
    pub models: BTreeMap<PathBuf, ModelTested>,
    /// Tests that the filter left out.
    pub left_out: usize,
}

/// What came of one file.
pub struct FileResult {
    pub path: PathBuf,
    /// The file's text, as far as it could be read.
    pub text: String,
    /// The model's rules; none if the file or its model cannot be read.
    pub rules: Option<Arc<Rules>>,
    /// Why they cannot.
    pub findings: Vec<Diagnostic>,
    pub tests: Vec<TestResult>,
}

/// What came of one test.
pub struct TestResult {
    pub name: String,
    /// Where it begins in its file.
    pub line: u32,
    pub lead: String,
    /// When it begins, ms.
    pub start: i64,
    pub took: Duration,
    pub played: Played,
}

/// A model, and what of it took part in its tests.
pub struct ModelTested {
    pub rules: Arc<Rules>,
    pub touched: Touched,
}

impl ModelTested {
    pub fn covered(&self) -> Vec<Covered> {
        self.touched.of(&self.rules.model)
    }
}

impl FileResult {
    /// Every finding drawn at its place, with colours.
    pub fn drawn(&self) -> impl Iterator<Item = String> {
        let (name, lines) = (self.path.display().to_string(), self.text.lines().collect::<Vec<_>>());
        self.findings.iter().map(move |finding| {
            let own = finding.file == name;
            draw(finding, own.then(|| lines.get(finding.line.saturating_sub(1) as usize)).flatten().copied())
        })
    }
}

impl Results {
    pub fn tests(&self) -> impl Iterator<Item = &TestResult> {
        self.files.iter().flat_map(|file| &file.tests)
    }

    /// Tests with failures.
    pub fn failed(&self) -> usize {
        self.tests().filter(|test| !test.played.failures.is_empty()).count()
    }

    /// Files that cannot be read.
    pub fn broken(&self) -> usize {
        self.files.iter().filter(|file| !file.findings.is_empty()).count()
    }
}

/// The files of tests that are meant: a file itself, and of a folder all that end in `.test.yaml`, also deeper ones.
///
/// # Errors
/// If a folder cannot be read.
pub fn find(paths: &[PathBuf]) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => find_in(path, &mut found)?,
            false => found.push(path.clone()),
        }
    }
    Ok(found)
}

fn find_in(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let path = entry.path();
        // Links are not followed into folders, so that no circle is walked.
        if entry.file_type()?.is_dir() {
            find_in(&path, found)?;
        } else if path.to_string_lossy().ends_with(ENDING) {
            found.push(path);
        }
    }
    Ok(())
}

/// Runs the tests whose names contain `filter`, whatever the case.
pub fn run(paths: &[PathBuf], filter: Option<&str>) -> Results {
    let mut results = Results::default();
    let filter = filter.map(str::to_lowercase);
    for path in paths {
        let mut result = FileResult {
            path: path.clone(),
            text: String::new(),
            rules: None,
            findings: Vec::new(),
            tests: Vec::new(),
        };
        if let Err(findings) = run_file(path, filter.as_deref(), &mut result, &mut results) {
            result.findings = findings;
        }
        results.files.push(result);
    }
    results
}

/// A file's text; of one that is too long only so much that the reader sees it.
fn read_text(path: &Path) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let mut text = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(error) => {
            let mut diagnostics = Diagnostics::new(&path.display().to_string());
            diagnostics.error(Span::default(), format!("the file cannot be read: {error}"));
            Err(diagnostics.into_vec())
        }
    }
}

fn run_file(
    path: &Path,
    filter: Option<&str>,
    result: &mut FileResult,
    results: &mut Results,
) -> Result<(), Vec<Diagnostic>> {
    let name = path.display().to_string();
    let text = read_text(path)?;
    result.text = String::from_utf8_lossy(&text).into_owned();
    let file = super::read(&name, &text)?;
    let model = path.parent().unwrap_or(Path::new("")).join(file.model.as_str());
    if let Err(error) = std::fs::metadata(&model) {
        let mut diagnostics = Diagnostics::new(&name);
        let hint = "write the model's path as it is seen from this file, such as `model: ../b2b-saas.yaml`";
        let message = format!("the model '{}' cannot be read: {error}", file.model.value);
        diagnostics.error_hint(file.model.span, message, hint);
        return Err(diagnostics.into_vec());
    }
    let tested = match results.models.entry(model) {
        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::btree_map::Entry::Vacant(entry) => {
            let loaded = crate::check::load(entry.key())?;
            let rules = Arc::new(Rules::new(Arc::new(loaded.model)));
            entry.insert(ModelTested { rules, touched: Touched::default() })
        }
    };
    super::check_names(&name, &file, &tested.rules.model)?;
    result.rules = Some(tested.rules.clone());
    let common = Common {
        start: file.start.as_ref().map(|start| start.value),
        tolerance: file.tolerance.as_ref().map(|tolerance| tolerance.value),
    };
    for test in &file.tests {
        if filter.is_some_and(|filter| !test.name.to_lowercase().contains(filter)) {
            results.left_out += 1;
            continue;
        }
        let began = Instant::now();
        let played = play(&tested.rules, common, test, &mut tested.touched);
        result.tests.push(TestResult {
            name: test.name.value.clone(),
            line: test.name.span.line,
            lead: super::events::lead(test).to_owned(),
            start: super::events::start(test, common.start),
            took: began.elapsed(),
            played,
        });
    }
    Ok(())
}
