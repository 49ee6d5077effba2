//! Tests that a document names.

use crate::source::Source;

/// A name in backticks with as many underscores is a test's: they are sentences.
const UNDERSCORES: usize = 3;

/// Tests that a document names.
pub fn named(document: &Source) -> impl Iterator<Item = &str> {
    let quoted = document.text.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        name.matches('_').count() >= UNDERSCORES
            && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
    })
}

/// Those of them that no source has.
pub fn missing(document: &Source, sources: &[Source]) -> Vec<String> {
    let gone =
        named(document).filter(|name| !sources.iter().any(|source| has_test(&source.text, name)));
    gone.map(|name| format!("{}: {name}", document.path)).collect()
}

/// Whether there is a function of that name right below a line that makes it a test.
fn has_test(text: &str, name: &str) -> bool {
    let function = format!("fn {name}(");
    let mut above = "";
    text.lines().any(|line| {
        let found = line.contains(&function) && is_test(above);
        above = line;
        found
    })
}

fn is_test(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("#[test]") || line.starts_with("#[tokio::test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_named_and_not_there_is_found() {
        let text = "    #[tokio::test(flavor = \"x\")]\n    async fn it_is_there_now() {}\n\n    \
                    fn it_is_no_test() {}\n";
        let sources = [Source::new("tests/a.rs", text)];
        let found = |text: &str| missing(&Source::new("docs/A.md", text), &sources);
        assert_eq!(found("`it_is_there_now`, `short_name`, `A_B_C_D`, it_is_not_quoted"), [""; 0]);
        assert_eq!(found("`it_is_no_test`"), ["docs/A.md: it_is_no_test"]);
        assert_eq!(found("`a`, `it_went_away_since`"), ["docs/A.md: it_went_away_since"]);
    }
}
