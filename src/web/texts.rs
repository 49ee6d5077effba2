//! The texts of pages, from `web/lang/<language>/<file>.json`. The files are flat, and each key
//! begins with the file's name.

use std::collections::{BTreeMap, HashMap};

use super::lang::Lang;

/// The texts of one file in one language, by key.
pub type TextFile = BTreeMap<String, String>;

/// All texts.
#[derive(Debug, Default)]
pub struct Texts {
    files: HashMap<(Lang, String), TextFile>,
}

impl Texts {
    /// Adds a file by its path below `web/lang`: `ko/sale.json`. A file that cannot be parsed is
    /// logged, and pages then show the keys of its texts.
    pub fn add(&mut self, path: &str, data: &[u8]) {
        let parts = path.strip_suffix(".json").and_then(|path| path.split_once('/'));
        let Some((lang, name)) = parts.and_then(|(tag, name)| Some((Lang::of_tag(tag)?, name)))
        else {
            return;
        };
        match serde_json::from_slice(data) {
            Ok(texts) => {
                self.files.insert((lang, name.to_owned()), texts);
            }
            Err(error) => tracing::error!(path, %error, "a file of texts cannot be parsed"),
        }
    }

    /// The text of a key; the key itself if it has no text.
    #[must_use]
    pub fn get<'t>(&'t self, lang: Lang, key: &'t str) -> &'t str {
        self.find(lang, key).unwrap_or(key)
    }

    /// The text of a key, if it has one.
    #[must_use]
    pub fn find(&self, lang: Lang, key: &str) -> Option<&str> {
        let name = key.split('.').next().unwrap_or_default();
        self.file(lang, name)?.get(key).map(String::as_str)
    }

    /// The text for a count: English has a singular and a plural form, Korean has one form.
    #[must_use]
    pub fn count(&self, lang: Lang, key: &str, count: i64) -> String {
        let form = if lang == Lang::En && count == 1 { "one" } else { "other" };
        let key = format!("{key}.{form}");
        self.get(lang, &key).replace("{n}", &lang.number(count))
    }

    /// The texts of one file.
    #[must_use]
    pub fn file(&self, lang: Lang, name: &str) -> Option<&TextFile> {
        self.files.get(&(lang, name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_its_key_and_a_missing_text_shows_as_its_key() {
        let mut texts = Texts::default();
        texts.add("en/sale.json", br#"{"sale.left.one":"{n} seat","sale.left.other":"{n} seats"}"#);
        texts.add("ko/sale.json", "{\"sale.left.other\":\"{n}석\"}".as_bytes());
        texts.add("en/bad.json", b"{");
        assert_eq!(texts.count(Lang::En, "sale.left", 1), "1 seat");
        assert_eq!(texts.count(Lang::En, "sale.left", 1200), "1,200 seats");
        assert_eq!(texts.count(Lang::Ko, "sale.left", 1), "1석");
        assert_eq!(texts.get(Lang::En, "bad.key"), "bad.key");
        assert_eq!(texts.find(Lang::En, "sale.nothing"), None);
    }
}
