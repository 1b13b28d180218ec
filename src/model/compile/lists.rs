//! Named lists of texts, from the model or from files beside it.

use super::ReadFile;
use crate::model::ast;
use crate::model::compiled::NameHasher;
use crate::model::diagnostic::{Diagnostics, Text, shorten};
use crate::model::matcher::Items;
use crate::model::yaml::end_of;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

/// Lists by name; what is used many times is kept once.
pub struct Lists<'a> {
    lists: BTreeMap<&'a str, NamedList>,
}

/// A list as tests use it.
#[derive(Clone, Default)]
pub struct NamedList {
    /// As they were written.
    pub texts: Arc<[String]>,
    /// In lower case, for `prefix`, `suffix` and `contains`.
    pub lowercase: Arc<[String]>,
    /// In lower case, for `in`.
    pub items: Arc<Items>,
}

impl NamedList {
    fn new(texts: Vec<String>) -> Self {
        let lowercase: Arc<[String]> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
        let mut set = hashbrown::HashSet::with_hasher(NameHasher::default());
        set.extend(lowercase.iter().cloned());
        NamedList {
            texts: texts.into(),
            lowercase,
            items: Arc::new(Items { texts: set, others: Vec::new() }),
        }
    }
}

impl<'a> Lists<'a> {
    pub fn load(
        lists: &'a ast::Named<ast::List>,
        read_file: &mut ReadFile<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let load = |(name, list): (&'a Text, &ast::List)| {
            let texts = match list {
                ast::List::Items(items) => items.iter().map(|item| item.value.clone()).collect(),
                ast::List::File(file) => lines(file, read_file, diagnostics),
            };
            (name.as_str(), NamedList::new(texts))
        };
        Lists { lists: lists.iter().map(load).collect() }
    }

    /// The list of this name; an unknown one is reported.
    pub fn find(&self, name: &Text, diagnostics: &mut Diagnostics) -> NamedList {
        if let Some(list) = self.lists.get(name.as_str()) {
            return list.clone();
        }
        let known: Vec<String> = self.lists.keys().map(|name| format!("${name}")).collect();
        let name = Text::new(format!("${}", name.value), name.span);
        diagnostics.unknown("list", &name, known.iter().map(String::as_str));
        NamedList::default()
    }
}

/// The lines of a list's file: trimmed, blank ones skipped (SPEC §2).
fn lines(file: &Text, read_file: &mut ReadFile<'_>, diagnostics: &mut Diagnostics) -> Vec<String> {
    if file.is_empty() {
        return Vec::new();
    }
    let shown = shorten(file);
    let bytes = match read_file(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            let reason = match error.kind() {
                ErrorKind::NotFound => "there is no such file".to_owned(),
                ErrorKind::PermissionDenied => "it is not allowed".to_owned(),
                _ => error.to_string(),
            };
            let message = format!("the file '{shown}' cannot be read: {reason}");
            diagnostics.error_hint(file.span, message, "its path is relative to the model's file");
            return Vec::new();
        }
    };
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            diagnostics.error_in(
                file,
                end_of(&valid),
                "this is not UTF-8 text",
                "save the file with the encoding UTF-8",
            );
            return Vec::new();
        }
    };
    let items: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if items.is_empty() {
        diagnostics.error_hint(
            file.span,
            format!("the file '{shown}' holds no items"),
            "write one text per line",
        );
    }
    items
}
