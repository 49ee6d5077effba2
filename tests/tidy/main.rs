//! The house rules, read off the sources: who may import whom, which crate is named where, how
//! long things are, what is never written, what every script begins with, what others' code may be
//! used, and that the tests that the documents name are there.

#[expect(clippy::expect_used, reason = "a helper of a test fails as the test does")]
mod deny;
mod glossary;
mod imports;
mod layers;
mod lengths;
mod lua;
mod named;
mod pages;
mod source;
mod words;

use std::path::Path;

use source::{Source, read};

/// Files of the project with this ending, under these folders.
fn sources(folders: &[&str], ending: &str) -> Vec<Source> {
    let found: Vec<_> = folders.iter().flat_map(|folder| read(folder, ending)).collect();
    found.into_iter().filter(|source| !source.text.is_empty()).collect()
}

/// Fails with everything that breaks any of these rules.
#[track_caller]
fn hold(rules: &[(&str, Vec<String>)]) {
    let broken = rules.iter().filter(|(_, broken)| !broken.is_empty());
    let told = broken.map(|(rule, broken)| format!("{rule}:\n  {}", broken.join("\n  ")));
    let told: Vec<_> = told.collect();
    assert!(told.is_empty(), "\n{}", told.join("\n"));
}

fn each(sources: &[Source], rule: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources.iter().flat_map(rule).collect()
}

#[test]
fn imports_go_one_way() {
    let sources = sources(&["src"], "rs");
    assert!(sources.len() > 20, "the sources were not found");
    hold(&[
        ("imports go one way", each(&sources, layers::direction)),
        ("a feature is called through its service", each(&sources, layers::boundary)),
        ("drivers are named where they belong", each(&sources, layers::drivers)),
        ("only HTTP files import http", each(&sources, layers::http)),
        ("no file imports itself through others", layers::circles(&sources)),
    ]);
}

#[test]
fn files_and_functions_are_short() {
    let sources = sources(&["src", "tests", "benches"], "rs");
    println!("{}", lengths::summary(&sources));
    hold(&[
        ("files are short", each(&sources, lengths::file)),
        ("most files are shorter still", lengths::median(&sources)),
        ("functions are short", each(&sources, lengths::functions)),
    ]);
}

#[test]
fn nothing_is_written_that_never_should_be() {
    let rust = sources(&["src"], "rs");
    let all = sources(&["src", "tests", "benches", "lua"], "");
    hold(&[
        ("no panics by the way, and no silenced lints", each(&rust, words::forbidden)),
        ("a file's name says what is in it", each(&all, words::names)),
    ]);
}

#[test]
fn the_map_has_a_sentence_for_every_module() {
    let map = sources(&["src"], "rs").into_iter().find(|source| source.path == "src/lib.rs");
    hold(&[("every module has a sentence", words::undocumented(&map.expect("src/lib.rs")))]);
}

#[test]
fn every_script_says_what_it_does_and_is_short() {
    let scripts = sources(&["lua"], "lua");
    assert!(!scripts.is_empty(), "the scripts were not found");
    hold(&[
        ("scripts have their header", each(&scripts, lua::header)),
        ("scripts are short", each(&scripts, lua::length)),
    ]);
}

#[test]
fn pages_say_the_same_in_both_languages_and_nothing_can_be_put_into_them() {
    let texts = sources(&["web/lang"], "json");
    let (modules, templates) = (sources(&["web/js"], "js"), sources(&["web/templates"], "html"));
    let styles = sources(&["web/css"], "css");
    assert!(texts.len() > 2 && modules.len() > 5 && templates.len() > 1, "no pages were found");
    assert!(styles.len() > 5, "no styles were found");
    let short = [each(&modules, pages::length), each(&styles, pages::length)].concat();
    let written: Vec<_> = modules.into_iter().chain(templates).collect();
    let safe = each(&written, pages::safe);
    let users: Vec<_> = written.into_iter().chain(sources(&["src/web"], "rs")).collect();
    hold(&[
        ("both languages say the same", pages::languages(&texts)),
        ("a text is in its page's file", pages::misplaced(&texts)),
        ("texts that are used are there, and no others", pages::used(&texts, &users)),
        ("a text stays a text", safe),
        ("modules and styles are short", short),
    ]);
}

#[test]
fn tests_that_the_documents_name_are_there() {
    let (sources, documents) = (sources(&["src", "tests"], "rs"), read("docs", "md"));
    for name in ["docs/RELIABILITY.md", "docs/SECURITY.md"] {
        let document = documents.iter().find(|document| document.path == name).expect(name);
        assert!(named::named(document).count() > 20, "{name} names no tests");
        hold(&[("tests that are named are there", named::missing(document, &sources))]);
    }
}

#[test]
fn dependencies_are_of_the_licences_and_sources_that_are_allowed() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    let rules = std::fs::read_to_string(rules).expect("deny.toml");
    let (licences, banned) = (deny::listed(&rules, "allow"), deny::listed(&rules, "deny"));
    assert!(licences.len() > 5 && banned.len() > 2, "deny.toml was not understood");
    let packages = deny::packages();
    assert!(packages.len() > 100, "the dependencies were not found");
    let wrong = packages.iter().flat_map(|package| deny::wrong(package, &licences, &banned));
    hold(&[("dependencies are allowed by deny.toml", wrong.collect())]);
}

#[test]
fn the_glossary_names_what_exists_and_retired_words_are_gone() {
    let documents = read("docs", "md");
    let glossary = documents.iter().find(|document| document.path == "docs/GLOSSARY.md");
    let glossary = &glossary.expect("docs/GLOSSARY.md").text;
    let (rust, lua) = (sources(&["src"], "rs"), sources(&["lua"], "lua"));
    let migrations = sources(&["migrations"], "sql");
    // Applied migrations are frozen, and the glossary names the words itself.
    let written = sources(&["src", "lua", "web", "docs"], "");
    let written: Vec<_> =
        written.into_iter().filter(|source| source.path != "docs/GLOSSARY.md").collect();
    hold(&[
        ("what the glossary names exists", glossary::missing(glossary, &rust, &lua, &migrations)),
        ("retired words are gone", glossary::retired(glossary, &written)),
    ]);
}
