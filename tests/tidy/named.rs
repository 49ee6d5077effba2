//! Finds tests and files that a document names and that do not exist.

use std::path::Path;

use crate::source::Source;

/// Folders of the project: a name in backticks that begins with one is a file or a folder.
const FOLDERS: [&str; 15] = [
    ".ci",
    ".github",
    "benches",
    "crates",
    "deploy",
    "docs",
    "examples",
    "fuzz",
    "loadtest",
    "lua",
    "migrations",
    "scripts",
    "src",
    "tests",
    "web",
];

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

/// Files and folders of the project that a document names.
pub fn files(document: &Source) -> impl Iterator<Item = &str> {
    let quoted = document.text.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        let folder = name.split_once('/').map(|(folder, _)| folder);
        folder.is_some_and(|folder| FOLDERS.contains(&folder))
            && name.chars().all(|it| it.is_ascii_alphanumeric() || "_-./".contains(it))
    })
}

/// Named files that do not exist in `root`. `ignored` is the text of `.gitignore`: what it names,
/// a program writes. `NNNN` stands for the number of a migration.
pub fn missing_files(document: &Source, root: &Path, ignored: &str) -> Vec<String> {
    let gone = files(document).filter(|name| {
        let is_output = ignored.lines().any(|line| line.trim_start_matches('/') == *name);
        !is_output && !name.contains("NNNN") && !root.join(name).exists()
    });
    gone.map(|name| format!("{}: {name}", document.path)).collect()
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

    #[test]
    fn a_named_file_that_does_not_exist_is_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found =
            |text: &str| missing_files(&Source::new("A.md", text), root, "/target\n/web/out\n");
        assert_eq!(found("`src/lib.rs`, `src`, `web/out`, `migrations/NNNN_name.sql`"), [""; 0]);
        assert_eq!(found("`src/gone.rs`, `lua/*.lua`"), ["A.md: src/gone.rs"]);
    }
}
