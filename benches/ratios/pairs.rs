//! Pairs of rounds, and their ratios.

use std::fmt;

use crate::load::Round;

/// Median, minimum and maximum of some ratios.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub greatest: f64,
}

impl Spread {
    /// Computes the spread of at least one value.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let median = values[values.len() / 2];
        Self { median, least: values[0], greatest: values[values.len() - 1] }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.median, self.least, self.greatest)
    }
}

/// Rounds of onsale and of a yardstick, in turns.
#[derive(Debug, Default)]
pub struct Pairs {
    pub ours: Vec<Round>,
    pub other: Vec<Round>,
}

impl Pairs {
    /// Returns onsale's rate divided by the yardstick's.
    pub fn rate(&self) -> Spread {
        Spread::of(self.ours.iter().zip(&self.other).map(|(a, b)| a.rate / b.rate).collect())
    }

    /// Returns onsale's CPU per answer divided by the yardstick's, without Redis.
    pub fn cpu(&self) -> Spread {
        Spread::of(self.ours.iter().zip(&self.other).map(|(a, b)| a.cpu[0] / b.cpu[0]).collect())
    }
}

/// Returns the median of a value of the rounds.
pub fn middle(rounds: &[Round], what: impl Fn(&Round) -> f64) -> f64 {
    Spread::of(rounds.iter().map(what).collect()).median
}
