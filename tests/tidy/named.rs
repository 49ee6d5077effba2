//! Tests that a document names.

use std::collections::HashSet;

use syn::visit::Visit;

use crate::source::Source;

/// A name in backticks with as many underscores is a test's: they are sentences.
const UNDERSCORES: usize = 3;

#[derive(Default)]
struct Tests(HashSet<String>);

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_test = |attribute: &syn::Attribute| {
            attribute.path().segments.last().is_some_and(|last| last.ident == "test")
        };
        if item.attrs.iter().any(is_test) {
            self.0.insert(item.sig.ident.to_string());
        }
    }
}

/// Tests that a document names and that no source has.
pub fn missing(document: &Source, sources: &[Source]) -> Vec<String> {
    let mut tests = Tests::default();
    for source in sources {
        tests.visit_file(&source.parsed());
    }
    let quoted = document.text.split('`').skip(1).step_by(2);
    let named = quoted.filter(|name| {
        name.matches('_').count() >= UNDERSCORES
            && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
    });
    let gone = named.filter(|name| !tests.0.contains(*name));
    gone.map(|name| format!("{}: {name}", document.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_named_and_not_there_is_found() {
        let text = "mod a { #[tokio::test] async fn it_is_there_now() {} fn it_is_no_test() {} }";
        let sources = [Source::new("tests/a.rs", text)];
        let found = |text: &str| missing(&Source::new("docs/A.md", text), &sources);
        assert_eq!(found("`it_is_there_now`, `short_name`, `A_B_C_D`, it_is_not_quoted"), [""; 0]);
        assert_eq!(found("`it_is_no_test`"), ["docs/A.md: it_is_no_test"]);
        assert_eq!(found("`a`, `it_went_away_since`"), ["docs/A.md: it_went_away_since"]);
    }
}
