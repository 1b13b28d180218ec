//! Settings as flat keys (`kafka.group`) from several places, the later winning; typed reads that note every problem
//! instead of stopping at the first.

use super::{Origin, Problem};
use crate::suggest;
use config::{Environment, File, FileFormat, Map, Source, Value, ValueKind};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// One setting as it was given.
#[derive(Debug, Clone)]
struct Entry {
    value: ValueKind,
    origin: Origin,
}

/// The settings as given, the keys that were asked for, and what is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Keys {
    entries: BTreeMap<String, Entry>,
    asked: Vec<&'static str>,
    given: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl Keys {
    /// Reads the file, then the environment (`QUALIFYD__KAFKA__GROUP`), then `--set` pairs.
    ///
    /// # Errors
    /// The file cannot be read or understood; what else is wrong is noted for `finish`.
    pub(super) fn gather(
        file: &Path,
        env: &BTreeMap<String, String>,
        sets: &[String],
    ) -> Result<Keys, Problem> {
        let mut keys = Keys::default();
        let table =
            read_file(file).map_err(|message| Problem { key: file.display().to_string(), message })?;
        keys.add(table, &Origin::File);
        let env = env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        match Environment::with_prefix("QUALIFYD").separator("__").source(Some(env)).collect() {
            Ok(table) => keys.add(table.into_iter().map(null_as_text).collect(), &Origin::Environment),
            Err(error) => keys.problem("the environment", error.to_string()),
        }
        keys.add_pairs(sets);
        Ok(keys)
    }

    /// Adds `KEY=VALUE` pairs of the command line.
    pub(super) fn add_pairs(&mut self, pairs: &[String]) {
        for pair in pairs {
            match pair.split_once('=') {
                Some((key, value)) => {
                    let value = Value::new(None, value.to_owned());
                    let pair = null_as_text((key.trim().to_owned(), value));
                    self.add(Map::from_iter([pair]), &Origin::CommandLine);
                }
                // The text itself may be a secret that lost its key.
                None => {
                    self.problem("--set", "lacks an equals sign; write --set kafka.group=qualifyd".into())
                }
            }
        }
    }

    /// Flattens tables into dotted keys, so that `{sasl: {username: x}}` and `sasl.username: x` are one key.
    fn add(&mut self, table: Map<String, Value>, origin: &Origin) {
        for (key, value) in table {
            match value.kind {
                ValueKind::Table(inner) => {
                    let prefixed = inner.into_iter().map(|(name, value)| (format!("{key}.{name}"), value));
                    self.add(prefixed.collect(), origin);
                }
                value => {
                    self.entries.insert(key, Entry { value, origin: origin.clone() });
                }
            }
        }
    }

    pub(super) fn problem(&mut self, key: &str, message: String) {
        self.problems.push(Problem { key: key.to_owned(), message });
    }

    /// Takes a setting; `None` if it was not given, is null, or is not what `expected` says (then that is noted).
    fn take<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&Entry) -> Option<T>,
    ) -> Option<T> {
        self.asked.push(key);
        let entry = self.entries.remove(key)?;
        self.given.push(key);
        if matches!(entry.value, ValueKind::Nil) {
            return None;
        }
        let value = parse(&entry);
        if value.is_none() {
            let shown = text(&entry.value).map(|text| format!("is '{text}'; ")).unwrap_or_default();
            self.problem(key, format!("{shown}write {expected}"));
        }
        value
    }

    pub(super) fn has_problem(&self, key: &str) -> bool {
        self.problems.iter().any(|problem| problem.key == key)
    }

    pub(super) fn text(&mut self, key: &'static str, expected: &str) -> Option<String> {
        self.take(key, expected, |entry| text(&entry.value).filter(|text| !text.is_empty()))
    }

    /// One text, or a list of texts: a sequence, or one text with commas.
    pub(super) fn list(&mut self, key: &'static str, expected: &str) -> Option<Vec<String>> {
        self.take(key, expected, |entry| {
            let items: Option<Vec<String>> = match &entry.value {
                ValueKind::Array(items) => items.iter().map(|item| text(&item.kind)).collect(),
                value => Some(text(value)?.split(',').map(|item| item.trim().to_owned()).collect()),
            };
            items.filter(|items| items.iter().all(|item| !item.is_empty()))
        })
    }

    /// A path; in the file it is relative to the file's folder, elsewhere to the working directory.
    pub(super) fn path(&mut self, key: &'static str, expected: &str, folder: &Path) -> Option<PathBuf> {
        self.take(key, expected, |entry| {
            let path = PathBuf::from(text(&entry.value).filter(|text| !text.is_empty())?);
            Some(if entry.origin == Origin::File { folder.join(path) } else { path })
        })
    }

    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let show = super::format_duration;
        let expected = format!(
            "a duration such as 500ms, 90s, 5m, 24h, 30d or 2w, from {} to {}",
            show(*range.start()),
            show(*range.end())
        );
        self.take(key, &expected, |entry| {
            let ms = crate::duration::parse_ms(&text(&entry.value)?)?;
            Some(Duration::from_millis(u64::try_from(ms).ok()?)).filter(|duration| range.contains(duration))
        })
    }

    pub(super) fn integer(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.take(key, &expected, |entry| {
            text(&entry.value)?.parse().ok().filter(|number| range.contains(number))
        })
    }

    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        self.take(key, &expected, |entry| {
            text(&entry.value)?.parse().ok().filter(|number| range.contains(number))
        })
    }

    pub(super) fn parsed<T: FromStr>(&mut self, key: &'static str, expected: &str) -> Option<T> {
        self.take(key, expected, |entry| text(&entry.value)?.parse().ok())
    }

    /// A text that no problem may show.
    pub(super) fn hidden(&mut self, key: &'static str) -> Option<String> {
        self.take(key, "a text", |entry| text(&entry.value))
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.take(key, &names.join(" or "), |entry| {
            let text = text(&entry.value)?;
            words.iter().find(|(word, _)| *word == text).map(|&(_, value)| value)
        })
    }

    /// Takes every key beneath a section whose names are not ours, in the order of their names.
    pub(super) fn section(&mut self, prefix: &str) -> Vec<(String, Option<String>)> {
        let names: Vec<String> = self.entries.keys().filter(|key| key.starts_with(prefix)).cloned().collect();
        names
            .into_iter()
            .filter_map(|name| {
                let entry = self.entries.remove(&name)?;
                Some((name[prefix.len()..].to_owned(), text(&entry.value)))
            })
            .collect()
    }

    /// The keys that were given, and every problem: those noted, and the keys that nobody asked for.
    pub(super) fn finish(mut self) -> (Vec<&'static str>, Vec<Problem>) {
        for (key, entry) in std::mem::take(&mut self.entries) {
            if let Some(message) = self.unknown(&key, &entry) {
                self.problem(&key, message);
            }
        }
        (self.given, self.problems)
    }

    fn unknown(&self, key: &str, entry: &Entry) -> Option<String> {
        let is_section =
            self.asked.iter().any(|asked| asked.starts_with(&format!("{key}."))) || key == "kafka.properties";
        match (is_section, &entry.value) {
            // A section that is written down and left empty.
            (true, ValueKind::Nil) => None,
            (true, _) => Some("is a section; write its settings beneath it".into()),
            (false, _) => {
                let last_step = |key: &'static str| key.rsplit('.').next().unwrap_or(key);
                let meant = suggest::similar(key, self.asked.iter().copied()).or_else(|| {
                    let unknown = key.rsplit('.').next().unwrap_or(key);
                    let mut named_so =
                        self.asked.iter().copied().filter(|&asked| last_step(asked) == unknown);
                    named_so.next().filter(|_| named_so.next().is_none())
                });
                let hint = match meant {
                    Some(meant) => format!("did you mean '{meant}'?"),
                    None => "remove it or correct its name".into(),
                };
                Some(format!("is not a setting ({}); {hint}", entry.origin.describe()))
            }
        }
    }
}

/// `null` in the environment and in `--set` is the null of the file.
fn null_as_text((key, value): (String, Value)) -> (String, Value) {
    match value.kind {
        ValueKind::String(text) if text == "null" => (key, Value::new(None, ValueKind::Nil)),
        kind => (key, Value::new(None, kind)),
    }
}

/// A scalar as text; `None` for lists and null.
fn text(value: &ValueKind) -> Option<String> {
    match value {
        ValueKind::Nil | ValueKind::Table(_) | ValueKind::Array(_) => None,
        scalar => Some(scalar.to_string()),
    }
}

fn read_file(path: &Path) -> Result<Map<String, Value>, String> {
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("yaml" | "yml") => FileFormat::Yaml,
        Some("toml") => FileFormat::Toml,
        Some("json") => FileFormat::Json,
        _ => return Err("is of no known format; let its name end in .yaml, .toml or .json".into()),
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot be read ({error}); check the path and its permissions"))?;
    File::from_str(&text, format).collect().map_err(|error| {
        // Some parsers quote the line, which may hold a secret.
        let error = error.to_string();
        let lines: Vec<&str> = error.lines().filter(|line| !line.contains('|')).collect();
        format!("cannot be understood: {}", lines.join(" "))
    })
}
