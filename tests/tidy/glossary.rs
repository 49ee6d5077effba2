//! docs/GLOSSARY.md names what exists, and the words it retires are gone.

use crate::source::Source;

/// Names in the glossary's columns that no source has.
pub fn missing(
    glossary: &str,
    rust: &[Source],
    lua: &[Source],
    migrations: &[Source],
) -> Vec<String> {
    let mut found = Vec::new();
    for row in glossary.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [term, _, types, redis, sql, ..] = cells[..] else { continue };
        for name in quoted(types).filter(|name| !is_defined(rust, name)) {
            found.push(format!("{term}: no type, trait or function {name}"));
        }
        for name in quoted(redis).filter(|name| !is_in_redis(rust, lua, name)) {
            found.push(format!("{term}: no script or key {name}"));
        }
        for name in quoted(sql).filter(|name| !is_in_sql(migrations, name)) {
            found.push(format!("{term}: no table or column {name}"));
        }
    }
    found
}

/// Retired words that a source still has.
pub fn retired(glossary: &str, sources: &[Source]) -> Vec<String> {
    let list = glossary.split_once("## Retired words").map_or("", |(_, list)| list);
    // The folders that the section names are not words of the list.
    let list = list.split_once("Names of types:").map_or("", |(_, list)| list);
    let types = quoted(list.split_once("Prose:").map_or(list, |(types, _)| types));
    let prose = list.split_once("Prose:").map_or("", |(_, prose)| prose);
    let phrases = prose.split('"').skip(1).step_by(2);
    let words: Vec<&str> = types.chain(phrases).collect();
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            found.extend(
                words
                    .iter()
                    .filter(|word| has_word(line, word))
                    .map(|word| format!("{}:{}: {word}", source.path, number + 1)),
            );
        }
    }
    found
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_defined(rust: &[Source], name: &str) -> bool {
    ["struct", "enum", "trait", "type", "fn", "mod"].iter().any(|kind| {
        let definition = format!("{kind} {name}");
        rust.iter().any(|source| has_word(&source.text, &definition))
    })
}

fn is_in_redis(rust: &[Source], lua: &[Source], name: &str) -> bool {
    if name.contains('/') {
        return lua.iter().any(|source| source.path == format!("lua/{name}.lua"));
    }
    let keys = rust.iter().find(|source| source.path == "src/store/keys.rs");
    let key = name.split(':').next().unwrap_or(name);
    keys.is_some_and(|keys| has_word(&keys.text, key))
}

fn is_in_sql(migrations: &[Source], name: &str) -> bool {
    name.split('.').all(|part| migrations.iter().any(|source| has_word(&source.text, part)))
}

/// Whether `text` has `word` with no letter, digit or underscore beside it.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLOSSARY: &str = "\
| term | meaning | Rust | Redis | SQL | API | pages |
| hold | seats | `Hold`, `Gone` | `seats/claim`, `held`, `lost` | `seat.fence`, `seat.gone` | | |

## Retired words

In `src`. Names of types: `Lane`. Prose: \"turned away\".
";

    #[test]
    fn a_name_that_does_not_exist_is_found() {
        let rust = [
            Source::new("src/reservation/model.rs", "pub struct Hold;"),
            Source::new("src/store/keys.rs", "[\"held\"]"),
        ];
        let lua = [Source::new("lua/seats/claim.lua", "#!lua")];
        let sql = [Source::new("migrations/0001.sql", "create table seat (fence bigint)")];
        let found = missing(GLOSSARY, &rust, &lua, &sql);
        assert_eq!(found.len(), 3, "{found:?}");
        for name in ["Gone", "lost", "seat.gone"] {
            assert!(found.iter().any(|line| line.ends_with(name)), "{name}: {found:?}");
        }
    }

    #[test]
    fn a_retired_word_is_found_and_a_longer_one_is_not() {
        let found = |text| !retired(GLOSSARY, &[Source::new("src/a.rs", text)]).is_empty();
        assert!(found("struct Lane;"));
        assert!(found("// was turned away"));
        assert!(!found("struct Lanes; // turned aways"));
    }
}
