//! `qualifyd new`: a model to start from, and its tests, made to the answers of a few questions.
//!
//! Both are put together from pieces, each of which is there if the stages that it speaks of are: what comes out passes
//! `check` without warnings and its own tests, whatever stages are chosen.

mod b2b;
mod b2c;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

/// Who is sold to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Companies: a sales team talks to people who fit.
    B2b,
    /// People: they look, fill a cart and buy, without anybody talking to them.
    B2c,
}

/// A stage that can be chosen.
#[derive(Debug, Clone, Copy)]
pub struct Offered {
    pub name: &'static str,
    pub what: &'static str,
    /// It cannot be left out.
    pub always: bool,
}

const fn offered(name: &'static str, what: &'static str, always: bool) -> Offered {
    Offered { name, what, always }
}

impl Kind {
    /// The stages to choose from, in the funnel's order.
    pub fn stages(self) -> &'static [Offered] {
        match self {
            Kind::B2b => &b2b::STAGES,
            Kind::B2c => &b2c::STAGES,
        }
    }
}

/// The answers.
#[derive(Debug, Clone)]
pub struct Answers {
    pub name: String,
    pub kind: Kind,
    /// People use the product before they buy.
    pub product_led: bool,
    /// Names of stages; see [`Answers::choose`].
    stages: Vec<&'static str>,
}

impl Answers {
    /// All stages of the kind.
    pub fn new(name: String, kind: Kind, product_led: bool) -> Answers {
        let stages = kind.stages().iter().map(|stage| stage.name).collect();
        Answers { name, kind, product_led, stages }
    }

    /// Keeps only these stages, in the funnel's order; those that cannot be left out stay.
    ///
    /// # Errors
    /// What is wrong: a name that is not offered, a side track that nothing leads to.
    pub fn choose(&mut self, names: &[String]) -> Result<(), String> {
        let all = self.kind.stages();
        for name in names {
            if !all.iter().any(|stage| stage.name == name) {
                let known: Vec<&str> = all.iter().map(|stage| stage.name).collect();
                let hint = crate::suggest::similar(name, known.iter().copied());
                let hint = hint.map_or_else(|| known.join(", "), |near| format!("did you mean '{near}'?"));
                return Err(format!("there is no stage '{name}' to choose: {hint}"));
            }
        }
        let chosen = all.iter().filter(|stage| stage.always || names.iter().any(|name| name == stage.name));
        self.stages = chosen.map(|stage| stage.name).collect();
        let alone = ["recycled", "disqualified"].into_iter().find(|side| self.has(side));
        match alone {
            Some(side) if self.of(&b2b::SALES).is_empty() => {
                let sales = b2b::SALES.join(", ");
                Err(format!("'{side}' is what sales sends leads to, so choose one of {sales} as well"))
            }
            _ => Ok(()),
        }
    }

    fn has(&self, stage: &str) -> bool {
        self.stages.contains(&stage)
    }

    /// Those of the stages that were chosen.
    fn of(&self, stages: &[&'static str]) -> Vec<&'static str> {
        stages.iter().copied().filter(|stage| self.has(stage)).collect()
    }

    /// The model's text.
    pub fn model(&self) -> String {
        match self.kind {
            Kind::B2b => b2b::model(self),
            Kind::B2c => b2c::model(self),
        }
    }

    /// Its tests, which stand in a folder beside it.
    pub fn tests(&self) -> String {
        match self.kind {
            Kind::B2b => b2b::tests(self),
            Kind::B2c => b2c::tests(self),
        }
    }
}

/// Writes the model and its tests into a folder, which is made if it is not there.
///
/// # Errors
/// Those of writing; nothing that is there already is overwritten.
pub fn write(answers: &Answers, folder: &Path) -> io::Result<[PathBuf; 2]> {
    let model = folder.join(format!("{}.yaml", answers.name));
    let tests = folder.join("tests").join(format!("{}{}", answers.name, crate::testing::run::ENDING));
    if let Some(there) = [&model, &tests].into_iter().find(|path| path.exists()) {
        let message = format!("{} is there already", there.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    for (path, text) in [(&model, answers.model()), (&tests, answers.tests())] {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, text)?;
    }
    Ok([model, tests])
}

/// Lines of a file, each there or not.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn add(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    fn add_if(&mut self, wanted: bool, text: impl AsRef<str>) {
        if wanted {
            self.add(text);
        }
    }
}

/// A list as YAML writes it in a line; one item alone stands without brackets.
fn list(items: &[&str]) -> String {
    match items {
        [only] => (*only).to_owned(),
        _ => format!("[{}]", items.join(", ")),
    }
}
