use super::*;

fn checked(files: &[(&str, &str)], format: Format) -> (Count, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut out = anstream::StripStream::new(Vec::new());
    let count = check(&[folder.path().join("m.yaml")], format, &mut out).unwrap();
    let folder = format!("{}/", folder.path().display());
    (count, String::from_utf8(out.into_inner()).unwrap().replace(&folder, ""))
}

#[test]
fn a_good_model_is_summed_up() {
    let model = "model: m\nversion: 2\nlists: { l: { file: l.txt } }\nstages: [ { name: a }, { name: b } ]\n";
    let (count, out) = checked(&[("m.yaml", model), ("l.txt", "x\n")], Format::Text);
    assert_eq!((count, out.as_str()), (Count::default(), "m.yaml: ok: m version 2: 2 stages\n"));
}

const WRONG: &str = "model: m\nversion: 2\nstages: [ { ö: 1 } ]\n";

#[test]
fn a_mistake_is_drawn_in_its_line() {
    let (count, out) = checked(&[("m.yaml", WRONG)], Format::Text);
    let expected = "\
error: a stage needs `name`
 --> m.yaml:3:11
  |
3 | stages: [ { ö: 1 } ]
  |           ^
  |
  = hint: add `name: …`

error: unknown key 'ö' in a stage
 --> m.yaml:3:13
  |
3 | stages: [ { ö: 1 } ]
  |             ^
  |
  = hint: a stage has: name, owner, action, side, requires, renamed_from

m.yaml: 2 errors
";
    assert_eq!((count, out.as_str()), (Count { errors: 2, warnings: 0 }, expected));
}

#[test]
fn machines_read_a_line_for_each_finding() {
    let (_, out) = checked(&[("m.yaml", WRONG)], Format::Json);
    let expected = r#"{"file":"m.yaml","line":3,"column":11,"end_line":3,"end_column":11,"severity":"error","message":"a stage needs `name`","hint":"add `name: …`"}
{"file":"m.yaml","line":3,"column":13,"end_line":3,"end_column":14,"severity":"error","message":"unknown key 'ö' in a stage","hint":"a stage has: name, owner, action, side, requires, renamed_from"}
"#;
    assert_eq!(out, expected);
}

#[test]
fn warnings_let_a_model_pass() {
    let model = "model: m\nversion: 2\nsignals: { s: { match: { kind: page } } }\nstages: [ { name: a } ]\n";
    let (count, out) = checked(&[("m.yaml", model)], Format::Text);
    assert_eq!(count, Count { errors: 0, warnings: 1 });
    assert!(out.starts_with("warning: nothing uses the signal 's'\n"), "{out}");
    assert!(out.ends_with("\nm.yaml: 1 warning: m version 2: 1 signal, 1 stage\n"), "{out}");
}

#[test]
fn a_missing_file_is_told() {
    let (count, out) = checked(&[], Format::Text);
    assert_eq!(count.errors, 1);
    assert!(out.starts_with("error: the file cannot be read: ") && out.contains("--> m.yaml:1:1"), "{out}");
}

#[test]
fn a_model_cannot_steer_the_terminal() {
    let model = "model: m\nversion: 2\nstages: [ { \"\\e[2Jx\": 1, name: a } ]\n";
    let (_, out) = checked(&[("m.yaml", model)], Format::Text);
    assert!(out.contains("unknown key '�[2Jx'"), "{out}");
}

/// Findings at the end of the file, in lines with tabs and in very long ones are drawn, too.
#[test]
fn every_place_can_be_drawn() {
    let long = format!("signals: {{ {}a: {{ mach: 1 }} }}", "x: { match: { kind: page } }, ".repeat(20));
    for model in
        ["model: m\nversion: 2\nstages: [ { name: a }", "model: m\n\tversion: 2", "model: [", "", &long]
    {
        let (count, out) = checked(&[("m.yaml", model)], Format::Text);
        assert!(count.errors > 0 && out.lines().all(|line| line.chars().count() < 200), "{out}");
    }
}
