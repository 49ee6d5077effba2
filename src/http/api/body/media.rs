//! Checks the form of a body: JSON, in UTF-8, not compressed.

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};

use crate::http::api::problem::{Problem, ProblemCode};

/// Charsets whose bytes are UTF-8.
const CHARSETS: [&str; 3] = ["utf-8", "utf8", "us-ascii"];

/// Refuses a body that is not JSON, has another charset, or is compressed.
///
/// # Errors
/// `415 unsupported_media_type`, `415 unsupported_encoding`.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |code: ProblemCode, detail: &str| Err(Problem::new(code).detail(detail));
    let encoded = values(headers, CONTENT_ENCODING)
        .any(|value| !value.is_some_and(|value| value.split(',').all(is_identity)));
    if encoded {
        return refused(ProblemCode::UnsupportedEncoding, "The body must not be compressed.");
    }
    let mut kinds = values(headers, CONTENT_TYPE);
    let (Some(Some(kind)), None) = (kinds.next(), kinds.next()) else {
        let detail = "The request needs one Content-Type header: application/json.";
        return refused(ProblemCode::UnsupportedMediaType, detail);
    };
    let mut parts = kind.split(';');
    if !is_json(parts.next().unwrap_or_default()) {
        return refused(ProblemCode::UnsupportedMediaType, "The body must be application/json.");
    }
    let charset = parts.filter_map(|parameter| parameter.split_once('='));
    let mut charset = charset.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let is_utf8 = |value: &str| {
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        CHARSETS.contains(&value.as_str())
    };
    if charset.all(|(_, value)| is_utf8(value)) {
        Ok(())
    } else {
        refused(ProblemCode::UnsupportedMediaType, "The charset of the body must be utf-8.")
    }
}

/// The values of a header; `None` for a value that is not text.
fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Option<&str>> {
    headers.get_all(name).into_iter().map(|value| value.to_str().ok())
}

fn is_identity(coding: &str) -> bool {
    let coding = coding.trim();
    coding.is_empty() || coding.eq_ignore_ascii_case("identity")
}

/// Whether the media type is `application/json` or `application/*+json`.
fn is_json(kind: &str) -> bool {
    let kind = kind.trim().to_ascii_lowercase();
    let subtype = kind.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(lines: &[(&'static str, &'static str)]) -> Option<&'static str> {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        check(&lines.iter().map(line).collect()).err().map(|problem| problem.code())
    }

    #[test]
    fn only_json_in_utf_8_is_accepted() {
        for kind in [
            "application/json",
            "application/JSON; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json; charset=us-ascii; x=y",
            "application/merge-patch+json",
        ] {
            assert_eq!(refusal(&[("content-type", kind)]), None, "{kind}");
        }
        for kind in [
            "text/plain",
            "application/jsonp",
            "text/json",
            "application/json; charset=utf-16",
            "application/json; CHARSET=euc-kr",
            "application/json; charset=utf-8; charset=latin1",
            "",
        ] {
            let code = refusal(&[("content-type", kind)]);
            assert_eq!(code, Some("unsupported_media_type"), "{kind}");
        }
        assert_eq!(refusal(&[]), Some("unsupported_media_type"));
        let twice = [("content-type", "application/json"), ("content-type", "text/plain")];
        assert_eq!(refusal(&twice), Some("unsupported_media_type"));
    }

    #[test]
    fn a_compressed_body_is_refused() {
        let json = ("content-type", "application/json");
        for coding in ["identity", "", "Identity, identity"] {
            assert_eq!(refusal(&[json, ("content-encoding", coding)]), None, "{coding}");
        }
        for coding in ["gzip", "br", "identity, gzip", "deflate", "zstd", "unknown", "\u{e9}"] {
            let code = refusal(&[json, ("content-encoding", coding)]);
            assert_eq!(code, Some("unsupported_encoding"), "{coding}");
        }
        let twice = [json, ("content-encoding", "identity"), ("content-encoding", "br")];
        assert_eq!(refusal(&twice), Some("unsupported_encoding"));
    }
}
