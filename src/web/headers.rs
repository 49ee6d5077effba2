//! Security headers of pages: a page may run its own files and call this service, nothing else.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Inline scripts and styles are forbidden, so that text of an organiser or a buyer cannot become
/// one.
const PAGE: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    // With `no-referrer`, browsers would send our own forms with the origin `null`.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Adds the security headers to a page's answer.
pub(super) fn add(headers: &mut HeaderMap) {
    for (name, value) in PAGE {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// Whether the browser uses TLS, according to the `X-Forwarded-Proto` of the proxy in front. A
/// client that forges the header only restricts its own cookie to TLS.
pub(super) fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
}
