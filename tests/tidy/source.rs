//! The files that the rules check.

use std::fs;
use std::path::Path;

/// One file. Its path starts at the project's root.
#[derive(Clone)]
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The file's syntax without code that is compiled for tests only.
    pub fn shipped(&self) -> syn::File {
        let mut file = self.parsed();
        drop_tests(&mut file.items);
        file
    }

    /// The file's syntax.
    pub fn parsed(&self) -> syn::File {
        syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }

    /// Whether the whole file is compiled for tests only.
    pub fn is_test(&self) -> bool {
        let name = self.name();
        self.below_src().is_none() || name == "tests" || name.ends_with("_tests")
    }

    /// The file's path below the folder `src` of its package; `None` outside of it.
    fn below_src(&self) -> Option<&str> {
        let package = self.path.strip_prefix("crates/").and_then(|path| path.split_once('/'));
        package.map_or(self.path.as_str(), |(_, path)| path).strip_prefix("src/")
    }

    /// The file's name without its folder and ending.
    pub fn name(&self) -> &str {
        let file = self.path.rsplit('/').next().unwrap_or_default();
        file.split('.').next().unwrap_or_default()
    }

    /// The file's module path from the crate's root: `src/queue/pg.rs` is `queue`, `pg`.
    pub fn module(&self) -> Vec<String> {
        let path = self.below_src().unwrap_or(&self.path).trim_end_matches(".rs");
        let mut module: Vec<_> = path.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod" || last == "lib") {
            module.pop();
        }
        module
    }
}

fn drop_tests(items: &mut Vec<syn::Item>) {
    items.retain(|item| !attributes(item).iter().any(is_cfg_test));
    for item in items {
        if let syn::Item::Mod(syn::ItemMod { content: Some((_, inner)), .. }) = item {
            drop_tests(inner);
        }
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else {
        return false;
    };
    list.path.is_ident("cfg") && list.tokens.to_string() == "test"
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

#[test]
fn files_of_every_package_have_their_module_path() {
    for (path, module) in [
        ("src/queue/pg.rs", &["queue", "pg"][..]),
        ("crates/dev/src/lib.rs", &[]),
        ("crates/dev/src/redis/cluster.rs", &["redis", "cluster"]),
    ] {
        let source = Source::new(path, "");
        assert_eq!(source.module(), module, "{path}");
        assert!(!source.is_test(), "{path}");
    }
    for path in ["tests/onsale/main.rs", "crates/dev/tests/start.rs", "crates/dev/src/tests.rs"] {
        assert!(Source::new(path, "").is_test(), "{path}");
    }
}

/// Every file under `folder` whose name ends in `.ending`, or all files if `ending` is empty.
pub fn read(folder: &str, ending: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(root, &root.join(folder), ending, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(root: &Path, folder: &Path, ending: &str, found: &mut Vec<Source>) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.ends_with("node_modules") {
            // Third-party code that only the tests of pages use.
        } else if path.is_dir() {
            walk(root, &path, ending, found);
        } else if ending.is_empty() || path.extension().is_some_and(|found| found == ending) {
            let text =
                fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            found.push(Source::new(&name, &String::from_utf8_lossy(&text)));
        }
    }
}
