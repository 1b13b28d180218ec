use super::*;
use crate::model::Model;

fn load(text: &str) -> Loaded {
    Model::load("m.yaml", text.as_bytes(), &mut |_| unreachable!("no list has a file"))
        .unwrap_or_else(|findings| panic!("{findings:#?}"))
}

/// The page of the contract's example, to be read as a whole: QUALIFYD_UPDATE=1 rewrites it.
#[test]
fn the_example_is_described() {
    let loaded = crate::check::load(std::path::Path::new("tests/models/contract-example.yaml")).unwrap();
    let page = describe(&loaded);
    let path = "tests/models/contract-example.md";
    if std::env::var_os("QUALIFYD_UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(page, std::fs::read_to_string(path).unwrap_or_default());
}

#[test]
fn a_small_model_has_a_small_page() {
    let page = describe(&load("model: m\nversion: 1\nstages: [ { name: a }, { name: b } ]\n"));
    let sections: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(sections, ["## The funnel"]);
}

#[test]
fn names_cannot_break_the_diagram() {
    let model = load(
        "model: m\nversion: 1\nstages: [ { name: 'a\"] --> <b>#', owner: x & y }, { name: b } ]\ntransitions: [ { name: 'go|\"', from: b, to: b, after: 1d } ]\n",
    );
    let expected = "  s0[\"<b>a&quot;] --&gt; &lt;b&gt;&num;</b><br/><small>x &amp; y</small>\"]";
    let diagram = diagram(&model.model);
    assert!(diagram.contains(expected), "{diagram}");
    assert!(diagram.contains("s1 -.->|\"go|&quot;\"| s1"), "{diagram}");
}

#[test]
fn ways_from_most_stages_are_drawn_once() {
    let stages = "stages: [ { name: a }, { name: b }, { name: c }, { name: d }, { name: e } ]";
    let model = load(&format!(
        "model: m\nversion: 1\nsignals: {{ s: {{ match: {{ kind: page }} }} }}\n{stages}\ntransitions: [ {{ name: win, from: any, to: e, on: s }} ]\n"
    ));
    let diagram = diagram(&model.model);
    assert!(diagram.contains("many0{{\"any stage but e\"}}\n  many0 -->|\"win\"| s4\n"), "{diagram}");
    assert_eq!(diagram.matches("win").count(), 1);
}
