//! Somebody who opened a page: what they read, and the answer that they get.

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

/// How long a chosen language is remembered.
const A_YEAR_SECONDS: u32 = 365 * 24 * 60 * 60;

/// Somebody who opened a page.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The language they read.
    pub lang: Lang,
    /// Whether they have chosen it just now.
    chosen: bool,
    /// Whether they could sign up here.
    pub signup: bool,
    /// Whether there is another page on which they sign in: `/sign-in` leads there.
    pub sign_in: bool,
    /// The path they asked for.
    pub path: String,
    /// What they asked of it, without the language: empty, or pairs that end in `&`.
    query: String,
    encoding: Encoding,
    /// The files and texts of now.
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

    /// A text for so many.
    #[must_use]
    pub fn count<N: Copy + Into<i64>>(&self, key: &str, count: &N) -> String {
        self.built.texts.count(self.lang, key, (*count).into())
    }

    /// A text with its holes filled.
    #[must_use]
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let text = self.t(key).to_owned();
        values.iter().fold(text, |text, (hole, value)| text.replace(&format!("{{{hole}}}"), value))
    }

    /// A text that may not be there.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&str> {
        self.built.texts.find(self.lang, key)
    }

    /// The page as an answer.
    ///
    /// # Errors
    /// `500 internal_error` where the template fails, which none does on what it is given.
    pub fn html(&self, template: &impl Template) -> Result<Response, Problem> {
        self.html_as(StatusCode::OK, template)
    }

    /// As [`Visit::html`], with another status.
    ///
    /// # Errors
    /// As there.
    pub fn html_as(
        &self,
        status: StatusCode,
        template: &impl Template,
    ) -> Result<Response, Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "a page could not be written");
            Problem::internal()
        };
        let text = template.render().map_err(|error| failed(&error))?;
        let body = pack(text.as_bytes(), self.encoding, Effort::Little);
        let mut response = (status, body.map_err(|error| failed(&error))?).into_response();
        let told = response.headers_mut();
        told.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        // Kept for going back to, and looked at again before it is shown anew.
        told.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        told.insert(VARY, HeaderValue::from_static("accept-encoding, accept-language, cookie"));
        if self.encoding != Encoding::Plain {
            told.insert(CONTENT_ENCODING, HeaderValue::from_static(self.encoding.name()));
        }
        if self.chosen
            && let Ok(cookie) = HeaderValue::try_from(self.remembered())
        {
            told.append(SET_COOKIE, cookie);
        }
        headers::add(told);
        Ok(response)
    }

    /// The cookie that remembers the language; it is read by us alone, and decides nothing else.
    fn remembered(&self) -> String {
        let tag = self.lang.tag();
        format!("lang={tag}; Path=/; Max-Age={A_YEAR_SECONDS}; SameSite=Lax")
    }
}

/// A query string without `lang`, to put another in front of: empty, or pairs that end in `&`.
fn without_language(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "lang");
    let mut kept = form_urlencoded::Serializer::new(String::new());
    kept.extend_pairs(pairs);
    let mut kept = kept.finish();
    if !kept.is_empty() {
        kept.push('&');
    }
    kept
}
