//! Reads forms of browsers that run no script. Only forms of our own pages are accepted.

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};

use crate::http::api::problem::Problem;

/// The fields of a form, by name.
#[derive(Debug)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form that one of our own pages sent.
    ///
    /// # Errors
    /// `403 forbidden` for a form of another site, with any cookies, and for a body that is not a
    /// form.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        if !is_ours(headers) || !kind.starts_with("application/x-www-form-urlencoded") {
            let detail = "The form was not sent by a page of this site.";
            return Err(Problem::forbidden().detail(detail));
        }
        Ok(Self(form_urlencoded::parse(body).into_owned().collect()))
    }

    /// The value of a field; empty if the form does not have it.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Whether a request comes from one of our own pages. Decided by headers that browsers set and
/// pages cannot change: `Sec-Fetch-Site`, or else `Origin`, which must name the requested host.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = text(ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, host)| text(HOST.as_str()) == Some(host))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<Form, Problem> {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        Form::read(&pairs.iter().map(pair).collect(), b"do=join&name=%EA%B9%80+Kim")
    }

    #[test]
    fn a_form_of_this_site_is_read_and_one_of_another_site_is_refused() {
        const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
        const HOST: (&str, &str) = ("host", "tickets.example:8080");
        for ours in [
            &[FORM, HOST, ("sec-fetch-site", "same-origin")][..],
            &[FORM, HOST, ("origin", "https://tickets.example:8080")],
        ] {
            let form = read(ours).unwrap();
            assert_eq!((form.get("do"), form.get("name"), form.get("x")), ("join", "김 Kim", ""));
        }
        for theirs in [
            &[FORM, HOST, ("sec-fetch-site", "cross-site")][..],
            &[
                FORM,
                HOST,
                ("sec-fetch-site", "same-site"),
                ("origin", "https://tickets.example:8080"),
            ],
            &[FORM, HOST, ("origin", "https://tickets.example")],
            &[FORM, HOST, ("origin", "null")],
            &[FORM, HOST],
            &[HOST, ("sec-fetch-site", "same-origin"), ("content-type", "text/plain")],
        ] {
            assert_eq!(read(theirs).unwrap_err().code(), "forbidden", "{theirs:?}");
        }
    }
}
