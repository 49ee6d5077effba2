//! Content negotiation: `Accept`, `Accept-Encoding` and `If-None-Match` (RFC 9110).

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, IF_NONE_MATCH};

/// Encodings of a body, the smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Brotli (RFC 7932).
    Brotli,
    /// gzip (RFC 1952).
    Gzip,
    /// Not compressed.
    Plain,
}

impl Encoding {
    /// The encodings that a client must name in `Accept-Encoding` to get them.
    pub const NAMED: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// The name in `Accept-Encoding` and `Content-Encoding`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Plain => "identity",
        }
    }
}

/// The items of a list header, over all its lines.
fn items<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// The smallest encoding that `Accept-Encoding` names, except with a weight of 0.
#[must_use]
pub fn encoding(headers: &HeaderMap) -> Encoding {
    let accepted = |encoding: &Encoding| {
        items(headers, ACCEPT_ENCODING.as_str()).any(|item| {
            let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight.trim().strip_prefix("q=").map(str::parse::<f32>);
            coding.trim().eq_ignore_ascii_case(encoding.name())
                && weight.is_none_or(|q| q.is_ok_and(|q| q > 0.0))
        })
    };
    Encoding::NAMED.into_iter().find(accepted).unwrap_or(Encoding::Plain)
}

/// Whether `Accept` names this media type.
#[must_use]
pub fn names_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    items(headers, ACCEPT.as_str()).any(|item| {
        item.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type))
    })
}

/// Whether a browser asks for a page. Programs do not put HTML first.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accepts| accepts.as_bytes().starts_with(b"text/html"))
}

/// Whether `If-None-Match` names `etag`, by the weak comparison of RFC 9110.
#[must_use]
pub fn matches(headers: &HeaderMap, etag: &str) -> bool {
    items(headers, IF_NONE_MATCH.as_str())
        .any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let values = values.iter().map(|value| axum::http::HeaderValue::from_static(value));
        values.map(|value| (axum::http::HeaderName::from_static(name), value)).collect()
    }

    #[test]
    fn the_smallest_encoding_that_the_client_names_and_does_not_refuse_is_sent() {
        let chosen = |values: &[&'static str]| encoding(&headers("accept-encoding", values));
        for named in ["gzip", "br;q=0, GZIP;q=0.5", "gzip; q=1", "deflate, gzip"] {
            assert_eq!(chosen(&[named]), Encoding::Gzip, "{named}");
        }
        for refused in ["", "identity", "gzip;q=0", "gzip; q=0.0", "gzip;q=x", "xgzip", "brr"] {
            assert_eq!(chosen(&[refused]), Encoding::Plain, "{refused}");
        }
        assert_eq!(chosen(&["gzip, deflate, br, zstd"]), Encoding::Brotli);
        assert_eq!(chosen(&["gzip", "br"]), Encoding::Brotli);
        assert_eq!(encoding(&HeaderMap::new()), Encoding::Plain);
    }

    #[test]
    fn a_media_type_is_found_among_others() {
        let names = |value| names_media_type(&headers("accept", &[value]), "application/a-text");
        assert!(names("application/A-Text; version=1.0.0,text/plain;q=0.5"));
        assert!(!names("text/plain, application/a-texts") && !names("*/*"));
    }

    #[test]
    fn a_version_that_the_client_has_is_not_sent_again() {
        let etag = "\"1.8-2\"";
        for same in ["\"1.8-2\"", "W/\"1.8-2\"", "\"1.7-2\", \"1.8-2\"", "*"] {
            assert!(matches(&headers("if-none-match", &[same]), etag), "{same}");
        }
        for other in ["\"1.8-2-gzip\"", "1.8-2", "\"1.8-3\""] {
            assert!(!matches(&headers("if-none-match", &[other]), etag), "{other}");
        }
    }
}
