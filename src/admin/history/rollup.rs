//! Makes buckets of readings, and deletes readings that are old. Safe at any time: each step is one
//! transaction, and what it did is part of it.

use std::time::Duration;

use super::pg;
use crate::store::StoreError;
use crate::store::pg::Pg;

/// Buckets per statement: of all sales, at most this many per sale.
const BUCKETS: f64 = 60.0;
/// Rows per deletion.
const PAGE: i64 = 5_000;
const MINUTE: Duration = Duration::from_mins(1);

/// How long the samples of a step are kept: a little longer than they are shown.
const KEPT: [(i16, Duration); 3] = [
    (1, Duration::from_mins(65)),
    (10, Duration::from_hours(25)),
    (60, Duration::from_hours(400 * 24)),
];

/// The loop of one process that rolls the history up; cheap to clone.
#[derive(Debug, Clone)]
pub struct Rollup {
    pg: Pg,
}

impl Rollup {
    /// Creates the loop.
    #[must_use]
    pub fn new(pg: Pg) -> Self {
        Self { pg }
    }

    /// Makes the buckets that are complete, of 10 s from readings and of a minute from those, and
    /// deletes a page of what is old; true if there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for (from, to) in [(1, 10), (10, 60)] {
            more |= pg::roll_up(&self.pg, from, to, BUCKETS).await?;
        }
        for (step, age) in KEPT {
            // What is not rolled up yet stays, however old.
            let next = if step == 1 { 10 } else { 60 };
            more |= pg::purge(&self.pg, step, next, age.max(MINUTE), PAGE).await?;
        }
        Ok(more)
    }
}
