//! Reads the header of a script: its keys and its replies.

use std::collections::BTreeSet;
use std::path::Path;

use onsale::store::script::Script;

/// The header and the code of one script.
pub struct Text {
    /// The first words of its replies, as its header lists them.
    pub replies: BTreeSet<String>,
    /// The names of its keys in order, or the sentence that describes them.
    pub keys: String,
    /// The names of the libraries it uses.
    pub uses: Vec<String>,
    /// The code after the header.
    pub code: String,
}

/// Reads a script's file.
pub fn read(script: Script) -> Text {
    let text = file(script.path());
    let end = text.find("\n-- Uses").expect("a header ends in what it uses");
    let end = end + 1 + text[end + 1..].find('\n').expect("code after the header");
    let (header, code) = text.split_at(end);
    let part = |from: &str, to: &str| {
        let from = header.find(from).expect(from) + from.len();
        header[from..][..header[from..].find(to).expect(to)].trim().to_owned()
    };
    let uses = header.rsplit("-- Uses").next().expect("uses").split_whitespace();
    Text {
        replies: quoted(&part("\n-- Reply", "\n-- Uses")).into_iter().collect(),
        keys: part("\n-- KEYS", "\n-- ARGV"),
        uses: uses.map(str::to_owned).collect(),
        code: code.to_owned(),
    }
}

/// A file below `lua/`; `path` has no extension.
pub fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lua").join(path).with_extension("lua");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The words in capitals between quotes.
pub fn quoted(text: &str) -> Vec<String> {
    let word = |rest: &str| {
        let word: String =
            rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
        (!word.is_empty() && rest[word.len()..].starts_with('\'')).then_some(word)
    };
    text.match_indices('\'').filter_map(|(at, _)| word(&text[at + 1..])).collect()
}

/// The first words of the replies in a script's code: the first item of every list in it.
pub fn replied(code: &str) -> BTreeSet<String> {
    let line = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let first = |at: usize| quoted(&line[at..]).into_iter().next();
    let mut words = BTreeSet::new();
    for (at, opening) in line.match_indices("{ '") {
        let word = first(at + opening.len() - 1);
        words.extend(word.filter(|word| line[at + opening.len()..].starts_with(word.as_str())));
    }
    for (at, _) in line.match_indices(" 'MORE' or 'OK',") {
        words.extend(first(at));
        words.extend(first(at + " 'MORE' or".len()));
    }
    words
}
