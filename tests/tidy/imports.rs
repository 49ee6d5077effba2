//! Finds the paths that a file names, as far as its text shows them.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::Visit;

use crate::source::Source;

/// A path with its imports resolved: `crate`, `queue`, `service`, … for modules of this crate. For
/// other crates the first part is the crate's name.
pub type Named = Vec<String>;

/// Every path that a file names in imports, code and macros. Code for tests only does not count.
pub fn named(source: &Source) -> Vec<Named> {
    let file = source.shipped();
    let module = source.module();
    let mut imports = Imports { module: module.clone(), modules: Vec::new(), found: Vec::new() };
    imports.visit_file(&file);
    let Imports { modules, found, .. } = imports;
    // A module that is declared here takes precedence over a crate of the same name.
    let mut local = by_last(&modules);
    let mut all: Vec<_> =
        found.into_iter().filter_map(|path| resolve(&module, &local, path)).collect();
    local.extend(by_last(&all));
    let mut written = Vec::new();
    chains(file.into_token_stream(), &mut written);
    all.extend(written.into_iter().filter_map(|chain| resolve(&module, &local, chain)));
    all
}

fn by_last(paths: &[Named]) -> HashMap<String, Named> {
    paths.iter().filter_map(|path| Some((path.last()?.clone(), path.clone()))).collect()
}

struct Imports {
    module: Named,
    modules: Vec<Named>,
    found: Vec<Named>,
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        let own = std::iter::once("crate".to_owned()).chain(self.module.clone());
        self.modules.push(own.collect());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        let module = self.module.clone();
        self.found.extend(leaves.into_iter().map(|leaf| absolute(&module, leaf)));
    }
}

fn flatten(tree: &syn::UseTree, before: &mut Named, leaves: &mut Vec<Named>) {
    let mut leaf = |last: Option<String>| leaves.push(before.iter().cloned().chain(last).collect());
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, leaves);
            before.pop();
        }
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|tree| flatten(tree, before, leaves));
        }
        syn::UseTree::Name(name) if name.ident == "self" => leaf(None),
        syn::UseTree::Name(name) => leaf(Some(name.ident.to_string())),
        syn::UseTree::Rename(rename) => leaf(Some(rename.ident.to_string())),
        syn::UseTree::Glob(_) => leaf(None),
    }
}

/// Finds every `a::b::c`, in macros too.
fn chains(tokens: TokenStream, found: &mut Vec<Named>) {
    let mut chain: Named = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    found.extend((chain.len() > 1).then(|| std::mem::take(&mut chain)));
                    chain.clear();
                }
                chain.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            other => {
                found.extend((chain.len() > 1).then(|| std::mem::take(&mut chain)));
                chain.clear();
                colons = 0;
                if let TokenTree::Group(group) = other {
                    chains(group.stream(), found);
                }
            }
        }
    }
    found.extend((chain.len() > 1).then_some(chain));
}

fn resolve(module: &Named, local: &HashMap<String, Named>, chain: Named) -> Option<Named> {
    match chain.first()?.as_str() {
        "crate" | "super" | "self" | "onsale" => Some(absolute(module, chain)),
        first => match local.get(first) {
            Some(path) => Some(path.iter().cloned().chain(chain.into_iter().skip(1)).collect()),
            None => Some(chain),
        },
    }
}

/// The path from the crate's root. The command line names the library `onsale`.
fn absolute(module: &Named, path: Named) -> Named {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path.first().map(String::as_str) {
        Some("onsale") => {
            ["crate".to_owned()].into_iter().chain(path.into_iter().skip(1)).collect()
        }
        Some("super") => {
            let base = module.iter().take(module.len().saturating_sub(ups)).cloned();
            ["crate".to_owned()].into_iter().chain(base).chain(path.into_iter().skip(ups)).collect()
        }
        Some("self") => {
            let base = module.iter().cloned();
            ["crate".to_owned()].into_iter().chain(base).chain(path.into_iter().skip(1)).collect()
        }
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str, wanted: &str) -> bool {
        named(&Source::new(path, text)).iter().any(|named| named.join("::") == wanted)
    }

    #[test]
    fn a_path_is_found_however_it_is_written() {
        let path = "src/queue/service.rs";
        for text in [
            "use crate::user::pg::find;",
            "use crate::{user::pg::{self, find}};",
            "use super::super::user::pg::find;",
            "fn f() { crate::user::pg::find(); }",
            "use crate::user; fn f() { user::pg::find(); }",
            "use crate::user::pg; fn f() { tokio::select! { x = pg::find() => {} } }",
            "fn f() -> crate::user::pg::find { }",
        ] {
            assert!(names(path, text, "crate::user::pg::find"), "{text}");
        }
        assert!(names("src/cli.rs", "use onsale::user::pg::find;", "crate::user::pg::find"));
    }

    #[test]
    fn test_only_code_is_ignored() {
        let text = "#[cfg(test)] mod tests { use crate::user::pg::find; }";
        assert!(!names("src/queue/service.rs", text, "crate::user::pg::find"));
    }
}
