//! The header of every Lua script, and its length.

use crate::source::Source;

const CODE_LINES: usize = 80;

/// Lines that a header lacks. A script begins with `#!lua`. Shared code (`lua/lib`) is inserted
/// behind that line; its header lists no keys and no replies.
pub fn header(source: &Source) -> Vec<String> {
    let name = source.path.trim_start_matches("lua/").trim_end_matches(".lua");
    let shared = name.starts_with("lib/");
    let mut lines = source.text.lines();
    let mut lacks = Vec::new();
    if !shared && !lines.next().is_some_and(|line| line == "#!lua" || line.starts_with("#!lua ")) {
        lacks.push("a first line `#!lua`".to_owned());
    }
    let comment: Vec<_> = lines.take_while(|line| line.starts_with("--")).collect();
    let title = format!("-- {name}: ");
    let has_title = comment
        .first()
        .is_some_and(|line| line.strip_prefix(&title).is_some_and(|what| !what.trim().is_empty()));
    if !has_title {
        lacks.push(format!("a line `{title}what it does`"));
    }
    let parts: &[&str] = if shared { &[] } else { &["KEYS", "ARGV", "Reply"] };
    for part in parts {
        let begins = format!("-- {part}");
        if !comment.iter().any(|line| line.starts_with(&begins)) {
            lacks.push(format!("a line `{begins} …`"));
        }
    }
    lacks.into_iter().map(|lack| format!("{} lacks {lack}", source.path)).collect()
}

/// A script with too much code.
pub fn length(source: &Source) -> Vec<String> {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("--");
    let lines = source.text.lines().filter(is_code).count();
    let broken = (lines > CODE_LINES).then(|| format!("{} has {lines} lines", source.path));
    broken.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "#!lua flags=no-writes\n-- queue/peek: looks.\n--\n-- KEYS  meta\n\
                        -- ARGV  epoch\n-- Reply {'OK'}\nreturn { 'OK' }\n";

    fn lacking(path: &str, text: &str) -> usize {
        header(&Source::new(path, text)).len()
    }

    #[test]
    fn a_header_that_lacks_anything_is_found() {
        let path = "lua/queue/peek.lua";
        assert_eq!(lacking(path, GOOD), 0);
        for part in [" flags=no-writes", "#!lua", ": looks.", "-- KEYS", "-- ARGV", "-- Reply"] {
            let broken = lacking(path, &GOOD.replace(part, "")) > 0;
            assert_eq!(broken, part != " flags=no-writes", "{part}");
        }
        assert_eq!(lacking("lua/queue/other.lua", GOOD), 1);
        assert_eq!(lacking(path, "return 1"), 5);
        assert_eq!(lacking("lua/lib/time.lua", "-- lib/time: the clock.\nlocal x = 1\n"), 0);
        assert_eq!(lacking("lua/lib/time.lua", "local x = 1\n"), 1);
    }

    #[test]
    fn a_long_script_is_found() {
        let script = |lines| Source::new("lua/a.lua", &"local x = 1\n\n  -- why\n".repeat(lines));
        assert!(length(&script(CODE_LINES)).is_empty());
        assert_eq!(length(&script(CODE_LINES + 1)).len(), 1);
    }
}
