//! Counts the joins, holds and payments that this process rejected, by reason. A loop writes the counts to
//! PostgreSQL.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Maximum number of different counts. Without a limit, requests for schedules that do not exist
/// could fill the memory while PostgreSQL is down.
const MAX_COUNTS: usize = 10_000;

/// A kind of rejection, which is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rejection {
    /// The schedule of the request.
    pub schedule: i64,
    /// The rejected call: `join`, `hold` or `pay`.
    pub wanted: &'static str,
    /// The problem's code.
    pub reason: &'static str,
}

/// The number of rejections of each kind since they were last written to PostgreSQL.
#[derive(Debug, Default)]
pub(super) struct RejectionCounter(Mutex<HashMap<Rejection, u64>>);

impl RejectionCounter {
    pub(super) fn add(&self, rejection: Rejection, times: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&rejection) {
            *count += times;
        } else if counts.len() < MAX_COUNTS {
            counts.insert(rejection, times);
        }
    }

    pub(super) fn take(&self) -> Vec<(Rejection, u64)> {
        let counts = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(counts).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejections_are_counted_until_they_are_taken_up_to_a_limit_of_kinds() {
        let counts = RejectionCounter::default();
        let of = |schedule| Rejection { schedule, wanted: "join", reason: "sold_out" };
        counts.add(of(1), 1);
        counts.add(of(1), 2);
        assert_eq!(counts.take(), [(of(1), 3)]);
        assert!(counts.take().is_empty());
        for schedule in 0..20_000 {
            counts.add(of(schedule), 1);
        }
        counts.add(of(0), 1);
        let taken: HashMap<Rejection, u64> = counts.take().into_iter().collect();
        assert_eq!((taken.len(), taken[&of(0)]), (MAX_COUNTS, 2));
    }
}
