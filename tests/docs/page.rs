//! A page of `docs/`: its fenced blocks, headings and links.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub struct Page {
    pub name: String,
    pub text: String,
    pub blocks: Vec<Block>,
}

/// A fenced block.
pub struct Block {
    /// The line of its first fence, from 1.
    pub line: usize,
    pub language: String,
    /// What stands after the language.
    pub info: String,
    pub text: String,
}

impl Page {
    pub fn read(name: &str) -> Page {
        let path = Page::path(name);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let blocks = blocks(&text);
        Page { name: name.to_owned(), text, blocks }
    }

    pub fn path(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
    }

    /// The lines outside of fenced blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut fenced = false;
        let outside = self.text.lines().filter(|line| {
            fenced ^= line.starts_with("```");
            !fenced
        });
        outside.collect()
    }

    /// Anchors of the headings, as GitHub makes them.
    pub fn headings(&self) -> BTreeSet<String> {
        let titles = self.prose().into_iter().filter_map(|line| line.strip_prefix('#'));
        let anchor = |title: &str| {
            let title = title.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        };
        titles.map(anchor).collect()
    }

    /// Targets of links within the project.
    pub fn links(&self) -> Vec<String> {
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.map(|(target, _)| target.to_owned()).filter(|target| !target.contains("://")).collect()
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(""), Some(_)) => blocks.extend(open.take()),
            (Some(fence), None) => {
                let (language, info) = fence.split_once(' ').unwrap_or((fence, ""));
                let (language, info) = (language.to_owned(), info.trim().to_owned());
                open = Some(Block { line: index + 1, language, info, text: String::new() });
            }
            (_, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (_, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}
