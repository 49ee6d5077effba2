//! The table of results.

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The yardstick.
    pub against: String,
    /// The result.
    pub found: String,
    /// The target.
    pub target: String,
}

impl Row {
    pub fn new(what: &str, against: &str, found: String, target: &str) -> Self {
        let [what, against, target] = [what, against, target].map(str::to_owned);
        Self { what, against, found, target }
    }
}

/// Prints the head of the table as Markdown.
pub fn print_head() {
    println!("| what | against | measured | target |\n| --- | --- | --- | --- |");
}

/// Prints rows of the table as Markdown.
pub fn print(rows: &[Row]) {
    for Row { what, against, found, target } in rows {
        println!("| {what} | {against} | {found} | {target} |");
    }
}
