//! Against serde_json on generated and mutated texts: both must accept and reject the same, and see the same values.

use super::{compact, plan, with_scan};
use crate::event::scan::Scanner;
use crate::event::{Reason, Value};
use crate::model::compiled::Field;
use std::fmt::Write;

/// Bytes that mean something in JSON, or must not stand in it.
const NASTY: &[u8] = b"{}[]:,\"\\ \n\x00\x1f\xff0eE+-.tfnu/";

/// splitmix64: small, and the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    fn white(&mut self, out: &mut String) {
        if self.below(6) == 0 {
            out.push_str(self.pick(&[" ", "\n", "\t ", "\r\n", "          "]));
        }
    }

    fn string(&mut self, out: &mut String) {
        out.push('"');
        for _ in 0..self.below(5) {
            out.push_str(self.pick(&[
                "a",
                "plain text ",
                "é",
                "😀",
                "\\n",
                "\\\"",
                "\\\\",
                "\\/",
                "\\u0041",
                "\\ud83d\\ude00",
                "\\u00e9",
                "key",
            ]));
        }
        out.push('"');
    }

    fn value(&mut self, depth: usize, out: &mut String) {
        self.white(out);
        match self.below(if depth > 5 { 6 } else { 9 }) {
            0 => out.push_str(self.pick(&["null", "true", "false"])),
            1..=2 => out.push_str(self.pick(&[
                "0",
                "-1",
                "12.50",
                "1e5",
                "-0.0",
                "9007199254740993",
                "1E-7",
                "7.0e+2",
            ])),
            3..=5 => self.string(out),
            6 => {
                out.push('[');
                for index in 0..self.below(4) {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.value(depth + 1, out);
                }
                out.push(']');
            }
            _ => self.object(depth, out),
        }
        self.white(out);
    }

    fn object(&mut self, depth: usize, out: &mut String) {
        out.push('{');
        for index in 0..self.below(5) {
            out.push_str(if index > 0 { "," } else { "" });
            self.white(out);
            match self.below(4) {
                0 => self.string(out),
                _ => {
                    let key =
                        self.pick(&["a", "b", "c", "\\u0061", "email", "name", "a longer key with 26 byte"]);
                    write!(out, "\"{key}\"").unwrap();
                }
            }
            self.white(out);
            out.push(':');
            self.value(depth + 1, out);
        }
        out.push('}');
    }

    /// Changes a few bytes.
    fn mutate(&mut self, text: &mut Vec<u8>) {
        for _ in 0..1 + self.below(3) {
            if text.is_empty() {
                return;
            }
            let at = self.below(text.len());
            match self.below(4) {
                0 => drop(text.remove(at)),
                1 => text.truncate(at),
                2 => text[at] = NASTY[self.below(NASTY.len())],
                _ => text.insert(at, NASTY[self.below(NASTY.len())]),
            }
        }
    }
}

/// Whether the record gets past `not_json`.
fn is_json(scanner: &mut Scanner, plan: &super::Plan, record: &[u8]) -> bool {
    !matches!(scanner.scan(plan, &super::LIMITS, record), Err(rejection) if rejection.reason == Reason::NotJson)
}

#[test]
fn accepts_what_serde_json_accepts() {
    let mut random = Random(1);
    let mut scanner = Scanner::default();
    let plan = plan(&["properties.a.b", "context.a", "traits.a"], &["email"]);
    let (mut accepted, mut rejected) = (0, 0);
    for round in 0..60_000 {
        let mut text = String::new();
        random.value(0, &mut text);
        let mut record = text.into_bytes();
        if round % 3 != 0 {
            random.mutate(&mut record);
        }
        let expected = serde_json::from_slice::<serde_json::Value>(&record).is_ok();
        let shown = String::from_utf8_lossy(&record);
        assert_eq!(is_json(&mut scanner, &plan, &record), expected, "{shown}");
        if expected { accepted += 1 } else { rejected += 1 }
    }
    assert!(accepted > 20_000 && rejected > 10_000, "{accepted} {rejected}");
}

/// What a path finds, by the tree: steps into arrays on the way, the last of repeated keys counts.
fn find<'t>(value: &'t serde_json::Value, path: &[&str], found: &mut Vec<&'t serde_json::Value>) {
    match (path, value) {
        ([], value) => found.push(value),
        ([key, rest @ ..], serde_json::Value::Object(object)) => {
            object.get(*key).into_iter().for_each(|value| find(value, rest, found));
        }
        (_, serde_json::Value::Array(elements)) => elements.iter().for_each(|value| find(value, path, found)),
        _ => {}
    }
}

#[test]
fn finds_what_a_tree_has() {
    const PATHS: [&str; 5] = [
        "properties.a",
        "properties.a.b",
        "properties.a.b.c",
        "properties.b.a",
        "properties.c.a longer key with 26 byte",
    ];
    let mut random = Random(2);
    let plan = plan(&PATHS, &[]);
    let mut values = 0;
    for _ in 0..20_000 {
        let mut record = String::from(r#"{"properties":{"a":1},"type":"page","properties":"#);
        random.object(0, &mut record);
        record.push('}');
        let tree: serde_json::Value = serde_json::from_str(&record).unwrap();
        with_scan(&plan, &record, |scan| {
            for (id, path) in PATHS.iter().enumerate() {
                let steps: Vec<_> = path.split('.').skip(1).collect();
                let mut expected = Vec::new();
                find(&tree["properties"], &steps, &mut expected);
                let found: Vec<Value<'_>> = scan.values(Field::Path(id as u16)).collect();
                let parsed: Vec<serde_json::Value> =
                    found.iter().map(|value| serde_json::from_str(&compact(value)).unwrap()).collect();
                assert_eq!(parsed.iter().collect::<Vec<_>>(), expected, "{path} in {record}");
                values += found.len();
            }
        });
    }
    assert!(values > 5_000, "{values}");
}

#[test]
fn no_bytes_make_it_panic() {
    let mut random = Random(3);
    let mut scanner = Scanner::default();
    let plan = plan(&["properties.a.b", "context.a"], &["email", "company.name"]);
    for _ in 0..20_000 {
        let mut record = br#"{"type":"track","event":"E","userId":"u\n","timestamp":"2026-03-01T00:00:00.000Z","traits":{"email":"A@b","company":{"name":"\u00e9"}},"properties":{"a":[{"b":"\ud83d\ude00"}]}}"#.to_vec();
        random.mutate(&mut record);
        if let Ok(scan) = scanner.scan(&plan, &super::LIMITS, &record) {
            let _ = scan.event(&super::LIMITS, Some(random.below(1 << 42) as i64));
            let _ = (scan.kept_trait(0), scan.kept_trait(1), scan.values(Field::Path(0)).count());
        }
    }
}
