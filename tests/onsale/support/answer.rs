//! An answer of the API.

use std::time::Duration;

use onsale::http::api::problem::ProblemCode;
use serde_json::Value;

/// An answer, read completely.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    /// The stable code of a problem; empty if the answer is not a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// Fails if the answer is a problem whose code is not in the list, or that differs from the
    /// list.
    #[track_caller]
    pub(super) fn is_listed(&self) {
        // The answer to HEAD has no body.
        if self.header("content-type") == "application/problem+json" && !self.text.is_empty() {
            let code = ProblemCode::find(self.code());
            let kind = code.unwrap_or_else(|| panic!("not a listed code: {}", self.text)).kind();
            assert_eq!(self.status, kind.status.as_u16(), "{}", self.text);
            assert_eq!(self.body["title"], kind.title);
            assert_eq!(self.body["type"], format!("/problems/{}", kind.code));
        }
    }

    /// The value of a header; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// How long to wait before a retry, if the answer is a `503` with `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.pause_after(503)
    }

    /// The time in `Retry-After`, if the answer has this status.
    pub(super) fn pause_after(&self, status: u16) -> Option<Duration> {
        let seconds = self.header("retry-after").parse().ok()?;
        (self.status == status).then_some(Duration::from_secs(seconds))
    }

    /// Fails unless the answer is a problem with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["instance"], self.header("x-request-id"));
    }

    /// Fails unless the answer has this status; returns the body.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }
}
