//! Limits for the lengths of files and functions.

use syn::spanned::Spanned;
use syn::visit::Visit;

use crate::source::Source;

const FILE: usize = 300;
const MEDIAN: usize = 140;
const FUNCTION: usize = 50;

/// A function and the lines of code in its body.
struct Function {
    name: String,
    lines: usize,
}

struct Functions<'t> {
    lines: Vec<&'t str>,
    found: Vec<Function>,
}

impl Functions<'_> {
    /// Counts lines as clippy does: those between the braces, without blank lines and comments.
    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (first, last) = (body.span().start().line, body.span().end().line);
        let body = self.lines.get(first..last.saturating_sub(1)).unwrap_or_default();
        let is_code = |line: &&&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let lines = body.iter().filter(is_code).count();
        self.found.push(Function { name: signature.ident.to_string(), lines });
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}

fn lengths(source: &Source) -> Vec<Function> {
    let mut functions = Functions { lines: source.text.lines().collect(), found: Vec::new() };
    functions.visit_file(&source.parsed());
    functions.found
}

/// A file that is too long.
pub fn file(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let broken = (lines > FILE).then(|| format!("{} has {lines} lines", source.path));
    broken.into_iter().collect()
}

/// Functions that are too long.
pub fn functions(source: &Source) -> Vec<String> {
    let long = lengths(source).into_iter().filter(|function| function.lines > FUNCTION);
    let describe = |Function { name, lines }| format!("{}: {name} has {lines} lines", source.path);
    long.map(describe).collect()
}

/// The median of the file lengths, if it is too high.
pub fn median(sources: &[Source]) -> Vec<String> {
    let lines = files(sources).get(sources.len() / 2).map_or(0, |(lines, _)| *lines);
    let broken = (lines > MEDIAN).then(|| format!("the median file has {lines} lines"));
    broken.into_iter().collect()
}

/// The files with their lengths, shortest first.
fn files(sources: &[Source]) -> Vec<(usize, &str)> {
    let length = |source: &Source| source.text.lines().count();
    let mut files: Vec<_> =
        sources.iter().map(|source| (length(source), source.path.as_str())).collect();
    files.sort_unstable();
    files
}

/// The longest file, the longest function and the median file.
pub fn summary(sources: &[Source]) -> String {
    let files = files(sources);
    let functions = sources.iter().flat_map(|source| {
        lengths(source).into_iter().map(move |function| (function, &source.path))
    });
    let longest = functions.max_by_key(|(function, _)| function.lines);
    let (Some((file, path)), Some((function, in_file))) = (files.last(), longest) else {
        return "no files".to_owned();
    };
    let median = files[files.len() / 2].0;
    format!(
        "longest file {file} ({path}), longest function {} ({in_file}: {}), median file {median}",
        function.lines, function.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> Source {
        let body = "    // why\n\n    let x = 1;\n".repeat(lines);
        let text = format!("struct A;\nimpl A {{\nfn long() {{\n{body}}}\n}}\n");
        Source::new("src/a.rs", &text)
    }

    #[test]
    fn a_function_is_measured_in_lines_of_code() {
        assert!(functions(&function(FUNCTION)).is_empty());
        let broken = functions(&function(FUNCTION + 1));
        assert_eq!(broken, ["src/a.rs: long has 51 lines"]);
    }

    #[test]
    fn a_long_file_is_found() {
        assert!(file(&Source::new("src/a.rs", &"\n".repeat(FILE))).is_empty());
        assert_eq!(file(&Source::new("src/a.rs", &"\n".repeat(FILE + 1))).len(), 1);
    }

    #[test]
    fn a_long_median_is_found() {
        let file = |lines: usize| Source::new("src/a.rs", &"\n".repeat(lines));
        assert!(median(&[file(1), file(MEDIAN), file(300)]).is_empty());
        assert_eq!(median(&[file(1), file(MEDIAN + 1), file(300)]).len(), 1);
    }

    #[test]
    fn the_summary_names_the_longest() {
        let text = summary(&[function(3), Source::new("src/b.rs", "fn short() {}\n")]);
        assert!(text.contains("(src/a.rs: long)"), "{text}");
    }
}
