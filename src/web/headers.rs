//! What a page may do in a browser: run its own files, talk to us, and nothing else.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// No inline script and no inline style: what an organiser or a buyer wrote can be neither.
const PAGE: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    // Not `no-referrer`: with that a form of ours would be sent with the origin `null`.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Adds them to a page's answer.
pub(super) fn add(headers: &mut HeaderMap) {
    for (name, value) in PAGE {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// Whether the browser came over TLS, by the word of the proxy in front. A client that says so
/// itself only keeps its own cookie from going over anything else.
pub(super) fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
}
