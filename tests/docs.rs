//! What the pages for users say is so: every example runs, every key and field is told of.
//! `QUALIFYD_UPDATE=1 cargo test --test docs` writes the generated parts of the pages anew.

#[path = "docs/engine.rs"]
mod engine;
#[path = "docs/merge.rs"]
mod merge;
#[path = "docs/page.rs"]
mod page;

use page::{Block, Page};
use qualifyd::model::{Model, Severity};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The list file that the pages speak of.
const TARGETS: &str = "northwind.example.com\n";

/// A model of a page, complete, and the tests that stand under it.
struct Example {
    line: usize,
    /// What the model is made of, as its block says.
    info: String,
    model: String,
    tests: Vec<(usize, String)>,
}

/// The page's models: whole ones, those that an addition grows from the one before, and fragments added to the page's
/// skeleton.
fn examples(page: &Page) -> Vec<Example> {
    let yaml: Vec<&Block> = page.blocks.iter().filter(|block| block.language == "yaml").collect();
    let skeleton = yaml.iter().find(|block| block.info == "skeleton");
    let mut examples: Vec<Example> = Vec::new();
    for block in &yaml {
        let model = match block.info.as_str() {
            "model" | "skeleton" => block.text.clone(),
            "model-add" => merge::merge(&examples.last().expect("a model to add to").model, &block.text),
            "model-fragment" => merge::merge(&skeleton.expect("the page has a skeleton").text, &block.text),
            "test" => {
                let example = examples.last_mut().expect("a model to test");
                example.tests.push((block.line, block.text.clone()));
                continue;
            }
            other => panic!("{}:{}: '{other}': nothing runs this example", page.name, block.line),
        };
        examples.push(Example { line: block.line, info: block.info.clone(), model, tests: Vec::new() });
    }
    examples
}

#[test]
fn every_model_of_the_guide_and_the_cookbook_is_right() {
    let mut count = 0;
    for page in [Page::read("model.md"), Page::read("cookbook.md"), Page::read("tests.md")] {
        for example in examples(&page) {
            count += 1;
            let mut targets = |_: &str| Ok(TARGETS.as_bytes().to_vec());
            let findings = match Model::load("example", example.model.as_bytes(), &mut targets) {
                Ok(loaded) => loaded.warnings,
                Err(errors) => errors,
            };
            // The parts in the reference stand alone, so that much of their model is without use.
            let is_part = page.name == "model.md" && matches!(&*example.info, "model-fragment" | "skeleton");
            let mut findings =
                findings.iter().filter(|finding| !is_part || finding.severity == Severity::Error);
            if let Some(finding) = findings.next() {
                let Example { line, model, .. } = example;
                panic!("docs/{}:{line}: {finding}\n\n{model}", page.name);
            }
        }
    }
    assert!(count > 45, "only {count} models were found");
}

/// By the command that the pages name, so that it, too, is as they say.
#[test]
fn every_test_of_the_guide_and_the_cookbook_passes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("target-accounts.txt"), TARGETS).unwrap();
    let mut count = 0;
    for page in [Page::read("model.md"), Page::read("cookbook.md"), Page::read("tests.md")] {
        for example in examples(&page) {
            let model = format!("{}-{}.yaml", page.name, example.line);
            std::fs::write(folder.path().join(&model), &example.model).unwrap();
            for (line, tests) in example.tests {
                count += 1;
                let file = folder.path().join(format!("{}-{line}.test.yaml", page.name));
                std::fs::write(file, format!("model: {model}\n{tests}")).unwrap();
            }
        }
    }
    assert!(count > 28, "only {count} blocks of tests were found");
    let run = Command::new(env!("CARGO_BIN_EXE_qualifyd")).arg("test").arg(folder.path()).output().unwrap();
    let printed = [run.stdout, run.stderr].map(|out| String::from_utf8_lossy(&out).into_owned());
    assert!(run.status.success(), "{}", printed.join("\n"));
}

/// Each recipe shows that it works.
#[test]
fn every_recipe_has_a_test() {
    let page = Page::read("cookbook.md");
    let recipes = examples(&page);
    let recipes = recipes.iter().filter(|example| example.info == "model-fragment");
    let untested = recipes.clone().filter(|recipe| recipe.tests.is_empty());
    assert_eq!(untested.map(|recipe| recipe.line).collect::<Vec<_>>(), Vec::<usize>::new());
    assert!(recipes.count() > 20);
}

/// Every key of the language, and of its tests, is explained in the guide.
#[test]
fn the_guide_names_every_key() {
    use qualifyd::schema::Of;
    let told = Page::read("model.md");
    for of in [Of::Model, Of::Test] {
        let schema = serde_json::to_value(of.schema()).unwrap();
        assert_eq!(missing(&told, &schema), BTreeSet::new(), "{of:?}: docs/model.md does not name these");
    }
}

/// The names of all properties in a schema that the page nowhere has in backticks, alone or as part of a path or map.
fn missing(page: &Page, schema: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(schema, &mut names);
    assert!(names.len() > 10);
    let code = page.prose().into_iter().flat_map(|line| line.split('`').skip(1).step_by(2));
    let words = code.flat_map(|code| code.split(|c: char| c != '_' && !c.is_alphanumeric()));
    let told: BTreeSet<&str> = words.collect();
    names.retain(|name| !told.contains(name.as_str()));
    names
}

/// The names of all properties in a schema. `properties` may be a property's name, too.
fn collect(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        names.extend(properties.keys().cloned());
                        properties.values().for_each(|property| collect(property, names));
                    }
                    _ => collect(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

/// Every field of every record, and every header of a dead letter, is explained.
#[test]
fn the_page_of_records_names_every_field() {
    use qualifyd::schema::Of;
    let told = Page::read("records.md");
    for of in [Of::Transition, Of::Alert, Of::Sla, Of::Score] {
        let schema = serde_json::to_value(of.schema()).unwrap();
        assert_eq!(missing(&told, &schema), BTreeSet::new(), "{of:?}: docs/records.md does not name these");
    }
    let schema = serde_json::to_value(Of::DeadLetterHeaders.schema()).unwrap();
    let headers = schema["properties"].as_object().unwrap().keys();
    let untold: Vec<&String> = headers.filter(|header| !told.text.contains(&format!("`{header}`"))).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

/// The examples of records are what the engine says today.
#[test]
fn the_records_on_the_page_are_the_engines() {
    let path = Page::path("records.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let current = engine::with_records(&written);
    if std::env::var_os("QUALIFYD_UPDATE").is_some() {
        std::fs::write(&path, current).unwrap();
    } else {
        assert!(written == current, "run `QUALIFYD_UPDATE=1 cargo test --test docs` and read what changes");
    }
}

/// Each example event comes out as the page says.
#[test]
fn events_come_out_as_the_page_says() {
    let page = Page::read("events.md");
    let events = page.blocks.iter().filter(|block| block.language.starts_with("json"));
    assert!(events.clone().count() > 8);
    for block in events {
        let lines: Vec<String> = match block.language.as_str() {
            "json" => vec![block.text.replace('\n', " ")],
            _ => block.text.lines().map(str::to_owned).collect(),
        };
        assert_eq!(engine::outcomes(&lines), block.info, "docs/events.md:{}", block.line);
    }
}

/// Each row of the table of rejections is so, and there is one for each reason.
#[test]
fn rejections_are_as_the_page_says() {
    let page = Page::read("events.md");
    let rows: Vec<[&str; 4]> = page.text.lines().filter_map(row).collect();
    let rejections: Vec<&[&str; 4]> = rows.iter().skip_while(|row| row[0] != "reason").skip(1).collect();
    let mut told = Vec::new();
    for [reason, event, detail, _] in rejections {
        let reason = reason.trim_matches('`');
        let event = match reason {
            "too_large" => format!("{{\"a\":\"{}\"}}", "x".repeat(300 * 1024 - 8)),
            "too_deep" => format!("{}0{}", "{\"a\":".repeat(65), "}".repeat(65)),
            _ => event.trim_matches('`').to_owned(),
        };
        assert_eq!(engine::rejection(&event), (reason.to_owned(), (*detail).to_owned()));
        told.push(reason.to_owned());
    }
    let schema = serde_json::to_value(qualifyd::schema::Of::DeadLetterHeaders.schema()).unwrap();
    let reasons: Vec<String> = serde_json::from_value(schema["$defs"]["Reason"]["enum"].clone()).unwrap();
    assert_eq!(told, reasons);
}

/// The cells of a row of a table with four columns.
fn row(line: &str) -> Option<[&str; 4]> {
    let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::trim).collect();
    cells.try_into().ok()
}

/// Links between the pages lead somewhere, headings included.
#[test]
fn links_lead_somewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut broken = Vec::new();
    for name in ["model.md", "cookbook.md", "events.md", "records.md"] {
        let page = Page::read(name);
        for link in page.links() {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let known = match file {
                "" => Some(page.headings()),
                _ if !folder.join(file).exists() => None,
                _ if file.ends_with(".md") && !heading.is_empty() => Some(Page::read(file).headings()),
                _ => Some(BTreeSet::from([heading.to_owned()])),
            };
            if !known.is_some_and(|headings| heading.is_empty() || headings.contains(heading)) {
                broken.push(format!("{name}: {link}"));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}
