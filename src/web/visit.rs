//! One request for a page: the reader's language and the page as an answer.

use std::sync::Arc;

use askama::Template;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, SET_COOKIE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::assets::{Assets, Built};
use super::headers;
use super::lang::Lang;
use crate::http::api::compression::{Effort, pack};
use crate::http::api::negotiation::{Encoding, encoding};
use crate::http::api::problem::Problem;

/// Lifetime of the cookie with the chosen language, in seconds.
const A_YEAR_SECONDS: u32 = 365 * 24 * 60 * 60;

/// One request for a page.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The reader's language.
    pub lang: Lang,
    /// Whether this request chooses the language, with `?lang=`.
    chosen: bool,
    /// Whether users can sign up on this service.
    pub signup: bool,
    /// Whether users sign in on another page, to which `/sign-in` redirects.
    pub sign_in: bool,
    /// The path of the page.
    pub path: String,
    /// The query string without the language: empty, or pairs that end in `&`.
    query: String,
    encoding: Encoding,
    /// The current files and texts.
    pub built: Arc<Built>,
}

impl Visit {
    /// Reads a request.
    #[must_use]
    pub fn new(assets: &Assets, uri: &Uri, headers: &HeaderMap) -> Self {
        let chosen = Lang::of_query(uri.query().unwrap_or_default());
        Self {
            lang: chosen.unwrap_or_else(|| Lang::of_headers(headers)),
            chosen: chosen.is_some(),
            signup: false,
            sign_in: false,
            path: uri.path().to_owned(),
            query: without_language(uri.query().unwrap_or_default()),
            encoding: encoding(headers),
            built: assets.now(),
        }
    }

    /// The address of this page in a language.
    #[must_use]
    pub fn address_in(&self, lang: Lang) -> String {
        format!("{}?{}lang={}", self.path, self.query, lang.tag())
    }

    /// A text in the reader's language.
    #[must_use]
    pub fn t<'t>(&'t self, key: &'t str) -> &'t str {
        self.built.texts.get(self.lang, key)
    }

    /// The text for a count, in its singular or plural form.
    #[must_use]
    pub fn count<N: Copy + Into<i64>>(&self, key: &str, count: &N) -> String {
        self.built.texts.count(self.lang, key, (*count).into())
    }

    /// A text with its placeholders replaced by values.
    #[must_use]
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let text = self.t(key).to_owned();
        values.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// A text in the reader's language, if it exists.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&str> {
        self.built.texts.find(self.lang, key)
    }

    /// Renders a page as an answer.
    ///
    /// # Errors
    /// `500 internal_error` if the template fails, which is a defect.
    pub fn html(&self, template: &impl Template) -> Result<Response, Problem> {
        self.html_as(StatusCode::OK, template)
    }

    /// Like [`Visit::html`], with another status.
    ///
    /// # Errors
    /// Those of [`Visit::html`].
    pub fn html_as(
        &self,
        status: StatusCode,
        template: &impl Template,
    ) -> Result<Response, Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "a page could not be rendered");
            Problem::internal()
        };
        let text = template.render().map_err(|error| failed(&error))?;
        let body = pack(text.as_bytes(), self.encoding, Effort::Little);
        let mut response = (status, body.map_err(|error| failed(&error))?).into_response();
        let reply = response.headers_mut();
        reply.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        // The browser may keep the page for its back button, but checks for a new one otherwise.
        reply.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        reply.insert(VARY, HeaderValue::from_static("accept-encoding, accept-language, cookie"));
        if self.encoding != Encoding::Plain {
            reply.insert(CONTENT_ENCODING, HeaderValue::from_static(self.encoding.name()));
        }
        if self.chosen
            && let Ok(cookie) = HeaderValue::try_from(self.language_cookie())
        {
            reply.append(SET_COOKIE, cookie);
        }
        headers::add(reply);
        Ok(response)
    }

    /// The `Set-Cookie` value that keeps the chosen language.
    fn language_cookie(&self) -> String {
        let tag = self.lang.tag();
        format!("lang={tag}; Path=/; Max-Age={A_YEAR_SECONDS}; SameSite=Lax")
    }
}

/// A query string without `lang`, so that another `lang` can follow: empty, or pairs that end in
/// `&`.
fn without_language(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "lang");
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    serializer.extend_pairs(pairs);
    let mut rest = serializer.finish();
    if !rest.is_empty() {
        rest.push('&');
    }
    rest
}
