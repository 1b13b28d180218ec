//! Values that must not be seen.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// What stands in for a secret wherever settings are shown.
const HIDDEN: &str = "***";

/// A text that `Debug` and serialisation may have to hide.
#[derive(Clone, PartialEq, Eq)]
pub struct Guarded {
    text: String,
    secret: bool,
}

impl Guarded {
    pub fn secret(text: String) -> Guarded {
        Guarded { text, secret: true }
    }

    pub fn open(text: String) -> Guarded {
        Guarded { text, secret: false }
    }

    /// The text itself, for its use alone.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    pub fn is_secret(&self) -> bool {
        self.secret
    }

    fn shown(&self) -> &str {
        if self.secret { HIDDEN } else { &self.text }
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.shown(), f)
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl Serialize for Guarded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

/// Resolves `${ENV}` and `@/path/of/a/secret`; any other text stands for itself and is a secret if `named_secret`.
///
/// # Errors
/// A sentence for the reader of the settings: the variable is not set or the file cannot be read.
pub fn resolve(text: String, named_secret: bool, env: &BTreeMap<String, String>) -> Result<Guarded, String> {
    if let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        let value = env.get(name).ok_or_else(|| {
            format!("takes its value from the environment variable {name}, which is not set; set it, or write the value here")
        })?;
        return Ok(Guarded::secret(value.clone()));
    }
    match text.strip_prefix('@').filter(|path| path.starts_with('/')) {
        Some(path) => match std::fs::read_to_string(path) {
            // Editors and `echo` end a file with a line break that is no part of the secret.
            Ok(secret) => Ok(Guarded::secret(secret.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => Err(format!(
                "takes its value from the file {path}, which cannot be read ({error}); check the path and its permissions"
            )),
        },
        None => Ok(Guarded { text, secret: named_secret }),
    }
}

/// Whether the name of a librdkafka property says that its value is a secret. In doubt it is.
pub fn is_secret_name(name: &str) -> bool {
    ["password", "secret", "token", "credential", "jaas", "oauthbearer.config", "pem", "passphrase"]
        .iter()
        .any(|part| name.contains(part))
}
