//! Checks the dependencies against `deny.toml`: licences, sources and banned crates. It needs only
//! `cargo metadata`. `cargo deny` also checks advisories, but has to be installed.

use std::process::Command;

use serde_json::Value;

/// The quoted words of a list in `deny.toml`.
pub fn listed(rules: &str, list: &str) -> Vec<String> {
    let from = rules.split(&format!("\n{list} = [")).nth(1).unwrap_or_default();
    let lines = from.split("\n]").next().unwrap_or_default().lines();
    let words = lines.filter(|line| !line.trim_start().starts_with('#'));
    words.filter_map(|line| Some(line.split('"').nth(1)?.to_owned())).collect()
}

/// Every package that is built on this platform, as `cargo metadata` describes it.
pub fn packages() -> Vec<Value> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    serde_json::from_value(metadata["packages"].take()).expect("packages")
}

/// Rules that a package breaks: its licence, its source, or a ban.
pub fn violations(package: &Value, licences: &[String], banned: &[String]) -> Vec<String> {
    let text = |name: &str| package[name].as_str().unwrap_or_default();
    let name = text("name");
    let mut found = Vec::new();
    if !is_allowed(text("license"), licences) {
        found.push(format!("{name}: licence {:?}", text("license")));
    }
    // Only the package of this project has no source.
    if name != env!("CARGO_PKG_NAME") && !text("source").starts_with("registry+") {
        found.push(format!("{name}: from {:?}", text("source")));
    }
    if banned.iter().any(|banned| banned == name) {
        found.push(format!("{name}: banned"));
    }
    found
}

/// Whether these licences satisfy an SPDX expression. `/` is an old form of `OR`.
fn is_allowed(expression: &str, licences: &[String]) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = expression.split_whitespace().peekable();
    any_of(&mut words, licences)
}

type Words<'w> = std::iter::Peekable<std::str::SplitWhitespace<'w>>;

fn any_of(words: &mut Words<'_>, licences: &[String]) -> bool {
    let mut allowed = all_of(words, licences);
    while words.next_if_eq(&"OR").is_some() {
        allowed |= all_of(words, licences);
    }
    allowed
}

fn all_of(words: &mut Words<'_>, licences: &[String]) -> bool {
    let mut allowed = licence(words, licences);
    while words.next_if_eq(&"AND").is_some() {
        allowed &= licence(words, licences);
    }
    allowed
}

fn licence(words: &mut Words<'_>, licences: &[String]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let allowed = any_of(words, licences);
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
    fn a_licence_expression_is_evaluated() {
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
    fn a_package_that_is_not_allowed_is_found() {
        let rules = "x = 1\nallow = [\n    \"MIT\",\n    # \"GPL\"\n]\ndeny = [\n  { crate = \"ssl\" },\n]\n";
        let (licences, banned) = (listed(rules, "allow"), listed(rules, "deny"));
        assert_eq!(
            (licences.as_slice(), banned.as_slice()),
            (&["MIT".to_owned()][..], &["ssl".to_owned()][..])
        );
        let found = |name: &str, license: &str, source: Value| {
            let package = json!({"name": name, "license": license, "source": source});
            violations(&package, &licences, &banned)
        };
        assert_eq!(found("a", "MIT", json!("registry+x")).len(), 0);
        assert_eq!(found("ssl", "GPL", json!("git+x")).len(), 3);
        assert_eq!(found("a", "MIT", Value::Null).len(), 1);
    }
}
