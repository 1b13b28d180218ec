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

/// Editors complete and check tests by the schema: it takes what the command takes, and refuses what it refuses.
#[test]
fn the_schema_of_tests_accepts_them() {
    let schema = qualifyd::schema::Of::Test.schema().to_value();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let valid = |text: &str| {
        let source =
            config::Config::builder().add_source(config::File::from_str(text, config::FileFormat::Yaml));
        let json: serde_json::Value = source.build().unwrap().try_deserialize().unwrap();
        schema.validate(&json).map_err(|error| format!("{error} at {}", error.instance_path()))
    };
    for model in MODELS {
        let path = folder().join("tests").join(format!("{model}.test.yaml"));
        assert_eq!(valid(&std::fs::read_to_string(path).unwrap()), Ok(()), "{model}");
    }
    let test = |step: &str| format!("model: m.yaml\ntests: [{{ name: t, steps: [{step}] }}]");
    for good in [
        "{ track: A, at: 1d, times: 2, every: 1h }",
        "{ expect: { alerts: [{ name: a, route: null }], grades: { fit: null } } }",
    ] {
        assert_eq!(valid(&test(good)), Ok(()), "{good}");
    }
    for bad in
        ["{ trak: A }", "{ expect: { stage: [a] } }", "{ track: A, times: 0 }", "{ track: A, outcome: fine }"]
    {
        assert!(valid(&test(bad)).is_err(), "{bad}");
    }
}
