//! The table of what was measured.

/// One line of it.
#[derive(Debug)]
pub struct Row {
    /// What, with its state.
    pub what: String,
    /// Against which yardstick.
    pub against: String,
    /// What was measured.
    pub found: String,
    /// What was aimed at.
    pub target: String,
}

impl Row {
    pub fn new(what: &str, against: &str, found: String, target: &str) -> Self {
        let [what, against, target] = [what, against, target].map(str::to_owned);
        Self { what, against, found, target }
    }
}

/// Prints the table as Markdown.
pub fn print(rows: &[Row]) {
    println!("| what | against | measured | target |\n| --- | --- | --- | --- |");
    for Row { what, against, found, target } in rows {
        println!("| {what} | {against} | {found} | {target} |");
    }
}
