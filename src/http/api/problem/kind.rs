//! What all problems of one code have in common.

use axum::http::StatusCode;

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
