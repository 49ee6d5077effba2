//! Error answers of the API: RFC 9457 problems with a stable `code`.

mod code;
mod define_codes;
mod described;
mod kind;

use std::hash::{BuildHasher, RandomState};

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

pub use self::code::ProblemCode;
pub use self::kind::ProblemKind;
use crate::http::limit::rate_headers::write_exceeded;
use crate::rate_limit::RateLimitExceeded;
use crate::store::StoreError;

/// Shortest `Retry-After` when a store was down or slow, in seconds.
const STORE_RETRY_SECONDS: u64 = 1;

/// Shortest `Retry-After` when the process was overloaded, in seconds.
const OVERLOAD_RETRY_SECONDS: u64 = 2;

/// The members of every problem.
const COMMON_MEMBERS: [&str; 6] = ["type", "title", "status", "code", "detail", "instance"];

/// An error answer, `application/problem+json`.
///
/// As a response it has a status and headers, but no body yet. The outermost middleware knows the
/// request's id and renders the body ([`Problem::render`]), so every answer has the right
/// `instance`.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    code: ProblemCode,
    detail: Option<String>,
    members: Map<String, Value>,
    retry_after: Option<u64>,
    exceeded: Option<Box<RateLimitExceeded>>,
}

/// The JSON form of a problem (RFC 9457).
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: std::fmt::Arguments<'a>,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'a str,
    instance: &'a str,
    /// Further members that the code adds.
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

/// One error in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The wrong field: a JSON Pointer into the body (`/sections/0/rows`), or `/` and the name of a
    /// query parameter or header.
    pub pointer: String,
    /// What is wrong with it, in words.
    pub detail: String,
}

impl Problem {
    /// Creates a problem with the status and the title of its code.
    #[must_use]
    pub fn new(code: ProblemCode) -> Self {
        Self { code, detail: None, members: Map::new(), retry_after: None, exceeded: None }
    }

    /// Sets the member `detail`: what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds a member that belongs to the code, such as the seats that were taken. It cannot replace
    /// a member that every problem has.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        if !COMMON_MEMBERS.contains(&member) {
            self.members.insert(member.to_owned(), value);
        }
        self
    }

    /// Adds `Retry-After`: `seconds` plus a random delay of up to half of that and one second, so
    /// that clients that were refused together do not retry together.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        // Each `RandomState` has a new seed, which is random enough to spread clients.
        let random = RandomState::new().hash_one(seconds);
        self.retry_after = Some(seconds + random % (seconds / 2 + 2));
        self
    }

    /// `404 not_found`: no resource has this path.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound)
    }

    /// `405 method_not_allowed`: the path exists, but not with this method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(ProblemCode::MethodNotAllowed)
    }

    /// `422 invalid_request`, with the list of errors.
    #[must_use]
    pub fn invalid_request(errors: Vec<FieldError>) -> Self {
        Self::new(ProblemCode::InvalidRequest)
            .with("errors", errors.into_iter().map(|error| json!(error)).collect())
    }

    /// `401 unauthenticated`: the access token is not valid.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(ProblemCode::Unauthenticated).detail("The access token is not valid.")
    }

    /// `403 forbidden`: the caller is authenticated, but not allowed to make this call.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(ProblemCode::Forbidden)
    }

    /// `503 overloaded`: too many requests are in progress, or the answer took too long.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::new(ProblemCode::Overloaded).retry_after(OVERLOAD_RETRY_SECONDS)
    }

    /// `503 store_unavailable`: nothing is half done, and the same request may succeed later.
    #[must_use]
    pub fn store_unavailable() -> Self {
        Self::new(ProblemCode::StoreUnavailable).retry_after(STORE_RETRY_SECONDS)
    }

    /// `500 internal_error`: a defect. The log has the reason; the answer does not.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(ProblemCode::InternalError)
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.code.kind().status
    }

    /// The stable name of the code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code.kind().code
    }

    /// Writes the body; `instance` is the request's id.
    #[must_use]
    pub fn render(&self, instance: &str) -> String {
        let ProblemKind { code, status, title, .. } = self.code.kind();
        let body = Body {
            kind: format_args!("/problems/{code}"),
            title,
            status: status.as_u16(),
            code,
            detail: self.detail.as_deref().unwrap_or(title),
            instance,
            members: &self.members,
        };
        // This cannot fail: the body has only texts and numbers.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

impl From<RateLimitExceeded> for Problem {
    /// `429 rate_limited`, which names the quota that is used up.
    fn from(exceeded: RateLimitExceeded) -> Self {
        let problem = Self::new(ProblemCode::RateLimited);
        let problem = problem.detail(exceeded.to_string()).retry_after(exceeded.wait_seconds());
        Self { exceeded: Some(Box::new(exceeded)), ..problem }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. }
            | StoreError::Conflict(_)
            | StoreError::OutcomeUnknown(_) => {
                tracing::warn!(%error, "a request failed because a store did not serve it");
                Self::store_unavailable()
            }
            StoreError::SaleOver => Self::new(ProblemCode::ScheduleClosed),
            StoreError::Inconsistent(_) | StoreError::Defect { .. } => {
                tracing::error!(%error, "a request failed: inconsistent data or a defect");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(exceeded) = &self.exceeded {
            write_exceeded(exceeded, headers);
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests;
