//! A model is pure: its caller passes time, chance and texts.

use crate::imports::named;
use crate::source::Source;

/// Uses of input, output, clocks and async.
pub fn impure(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let of_std = ["env", "fs", "io", "net", "process", "thread"];
    let is_impure = |path: &Vec<String>| {
        let part = |at: usize| path.get(at).map_or("", String::as_str);
        (part(0) == "std" && of_std.contains(&part(1)))
            || ["chrono", "tokio"].contains(&part(0))
            || path.iter().any(|part| part == "Instant" || part == "SystemTime")
    };
    let mut broken: Vec<String> =
        named(source).into_iter().filter(is_impure).map(|path| path.join("::")).collect();
    broken.sort();
    broken.dedup();
    broken.into_iter().map(|path| format!("{} uses {path}", source.path)).collect()
}

#[test]
fn a_model_that_is_not_pure_is_found() {
    let broken = |text| !impure(&Source::new("crates/model/src/queue/round.rs", text)).is_empty();
    for text in [
        "use std::fs;",
        "fn f() { std::process::exit(1); }",
        "use std::time::Instant; fn f() { Instant::now(); }",
        "use tokio::sync::Mutex;",
    ] {
        assert!(broken(text), "{text}");
    }
    assert!(!broken("use std::time::Duration; use crate::number::float; use rand::Rng;"));
}
