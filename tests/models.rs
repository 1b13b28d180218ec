//! The models in `deploy/models` can be started with: they check without a warning, and their owners' tests pass and
//! leave nothing of them untouched.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MODELS: [&str; 3] = ["b2b-saas", "product-led", "b2c"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/models")
}

fn qualifyd(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_qualifyd")).args(arguments).current_dir(folder()).output().unwrap()
}

fn printed(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).join("\n")
}

#[test]
fn models_check_without_a_warning() {
    for model in MODELS {
        let check = qualifyd(&["check", &format!("{model}.yaml")]);
        let printed = printed(&check);
        assert!(check.status.success() && !printed.contains("warning"), "{printed}");
    }
}

#[test]
fn their_tests_pass_and_cover_all_of_them() {
    let test = qualifyd(&["test", "--min-coverage", "100", "tests"]);
    assert!(test.status.success(), "{}", printed(&test));
}

/// None is forgotten above.
#[test]
fn every_model_has_tests() {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let models = entries.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let mut found = 0;
    for model in models {
        let name = model.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(MODELS.contains(&name.as_str()), "{name} is not in the list of models");
        assert!(folder().join("tests").join(format!("{name}.test.yaml")).exists(), "{name} has no tests");
        found += 1;
    }
    assert_eq!(found, MODELS.len());
}
