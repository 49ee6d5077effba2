//! Texts of pages: the same in both languages, all there, all used; and what no page has in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;

/// The longest module, and the longest file of styles.
const MODULE: usize = 300;

/// Never in a module or a template: with these a text could become more than a text.
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

/// The texts of one language by key, with the form of a plural taken off: `sale.left.other` is
/// `sale.left`.
type Keys = BTreeMap<String, BTreeSet<String>>;

fn without_form(key: &str) -> &str {
    key.strip_suffix(".one").or_else(|| key.strip_suffix(".other")).unwrap_or(key)
}

/// `{name}` in a text.
fn holes(text: &str) -> BTreeSet<String> {
    let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| name.to_owned()).collect()
}

fn language(texts: &[Source], tag: &str) -> Keys {
    let mut keys = Keys::new();
    for source in texts.iter().filter(|source| source.path.contains(&format!("/{tag}/"))) {
        let file: BTreeMap<String, String> = serde_json::from_str(&source.text)
            .unwrap_or_else(|error| panic!("{}: {error}", source.path));
        for (key, text) in file {
            keys.entry(without_form(&key).to_owned()).or_default().extend(holes(&text));
        }
    }
    keys
}

/// Keys and holes that one language has and the other lacks.
pub fn languages(texts: &[Source]) -> Vec<String> {
    let (english, korean) = (language(texts, "en"), language(texts, "ko"));
    let lacks = |one: &Keys, other: &Keys, name: &str| -> Vec<String> {
        let wrong = one.iter().filter(|(key, holes)| other.get(*key) != Some(holes));
        wrong.map(|(key, _)| format!("{key} is missing in {name}, or has other holes")).collect()
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

/// What is written between quotes of any kind, up to where something is put in.
fn quoted(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.match_indices(['\'', '"', '`']).filter_map(|(at, quote)| {
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'))?;
        let after = &rest[end..];
        let part = (quote == "`" && after.starts_with("${")) || after.starts_with('{');
        (after.starts_with(quote) || part).then_some((&rest[..end], part))
    })
}

/// Keys that are used and not there, and keys that are there and not used.
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
        // What tests are about is no text.
        let text = user.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (word, part) in quoted(text).filter(|(word, _)| is_key(word)) {
            let there = if part {
                keys.keys().any(|key| key.starts_with(word))
            } else {
                keys.contains_key(without_form(word))
            };
            if !there {
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
        // A page's title is found by the page's name.
        let title = word.split_once('.').is_some_and(|(_, rest)| rest == "title");
        !whole.contains(word) && !begins && !title
    });
    broken.extend(unused.map(|key| format!("{key} is not used")));
    broken
}

/// Ways for a text to become more than a text, and scripts or styles inside of a page.
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

/// A module, or a file of styles, that is too long.
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
    fn languages_that_differ_are_found_and_plurals_may() {
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
    fn what_no_page_may_have_is_found() {
        for text in ["x.innerHTML = y", "<p style=\"x\">", "<a onclick=\"x()\">", "<style>"] {
            assert_eq!(safe(&Source::new("web/templates/a.html", text)).len(), 1, "{text}");
        }
        assert!(safe(&Source::new("web/js/a.js", "a = { on: { click } }; // on click")).is_empty());
    }
}
