//! Scenarios: short stories in YAML under `tests/scenarios/`, each with what comes of it in plain words beside it.
//! `QUALIFYD_UPDATE=1 cargo test --test scenarios` writes the snapshots and `schemas/` anew; read the difference before
//! you keep it.

#[path = "scenarios/runner/mod.rs"]
mod runner;

use runner::{diff, record::Schemas, story::Story};
use std::fs;
use std::path::{Path, PathBuf};

const FOLDERS: [&str; 2] = ["tests/scenarios/spec", "tests/scenarios/b2b"];

/// Every scenario comes out as its snapshot says, and every record fits its published schema.
#[test]
fn scenarios_come_out_as_told() {
    let schemas = Schemas::generated();
    let mut wrong = Vec::new();
    for path in files("yaml") {
        let told = Story::read(&path).and_then(|story| Ok((runner::tell(&story, &schemas)?, story)));
        match told {
            Ok((text, story)) => {
                let broken = runner::broken_promise(&story, &text);
                wrong.extend(broken.map(|what| format!("{}: {what}", path.display())));
                wrong.extend(differs(&path.with_extension("txt"), &text));
            }
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A renamed scenario does not leave its old snapshot behind.
#[test]
fn every_snapshot_has_its_scenario() {
    for path in files("txt") {
        assert!(path.with_extension("yaml").exists(), "{} belongs to no scenario", path.display());
    }
}

/// `schemas/` is what `qualifyd schema` prints.
#[test]
fn schemas_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let schemas = qualifyd::schema::Of::ALL.into_iter();
    let wrong: Vec<String> =
        schemas.filter_map(|of| differs(&folder.join(of.file_name()), &qualifyd::schema::text(of))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares a file with what it should hold, or writes it if asked to.
fn differs(path: &Path, expected: &str) -> Option<String> {
    let found = fs::read_to_string(path).unwrap_or_default();
    if found == expected {
        return None;
    }
    if std::env::var_os("QUALIFYD_UPDATE").is_some_and(|value| value == "1") {
        let written =
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, expected));
        return written.err().map(|error| format!("{}: {error}", path.display()));
    }
    let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).display();
    Some(format!("{name} (- file, + now):\n{}", diff::lines(&found, expected)))
}

fn files(extension: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    FOLDERS.iter().flat_map(|folder| listed(&root.join(folder), extension)).collect()
}

fn listed(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    paths.sort();
    paths
}
