//! What all problems of one code have in common.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::code::ProblemCode;

/// The parts that are the same in every problem of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemKind {
    /// The stable name, `snake_case`.
    pub code: &'static str,
    /// The status of the answer.
    pub status: StatusCode,
    /// The kind in words; the same in every problem of this code (RFC 9457).
    pub title: &'static str,
    /// When this problem is sent.
    pub meaning: &'static str,
    /// What a client does about it.
    pub action: &'static str,
}

impl ProblemCode {
    /// Finds the code with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.kind().code == name)
    }

    /// The value of the member `type`: the path that explains this code.
    #[must_use]
    pub fn reference(self) -> String {
        format!("/problems/{}", self.kind().code)
    }

    /// An example body of a problem with this code.
    #[must_use]
    pub fn example(self) -> Value {
        let ProblemKind { code, status, title, .. } = self.kind();
        let mut body = json!({
            "type": self.reference(),
            "title": title,
            "status": status.as_u16(),
            "code": code,
            "detail": title,
            "instance": "01a204a3-6085-71f0-926c-0b548a1543cc",
        });
        if let (Value::Object(body), Value::Object(members)) = (&mut body, self.members()) {
            body.extend(members);
        }
        body
    }
}
