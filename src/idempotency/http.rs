//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::http::problem::{FieldError, Problem};

/// The longest key, in bytes.
const MAX_BYTES: usize = 255;

/// The key under which a request may be repeated: 1 to 255 visible ASCII characters.
///
/// `400 idempotency_key_required` without one, `422 invalid_request` where it is malformed or sent
/// more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut sent = parts.headers.get_all("idempotency-key").iter();
        let Some(key) = sent.next() else {
            let title = "This request needs an Idempotency-Key header";
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_required",
                title,
            ));
        };
        let bytes = key.as_bytes();
        let fits = (1..=MAX_BYTES).contains(&bytes.len());
        match key.to_str() {
            Ok(key) if fits && bytes.iter().all(u8::is_ascii_graphic) && sent.next().is_none() => {
                Ok(Self(key.to_owned()))
            }
            _ => Err(Problem::invalid_request(vec![FieldError {
                pointer: "/Idempotency-Key".to_owned(),
                detail: "one header of 1 to 255 visible ASCII characters".to_owned(),
            }])),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};

    use super::*;

    async fn read(keys: &[&[u8]]) -> Result<String, &'static str> {
        let mut request = Request::builder();
        for key in keys {
            request = request.header("idempotency-key", HeaderValue::from_bytes(key).unwrap());
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        let key = IdempotencyKey::from_request_parts(&mut parts, &()).await;
        key.map(|IdempotencyKey(key)| key)
            .map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_key_is_1_to_255_visible_ascii_characters_sent_once() {
        let longest = "k".repeat(255);
        assert_eq!(read(&[b"order-7"]).await.unwrap(), "order-7");
        assert_eq!(read(&[longest.as_bytes()]).await.unwrap(), longest);
        assert_eq!(read(&[]).await.unwrap_err(), "idempotency_key_required");
        let too_long = "k".repeat(256);
        let bad: [&[&[u8]]; 6] = [
            &[b""],
            &[b"a b"],
            &[b"a\tb"],
            &[b"k\xe9y"],
            &[too_long.as_bytes()],
            &[b"a", b"a"],
        ];
        for keys in bad {
            assert_eq!(read(keys).await.unwrap_err(), "invalid_request", "{keys:?}");
        }
    }
}
