//! Tests that the documents name are there.

use crate::source::Source;

/// Names in backticks that look like a test's: words in a row.
pub fn named(document: &str) -> Vec<String> {
    let quoted = document.split('`').skip(1).step_by(2);
    let is_test = |text: &&str| {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        text.bytes().all(letters) && text.matches('_').count() >= 4
    };
    quoted.filter(is_test).map(str::to_owned).collect()
}

/// Those of them that no source has as a function.
pub fn missing(document: &Source, sources: &[Source]) -> Vec<String> {
    let mut missing = named(&document.text);
    missing.retain(|name| {
        let function = format!("fn {name}(");
        !sources.iter().any(|source| source.text.contains(&function))
    });
    missing.into_iter().map(|name| format!("{} names {name}", document.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_named_and_not_there_is_found() {
        let document =
            Source::new("docs/A.md", "`a_seat_is_sold_once`, `a_seat_is_sold_never`, `seat_id`");
        let source = Source::new("tests/a.rs", "async fn a_seat_is_sold_once() {}");
        assert_eq!(missing(&document, &[source]), ["docs/A.md names a_seat_is_sold_never"]);
    }
}
