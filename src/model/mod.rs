//! The scoring model: YAML → checked → compiled. Pure: files are read by whoever calls.

pub mod ast;
mod compile;
pub mod compiled;
pub mod diagnostic;
pub mod matcher;
pub(crate) mod read;
mod show;
mod warn;
pub(crate) mod yaml;

pub use ast::json_schema;
pub use compiled::Model;
pub use diagnostic::{Diagnostic, Severity};
pub use yaml::MAX_BYTES;

use diagnostic::Diagnostics;
use xxhash_rust::xxh3::Xxh3;

/// A model that was read and checked.
#[derive(Debug)]
pub struct Loaded {
    /// What the engine runs.
    pub model: Model,
    /// What its writers wrote.
    pub source: ast::Model,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Diagnostic>,
}

impl Model {
    /// Reads a model's text (SPEC §2). `name` is the file's name in messages; `read_file` reads a list's file by its
    /// name as the model writes it, relative to the model.
    ///
    /// # Errors
    /// All mistakes of the model at once, in the order of the file, with warnings among them.
    pub fn load(
        name: &str,
        text: &[u8],
        read_file: &mut dyn FnMut(&str) -> std::io::Result<Vec<u8>>,
    ) -> Result<Loaded, Vec<Diagnostic>> {
        let mut diagnostics = Diagnostics::new(name);
        let start = "a model begins with `model: some-name`";
        let loaded = yaml::parse(text, start, &mut diagnostics).and_then(|root| {
            let source = read::model(&root, &mut diagnostics);
            let mut fingerprint = Xxh3::new();
            fingerprint.update(env!("CARGO_PKG_VERSION").as_bytes());
            fingerprint.update(text);
            let mut read_file = |name: &str| read_file(name).inspect(|content| fingerprint.update(content));
            let mut model = compile::compile(&source, &mut read_file, &mut diagnostics)?;
            model.fingerprint = fingerprint.digest();
            warn::warn(&source, &model, &mut diagnostics);
            Some((model, source))
        });
        match loaded {
            Some((model, source)) => Ok(Loaded { model, source, warnings: diagnostics.into_vec() }),
            None => Err(diagnostics.into_vec()),
        }
    }
}
