//! Counts or deletes old rows. Safe at any time, beside processes that serve and beside another
//! prune: nothing that an open sale needs is touched, and each page is a short transaction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep;

use super::pg::{self, people};
use crate::admin::sales_report::job::ReportJob;
use crate::config::retention::{Keep, RetentionSettings};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Rows per transaction.
const PAGE: i64 = 5_000;
/// Rows per statement that only counts.
const COUNTED: i64 = 100_000;
/// Users per transaction. Each has rows in several tables.
const USERS: i64 = 500;

/// The table of users, whose rows are erased and not deleted.
pub const USER: &str = "user";

/// What was found in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The table.
    pub table: &'static str,
    /// How long its rows are kept.
    pub keep: Keep,
    /// Rows that are older: to be deleted, or deleted; of users: erased.
    pub rows: u64,
    /// Sales whose rows stay although they are older, because their report is not final.
    pub skipped: u64,
}

/// Counts or deletes old rows.
#[derive(Debug, Clone)]
pub struct Pruner {
    pg: Pg,
    reports: ReportJob,
    retention: RetentionSettings,
    apply: bool,
}

/// A table of which all rows of a sale grow old together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OfSales {
    Entries,
    Entrants,
    Rejections,
}

impl Pruner {
    /// Puts it together. Without `apply`, it only counts.
    #[must_use]
    pub fn new(pg: Pg, retention: RetentionSettings, apply: bool) -> Self {
        let reports = ReportJob::new(pg.clone(), Arc::new(Notify::new()));
        Self { pg, reports, retention, apply }
    }

    /// Counts or deletes the old rows of every table, in this order.
    pub async fn run(&self) -> Result<Vec<Found>, StoreError> {
        let keep = self.retention;
        Ok(vec![
            self.of_sales(OfSales::Entries, "queue", keep.keep_entries).await?,
            self.of_sales(OfSales::Entrants, "draw_entrant", keep.keep_entrants).await?,
            self.of_sales(OfSales::Rejections, "rejection_count", keep.keep_rejections).await?,
            self.audit(keep.keep_audit).await?,
            self.parked(keep.keep_parked).await?,
            self.jobs(keep.keep_audit).await?,
            self.users(keep.keep_users).await?,
        ])
    }

    async fn of_sales(
        &self,
        which: OfSales,
        table: &'static str,
        keep: Keep,
    ) -> Result<Found, StoreError> {
        let mut found = Found { table, keep, rows: 0, skipped: 0 };
        let Keep::For(age) = keep else {
            return Ok(found);
        };
        let age = age.as_secs_f64();
        let mut after = ScheduleId(0);
        loop {
            let page = pg::past_sales(&self.pg, after, age).await?;
            let Some(last) = page.last() else {
                return Ok(found);
            };
            after = *last;
            for schedule in page {
                let rows = self.count(which, schedule).await?;
                if rows == 0 || !self.apply {
                    found.rows += rows;
                } else if which != OfSales::Entrants && !self.keep_report(schedule).await? {
                    tracing::warn!(%schedule, table, "the sale has no final report; its rows stay");
                    found.skipped += 1;
                } else {
                    found.rows += self.delete(which, schedule, age).await?;
                }
            }
        }
    }

    async fn count(&self, which: OfSales, schedule: ScheduleId) -> Result<u64, StoreError> {
        let (mut rows, mut after) = (0, Some(-1));
        while let Some(last) = after {
            let (counted, next) = match which {
                OfSales::Entries => pg::count_entries(&self.pg, schedule, last, COUNTED).await?,
                OfSales::Entrants => pg::count_entrants(&self.pg, schedule, last, COUNTED).await?,
                OfSales::Rejections => (pg::count_rejections(&self.pg, schedule).await?, None),
            };
            rows += counted.unsigned_abs();
            after = next;
        }
        Ok(rows)
    }

    /// Computes the final report of a sale, unless it is stored, and makes sure that it stays. False
    /// if the sale is not settled.
    async fn keep_report(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        if !self.reports.compute(schedule).await? {
            return Ok(false);
        }
        pg::keep_report(&self.pg, schedule).await
    }

    async fn delete(
        &self,
        which: OfSales,
        schedule: ScheduleId,
        age: f64,
    ) -> Result<u64, StoreError> {
        let (mut rows, mut after) = (0, Some(-1));
        while let Some(last) = after {
            let begun = Instant::now();
            let (deleted, next) = match which {
                OfSales::Entries => pg::delete_entries(&self.pg, schedule, last, age, PAGE).await?,
                OfSales::Entrants => {
                    pg::delete_entrants(&self.pg, schedule, last, age, PAGE).await?
                }
                OfSales::Rejections => {
                    let deleted = pg::delete_rejections(&self.pg, schedule, age, PAGE).await?;
                    let left = deleted > 0 || pg::count_rejections(&self.pg, schedule).await? > 0;
                    (deleted, left.then_some(last))
                }
            };
            rows += deleted.unsigned_abs();
            // A page of which nothing was deleted was deleted by another prune meanwhile, and more
            // may follow; or the concert was moved, and the rows must stay.
            let go_on = deleted > 0 || next.is_none() || self.is_past(schedule, age).await?;
            after = next.filter(|_| go_on);
            pause(begun).await;
        }
        Ok(rows)
    }

    /// Whether nothing of a sale is open and its concert was more than `age` seconds ago.
    async fn is_past(&self, schedule: ScheduleId, age: f64) -> Result<bool, StoreError> {
        let next = pg::past_sales(&self.pg, ScheduleId(schedule.0 - 1), age).await?;
        Ok(next.first() == Some(&schedule))
    }

    async fn audit(&self, keep: Keep) -> Result<Found, StoreError> {
        let mut found = Found { table: "audit", keep, rows: 0, skipped: 0 };
        let Keep::For(age) = keep else {
            return Ok(found);
        };
        let mut after = Some(0);
        while let Some(last) = after {
            let begun = Instant::now();
            let page = pg::audit(&self.pg, last, age.as_secs_f64(), PAGE, self.apply).await?;
            found.rows += page.rows.unsigned_abs();
            after = page.last;
            pause(begun).await;
        }
        Ok(found)
    }

    async fn jobs(&self, keep: Keep) -> Result<Found, StoreError> {
        let mut found = Found { table: "job", keep, rows: 0, skipped: 0 };
        let Keep::For(age) = keep else {
            return Ok(found);
        };
        loop {
            let rows = people::jobs(&self.pg, age.as_secs_f64(), PAGE, self.apply).await?;
            found.rows += rows.unsigned_abs();
            if !self.apply || rows < PAGE {
                return Ok(found);
            }
        }
    }

    async fn users(&self, keep: Keep) -> Result<Found, StoreError> {
        let mut found = Found { table: USER, keep, rows: 0, skipped: 0 };
        let Keep::For(age) = keep else {
            return Ok(found);
        };
        let mut after = Some(0);
        while let Some(last) = after {
            let begun = Instant::now();
            let page = people::users(&self.pg, last, age.as_secs_f64(), USERS, self.apply).await?;
            found.rows += page.rows.unsigned_abs();
            after = page.last;
            pause(begun).await;
        }
        Ok(found)
    }

    async fn parked(&self, keep: Keep) -> Result<Found, StoreError> {
        let rows = match keep {
            Keep::Forever => 0,
            Keep::For(age) => pg::parked(&self.pg, age.as_secs_f64(), self.apply).await?,
        };
        Ok(Found { table: "outbox", keep, rows: rows.unsigned_abs(), skipped: 0 })
    }
}

/// Leaves the disk to others for half of the time.
async fn pause(begun: Instant) {
    sleep(begun.elapsed().min(Duration::from_secs(1))).await;
}
