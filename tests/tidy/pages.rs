//! Texts of pages: the same keys in both languages, all defined and all used. Also finds what no
//! page may contain.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;

/// Maximum number of lines of a module, a style sheet or a script of tests.
const MODULE: usize = 300;

/// Forbidden in modules and templates, because these could interpret a text as markup or code.
const FORBIDDEN: [&str; 8] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
    " style=\"",
    "javascript:",
];

/// The keys of one language with the placeholders of their texts. Plural forms share a key:
/// `sale.left.other` is `sale.left`.
type Keys = BTreeMap<String, BTreeSet<String>>;

fn without_form(key: &str) -> &str {
    key.strip_suffix(".one").or_else(|| key.strip_suffix(".other")).unwrap_or(key)
}

/// The names of the placeholders in a text: `{name}`.
fn placeholders(text: &str) -> BTreeSet<String> {
    let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| name.to_owned()).collect()
}

fn language(texts: &[Source], tag: &str) -> Keys {
    let mut keys = Keys::new();
    for source in texts.iter().filter(|source| source.path.contains(&format!("/{tag}/"))) {
        let file: BTreeMap<String, String> = serde_json::from_str(&source.text)
            .unwrap_or_else(|error| panic!("{}: {error}", source.path));
        for (key, text) in file {
            keys.entry(without_form(&key).to_owned()).or_default().extend(placeholders(&text));
        }
    }
    keys
}

/// Keys and placeholders that one language has and the other lacks.
pub fn languages(texts: &[Source]) -> Vec<String> {
    let (english, korean) = (language(texts, "en"), language(texts, "ko"));
    let lacks = |one: &Keys, other: &Keys, name: &str| -> Vec<String> {
        let differing = one.iter().filter(|(key, names)| other.get(*key) != Some(names));
        let describe = |(key, _)| format!("{key} is missing in {name} or has other placeholders");
        differing.map(describe).collect()
    };
    [lacks(&english, &korean, "Korean"), lacks(&korean, &english, "English")].concat()
}

/// Keys in the file of another page: `wait.title` in `sale.json`.
pub fn misplaced(texts: &[Source]) -> Vec<String> {
    let wrong = |source: &Source| {
        let prefix = format!("{}.", source.name());
        let file: BTreeMap<String, String> = serde_json::from_str(&source.text).unwrap_or_default();
        let keys = file.into_keys().filter(move |key| !key.starts_with(&prefix));
        keys.map(|key| format!("{}: {key}", source.path)).collect::<Vec<_>>()
    };
    texts.iter().flat_map(wrong).collect()
}

/// Words between quotes of any kind. The flag marks a word that ends at an inserted value.
fn quoted(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.match_indices(['\'', '"', '`']).filter_map(|(at, quote)| {
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'))?;
        let after = &rest[end..];
        let part = (quote == "`" && after.starts_with("${")) || after.starts_with('{');
        (after.starts_with(quote) || part).then_some((&rest[..end], part))
    })
}

/// Keys that are used and not defined, and keys that are defined and not used.
pub fn used(texts: &[Source], users: &[Source]) -> Vec<String> {
    let keys = language(texts, "en");
    let files: BTreeSet<&str> = texts.iter().map(Source::name).collect();
    let is_key = |word: &str| {
        let (file, rest) = word.split_once('.').unwrap_or_default();
        let ends = ["js", "json", "html", "css"].contains(&rest);
        files.contains(file) && !rest.is_empty() && !ends
    };
    let (mut broken, mut whole, mut begun) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for user in users {
        // Unit tests of the pages use keys that do not exist.
        let text = user.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (word, part) in quoted(text).filter(|(word, _)| is_key(word)) {
            let exists = if part {
                keys.keys().any(|key| key.starts_with(word))
            } else {
                keys.contains_key(without_form(word))
            };
            if !exists {
                broken.push(format!("{}: there is no text {word}", user.path));
            }
            if part {
                begun.insert(word)
            } else {
                whole.insert(without_form(word))
            };
        }
    }
    let unused = keys.keys().filter(|key| {
        let word = key.as_str();
        let begins = begun.iter().any(|begun| word.starts_with(begun));
        // The key of a page's title is built from the page's name.
        let title = word.split_once('.').is_some_and(|(_, rest)| rest == "title");
        !whole.contains(word) && !begins && !title
    });
    broken.extend(unused.map(|key| format!("{key} is not used")));
    broken
}

/// Code that could interpret a text as markup or code, and scripts or styles within a page.
pub fn safe(source: &Source) -> Vec<String> {
    let mut broken: Vec<_> = FORBIDDEN
        .iter()
        .filter(|word| source.text.contains(**word))
        .map(|word| format!("{} has {word}", source.path))
        .collect();
    if source.text.contains("<style") {
        broken.push(format!("{} has styles in it", source.path));
    }
    let listener = source.text.match_indices(" on").find(|(at, _)| {
        let rest = &source.text[at + 3..];
        let name = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(0);
        name > 0 && rest[name..].starts_with("=\"")
    });
    broken.extend(listener.map(|_| format!("{} has a listener as an attribute", source.path)));
    broken
}

/// A module, style sheet or script of tests that is too long.
pub fn length(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let broken = (lines > MODULE).then(|| format!("{} has {lines} lines", source.path));
    broken.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(english: &str, korean: &str) -> Vec<Source> {
        vec![
            Source::new("web/lang/en/sale.json", english),
            Source::new("web/lang/ko/sale.json", korean),
        ]
    }

    #[test]
    fn languages_with_different_keys_are_found_and_plural_forms_may_differ() {
        let plural = r#"{"sale.left.one":"{n} seat","sale.left.other":"{n} seats"}"#;
        assert!(languages(&texts(plural, r#"{"sale.left.other":"{n}석"}"#)).is_empty());
        assert_eq!(languages(&texts(plural, "{}")).len(), 1);
        assert_eq!(languages(&texts(plural, r#"{"sale.left.other":"{m}석"}"#)).len(), 2);
        assert_eq!(misplaced(&texts(r#"{"wait.a":"a"}"#, "{}")).len(), 1);
    }

    #[test]
    fn a_key_that_is_missing_or_unused_is_found() {
        let texts = texts(r#"{"sale.a":"a","sale.p.x":"x","sale.left.other":"b"}"#, "{}");
        let user = |text: &str| vec![Source::new("web/js/sale.js", text)];
        let all = "t('sale.a'); t(`sale.p.${x}`); t(\"sale.left\", { n }); import './sale.js';";
        assert!(used(&texts, &user(all)).is_empty());
        assert_eq!(used(&texts, &user(&format!("{all} t('sale.b')"))).len(), 1);
        assert_eq!(used(&texts, &user(&format!("{all} t(`sale.q.${{x}}`)"))).len(), 1);
        assert_eq!(used(&texts, &user("t('sale.a'); t('sale.left')")).len(), 1);
    }

    #[test]
    fn forbidden_page_content_is_found() {
        for text in ["x.innerHTML = y", "<p style=\"x\">", "<a onclick=\"x()\">", "<style>"] {
            assert_eq!(safe(&Source::new("web/templates/a.html", text)).len(), 1, "{text}");
        }
        assert!(safe(&Source::new("web/js/a.js", "a = { on: { click } }; // on click")).is_empty());
    }
}
