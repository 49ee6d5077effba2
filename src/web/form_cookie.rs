//! Makes a sign-up form safe to send twice, after two quick clicks or a lost answer. A cookie that
//! is set together with the form identifies it, so that both requests create one user.

use aws_lc_rs::{digest, rand};
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::lang::cookie;
use crate::store::id::ScheduleId;

const NAME: &str = "onsale_form";
/// Length of the random value, in bytes.
const BYTES: usize = 24;

/// The random value of a form. For two minutes, its bearer can sign in as the user that the form
/// creates, so it is as secret as an access token.
#[derive(Clone, PartialEq, Eq)]
pub struct FormCookie(String);

impl std::fmt::Debug for FormCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormCookie(..)")
    }
}

impl FormCookie {
    /// Reads the cookie that a browser sent.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let text = cookie(headers, NAME)?;
        let is_valid = URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == BYTES);
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Creates a new value. `None` if the random number generator fails; the form then has no
    /// cookie.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; BYTES];
        rand::fill(&mut bytes).ok()?;
        Some(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The SHA-256 hash of the value, by which the sign-up recognizes the form.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, self.0.as_bytes()).as_ref());
        hash
    }

    /// The `Set-Cookie` value. The cookie is sent only to this schedule's pages, until the browser
    /// is closed.
    #[must_use]
    pub fn set(&self, schedule: ScheduleId, secure: bool) -> String {
        set_cookie(&self.0, schedule, if secure { "; Secure" } else { "" })
    }

    /// The `Set-Cookie` value that removes the cookie.
    #[must_use]
    pub fn remove(schedule: ScheduleId) -> String {
        set_cookie("", schedule, "; Max-Age=0")
    }
}

fn set_cookie(value: &str, schedule: ScheduleId, attributes: &str) -> String {
    format!("{NAME}={value}; Path=/schedules/{schedule}; HttpOnly; SameSite=Strict{attributes}")
}
