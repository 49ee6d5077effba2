//! What every page gets: the reader's language, the files, the texts, and what its module is told.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, SET_COOKIE, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::assets::{Assets, Built};
use super::lang::Lang;
use super::{Web, headers};
use crate::http::negotiate::{Encoding, encoding};
use crate::http::packing::{Effort, pack};
use crate::http::problem::Problem;

/// The texts that every page has.
const EVERYWHERE: &str = "common";
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
    signup: bool,
    path: String,
    encoding: Encoding,
    built: Arc<Built>,
}

/// What a template is given as `page`.
#[derive(Debug)]
pub struct Page {
    visit: Visit,
    name: &'static str,
    title: String,
    /// Whether it has a module of its own.
    lively: bool,
    files: Vec<&'static str>,
    data: Map<String, Value>,
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
            path: uri.path().to_owned(),
            encoding: encoding(headers),
            built: assets.now(),
        }
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

impl FromRequestParts<Web> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let visit = Self::new(&web.assets, &parts.uri, &parts.headers);
        Ok(Self { signup: web.users.open_signup(), ..visit })
    }
}

impl Page {
    /// The page of this name: its module is `web/js/<name>.js`, its texts are those of `common` and
    /// `<name>`, its title is the text `<name>.title`.
    #[must_use]
    pub fn named(visit: &Visit, name: &'static str) -> Self {
        let title = visit.t(&format!("{name}.title")).to_owned();
        let (visit, files) = (visit.clone(), vec![EVERYWHERE, name]);
        Self { visit, name, title, lively: true, files, data: Map::new() }
    }

    /// With another title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Without a module of its own.
    #[must_use]
    pub fn still(mut self) -> Self {
        self.lively = false;
        self
    }

    /// With the texts of another file too.
    #[must_use]
    pub fn texts(mut self, file: &'static str) -> Self {
        self.files.push(file);
        self
    }

    /// With something that the page's module is told as `page.<key>`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        self.data.insert(key.to_owned(), value);
        self
    }

    /// A text in the reader's language.
    #[must_use]
    pub fn t<'t>(&'t self, key: &'t str) -> &'t str {
        self.visit.t(key)
    }

    /// A text for so many.
    #[must_use]
    pub fn count<N: Copy + Into<i64>>(&self, key: &str, count: &N) -> String {
        self.visit.count(key, count)
    }

    /// A text with its holes filled.
    #[must_use]
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.visit.fill(key, values)
    }

    /// A price. Templates pass what they name by reference.
    #[must_use]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "how a template passes it")]
    pub fn money(&self, points: &i64) -> String {
        self.visit.lang.money(*points)
    }

    /// A time in words, for those without a script that tells it in their zone.
    #[must_use]
    pub fn time(&self, time: &DateTime<Utc>) -> String {
        self.visit.lang.time(*time)
    }

    /// The page's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is called.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The language it is written in.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.visit.lang
    }

    /// The languages that it could be written in instead.
    #[must_use]
    pub fn others(&self) -> Vec<Lang> {
        Lang::ALL.into_iter().filter(|lang| *lang != self.visit.lang).collect()
    }

    /// Its own address, without what was asked.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.visit.path
    }

    /// Whether the reader could sign up here.
    #[must_use]
    pub fn signup(&self) -> bool {
        self.visit.signup
    }

    /// The address of a file, by its path below `web/`.
    #[must_use]
    pub fn asset(&self, path: &str) -> String {
        self.visit.built.address(path)
    }

    /// The address of the stylesheet.
    #[must_use]
    pub fn styles(&self) -> String {
        self.visit.built.styles()
    }

    /// Its module's path below `web/`.
    fn module(&self) -> String {
        if self.lively { format!("js/{}.js", self.name) } else { "js/still.js".to_owned() }
    }

    /// The address of its module.
    #[must_use]
    pub fn script(&self) -> String {
        self.asset(&self.module())
    }

    /// The addresses of all modules that it needs.
    #[must_use]
    pub fn modules(&self) -> Vec<String> {
        self.visit.built.modules(&self.module())
    }

    /// What its module is told, to be written between script tags: nothing in it ends them.
    #[must_use]
    pub fn json(&self) -> String {
        let file = |name| self.visit.built.texts.file(self.visit.lang, name);
        let texts: Map<String, Value> = self
            .files
            .iter()
            .filter_map(|name| file(name))
            .flatten()
            .map(|(key, text)| (key.clone(), json!(text)))
            .collect();
        let mut all = self.data.clone();
        all.insert("name".to_owned(), json!(self.name));
        all.insert("lang".to_owned(), json!(self.visit.lang.tag()));
        all.insert("build".to_owned(), json!(self.visit.built.id));
        all.insert("signup".to_owned(), json!(self.visit.signup));
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        all.insert("server_time".to_owned(), json!(now));
        all.insert("texts".to_owned(), Value::Object(texts));
        Value::Object(all).to_string().replace('<', "\\u003c")
    }
}
