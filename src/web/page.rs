//! Common parts of every page: the reader's language, the files, the texts, and the data for the
//! page's module.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::lang::Lang;
use super::visit::Visit;

/// The file of texts that every page has.
const EVERYWHERE: &str = "common";

/// The value `page` of a template.
#[derive(Debug)]
pub struct Page {
    visit: Visit,
    name: &'static str,
    title: String,
    /// Whether the page has its own module.
    has_module: bool,
    files: Vec<&'static str>,
    data: Map<String, Value>,
}

impl Page {
    /// Creates the page with this name. Its module is `web/js/<name>.js`, its texts are those of
    /// `common` and `<name>`, and its title is the text `<name>.title`.
    #[must_use]
    pub fn named(visit: &Visit, name: &'static str) -> Self {
        let title = visit.t(&format!("{name}.title")).to_owned();
        let (visit, files) = (visit.clone(), vec![EVERYWHERE, name]);
        Self { visit, name, title, has_module: true, files, data: Map::new() }
    }

    /// Replaces the title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Uses the module for pages without their own, `web/js/static.js`.
    #[must_use]
    pub fn without_module(mut self) -> Self {
        self.has_module = false;
        self
    }

    /// Adds the texts of another file.
    #[must_use]
    pub fn texts(mut self, file: &'static str) -> Self {
        self.files.push(file);
        self
    }

    /// Adds a value that the page's module reads as `page.<key>`.
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

    /// The text for a count, in its singular or plural form.
    #[must_use]
    pub fn count<N: Copy + Into<i64>>(&self, key: &str, count: &N) -> String {
        self.visit.count(key, count)
    }

    /// A text with its placeholders replaced by values.
    #[must_use]
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.visit.fill(key, values)
    }

    /// A whole number with separators between thousands.
    #[must_use]
    pub fn number<N: Copy + Into<i64>>(&self, number: &N) -> String {
        self.visit.lang.number((*number).into())
    }

    /// A price. The parameter is a reference because templates pass references.
    #[must_use]
    pub fn money(&self, points: &i64) -> String {
        self.visit.lang.money(*points)
    }

    /// A time in UTC, for browsers that run no script. A script shows it in the reader's time zone.
    #[must_use]
    pub fn time(&self, time: &DateTime<Utc>) -> String {
        self.visit.lang.time(*time)
    }

    /// The page's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The page's title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The page's language.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.visit.lang
    }

    /// The other languages of the page.
    #[must_use]
    pub fn others(&self) -> Vec<Lang> {
        Lang::ALL.into_iter().filter(|lang| *lang != self.visit.lang).collect()
    }

    /// The page's path, without its query string.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.visit.path
    }

    /// The page's address in another language.
    #[must_use]
    pub fn address_in(&self, lang: &Lang) -> String {
        self.visit.address_in(*lang)
    }

    /// Whether users can sign up on this service.
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

    /// The path of the page's module below `web/`.
    fn module(&self) -> String {
        if self.has_module { format!("js/{}.js", self.name) } else { "js/static.js".to_owned() }
    }

    /// The address of the page's module.
    #[must_use]
    pub fn script(&self) -> String {
        self.asset(&self.module())
    }

    /// The addresses of all modules that the page needs.
    #[must_use]
    pub fn modules(&self) -> Vec<String> {
        self.visit.built.modules(&self.module())
    }

    /// The data for the page's module, as JSON to write inside a script element. `<` is escaped, so
    /// the data cannot end the element.
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
        all.insert("sign_in".to_owned(), json!(self.visit.sign_in));
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        all.insert("server_time".to_owned(), json!(now));
        all.insert("texts".to_owned(), Value::Object(texts));
        Value::Object(all).to_string().replace('<', "\\u003c")
    }
}
