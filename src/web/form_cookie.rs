//! A sign-up form that is sent twice, by two quick presses or after a lost answer: a cookie that was
//! set with the form names it, so that both make one user.

use aws_lc_rs::{digest, rand};
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::lang::cookie;
use crate::store::id::ScheduleId;

const NAME: &str = "onsale_form";
const BYTES: usize = 24;

/// The random text of a form. Its bearer can sign in as the user that the form makes, for two
/// minutes: it is as secret as an access token.
#[derive(Clone, PartialEq, Eq)]
pub struct FormCookie(String);

impl std::fmt::Debug for FormCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormCookie(..)")
    }
}

impl FormCookie {
    /// The one that a browser sent.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let text = cookie(headers, NAME)?;
        let whole = URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == BYTES);
        whole.then(|| Self(text.to_owned()))
    }

    /// A new one; `None` where there are no random numbers, and the form goes without.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; BYTES];
        rand::fill(&mut bytes).ok()?;
        Some(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What it is known by where users are made.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, self.0.as_bytes()).as_ref());
        hash
    }

    /// `Set-Cookie`: for this schedule's waiting page alone, until the browser is closed.
    #[must_use]
    pub fn kept(&self, schedule: ScheduleId, secure: bool) -> String {
        set(&self.0, schedule, if secure { "; Secure" } else { "" })
    }

    /// `Set-Cookie` that removes it.
    #[must_use]
    pub fn gone(schedule: ScheduleId) -> String {
        set("", schedule, "; Max-Age=0")
    }
}

fn set(value: &str, schedule: ScheduleId, more: &str) -> String {
    format!("{NAME}={value}; Path=/schedules/{schedule}; HttpOnly; SameSite=Strict{more}")
}
