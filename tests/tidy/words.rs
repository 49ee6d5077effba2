//! Code that is forbidden outside tests, and names that no file may have.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;

use crate::source::Source;

const MEANINGLESS: [&str; 8] =
    ["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"];

/// Calls that panic, leftovers of development, and silenced lints.
pub fn forbidden(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let mut found = Vec::new();
    search(source.shipped().into_token_stream(), &mut found);
    found.into_iter().map(|(line, what)| format!("{}:{line}: {what}", source.path)).collect()
}

fn search(tokens: TokenStream, found: &mut Vec<(usize, String)>) {
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
                let content = group.stream();
                if group.delimiter() == Delimiter::Bracket && is_allow(&content) {
                    let what = "#[allow] instead of #[expect], which warns when stale".to_owned();
                    found.push((group.span_open().start().line, what));
                }
                search(content, found);
            }
            _ => {}
        }
    }
}

fn is_forbidden(name: &str, before: Option<&TokenTree>, after: Option<&TokenTree>) -> bool {
    let punct = |token: Option<&TokenTree>, wanted| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    match name {
        // Called or named as a function: `.unwrap()`, `Option::unwrap`.
        "unwrap" | "expect" => punct(before, '.') || punct(before, ':'),
        "todo" | "unimplemented" | "dbg" => punct(after, '!'),
        _ => false,
    }
}

fn is_allow(content: &TokenStream) -> bool {
    matches!(content.clone().into_iter().next(), Some(TokenTree::Ident(name)) if name == "allow")
}

/// The path, if a file or folder in it has a meaningless name.
pub fn names(source: &Source) -> Vec<String> {
    let is_meaningless = |part: &str| {
        part.split(['.', '_', '-']).any(|word| MEANINGLESS.contains(&word.to_lowercase().as_str()))
    };
    let broken = source.path.split('/').any(is_meaningless).then(|| source.path.clone());
    broken.into_iter().collect()
}

/// Modules that `src/lib.rs` declares without a doc sentence.
pub fn undocumented(lib: &Source) -> Vec<String> {
    let has_sentence = |module: &syn::ItemMod| {
        module.attrs.iter().any(|attribute| attribute.path().is_ident("doc"))
    };
    let modules = lib.parsed().items.into_iter().filter_map(|item| match item {
        syn::Item::Mod(module) if !has_sentence(&module) => Some(module.ident.to_string()),
        _ => None,
    });
    modules.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_code_is_found_and_tests_may_use_it() {
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
    fn a_meaningless_file_name_is_found() {
        for path in ["src/util.rs", "src/helpers/a.rs", "lua/queue/common.lua", "src/a_manager.rs"]
        {
            assert_eq!(names(&Source::new(path, "")).len(), 1, "{path}");
        }
        assert!(names(&Source::new("src/queue/utility_poles.rs", "")).is_empty());
    }

    #[test]
    fn a_module_without_a_sentence_is_found() {
        let lib = Source::new("src/lib.rs", "/// What.\npub mod a;\npub mod b;\n");
        assert_eq!(undocumented(&lib), ["b"]);
    }
}
