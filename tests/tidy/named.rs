//! Finds tests that a document names and that do not exist.

use crate::source::Source;

/// Names of tests are sentences: a name in backticks with this many underscores is one.
const UNDERSCORES: usize = 3;

/// Tests that a document names.
pub fn named(document: &Source) -> impl Iterator<Item = &str> {
    let quoted = document.text.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        name.matches('_').count() >= UNDERSCORES
            && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
    })
}

/// Named tests that no source defines.
pub fn missing(document: &Source, sources: &[Source]) -> Vec<String> {
    let gone =
        named(document).filter(|name| !sources.iter().any(|source| has_test(&source.text, name)));
    gone.map(|name| format!("{}: {name}", document.path)).collect()
}

/// Whether a function of that name stands directly below a test attribute.
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
    fn a_named_test_that_does_not_exist_is_found() {
        let text = "    #[tokio::test(flavor = \"x\")]\n    async fn it_is_there_now() {}\n\n    \
                    fn it_is_no_test() {}\n";
        let sources = [Source::new("tests/a.rs", text)];
        let found = |text: &str| missing(&Source::new("docs/A.md", text), &sources);
        assert_eq!(found("`it_is_there_now`, `short_name`, `A_B_C_D`, it_is_not_quoted"), [""; 0]);
        assert_eq!(found("`it_is_no_test`"), ["docs/A.md: it_is_no_test"]);
        assert_eq!(found("`a`, `it_went_away_since`"), ["docs/A.md: it_went_away_since"]);
    }
}
