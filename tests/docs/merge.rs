//! Adds a part of a model to a model, as the pages say: what has the same name is replaced, what is new is added, and
//! new entries of a list of named things stand first. By indentation, so that the text stays as it was written.

/// One entry of a map or of a list: its first line and what stands beneath it.
struct Entry {
    /// The key of a map's entry, the `name` of a list's.
    name: Option<String>,
    head: String,
    children: Vec<String>,
}

impl Entry {
    fn is_item(&self) -> bool {
        self.head.trim_start().starts_with("- ")
    }

    /// `key:` and nothing more: what it holds stands beneath it.
    fn is_block(&self) -> bool {
        !self.is_item() && self.head.trim_end().ends_with(':')
    }

    fn write(self, text: &mut Vec<String>) {
        text.push(self.head);
        text.extend(self.children);
    }
}

/// The model with the part added to it.
pub fn merge(model: &str, part: &str) -> String {
    let lines =
        |text: &str| text.lines().map(without_comment).filter(|line| !line.trim().is_empty()).collect();
    merge_lines(lines(model), lines(part)).join("\n") + "\n"
}

fn merge_lines(model: Vec<String>, part: Vec<String>) -> Vec<String> {
    let mut part = entries(part);
    // A list of things without names is one thing.
    if part.iter().any(|entry| entry.is_item() && entry.name.is_none()) {
        return part.into_iter().fold(Vec::new(), |mut text, entry| {
            entry.write(&mut text);
            text
        });
    }
    let mut kept = Vec::new();
    for mut entry in entries(model) {
        if let Some(at) = part.iter().position(|new| new.name == entry.name) {
            let new = part.remove(at);
            match new.is_block() && entry.is_block() {
                true => entry.children = merge_lines(entry.children, new.children),
                false => entry = new,
            }
        }
        entry.write(&mut kept);
    }
    let mut added = Vec::new();
    let first = part.first().is_some_and(Entry::is_item);
    part.into_iter().for_each(|entry| entry.write(&mut added));
    if first { [added, kept].concat() } else { [kept, added].concat() }
}

fn entries(lines: Vec<String>) -> Vec<Entry> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let outer = lines.first().map_or(0, |line| indent(line));
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines {
        match entries.last_mut() {
            Some(entry) if indent(&line) > outer => entry.children.push(line),
            _ => entries.push(Entry { name: name_of(&line), head: line, children: Vec::new() }),
        }
    }
    entries
}

fn name_of(line: &str) -> Option<String> {
    let line = line.trim_start();
    let name = match line.strip_prefix("- ") {
        Some(item) => item.trim_start_matches("{ ").strip_prefix("name: ")?.split([',', '}']).next(),
        None => line.split_once(':').map(|(key, _)| key),
    };
    name.map(|name| name.trim().to_owned())
}

fn without_comment(line: &str) -> String {
    let comment = line.find(" #").filter(|&at| line[..at].matches('\'').count() % 2 == 0);
    line[..comment.unwrap_or(line.len())].trim_end().to_owned()
}
