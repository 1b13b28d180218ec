//! Writes Markdown (GitHub's).

/// A page that grows block by block. Texts are escaped, except within their `code spans`.
#[derive(Default)]
pub struct Page {
    text: String,
}

impl Page {
    pub fn title(&mut self, text: &str) {
        self.heading("#", text);
    }

    pub fn section(&mut self, text: &str) {
        self.heading("##", text);
    }

    pub fn subsection(&mut self, text: &str) {
        self.heading("###", text);
    }

    fn heading(&mut self, level: &str, text: &str) {
        self.block(&format!("{level} {}", escaped(text)));
    }

    pub fn text(&mut self, text: &str) {
        self.block(&escaped(text));
    }

    /// A paragraph in bold, above a list.
    pub fn label(&mut self, text: &str) {
        self.block(&format!("**{}**", escaped(text)));
    }

    /// A list of things that can have parts.
    pub fn list(&mut self, items: &[Item]) {
        let mut block = String::new();
        for item in items {
            block += &format!("- {}\n", escaped(&item.text));
            item.parts.iter().for_each(|part| block += &format!("  - {}\n", escaped(part)));
        }
        self.block(block.trim_end());
    }

    /// A table; columns without anything in them are left out.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let used: Vec<usize> =
            (0..head.len()).filter(|&column| rows.iter().any(|row| !row[column].is_empty())).collect();
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut block = line(used.iter().map(|&column| head[column].to_owned()).collect());
        block += &format!("|{}\n", "---|".repeat(used.len()));
        for row in rows {
            block += &line(used.iter().map(|&column| escaped(&row[column]).replace('|', "\\|")).collect());
        }
        self.block(block.trim_end());
    }

    pub fn code(&mut self, language: &str, code: &str) {
        self.block(&format!("```{language}\n{}\n```", code.trim_end()));
    }

    fn block(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text += block;
        self.text.push('\n');
    }

    pub fn finish(self) -> String {
        self.text
    }
}

/// An entry of a list, perhaps with a list of its own.
pub struct Item {
    text: String,
    parts: Vec<String>,
}

impl Item {
    pub fn new(text: impl Into<String>) -> Self {
        Item { text: text.into(), parts: Vec::new() }
    }

    /// A text with parts beneath, however few.
    pub fn under(text: &str, parts: Vec<String>) -> Self {
        Item { text: text.to_owned(), parts }
    }

    /// `text: part` if there is one part, else `text, all of:` and the parts beneath.
    pub fn of(text: &str, parts: Vec<String>) -> Self {
        match parts.as_slice() {
            [] => Item::new(text),
            [only] => Item::new(format!("{text}: {only}")),
            _ => Item { text: format!("{text}, all of:"), parts },
        }
    }
}

/// Takes the special meaning of characters away, outside of code spans.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_code = false;
    let chars: Vec<char> = text.chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        in_code ^= c == '`';
        let word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
        let inside_word = word(at.checked_sub(1)) && word(Some(at + 1));
        match c {
            c if c.is_control() => out.push(' '),
            _ if in_code => out.push(c),
            '<' => out.push_str("&lt;"),
            '\\' | '*' | '[' | ']' | '~' => out.extend(['\\', c]),
            '_' if !inside_word => out.push_str("\\_"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_meaning() {
        assert_eq!(
            escaped("best_fit _x_ 2*3 <b> `a*|b` [x]"),
            "best_fit \\_x\\_ 2\\*3 &lt;b> `a*|b` \\[x\\]"
        );
    }

    #[test]
    fn tables_have_no_empty_columns() {
        let mut page = Page::default();
        page.table(&["A", "B", "C"], &[vec!["1".into(), String::new(), "x|y".into()]]);
        assert_eq!(page.finish(), "| A | C |\n|---|---|\n| 1 | x\\|y |\n");
    }
}
