//! Pairs of rounds, and what their ratios come to.

use std::fmt;

use crate::load::Round;

/// The median of some ratios, with the least and the greatest.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub greatest: f64,
}

impl Spread {
    /// Of at least one value.
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

/// Rounds of ours and of a yardstick, in turns.
#[derive(Debug, Default)]
pub struct Pairs {
    pub ours: Vec<Round>,
    pub other: Vec<Round>,
}

impl Pairs {
    /// Our rate over the yardstick's.
    pub fn rate(&self) -> Spread {
        Spread::of(self.ours.iter().zip(&self.other).map(|(a, b)| a.rate / b.rate).collect())
    }

    /// Our CPU per answer over the yardstick's, of the service itself.
    pub fn cpu(&self) -> Spread {
        Spread::of(self.ours.iter().zip(&self.other).map(|(a, b)| a.cpu[0] / b.cpu[0]).collect())
    }
}

/// The median of something about rounds.
pub fn middle(rounds: &[Round], what: impl Fn(&Round) -> f64) -> f64 {
    Spread::of(rounds.iter().map(what).collect()).median
}
