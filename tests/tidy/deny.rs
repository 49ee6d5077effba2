//! What `deny.toml` says of the dependencies, as far as the machine itself knows: licences, sources
//! and crates that are not used. `cargo deny` knows the advisories too, and has to be installed.

use std::process::Command;

use serde_json::Value;

/// The words in quotes of a list in `deny.toml`.
pub fn listed(rules: &str, list: &str) -> Vec<String> {
    let from = rules.split(&format!("\n{list} = [")).nth(1).unwrap_or_default();
    let lines = from.split("\n]").next().unwrap_or_default().lines();
    let words = lines.filter(|line| !line.trim_start().starts_with('#'));
    words.filter_map(|line| Some(line.split('"').nth(1)?.to_owned())).collect()
}

/// Every package that is built here, as cargo describes it.
pub fn packages() -> Vec<Value> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let mut told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    serde_json::from_value(told["packages"].take()).expect("packages")
}

/// What is wrong with a package: its licence, where it is from, or that it is there at all.
pub fn wrong(package: &Value, licences: &[String], banned: &[String]) -> Vec<String> {
    let text = |name: &str| package[name].as_str().unwrap_or_default();
    let name = text("name");
    let mut wrong = Vec::new();
    if !is_allowed(text("license"), licences) {
        wrong.push(format!("{name}: licence {:?}", text("license")));
    }
    // Ours alone has no source.
    if name != env!("CARGO_PKG_NAME") && !text("source").starts_with("registry+") {
        wrong.push(format!("{name}: from {:?}", text("source")));
    }
    if banned.iter().any(|banned| banned == name) {
        wrong.push(format!("{name}: banned"));
    }
    wrong
}

/// Whether an SPDX expression can be met with these licences. `/` is an old `OR`.
fn is_allowed(expression: &str, licences: &[String]) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = expression.split_whitespace().peekable();
    any(&mut words, licences)
}

type Words<'w> = std::iter::Peekable<std::str::SplitWhitespace<'w>>;

fn any(words: &mut Words<'_>, licences: &[String]) -> bool {
    let mut allowed = all(words, licences);
    while words.next_if_eq(&"OR").is_some() {
        allowed |= all(words, licences);
    }
    allowed
}

fn all(words: &mut Words<'_>, licences: &[String]) -> bool {
    let mut allowed = one(words, licences);
    while words.next_if_eq(&"AND").is_some() {
        allowed &= one(words, licences);
    }
    allowed
}

fn one(words: &mut Words<'_>, licences: &[String]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let allowed = any(words, licences);
        return words.next_if_eq(&")").is_some() && allowed;
    }
    let mut name = words.next().unwrap_or_default().to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        name = format!("{name} WITH {}", words.next().unwrap_or_default());
    }
    licences.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_expression_is_met_by_the_licences_that_it_asks_for() {
        let licences = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("", false),
            ("GPL-3.0/MIT", true),
            ("GPL-3.0 OR ISC AND MIT", true),
            ("(GPL-3.0 OR ISC) AND MIT", true),
            ("ISC AND (GPL-3.0 OR BSD-3-Clause)", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
            ("(MIT", false),
        ] {
            assert_eq!(is_allowed(expression, &licences), expected, "{expression}");
        }
    }

    #[test]
    fn a_package_that_must_not_be_there_is_found() {
        let rules = "x = 1\nallow = [\n    \"MIT\",\n    # \"GPL\"\n]\ndeny = [\n  { crate = \"ssl\" },\n]\n";
        let (licences, banned) = (listed(rules, "allow"), listed(rules, "deny"));
        assert_eq!(
            (licences.as_slice(), banned.as_slice()),
            (&["MIT".to_owned()][..], &["ssl".to_owned()][..])
        );
        let of = |name: &str, license: &str, source: Value| {
            wrong(&json!({"name": name, "license": license, "source": source}), &licences, &banned)
        };
        assert_eq!(of("a", "MIT", json!("registry+x")).len(), 0);
        assert_eq!(of("ssl", "GPL", json!("git+x")).len(), 3);
        assert_eq!(of("a", "MIT", Value::Null).len(), 1);
    }
}
