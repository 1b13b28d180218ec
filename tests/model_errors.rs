//! What the model's reader says about mistakes: where, what, and what to do.

use qualifyd::model::{Diagnostic, Loaded, Model};
use std::io::Write;
use std::path::PathBuf;

/// A right model by its sections; a case replaces those that it writes itself.
const SECTIONS: [(&str, &str); 5] = [
    ("model", "model: m"),
    ("version", "version: 1"),
    ("signals", "signals: { visit: { match: { kind: page } }, order: { match: { event: Order } } }"),
    (
        "scores",
        "scores: { web: { groups: { g: { points: { visit: 1, order: 5 } } } }, fit: { criteria: [ { when: { traits.a: 1 }, points: 5 } ], grades: { A: 5, B: 0 } } }",
    ),
    ("stages", "stages: [ { name: new }, { name: lead }, { name: won } ]"),
];

fn load(text: &[u8]) -> Result<Loaded, Vec<Diagnostic>> {
    Model::load("m.yaml", text, &mut |file| match file {
        "good.txt" => Ok(b"\xef\xbb\xbf Acme \r\n\n Globex\n".to_vec()),
        "blank.txt" => Ok(b"\n \n".to_vec()),
        "latin.txt" => Ok(b"Acme\nCaf\xe9\n".to_vec()),
        _ => Err(std::io::Error::new(std::io::ErrorKind::NotFound, "no such file")),
    })
}

/// The case's text first, so that its lines count from 1, then the sections that it does not write.
fn with_the_rest(text: &str) -> String {
    let own = |name: &str| text.lines().any(|line| line.starts_with(&format!("{name}:")));
    let rest = SECTIONS.iter().filter(|(name, _)| !own(name)).map(|(_, section)| *section);
    format!("{text}\n{}\n", rest.collect::<Vec<_>>().join("\n"))
}

fn findings(text: &str) -> Vec<Diagnostic> {
    match load(with_the_rest(text).as_bytes()) {
        Ok(loaded) => loaded.warnings,
        Err(findings) => findings,
    }
}

/// `line:column: message` of everything found, and the hints beneath.
fn told(text: &str) -> String {
    let told: Vec<String> =
        findings(text).iter().map(|found| found.to_string().replace("m.yaml:", "")).collect();
    told.join("\n")
}

/// The folder of wrong models, one mistake each, and what is told of it beside it. With QUALIFYD_UPDATE=1 that is
/// rewritten; then read the difference as somebody who does not program.
#[test]
fn tells_what_is_wrong_and_where() {
    let mut paths: Vec<PathBuf> = std::fs::read_dir("tests/models/wrong")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    assert!(paths.len() > 100);
    for path in paths {
        let checked = qualifyd::check::read(&path);
        assert_eq!(checked.findings().len(), 1, "{}: {:#?}", path.display(), checked.findings());
        assert!(checked.findings()[0].hint.is_some(), "{} does not say what to do", path.display());
        let mut out = anstream::StripStream::new(Vec::new());
        checked.drawn().for_each(|drawn| writeln!(out, "{drawn}").unwrap());
        let now = String::from_utf8(out.into_inner()).unwrap();
        let snapshot = path.with_extension("txt");
        if std::env::var_os("QUALIFYD_UPDATE").is_some() {
            std::fs::write(&snapshot, &now).unwrap();
        }
        assert_eq!(now, std::fs::read_to_string(&snapshot).unwrap_or_default(), "{}", path.display());
    }
}

#[test]
fn the_rest_alone_is_right() {
    assert_eq!(told(""), "");
    assert_eq!(told("lists: { a: { file: good.txt } }"), "");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "signals: { visit: { match: { kind: pag } }, order: { match: {} } }\n\
                alerts: { a: { on: oder } }\n\
                slas: { s: { start: { on: order }, stop: { enter: wn }, due: 5 } }";
    let lines: Vec<u32> = findings(text).iter().map(|found| found.line).collect();
    assert_eq!(lines, [1, 1, 2, 3, 3]);
}

#[test]
fn findings_say_where_the_place_ends() {
    let found = findings("alerts: { a: { on: oder } }");
    assert_eq!((found[0].line, found[0].column, found[0].end), (1, 20, Some((1, 24))));
}

#[test]
fn text_that_is_no_text_is_refused() {
    let message = |text: &[u8]| load(text).unwrap_err()[0].to_string().lines().next().unwrap().to_owned();
    assert_eq!(message(b"model: m\nversion: \xff"), "m.yaml:2:10: error: this is not UTF-8 text");
    assert_eq!(message(b"model: a\0b"), "m.yaml:1:9: error: a control character stands here");
    assert_eq!(message(b""), "m.yaml:1:1: error: the file is empty");
    assert_eq!(message(b"# only a comment\n"), "m.yaml:1:1: error: the file is empty");
    let long = vec![b'#'; qualifyd::model::MAX_BYTES + 1];
    assert_eq!(message(&long), "m.yaml:1:1: error: the file is longer than 2 MiB");
}

#[test]
fn hostile_text_is_refused_soon() {
    let nested = |open: &str| open.repeat(100_000);
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let alias = format!("*a{}", level - 1);
        laughs += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", "));
    }
    let blocks: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let texts = ["[", "{", "{a: ", "- ", "? ", "!", "&a ", "*a ", "---\n", "\"", "%TAG "].map(nested);
    for text in texts.into_iter().chain([laughs, blocks]) {
        assert!(load(text.as_bytes()).is_err(), "{}", &text[..20]);
    }
}

#[test]
fn ten_thousand_signals_load() {
    let mut text = "model: m\nversion: 1\nstages: [ { name: a } ]\nsignals:\n".to_owned();
    (0..10_000).for_each(|i| text += &format!("  signal_{i}: {{ match: {{ event: Event {i} }} }}\n"));
    text += "scores: { s: { groups: { g: { points: {\n";
    (0..10_000).for_each(|i| text += &format!("  signal_{i}: {i},\n"));
    text += "} } } } }\n";
    let model = load(text.as_bytes()).unwrap().model;
    assert_eq!(
        (model.signals.len(), model.contributions.len(), model.dispatch.by_name.len()),
        (10_000, 10_000, 10_000)
    );
}

/// Bytes flipped, put in and taken out, lines dropped, doubled and swapped: never a panic.
#[test]
fn mutations_never_panic() {
    let example =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/contract-example.yaml")).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..400 {
        let mut lines: Vec<Vec<u8>> = example.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        for _ in 0..1 + random(4) {
            let (at, other) = (random(lines.len()), random(lines.len()));
            match random(7) {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[other].clone()),
                2 => lines.swap(at, other),
                3 => lines[at].insert(0, b' '),
                kind if !lines[at].is_empty() => {
                    let place = random(lines[at].len());
                    match kind {
                        4 => lines[at][place] ^= 1 << random(8),
                        5 => lines[at].insert(place, b"{}[]:,'\"-&*!|>$#\t\n"[random(18)]),
                        _ => drop(lines[at].drain(place..)),
                    }
                }
                _ => {}
            }
        }
        let _ = load(&lines.join(&b'\n'));
    }
}
