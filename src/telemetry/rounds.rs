//! Records when each loop of this process last ran, for the health report.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The last round of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Pause between two rounds when there is nothing to do.
    pub period: Duration,
    /// When the round ended.
    pub at: SystemTime,
    /// How long the round took.
    pub took: Duration,
    /// Whether the round failed; the log has the error.
    pub failed: bool,
    ended: Instant,
}

impl Round {
    /// Records a round that has just ended.
    #[must_use]
    pub fn ended(period: Duration, took: Duration, failed: bool) -> Self {
        Self { period, at: SystemTime::now(), took, failed, ended: Instant::now() }
    }

    /// Whether the next round is late: three periods and 5 s have passed since this one ended.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.ended.elapsed() > self.period * 3 + Duration::from_secs(5)
    }
}

/// The last round of each loop, by its name.
#[derive(Debug, Default)]
pub(super) struct Rounds(Mutex<BTreeMap<&'static str, Round>>);

impl Rounds {
    pub(super) fn note(&self, name: &'static str, round: Round) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, round);
    }

    pub(super) fn all(&self) -> BTreeMap<&'static str, Round> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_late_when_three_of_its_periods_and_five_seconds_have_passed() {
        let second = Duration::from_secs(1);
        let fresh = Round::ended(second, Duration::ZERO, false);
        assert!(!fresh.is_late());
        let ended = Instant::now().checked_sub(9 * second).unwrap();
        assert!(Round { ended, ..fresh }.is_late());
        assert!(!Round { ended, period: 2 * second, ..fresh }.is_late());
    }
}
