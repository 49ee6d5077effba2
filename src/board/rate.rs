//! Measured rates of joins and admissions.

use std::collections::VecDeque;

/// Rates are measured over this long (ms).
const WINDOW_MS: i64 = 30_000;
/// Shortest time (ms) from which a rate is computed.
const LEAST_MS: i64 = 2_000;

/// The counters of a schedule at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The moment, by Redis's clock (ms).
    pub at_ms: i64,
    /// Entries admitted so far.
    pub admitted: u64,
    /// Entries created so far.
    pub joined: u64,
}

/// The counts of the last 30 s, and the rates per second that follow from them.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    /// Oldest first.
    counts: VecDeque<Count>,
    /// Admissions per second; `None` with counts of less than 2 s, or without an admission.
    pub admit: Option<f64>,
    /// The lowest and the highest admission rate among the thirds of the last 30 s.
    pub admit_range: Option<(f64, f64)>,
    /// Joins per second; `None` as for `admit`.
    pub join: Option<f64>,
}

impl Rates {
    /// The rates after one more count. If `admitted` fell, the keys were rebuilt, and measuring
    /// starts again.
    #[must_use]
    pub fn after(&self, count: Count) -> Self {
        let mut counts = self.counts.clone();
        if counts.back().is_some_and(|last| last.admitted > count.admitted) {
            counts.clear();
        }
        counts.push_back(count);
        while counts.front().is_some_and(|first| first.at_ms < count.at_ms - WINDOW_MS) {
            counts.pop_front();
        }
        let third = counts.len() / 3;
        let thirds = (0..3).filter_map(|part| {
            let end = ((part + 1) * third).min(counts.len() - 1);
            per_second(counts.get(part * third)?, counts.get(end)?, |count| count.admitted)
        });
        let range = thirds.fold(None, |range: Option<(f64, f64)>, rate| {
            let (low, high) = range.unwrap_or((rate, rate));
            Some((low.min(rate), high.max(rate)))
        });
        let overall = |field: fn(&Count) -> u64| per_second(counts.front()?, counts.back()?, field);
        let (admit, join) = (overall(|count| count.admitted), overall(|count| count.joined));
        Self { admit, admit_range: range, join, counts }
    }

    /// For how long the rates were measured, in ms: at most 30 s, and less after a time in which
    /// nobody asked for the board.
    #[must_use]
    pub fn measured_ms(&self) -> i64 {
        let ends = self.counts.front().zip(self.counts.back());
        ends.map_or(0, |(first, last)| last.at_ms - first.at_ms)
    }
}

fn per_second(first: &Count, last: &Count, field: impl Fn(&Count) -> u64) -> Option<f64> {
    let millis = u32::try_from(last.at_ms - first.at_ms).ok()?;
    let increase = u32::try_from(field(last).checked_sub(field(first))?).ok()?;
    let is_known = i64::from(millis) >= LEAST_MS && increase > 0;
    is_known.then(|| f64::from(increase) * 1000.0 / f64::from(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(counts: impl IntoIterator<Item = (i64, u64)>) -> Rates {
        counts.into_iter().fold(Rates::default(), |rates, (at_ms, admitted)| {
            rates.after(Count { at_ms, admitted, joined: 0 })
        })
    }

    #[test]
    fn a_steady_rate_has_no_range() {
        let rates = counted((0..100i64).map(|step| (step * 200, step.unsigned_abs() * 10)));
        assert_eq!((rates.admit, rates.admit_range), (Some(50.0), Some((50.0, 50.0))));
        assert_eq!(rates.join, None, "nobody joined");
    }

    #[test]
    fn a_changed_rate_shows_as_a_range_until_the_old_counts_are_dropped() {
        let fast = |step: i64| step.unsigned_abs() * 20;
        let slow = |step: i64| fast(60) + (step.unsigned_abs() - 60) * 2;
        let mixed = counted((0..150).map(|s| (s * 200, if s < 60 { fast(s) } else { slow(s) })));
        let (low, high) = mixed.admit_range.unwrap();
        assert!((9.9..10.1).contains(&low) && high > 90.0, "{low} to {high}");
        let later = counted((0..400).map(|s| (s * 200, if s < 60 { fast(s) } else { slow(s) })));
        assert_eq!(later.admit.map(f64::round), Some(10.0));
    }

    #[test]
    fn there_is_no_rate_after_too_short_a_time_or_a_rebuild() {
        assert_eq!(counted([(0, 0), (1900, 500)]).admit, None);
        assert_eq!(counted([(0, 500), (3000, 600), (3200, 0)]).admit, None);
    }
}
