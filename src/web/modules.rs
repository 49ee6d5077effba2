//! Lists all JavaScript modules that a module needs, so that a browser can load them at once
//! instead of one import after the other.

use std::collections::{BTreeMap, BTreeSet};

/// The paths that a module's text imports, as written there.
fn imported(text: &str) -> impl Iterator<Item = &str> {
    let begins = |start: &'static str| {
        text.match_indices(start)
            .filter_map(move |(at, _)| text[at + start.len()..].split('\'').next())
    };
    begins("from '").chain(begins("import '")).filter(|path| path.starts_with('.'))
}

/// Resolves an import of the module `from`: `./lib/dom.js` in `js/sale.js` is `js/lib/dom.js`.
fn resolve(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The module `first` and every module that it needs, directly or indirectly. `texts` holds the
/// modules by path.
#[must_use]
pub fn needed(first: &str, texts: &BTreeMap<String, String>) -> BTreeSet<String> {
    let (mut needed, mut next) = (BTreeSet::new(), vec![first.to_owned()]);
    while let Some(module) = next.pop() {
        let Some(text) = texts.get(&module) else {
            continue;
        };
        next.extend(imported(text).map(|path| resolve(&module, path)));
        needed.insert(module.clone());
        next.retain(|module| !needed.contains(module));
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indirect_imports_are_found_and_circular_imports_end() {
        let texts = [
            ("js/sale.js", "import { t } from './lib/text.js';\nimport '../vendor/plot.js';"),
            ("js/lib/text.js", "import {\n  a,\n} from './dom.js'; export { b } from './gone.js';"),
            ("js/lib/dom.js", "import { t } from './text.js'; import('./lazy.js');"),
            ("js/lib/lazy.js", ""),
            ("vendor/plot.js", ""),
        ];
        let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let found: Vec<_> = needed("js/sale.js", &texts).into_iter().collect();
        assert_eq!(found, ["js/lib/dom.js", "js/lib/text.js", "js/sale.js", "vendor/plot.js"]);
    }
}
