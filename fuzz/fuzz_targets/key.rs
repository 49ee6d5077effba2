//! Idempotency keys. Each line of the input is a header.
#![no_main]

use axum::http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use onsale::idempotency::http::IdempotencyKey;

fuzz_target!(|text: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in text.split(|byte| *byte == b'\n').take(4) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append("idempotency-key", value);
        }
    }
    if let Ok(IdempotencyKey(key)) = IdempotencyKey::of(&headers) {
        assert!((1..=255).contains(&key.len()));
        assert!(key.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(headers.len(), 1);
    }
});
