//! The `Idempotency-Key` header, and the mark on repeated answers.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::model::{Answer, KeyError};
use crate::http::api::body::Json;
use crate::http::api::problem::{FieldError, Problem, ProblemCode};

/// Header that marks the repeated answer to an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Maximum length of a key, in bytes.
const MAX_BYTES: usize = 255;

/// The idempotency key of a request: 1 to 255 visible ASCII characters.
///
/// `400 idempotency_key_required` without one; `422 invalid_request` if it is malformed or sent
/// more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    /// Reads the key of a request.
    ///
    /// # Errors
    /// `400 idempotency_key_required`, or `422 invalid_request`.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all("idempotency-key").iter();
        let Some(key) = values.next() else {
            return Err(Problem::new(ProblemCode::IdempotencyKeyRequired));
        };
        let bytes = key.as_bytes();
        let fits = (1..=MAX_BYTES).contains(&bytes.len());
        match key.to_str() {
            Ok(key)
                if fits && bytes.iter().all(u8::is_ascii_graphic) && values.next().is_none() =>
            {
                Ok(Self(key.to_owned()))
            }
            _ => Err(Problem::invalid_request(vec![FieldError {
                pointer: "/Idempotency-Key".to_owned(),
                detail: "one header of 1 to 255 visible ASCII characters".to_owned(),
            }])),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.headers)
    }
}

/// An answer, marked if it is a repeated one.
pub fn answer<T: Serialize>(status: StatusCode, answer: Answer<T>) -> Response {
    mark_replayed(answer.replayed, (status, Json(answer.outcome)).into_response())
}

/// A final refusal, marked if it is a repeated one.
#[must_use]
pub fn refusal(replayed: bool, problem: Problem) -> Response {
    mark_replayed(replayed, problem.into_response())
}

fn mark_replayed(replayed: bool, mut response: Response) -> Response {
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::InProgress => Self::new(ProblemCode::RequestInProgress).retry_after(1),
            KeyError::Reused => Self::new(ProblemCode::IdempotencyKeyReused),
            KeyError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &[&[u8]]) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        for key in keys {
            headers.append("idempotency-key", HeaderValue::from_bytes(key).unwrap());
        }
        let key = IdempotencyKey::of(&headers);
        key.map(|IdempotencyKey(key)| key).map_err(|problem| problem.code())
    }

    #[test]
    fn a_key_is_1_to_255_visible_ascii_characters_sent_once() {
        let longest = "k".repeat(255);
        assert_eq!(read(&[b"order-7"]).unwrap(), "order-7");
        assert_eq!(read(&[longest.as_bytes()]).unwrap(), longest);
        assert_eq!(read(&[]).unwrap_err(), "idempotency_key_required");
        let too_long = "k".repeat(256);
        let bad: [&[&[u8]]; 6] =
            [&[b""], &[b"a b"], &[b"a\tb"], &[b"k\xe9y"], &[too_long.as_bytes()], &[b"a", b"a"]];
        for keys in bad {
            assert_eq!(read(keys).unwrap_err(), "invalid_request", "{keys:?}");
        }
    }
}
