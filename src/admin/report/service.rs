//! Figures of a sale, and the audit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::model::{AuditEntry, AuditQuery, Stats};
use super::pg;
use crate::admin::error::AdminError;
use crate::admin::service::AdminService;
use crate::http::page::{Page, Paging};
use crate::store::id::ScheduleId;

/// Over at least this long polls are counted.
const SPAN: Duration = Duration::from_secs(1);

/// How fast a counter rises, seen by whoever asks for it.
#[derive(Debug)]
pub struct Rate {
    count: Arc<AtomicU64>,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    at: Instant,
    count: u64,
    rate: Option<f64>,
}

impl Rate {
    /// The rate of `count`, which only rises.
    #[must_use]
    pub fn new(count: Arc<AtomicU64>) -> Self {
        let seen = Seen { at: Instant::now(), count: count.load(Ordering::Relaxed), rate: None };
        Self { count, seen: Mutex::new(seen) }
    }

    /// Per second, between the last two calls that were at least a second apart.
    pub fn per_second(&self, now: Instant) -> Option<f64> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let span = now.saturating_duration_since(seen.at);
        if span >= SPAN {
            let count = self.count.load(Ordering::Relaxed);
            let more = u32::try_from(count.saturating_sub(seen.count)).unwrap_or(u32::MAX);
            *seen = Seen { at: now, count, rate: Some(f64::from(more) / span.as_secs_f64()) };
        }
        seen.rate
    }
}

impl AdminService {
    /// How the sale of a schedule goes.
    pub async fn stats(&self, id: ScheduleId) -> Result<Stats, AdminError> {
        let schedule = self.catalogue.schedule(id).await?;
        let board = self.boards.get(id).await?;
        let sales = pg::sales(&self.pg, id).await?;
        let now = Instant::now();
        let (polls, answers) = (self.polls.per_second(now), self.answers.of_late(now));
        Ok(Stats::new(&schedule, &board, sales, polls, answers))
    }

    /// Who changed what, newest first.
    pub async fn audit(
        &self,
        wanted: &AuditQuery,
        paging: Paging,
    ) -> Result<Page<AuditEntry>, AdminError> {
        let entries = pg::audit(&self.pg, wanted, paging).await?;
        Ok(paging.page(entries, |entry| entry.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_known_once_a_second_was_seen() {
        let count = Arc::new(AtomicU64::new(7));
        let (rate, begun) = (Rate::new(Arc::clone(&count)), Instant::now());
        assert_eq!(rate.per_second(begun), None);
        count.store(1007, Ordering::Relaxed);
        let seen = rate.per_second(begun + Duration::from_secs(2)).unwrap();
        assert!((499.0..=501.0).contains(&seen), "{seen}");
        assert_eq!(rate.per_second(begun + Duration::from_millis(2500)), Some(seen));
    }
}
