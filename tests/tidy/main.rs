//! Checks of the project's rules on the text of its sources:
//! - which modules may import which, and which files may name which driver;
//! - lengths of files, functions and scripts, and the headers of scripts;
//! - code and file names that are forbidden;
//! - texts of pages in both languages;
//! - names in the documents: tests, files, scripts, and the terms of the glossary.

mod glossary;
mod image;
mod imports;
mod layers;
mod lengths;
mod lua;
mod named;
mod pages;
mod pure;
mod scripts;
mod source;
mod words;

use source::{Source, read};

/// Files with this ending in these folders of the project.
fn sources(folders: &[&str], ending: &str) -> Vec<Source> {
    let found: Vec<_> = folders.iter().flat_map(|folder| read(folder, ending)).collect();
    found.into_iter().filter(|source| !source.text.is_empty()).collect()
}

/// Fails with a list of all violations of these rules.
#[track_caller]
fn assert_rules(rules: &[(&str, Vec<String>)]) {
    let broken = rules.iter().filter(|(_, violations)| !violations.is_empty());
    let report = broken.map(|(rule, found)| format!("{rule}:\n  {}", found.join("\n  ")));
    let report: Vec<_> = report.collect();
    assert!(report.is_empty(), "\n{}", report.join("\n"));
}

fn each(sources: &[Source], rule: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources.iter().flat_map(rule).collect()
}

#[test]
fn imports_go_one_way() {
    let (dev, model) = (sources(&["crates/dev"], "rs"), sources(&["crates/model"], "rs"));
    let sources = sources(&["src"], "rs");
    assert!(sources.len() > 20 && dev.len() > 10, "the sources were not found");
    assert!(model.len() > 20, "the models were not found");
    assert_rules(&[
        ("imports go one way", each(&sources, layers::direction)),
        ("a feature is used through its service", each(&sources, layers::boundary)),
        ("drivers are named where they belong", each(&sources, layers::drivers)),
        ("only HTTP files import http", each(&sources, layers::http)),
        ("no file imports itself through others", layers::circles(&sources)),
        ("the same in crates/dev", layers::circles(&dev)),
        ("drivers are named where they belong in crates/dev", each(&dev, layers::drivers)),
        ("no model imports itself through others", layers::circles(&model)),
        ("a model is pure", each(&model, pure::impure)),
    ]);
}

#[test]
fn the_architecture_shows_the_layers_of_the_rule() {
    let documents = read("docs", "md");
    let document = documents.iter().find(|document| document.path == "docs/ARCHITECTURE.md");
    let mut lines = document.expect("docs/ARCHITECTURE.md").text.lines();
    let shown = lines.find_map(|line| line.trim().strip_prefix("main --> ")).expect("the layers");
    // A node is `queue`, or `mid["point, seats"]`.
    let modules = |node: &str| node.split('"').nth(1).unwrap_or(node).to_owned();
    let shown = shown.split(" --> ").map(modules).collect::<Vec<_>>().join(", ");
    assert_eq!(format!("main, {shown}"), layers::COLUMNS.concat().join(", "));
}

#[test]
fn files_and_functions_are_short() {
    let sources = sources(&["src", "crates", "tests", "benches"], "rs");
    println!("{}", lengths::summary(&sources));
    assert_rules(&[
        ("files are short", each(&sources, lengths::file)),
        ("the median file is short", lengths::median(&sources)),
        ("functions are short", each(&sources, lengths::functions)),
    ]);
}

#[test]
fn no_forbidden_code_or_file_name_is_used() {
    let rust = sources(&["src", "crates"], "rs");
    let all = sources(&["src", "crates", "tests", "benches", "lua"], "");
    assert_rules(&[
        ("no panics, no leftovers and no silenced lints", each(&rust, words::forbidden)),
        ("a file's name describes its content", each(&all, words::names)),
    ]);
}

#[test]
fn every_module_in_lib_rs_has_a_doc_sentence() {
    let lib = sources(&["src"], "rs").into_iter().find(|source| source.path == "src/lib.rs");
    let undocumented = words::undocumented(&lib.expect("src/lib.rs"));
    assert_rules(&[("every module has a doc sentence", undocumented)]);
}

#[test]
fn every_script_has_a_header_and_is_short() {
    let scripts = sources(&["lua"], "lua");
    assert!(!scripts.is_empty(), "the scripts were not found");
    assert_rules(&[
        ("scripts have a complete header", each(&scripts, lua::header)),
        ("scripts are short", each(&scripts, lua::length)),
    ]);
}

#[test]
fn the_documents_list_every_script_with_its_keys() {
    let scripts = sources(&["lua"], "lua");
    let documents = sources(&["docs", "lua"], "md");
    let with_tables = ["docs/REDIS.md", "lua/README.md"];
    let documents: Vec<Source> =
        documents.into_iter().filter(|it| with_tables.contains(&it.path.as_str())).collect();
    assert_eq!(documents.len(), 2, "the documents were not found");
    assert_rules(&[
        ("scripts are listed", each(&documents, |document| scripts::listed(document, &scripts))),
        ("keys are those of the header", scripts::keys(&documents[0], &scripts)),
        ("arguments and replies are those of the header", scripts::words(&documents[0], &scripts)),
        ("what a full Redis refuses is as flagged", scripts::flags(&documents[0], &scripts)),
    ]);
}

#[test]
fn page_texts_exist_in_both_languages_and_no_page_allows_injection() {
    let texts = sources(&["web/lang"], "json");
    let (modules, templates) = (sources(&["web/js"], "js"), sources(&["web/templates"], "html"));
    let styles = sources(&["web/css"], "css");
    assert!(texts.len() > 2 && modules.len() > 5 && templates.len() > 1, "no pages were found");
    assert!(styles.len() > 5, "no styles were found");
    let (browser, load) = (sources(&["tests/browser"], "mjs"), sources(&["loadtest"], "js"));
    assert!(browser.len() > 20 && load.len() > 10, "no browser tests or no load tests were found");
    let scripts = [&modules, &styles, &browser, &load];
    let short = scripts.iter().flat_map(|scripts| each(scripts, pages::length)).collect();
    let written: Vec<_> = modules.into_iter().chain(templates).collect();
    let safe = each(&written, pages::safe);
    let users: Vec<_> = written.into_iter().chain(sources(&["src/web"], "rs")).collect();
    assert_rules(&[
        ("both languages have the same keys", pages::languages(&texts)),
        ("a text is in the file of its page", pages::misplaced(&texts)),
        ("every used text exists, and every text is used", pages::used(&texts, &users)),
        ("a text is never interpreted as markup or code", safe),
        ("modules, styles and scripts of tests are short", short),
    ]);
}

#[test]
fn every_test_named_in_the_documents_exists() {
    let (sources, documents) = (sources(&["src", "crates", "tests"], "rs"), read("docs", "md"));
    for name in ["docs/RELIABILITY.md", "docs/SECURITY.md"] {
        let document = documents.iter().find(|document| document.path == name).expect(name);
        assert!(named::named(document).count() > 20, "{name} names no tests");
        assert_rules(&[("every named test exists", named::missing(document, &sources))]);
    }
}

#[test]
fn every_file_named_in_the_documents_exists() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = std::fs::read_to_string(root.join(".gitignore")).expect(".gitignore");
    let mut documents = read("docs", "md");
    for name in ["README.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root.join(name)).expect(name);
        documents.push(Source::new(name, &text));
    }
    // A decision record describes the files of its day.
    documents.retain(|document| !document.path.starts_with("docs/decisions/"));
    assert!(documents.iter().map(|it| named::files(it).count()).sum::<usize>() > 100);
    let missing = each(&documents, |it| named::missing_files(it, root, &ignored));
    assert_rules(&[("every named file exists", missing)]);
}

/// Cargo itself resolves the build of the image, from the files that the image has.
#[test]
fn the_image_is_built_from_its_context_without_private_servers() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| std::fs::read_to_string(root.join(name)).expect(name);
    let (allowed, dockerfile) = (text(".dockerignore"), text("Dockerfile"));
    let folder = std::env::temp_dir().join(format!("onsale-context-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    image::lay_out(root, &allowed, &folder).expect("the context");
    let (packages, missing) =
        (image::packages(&folder), image::missing_copies(&dockerfile, &folder));
    std::fs::remove_dir_all(&folder).expect("the folder");
    let packages = packages.expect("cargo");
    assert!(packages.contains(&"axum".to_owned()), "{packages:?}");
    assert!(!packages.contains(&"onsale-dev".to_owned()), "the image has private servers");
    assert_eq!(missing, [""; 0]);
    let build = "cargo build --locked --release --no-default-features --bin onsale";
    assert!(dockerfile.contains(build), "the packages are those of this command");
    // What the sources embed is in the context too.
    let names: Vec<&str> = image::context(&allowed).collect();
    let folders = ["src", "lua", "migrations", "web", "crates", ".sqlx"];
    for needed in folders.into_iter().chain(["Cargo.lock", "docs/performance.toml"]) {
        assert!(names.contains(&needed), "{needed}");
    }
}

#[test]
fn every_file_of_deploy_is_named_in_the_documents() {
    let documents = read("docs", "md");
    let named: Vec<&str> = documents.iter().flat_map(named::files).collect();
    let mut files = sources(&["deploy"], "");
    // The certificate for trying nginx out, which is not a file of the project.
    files.retain(|file| !file.path.starts_with("deploy/nginx/site/certificate."));
    assert!(files.len() > 15, "the files were not found");
    let unnamed = files.iter().filter(|file| !named.contains(&file.path.as_str()));
    let unnamed = unnamed.map(|file| file.path.clone()).collect();
    assert_rules(&[("every file of deploy is named in the documents", unnamed)]);
}

#[test]
fn the_glossary_names_what_exists_and_retired_words_are_gone() {
    let documents = read("docs", "md");
    let glossary = documents.iter().find(|document| document.path == "docs/GLOSSARY.md");
    let glossary = &glossary.expect("docs/GLOSSARY.md").text;
    let (rust, lua) = (sources(&["src", "crates/model"], "rs"), sources(&["lua"], "lua"));
    let migrations = sources(&["migrations"], "sql");
    // Applied migrations are frozen. The glossary names the words itself, and the tests of this rule.
    let folders = [
        "src", "crates", "lua", "web", "docs", "tests", "benches", "loadtest", "deploy", "scripts",
    ];
    let mut written = sources(&folders, "");
    let names_them = ["docs/GLOSSARY.md", "tests/tidy/glossary.rs"];
    written.retain(|source| !names_them.contains(&source.path.as_str()));
    assert_rules(&[
        ("what the glossary names exists", glossary::missing(glossary, &rust, &lua, &migrations)),
        ("retired words are gone", glossary::retired(glossary, &written)),
    ]);
}
