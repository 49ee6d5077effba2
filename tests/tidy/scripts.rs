//! Compares the scripts in `lua` with the tables of scripts in the documents.

use std::collections::BTreeSet;

use crate::source::Source;

/// Rows of a table whose first cell names scripts in backticks, such as `queue/join`, with the other
/// cells of the row.
fn rows(document: &Source) -> impl Iterator<Item = (Vec<&str>, Vec<&str>)> {
    document.text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let first = cells.next()?;
        let named = first.split('`').skip(1).step_by(2);
        let named: Vec<&str> = named.filter(|name| is_script(name)).collect();
        (!named.is_empty()).then(|| (named, cells.collect()))
    })
}

fn is_script(name: &str) -> bool {
    ["queue/", "seats/"].iter().any(|folder| name.starts_with(folder)) && !name.contains(' ')
}

/// Scripts that a document does not list once, and rows about scripts that do not exist.
pub fn listed(document: &Source, scripts: &[Source]) -> Vec<String> {
    let there: BTreeSet<&str> = scripts.iter().map(name).filter(|name| is_script(name)).collect();
    let mut left = there.clone();
    let mut wrong = Vec::new();
    for name in rows(document).flat_map(|(named, _)| named) {
        if !there.contains(name) {
            wrong.push(format!("{}: there is no script {name}", document.path));
        } else if !left.remove(name) {
            wrong.push(format!("{}: {name} is listed twice", document.path));
        }
    }
    wrong.extend(left.iter().map(|name| format!("{} does not list {name}", document.path)));
    wrong
}

/// Scripts whose keys in the header differ from the column KEYS of the document.
pub fn keys(document: &Source, scripts: &[Source]) -> Vec<String> {
    let header = |wanted: &str| {
        let script = scripts.iter().find(|script| name(script) == wanted)?;
        script.text.lines().find_map(|line| line.strip_prefix("-- KEYS"))
    };
    let differs = |(named, cells): (Vec<&str>, Vec<&str>)| {
        let stated = match *cells.first()? {
            "queue keys" => "as lib/queue",
            keys => keys,
        };
        let keys = header(named.first()?)?.split_whitespace().collect::<Vec<_>>().join(" ");
        let problem = format!("{}: {named:?} takes {keys:?}", document.path);
        (named.len() == 1 && keys != stated).then_some(problem)
    };
    rows(document).filter_map(differs).collect()
}

/// Words in quotes of a script's arguments and replies, such as `'OK'`, that its row of the document
/// lacks. `lib/guard` adds the same three replies to every script.
pub fn words(document: &Source, scripts: &[Source]) -> Vec<String> {
    let shared = ["LOST", "STALE", "LOADING"];
    let missing = |(named, cells): (Vec<&str>, Vec<&str>)| {
        let row = cells.join(" ");
        let listed: Vec<&str> = row.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let scripts = scripts.iter().filter(|script| named == [name(script)]);
        let quoted = scripts.flat_map(|script| {
            let header = script.text.lines().skip_while(|line| !line.starts_with("-- ARGV"));
            let header = header.take_while(|line| !line.starts_with("-- Uses"));
            header.flat_map(|line| line.split('\'').skip(1).step_by(2))
        });
        let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let words = quoted.filter(|word| word.len() > 1).filter(is_word);
        let missing = words.filter(|word| !shared.contains(word) && !listed.contains(word));
        let problem = |word: &str| format!("{}: {named:?} lacks {word}", document.path);
        missing.map(problem).collect::<Vec<_>>()
    };
    rows(document).flat_map(missing).collect()
}

/// Scripts whose flags differ from the last column of the document: what they do on a full Redis.
pub fn flags(document: &Source, scripts: &[Source]) -> Vec<String> {
    let differs = |(named, cells): (Vec<&str>, Vec<&str>)| {
        let script = scripts.iter().find(|script| named == [name(script)])?;
        let expected = match script.text.lines().next()? {
            "#!lua flags=no-writes" => "reads only",
            "#!lua flags=allow-oom" => "runs",
            _ => "refused",
        };
        let stated = cells.iter().rfind(|cell| !cell.is_empty()).copied();
        let problem = format!("{}: {named:?} {expected} on a full Redis", document.path);
        (stated != Some(expected)).then_some(problem)
    };
    rows(document).filter_map(differs).collect()
}

fn name(script: &Source) -> &str {
    script.path.trim_start_matches("lua/").trim_end_matches(".lua")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "#!lua\n-- queue/join: joins.\n--\n-- KEYS  meta active\n";

    #[test]
    fn a_missing_a_wrong_and_a_repeated_row_are_found() {
        let scripts = [Source::new("lua/queue/join.lua", SCRIPT)];
        let wrong = |text: &str| listed(&Source::new("a.md", text), &scripts).len();
        assert_eq!(wrong("| `queue/join` | meta active |"), 0);
        assert_eq!(wrong("text about `queue/join`"), 1);
        assert_eq!(wrong("| `queue/join`, `queue/leave` | |"), 1);
        assert_eq!(wrong("| `queue/join` | |\n| `queue/join` | |"), 1);
    }

    #[test]
    fn a_reply_or_a_flag_that_differs_from_the_script_is_found() {
        let text = "#!lua\n-- queue/join: joins.\n-- KEYS  meta\n-- ARGV  epoch  'ONE' user\n\
                    -- Reply {'OK', n} {'SOLD_OUT'}\n--       {'LOST'}\n-- Uses  lib/guard\nreturn 'X2'\n";
        let scripts = [Source::new("lua/queue/join.lua", text)];
        let wrong = |row: &str| {
            let document = Source::new("a.md", row);
            (words(&document, &scripts).len(), flags(&document, &scripts).len())
        };
        assert_eq!(
            wrong("| `queue/join` | meta | `ONE` | `OK n` · `SOLD_OUT` | refused |"),
            (0, 0)
        );
        assert_eq!(wrong("| `queue/join` | meta | | `OK n` | runs |"), (2, 1));
        assert_eq!(wrong("| `queue/join` | meta | ONES | `OK n` · `SOLD_OUT` | refused |"), (1, 0));
    }

    #[test]
    fn keys_that_differ_from_the_header_are_found() {
        let scripts = [Source::new("lua/queue/join.lua", SCRIPT)];
        let wrong = |text: &str| keys(&Source::new("a.md", text), &scripts).len();
        assert_eq!(wrong("| `queue/join` | meta active |"), 0);
        assert_eq!(wrong("| `queue/join` | meta |"), 1);
        assert_eq!(wrong("| `queue/join` | queue keys |"), 1);
    }
}
