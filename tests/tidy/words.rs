//! What is never written outside of tests, and what no file is called.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;

use crate::source::Source;

const NO_NAME: [&str; 8] =
    ["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"];

/// Panics by the way, leftovers, and silenced lints.
pub fn forbidden(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let mut found = Vec::new();
    look(source.shipped().into_token_stream(), &mut found);
    found.into_iter().map(|(line, what)| format!("{}:{line}: {what}", source.path)).collect()
}

fn look(tokens: TokenStream, found: &mut Vec<(usize, String)>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| &tokens[at]);
        match token {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                if is_forbidden(&name, before, tokens.get(at + 1)) {
                    found.push((ident.span().start().line, name));
                }
            }
            TokenTree::Group(group) => {
                let inside = group.stream();
                if group.delimiter() == Delimiter::Bracket && is_allow(&inside) {
                    let what = "#[allow], where #[expect] says when it is stale".to_owned();
                    found.push((group.span_open().start().line, what));
                }
                look(inside, found);
            }
            _ => {}
        }
    }
}

fn is_forbidden(name: &str, before: Option<&TokenTree>, after: Option<&TokenTree>) -> bool {
    let punct = |token: Option<&TokenTree>, wanted| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    match name {
        // Called, or named as a function: `.unwrap()`, `Option::unwrap`.
        "unwrap" | "expect" => punct(before, '.') || punct(before, ':'),
        "todo" | "unimplemented" | "dbg" => punct(after, '!'),
        _ => false,
    }
}

fn is_allow(inside: &TokenStream) -> bool {
    matches!(inside.clone().into_iter().next(), Some(TokenTree::Ident(name)) if name == "allow")
}

/// A file or folder whose name says nothing.
pub fn names(source: &Source) -> Vec<String> {
    let says_nothing = |part: &str| {
        part.split(['.', '_', '-']).any(|word| NO_NAME.contains(&word.to_lowercase().as_str()))
    };
    let broken = source.path.split('/').any(says_nothing).then(|| source.path.clone());
    broken.into_iter().collect()
}

/// Modules of the map without a sentence.
pub fn undocumented(map: &Source) -> Vec<String> {
    let has_sentence = |module: &syn::ItemMod| {
        module.attrs.iter().any(|attribute| attribute.path().is_ident("doc"))
    };
    let modules = map.parsed().items.into_iter().filter_map(|item| match item {
        syn::Item::Mod(module) if !has_sentence(&module) => Some(module.ident.to_string()),
        _ => None,
    });
    modules.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_written_is_found_and_tests_may_write_it() {
        for text in [
            "fn f() { x.unwrap(); }",
            "fn f() { x.expect(\"y\"); }",
            "fn f() { x.map(Option::unwrap); }",
            "fn f() { todo!(); }",
            "fn f() { dbg!(x); }",
            "fn f() { json!({ \"a\": x.unwrap() }); }",
            "#[allow(dead_code)] fn f() {}",
            "#![allow(dead_code)]",
        ] {
            assert_eq!(forbidden(&Source::new("src/a.rs", text)).len(), 1, "{text}");
        }
        for text in [
            "fn f() { x.unwrap_or(1); }",
            "#[expect(dead_code, reason = \"y\")] fn f() {}",
            "// x.unwrap()\n/// x.unwrap()\nfn f() { let s = \".unwrap()\"; }",
            "#[cfg(test)] mod tests { fn f() { x.unwrap(); } }",
            "mod a { #[cfg(test)] mod tests { fn f() { x.unwrap(); } } }",
        ] {
            assert_eq!(forbidden(&Source::new("src/a.rs", text)), [""; 0], "{text}");
        }
        assert!(forbidden(&Source::new("src/a/tests.rs", "fn f() { x.unwrap(); }")).is_empty());
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        for path in ["src/util.rs", "src/helpers/a.rs", "lua/queue/common.lua", "src/a_manager.rs"]
        {
            assert_eq!(names(&Source::new(path, "")).len(), 1, "{path}");
        }
        assert!(names(&Source::new("src/queue/utility_poles.rs", "")).is_empty());
    }

    #[test]
    fn a_module_without_a_sentence_is_found() {
        let map = Source::new("src/lib.rs", "/// What.\npub mod a;\npub mod b;\n");
        assert_eq!(undocumented(&map), ["b"]);
    }
}
