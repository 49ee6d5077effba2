//! The recorded figures, and their comparison with measured ones.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// How to record new figures.
pub const RECORD: &str = "If the change is meant to cost this, record new figures, and commit \
    tests/costs/figures.txt:\n  ONSALE_RECORD_COSTS=1 scripts/test.sh -E 'binary(costs)'";

/// Percentage by which a measured figure may exceed the recorded one.
const TOLERANCE: f64 = 5.0;

const HEAD: &str = "# What one operation costs: operation, measure, figure. tests/costs compares \
    them.\n# Do not edit. To record new figures:\n#   ONSALE_RECORD_COSTS=1 scripts/test.sh -E \
    'binary(costs)'\n";

/// Figures by operation and measure.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Figures(BTreeMap<(String, String), f64>);

/// Whether this run writes new figures instead of comparing.
pub fn is_recording() -> bool {
    std::env::var("ONSALE_RECORD_COSTS").is_ok_and(|value| value == "1")
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/costs/figures.txt")
}

impl Figures {
    /// The recorded figures.
    pub fn read() -> Self {
        Self::parse(&std::fs::read_to_string(path()).expect("figures.txt"))
    }

    fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let (operation, measure) = (words.next()?, words.next()?);
            Some(((operation, measure), words.next()?.parse().expect("a figure")))
        };
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect())
    }

    pub fn write(&self) {
        std::fs::write(path(), format!("{HEAD}{self}")).expect("figures.txt");
    }

    pub fn add(&mut self, operation: &str, measure: &str, figure: f64) {
        self.0.insert((operation.to_owned(), measure.to_owned()), figure);
    }

    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// The same figures as those of another operation.
    pub fn renamed(self, operation: &str) -> Self {
        let rename = |((_, measure), figure)| ((operation.to_owned(), measure), figure);
        Self(self.0.into_iter().map(rename).collect())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((operation, measure), figure) in &self.0 {
            writeln!(f, "{operation:<14} {measure:<22} {figure:.1}")?;
        }
        Ok(())
    }
}

/// Measured figures that exceed the recorded ones, and those that are not recorded.
pub fn exceeded(recorded: &Figures, measured: &Figures) -> Vec<String> {
    let broken = |((operation, measure), figure): (&(String, String), &f64)| {
        let key = (operation.clone(), measure.clone());
        let Some(before) = recorded.0.get(&key) else {
            return Some(format!("{operation}: {measure} is not recorded, it is {figure:.1}"));
        };
        let most = before * (1.0 + TOLERANCE / 100.0);
        let line = format!("{operation}: {measure} {figure:.1}, recorded {before:.1}");
        (*figure > most).then(|| format!("{line}: more than {TOLERANCE} % above"))
    };
    measured.0.iter().filter_map(broken).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_may_exceed_its_recorded_one_by_5_percent_and_zero_by_nothing() {
        let recorded =
            Figures::parse("# a comment\njoin calls 1\njoin allocations 100.0\npoll calls 0");
        let broken = |text: &str| exceeded(&recorded, &Figures::parse(text));
        assert!(broken("join calls 1\njoin allocations 105.0\npoll calls 0").is_empty());
        assert_eq!(broken("join allocations 105.1").len(), 1);
        assert_eq!(broken("join calls 2\npoll calls 1").len(), 2);
        assert_eq!(broken("hold calls 1"), ["hold: calls is not recorded, it is 1.0"]);
        let less = "join calls 0\njoin allocations 50";
        assert!(broken(less).is_empty(), "a lower figure is no regression");
    }

    #[test]
    fn figures_are_read_as_they_were_written() {
        let figures = Figures::parse("join calls 1\npoll allocations 21.5");
        assert_eq!(Figures::parse(&format!("{HEAD}{figures}")), figures);
    }
}
