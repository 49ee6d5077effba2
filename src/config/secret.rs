//! Secret settings, and the error for a setting that cannot be used.

use std::fmt;

use aws_lc_rs::hmac;

/// Minimum length of a secret: a key of HMAC-SHA-256 should not be shorter than its output
/// (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// Minimum number of guesses that find a secret, as the exponent of 10: about 2^63 guesses. zxcvbn
/// counts no further than 2^64. A text of 32 random hexadecimal digits needs some 10^32.
const MIN_GUESSES_LOG10: f64 = 19.0;

/// Words that an attacker tries first for this program.
const OWN_WORDS: [&str; 6] = ["onsale", "jwt", "queue", "ticket", "changeme", "change-me"];

/// A text that is never printed: a secret, or a URL with a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text so that it is not printed.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Why the secret is too easy to guess; `None` if it is not. Long is not enough: repeats, words
    /// and rows of keys count for as little as zxcvbn (Wheeler, USENIX Security 2016) finds them
    /// worth.
    // Checked after parsing, because clap would print the refused value.
    pub(super) fn weakness(&self) -> Option<&'static str> {
        if self.0.len() < MIN_SECRET_BYTES {
            return Some("a secret must have at least 32 bytes");
        }
        let guesses = zxcvbn::zxcvbn(&self.0, &OWN_WORDS).guesses_log10();
        (guesses < MIN_GUESSES_LOG10).then_some(
            "the secret can be guessed, although it is long: use random characters, such as the \
             output of `openssl rand -hex 32`",
        )
    }

    /// A digest by which processes compare their secrets: 128 bits of HMAC-SHA-256 (RFC 2104) over a
    /// fixed text, with the secret as the key, in hexadecimal digits. It does not reveal a secret
    /// that [`Secret::weakness`] accepts. No token or ticket is signed over that text.
    #[must_use]
    pub fn digest(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        hex::encode(&hmac::sign(&key, b"onsale: digest of a secret").as_ref()[..16])
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
