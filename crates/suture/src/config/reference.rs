//! A secret by reference: `file:PATH` or `env:NAME`. A secret written into the configuration itself is refused.

use std::path::{Path, PathBuf};

use suture_core::redact::Secret;

use super::environment::Environment;
use crate::failure::Failure;

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// The content of a file, without space around it.
    File(PathBuf),
    /// The value of an environment variable.
    Variable(String),
}

impl Reference {
    /// Parses a reference. The failure names the setting and never repeats its value.
    ///
    /// # Errors
    /// A sentence when the text is a secret itself, or nothing.
    pub(crate) fn parse(setting: &str, text: &str) -> Result<Self, Failure> {
        match text.split_once(':') {
            Some(("file", path)) if !path.trim().is_empty() => Ok(Self::File(PathBuf::from(path.trim()))),
            Some(("env", name)) if !name.trim().is_empty() => Ok(Self::Variable(name.trim().to_owned())),
            _ => Err(Failure::new(format!(
                "{setting} must be a reference, `file:PATH` or `env:NAME`; secrets are not written into the \
                 configuration itself, and this one was not used. Put it into a file that only the server reads."
            ))),
        }
    }

    /// Reads the secret. Paths are seen from the folder of the configuration file.
    ///
    /// # Errors
    /// A sentence with the name of the setting and the place where nothing was found.
    pub(crate) fn read(
        &self,
        setting: &str,
        folder: &Path,
        environment: &Environment,
    ) -> Result<Secret<String>, Failure> {
        match self {
            Self::File(path) => {
                let path = folder.join(path);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    let hint = "make keys with `suture keys init --dir DIR`, or correct the path";
                    Failure::of(format!("{setting}: {} cannot be read ({hint})", path.display()), &error)
                })?;
                Ok(Secret::new(text.trim().to_owned()))
            }
            Self::Variable(name) => environment
                .get(name)
                .filter(|value| !value.trim().is_empty())
                .map(|value| Secret::new(value.trim().to_owned()))
                .ok_or_else(|| {
                    Failure::new(format!("{setting}: the environment variable {name} is not set"))
                }),
        }
    }
}
