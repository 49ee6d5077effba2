//! Secret settings, and the error for a setting that cannot be used.

use std::fmt;

/// Minimum length of a secret: a key of HMAC-SHA-256 should not be shorter than its output.
pub(super) const MIN_SECRET_BYTES: usize = 32;
pub(super) const SHORT_SECRET: &str = "a secret must have at least 32 bytes";

/// A text that is never printed: a secret, or a URL with a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text so that it is not printed.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    // Checked after parsing, because clap would print the refused value.
    pub(super) fn is_short(&self) -> bool {
        self.0.len() < MIN_SECRET_BYTES
    }

    /// Returns the text, for the code that uses the secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A setting that contradicts another one, or is out of range.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{variable}: {reason}")]
pub struct InvalidSetting {
    pub(super) variable: &'static str,
    pub(super) reason: &'static str,
}

pub(super) fn refuse(variable: &'static str, reason: &'static str) -> Result<(), InvalidSetting> {
    Err(InvalidSetting { variable, reason })
}
