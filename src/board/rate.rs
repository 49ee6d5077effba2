//! How fast people come and are let in, as measured.

use std::collections::VecDeque;

/// How far back is counted, in milliseconds.
const WINDOW_MS: i64 = 30_000;
/// Less time than this tells nothing.
const LEAST_MS: i64 = 2_000;

/// What was counted by one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Redis's clock, ms.
    pub at_ms: i64,
    /// Let in so far.
    pub admitted: u64,
    /// Joined so far.
    pub joined: u64,
}

/// Counts of the last half minute, and the rates they come to, per second.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    /// The oldest first.
    counts: VecDeque<Count>,
    /// Let in; nothing before two seconds were seen, or where nobody was.
    pub admit: Option<f64>,
    /// The slowest and the fastest admission of the last half minute's thirds.
    pub admit_range: Option<(f64, f64)>,
    /// Joined; nothing as for `admit`.
    pub join: Option<f64>,
}

impl Rates {
    /// The rates after one more count. One that has gone back belongs to keys that were built anew,
    /// and begins from nothing.
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
        let whole = |what: fn(&Count) -> u64| per_second(counts.front()?, counts.back()?, what);
        let (admit, join) = (whole(|count| count.admitted), whole(|count| count.joined));
        Self { admit, admit_range: range, join, counts }
    }
}

fn per_second(first: &Count, last: &Count, what: impl Fn(&Count) -> u64) -> Option<f64> {
    let millis = u32::try_from(last.at_ms - first.at_ms).ok()?;
    let more = u32::try_from(what(last).checked_sub(what(first))?).ok()?;
    let told = i64::from(millis) >= LEAST_MS && more > 0;
    told.then(|| f64::from(more) * 1000.0 / f64::from(millis))
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
    fn a_steady_rate_is_what_it_is_and_varies_by_nothing() {
        let rates = counted((0..100i64).map(|step| (step * 200, step.unsigned_abs() * 10)));
        assert_eq!((rates.admit, rates.admit_range), (Some(50.0), Some((50.0, 50.0))));
        assert_eq!(rates.join, None, "nobody joined");
    }

    #[test]
    fn a_rate_that_changed_shows_as_a_range_and_the_old_part_is_forgotten() {
        let fast = |step: i64| step.unsigned_abs() * 20;
        let slow = |step: i64| fast(60) + (step.unsigned_abs() - 60) * 2;
        let mixed = counted((0..150).map(|s| (s * 200, if s < 60 { fast(s) } else { slow(s) })));
        let (low, high) = mixed.admit_range.unwrap();
        assert!((9.9..10.1).contains(&low) && high > 90.0, "{low} to {high}");
        let later = counted((0..400).map(|s| (s * 200, if s < 60 { fast(s) } else { slow(s) })));
        assert_eq!(later.admit.map(f64::round), Some(10.0));
    }

    #[test]
    fn too_short_a_time_and_a_line_built_anew_tell_nothing() {
        assert_eq!(counted([(0, 0), (1900, 500)]).admit, None);
        assert_eq!(counted([(0, 500), (3000, 600), (3200, 0)]).admit, None);
    }
}
