//! How long people waited: percentiles of all, of those who had to wait, and by order of joining.
//! Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Percentiles of waits in the report, as fractions of 1.
pub const PERCENTILES: [f64; 6] = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
/// Groups of entries by order of joining, at most.
const GROUPS: usize = 10;

/// Waits until the first admission, in seconds. Null or empty if nobody was admitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Waits {
    /// Mean wait.
    pub mean_seconds: Option<f64>,
    /// Longest wait.
    pub longest_seconds: Option<f64>,
    /// The 25th, 50th, 75th, 90th, 95th and 99th percentile.
    pub percentiles: Vec<Percentile>,
}

/// One percentile of the waits: `percent` of the entries waited at most `seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Percentile {
    /// Share of the entries, in percent.
    pub percent: f64,
    /// Wait in seconds.
    pub seconds: f64,
}

/// Waits without the entries that were admitted in the moment of joining.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueuedWaits {
    /// Entries that were admitted in the moment of joining. They are in `waits` of the report with 0
    /// seconds, and so make its percentiles lower.
    pub admitted_at_once: i64,
    /// Waits of all other admitted entries, from joining.
    pub waits: Waits,
}

/// Waits of the entries that joined one after the other: a tenth of all entries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JoinGroup {
    /// When the first of them joined, to ten seconds.
    pub joined_from: DateTime<Utc>,
    /// Entries in this group.
    pub joined: i64,
    /// Those that were admitted. The waits are theirs.
    pub admitted: i64,
    /// Median of the waits from joining, in seconds. Null if none was admitted.
    pub median_seconds: Option<f64>,
    /// 95th percentile of the waits from joining, in seconds.
    pub p95_seconds: Option<f64>,
    /// Median of the waits from the opening, for entries that joined before it, in seconds.
    pub median_from_opening_seconds: Option<f64>,
    /// 95th percentile of the same.
    pub p95_from_opening_seconds: Option<f64>,
}

/// An admitted entry. Waits are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// Its rank by order of joining, from 0.
    pub rank: u64,
    /// Wait from joining.
    pub wait: i64,
    /// Wait from the opening, if the entry joined before it.
    pub from_opening: i64,
}

impl Waits {
    /// Mean, maximum and percentiles of sorted waits in microseconds.
    #[expect(clippy::cast_precision_loss, reason = "seconds, far below 2^52 microseconds")]
    #[must_use]
    pub fn of_sorted(micros: &[i64]) -> Self {
        let longest = micros.last().map(|longest| *longest as f64 / 1e6);
        let sum: i128 = micros.iter().copied().map(i128::from).sum();
        let percentiles = PERCENTILES.map(|share| Percentile {
            percent: share * 100.0,
            seconds: percentile(micros, share).unwrap_or_default(),
        });
        Self {
            mean_seconds: longest.map(|_| sum as f64 / 1e6 / micros.len() as f64),
            longest_seconds: longest,
            percentiles: longest.map(|_| percentiles.to_vec()).unwrap_or_default(),
        }
    }
}

impl QueuedWaits {
    /// Leaves those out of sorted waits that are 0.
    #[must_use]
    pub fn of_sorted(micros: &[i64]) -> Self {
        let at_once = micros.partition_point(|wait| *wait <= 0);
        let waits = Waits::of_sorted(micros.get(at_once..).unwrap_or_default());
        Self { admitted_at_once: i64::try_from(at_once).unwrap_or(i64::MAX), waits }
    }
}

/// The values of entries, sorted.
#[must_use]
pub fn sorted(entries: &[Admitted], value: fn(&Admitted) -> i64) -> Vec<i64> {
    let mut values: Vec<i64> = entries.iter().map(value).collect();
    values.sort_unstable();
    values
}

/// Groups `joined` entries by order of joining. `entries` are those of them that were admitted, by
/// rank; `joins` has how many joined in each ten seconds.
#[must_use]
pub fn groups(
    entries: &[Admitted],
    joined: u64,
    joins: &BTreeMap<DateTime<Utc>, i64>,
) -> Vec<JoinGroup> {
    let count = joined.min(GROUPS as u64);
    let mut rest = entries;
    let mut groups = Vec::new();
    for group in 0..count {
        let (from, to) = (group * joined / count, (group + 1) * joined / count);
        let (these, later) = rest.split_at(rest.partition_point(|entry| entry.rank < to));
        rest = later;
        let Some(joined_from) = join_time(joins, from) else { continue };
        let (waits, opening) = (sorted(these, |it| it.wait), sorted(these, |it| it.from_opening));
        groups.push(JoinGroup {
            joined_from,
            joined: i64::try_from(to - from).unwrap_or(i64::MAX),
            admitted: i64::try_from(these.len()).unwrap_or(i64::MAX),
            median_seconds: percentile(&waits, 0.5),
            p95_seconds: percentile(&waits, 0.95),
            median_from_opening_seconds: percentile(&opening, 0.5),
            p95_from_opening_seconds: percentile(&opening, 0.95),
        });
    }
    groups
}

/// The ten seconds in which the entry of this rank joined.
fn join_time(joins: &BTreeMap<DateTime<Utc>, i64>, rank: u64) -> Option<DateTime<Utc>> {
    let mut before = 0_u64;
    for (at, joined) in joins {
        before += joined.unsigned_abs();
        if before > rank {
            return Some(*at);
        }
    }
    None
}

/// The value at `share` of the way through sorted values, in seconds; between two values in
/// proportion (`percentile_cont`). `None` without values.
#[expect(clippy::cast_precision_loss, reason = "seconds, far below 2^52 microseconds")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index, rounded")]
fn percentile(sorted: &[i64], share: f64) -> Option<f64> {
    let at = share * sorted.len().checked_sub(1)? as f64;
    let value = |at: f64| sorted.get(at as usize).copied().unwrap_or(0) as f64 / 1e6;
    let (below, above) = (value(at.floor()), value(at.ceil()));
    Some(below + (at - at.floor()) * (above - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_lies_between_two_waits_in_proportion() {
        let of = |share| percentile(&[0, 1_000_000, 2_000_000, 10_000_000], share).unwrap();
        assert_eq!((of(0.0), of(0.5), of(1.0)), (0.0, 1.5, 10.0));
        assert!((of(0.9) - 7.6).abs() < 1e-9, "{}", of(0.9));
        assert_eq!((percentile(&[3_000_000], 0.99), percentile(&[], 0.5)), (Some(3.0), None));
    }

    #[test]
    fn without_an_admission_there_are_no_waits() {
        let waits = Waits::of_sorted(&[]);
        assert_eq!((waits.mean_seconds, waits.longest_seconds), (None, None));
        assert!(waits.percentiles.is_empty());
    }

    #[test]
    fn the_percentiles_of_those_who_waited_leave_out_the_zeros() {
        let micros = [0, 0, 0, 4_000_000, 8_000_000];
        let half = |waits: &Waits| waits.percentiles[1];
        assert_eq!(half(&Waits::of_sorted(&micros)), Percentile { percent: 50.0, seconds: 0.0 });
        let queued = QueuedWaits::of_sorted(&micros);
        assert_eq!(queued.admitted_at_once, 3);
        assert_eq!(half(&queued.waits).seconds.to_bits(), 6.0_f64.to_bits());
        assert_eq!(queued.waits.mean_seconds, Some(6.0));
    }

    #[test]
    fn groups_are_tenths_of_all_who_joined_with_the_waits_of_the_admitted() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("a time");
        let joins = BTreeMap::from([(at(0), 15), (at(10), 10)]);
        // Of 25 entries each second one was admitted, after as many seconds as its rank says.
        let entries: Vec<Admitted> = (0..25)
            .step_by(2)
            .map(|rank| {
                let wait = i64::try_from(rank).expect("small") * 1_000_000;
                Admitted { rank, wait, from_opening: wait / 2 }
            })
            .collect();
        let groups = groups(&entries, 25, &joins);
        let sizes: Vec<_> = groups.iter().map(|group| (group.joined, group.admitted)).collect();
        assert_eq!(&sizes[..3], [(2, 1), (3, 2), (2, 1)]);
        assert_eq!(sizes.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1)), (25, 13));
        assert_eq!((groups[1].median_seconds, groups[1].p95_seconds), (Some(3.0), Some(3.9)));
        assert_eq!(groups[1].median_from_opening_seconds, Some(1.5));
        assert_eq!((groups[5].joined_from, groups[6].joined_from), (at(0), at(10)));
    }

    #[test]
    fn a_sale_of_three_has_three_groups_and_an_empty_one_none() {
        let at = DateTime::from_timestamp(0, 0).expect("a time");
        let groups_of = |joined: u64| groups(&[], joined, &BTreeMap::from([(at, 3)]));
        assert_eq!(groups_of(3).len(), 3);
        assert_eq!((groups_of(3)[0].median_seconds, groups_of(0).len()), (None, 0));
    }
}
