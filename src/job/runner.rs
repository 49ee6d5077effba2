//! The loop that runs jobs. Every process runs it, and each works on one job at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Map, Value, json};

use super::kind::{JobKind, JobPage, JobRun, Next};
use super::pg::{self, Taken};
use crate::admin::pg::{Audit, write_audit};
use crate::seats::service::SeatClaims;
use crate::store::StoreError;
use crate::store::id::{JobId, UserId};
use crate::store::pg::{Pg, Tx, Work};

/// How long a job stays with a process after its last page. If the process dies, another one goes on
/// after this.
const LEASE: Duration = Duration::from_secs(10);
/// How long a process works on one job before it looks whether another one waits for longer.
const TURN: Duration = Duration::from_secs(2);
/// Longest pause after a failure. The pauses are 1 s, 2 s, 4 s and so on.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Failures in a row after which a job is given up, if no store was unavailable.
const MAX_DEFECTS: i32 = 5;

/// Runs the jobs of one process; cheap to clone.
#[derive(Debug, Clone)]
pub struct JobRunner {
    pg: Pg,
    claims: SeatClaims,
    kinds: Arc<[Arc<dyn JobKind>]>,
    names: Arc<[String]>,
}

impl JobRunner {
    /// Puts the loop together. It takes jobs of these kinds.
    #[must_use]
    pub fn new(pg: Pg, claims: SeatClaims, kinds: Vec<Arc<dyn JobKind>>) -> Self {
        let names = kinds.iter().map(|kind| kind.name().to_owned()).collect();
        Self { pg, claims, kinds: kinds.into(), names }
    }

    /// Takes a due job and does pages of it for up to 2 s; true if there was one.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let Some(mut taken) = pg::take(&self.pg, &self.names, LEASE).await? else {
            return Ok(false);
        };
        let Some(kind) = self.kinds.iter().find(|kind| kind.name() == taken.kind) else {
            return Ok(false);
        };
        let begun = Instant::now();
        loop {
            match self.page(kind.as_ref(), &taken).await {
                Ok(Some(JobPage { next: Next::Page, cursor, .. })) => taken.run.cursor = cursor,
                Ok(_) => return Ok(true),
                Err(error) => {
                    self.pg.transact(&Failure { taken: &taken, error: &error }).await?;
                    return Ok(true);
                }
            }
            if begun.elapsed() > TURN {
                pg::give_back(&self.pg, taken.run.id, taken.lease).await?;
                return Ok(true);
            }
        }
    }

    /// Does one page and commits it. `None` if the job is no longer this process's.
    async fn page(&self, kind: &dyn JobKind, taken: &Taken) -> Result<Option<JobPage>, StoreError> {
        kind.prepare(&taken.run).await?;
        let Some(page) = self.pg.transact(&PageWork { kind, taken }).await? else {
            return Ok(None);
        };
        kind.count(&page);
        for seats in &page.seats {
            // The change has no deadline, so this machine's clock is good enough.
            self.claims.deliver(seats, Utc::now()).await;
        }
        Ok(Some(page))
    }
}

/// One page of a job, and its progress.
struct PageWork<'a> {
    kind: &'a dyn JobKind,
    taken: &'a Taken,
}

impl Work for PageWork<'_> {
    type Output = Option<JobPage>;
    type Error = StoreError;
    const NAME: &'static str = "job_page";

    async fn run(&self, tx: &mut Tx) -> Result<Option<JobPage>, StoreError> {
        let Taken { lease, run, .. } = self.taken;
        let Some(locked) = pg::lock(tx, run.id, *lease).await? else {
            return Ok(None);
        };
        let run = JobRun { cursor: locked.cursor, ..run.clone() };
        let page = self.kind.page(tx, &run).await?;
        let figures = sum(locked.figures, &page.figures);
        pg::write_page(tx, run.id, &page, &figures, LEASE).await?;
        let state = match page.next {
            Next::Done => "DONE",
            Next::Failed(_) => "FAILED",
            Next::Page | Next::PageAfter(_) => return Ok(Some(page)),
        };
        let after = json!({ "state": state, "figures": figures });
        write_end(tx, locked.requested_by, run.id, after).await?;
        Ok(Some(page))
    }
}

/// The record that a page failed.
struct Failure<'a> {
    taken: &'a Taken,
    error: &'a StoreError,
}

impl Work for Failure<'_> {
    type Output = ();
    type Error = StoreError;
    const NAME: &'static str = "job_failure";

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let Taken { lease, run, kind } = self.taken;
        let Some(locked) = pg::lock(tx, run.id, *lease).await? else {
            return Ok(());
        };
        let (id, error) = (run.id.0, self.error);
        let (code, is_defect) = match error {
            StoreError::Inconsistent(_) | StoreError::Defect { .. } => ("internal_error", true),
            _ => ("store_unavailable", false),
        };
        let failures = locked.failures + 1;
        let pause = Duration::from_secs(1 << locked.failures.clamp(0, 6)).min(LONGEST_PAUSE);
        let pause = (!is_defect || failures < MAX_DEFECTS).then_some(pause);
        pg::write_failure(tx, run.id, code, pause).await?;
        if pause.is_some() {
            tracing::warn!(id, kind, failures, %error, "a page of a job failed; it is tried again");
            return Ok(());
        }
        tracing::error!(id, kind, failures, %error, "gave up a job");
        let after = json!({ "state": "FAILED", "error": code, "figures": locked.figures });
        write_end(tx, locked.requested_by, run.id, after).await
    }
}

/// Records the end of a job in the audit.
async fn write_end(tx: &mut Tx, admin: UserId, id: JobId, after: Value) -> Result<(), StoreError> {
    let (action, subject) = ("job.finish", format!("job {id}"));
    write_audit(tx, Audit { admin, action, subject, before: None, after }).await
}

/// The figures with the numbers of a page added.
fn sum(figures: Value, page: &Map<String, Value>) -> Value {
    let mut figures = if let Value::Object(figures) = figures { figures } else { Map::new() };
    for (name, number) in page {
        let before = figures.get(name).and_then(Value::as_i64).unwrap_or(0);
        let after = before.saturating_add(number.as_i64().unwrap_or(0));
        figures.insert(name.clone(), json!(after));
    }
    Value::Object(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_pages_are_added_up() {
        let page = |json: Value| json.as_object().cloned().expect("an object");
        let first = sum(json!({}), &page(json!({"amount": 5, "seats": 1})));
        assert_eq!(first, json!({"amount": 5, "seats": 1}));
        let second = sum(first, &page(json!({"amount": 7})));
        assert_eq!(second, json!({"amount": 12, "seats": 1}));
    }
}
