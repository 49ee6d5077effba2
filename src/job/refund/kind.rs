//! The job that refunds every payment of a schedule, 100 in a page.
//!
//! It goes over the reservations of the schedule in order of their ids, until a pass finds nothing to
//! refund. While seats can be sold, it refunds payments made before its start. Otherwise it refunds
//! all, and waits for holds that can still be paid.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::{RefundOrder, RefundPreview, SeatsAfter};
use super::pg;
use crate::idempotency::model::{Answer, Effect, Request};
use crate::idempotency::service::once;
use crate::job::error::JobError;
use crate::job::kind::{JobKind, JobPage, JobRun, Next, to_json};
use crate::job::model::Job;
use crate::job::pg::{NewJob, unfinished};
use crate::job::service::{Jobs, create};
use crate::reservation::pg::lock_schedule;
use crate::store::StoreError;
use crate::store::id::{JobId, ReservationId, ScheduleId};
use crate::store::pg::{Tx, Work};
use crate::telemetry::Metrics;

/// Name of the kind.
const KIND: &str = "REFUND_SCHEDULE";
/// Payments of a page. A buyer may wait for its locks.
const PAGE: i64 = 100;
/// Pause before the next pass, while holds can still be paid.
const WAIT_FOR_HOLDS: Duration = Duration::from_secs(5);

/// Refunds every payment of a schedule.
#[derive(Debug)]
pub struct RefundSchedule {
    metrics: Metrics,
}

/// Where a page begins.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The last reservation of this pass.
    after: i64,
    /// Payments refunded in this pass.
    refunded: i64,
}

impl RefundSchedule {
    /// Creates the kind.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics }
    }
}

impl JobKind for RefundSchedule {
    fn name(&self) -> &'static str {
        KIND
    }

    fn page<'a>(
        &'a self,
        tx: &'a mut Tx,
        run: &'a JobRun,
    ) -> BoxFuture<'a, Result<JobPage, StoreError>> {
        Box::pin(refund_page(tx, run))
    }

    fn count(&self, page: &JobPage) {
        if page.done > 0 {
            let points = page.figures.get("amount").and_then(serde_json::Value::as_u64);
            let payments = page.done.unsigned_abs();
            self.metrics.refunded_many(payments, points.unwrap_or(0));
            self.metrics.reservations("REFUNDED", payments);
        }
    }
}

async fn refund_page(tx: &mut Tx, run: &JobRun) -> Result<JobPage, StoreError> {
    let Cursor { after, refunded } = run.cursor()?;
    let order: RefundOrder = run.parameters()?;
    let Some(schedule) = run.schedule else {
        return Err(StoreError::Inconsistent(format!("job {} has no schedule", run.id)));
    };
    let Some(closed) = pg::is_closed(tx, schedule).await? else {
        return Ok(JobPage { next: Next::Failed("schedule_not_found"), ..JobPage::default() });
    };
    let before = (!closed).then_some(run.created_at);
    let payments = pg::next_payments(tx, schedule, ReservationId(after), before, PAGE).await?;
    let Some(last) = payments.last else {
        let next = end_of_pass(tx, schedule, closed, refunded).await?;
        return Ok(JobPage { next, ..JobPage::default() });
    };
    let block = order.seats == SeatsAfter::Block;
    let done = pg::refund(tx, schedule, &payments.ids, block).await?;
    let figures = json!({ "amount": done.amount });
    let cursor = Cursor { after: last.0, refunded: refunded + done.payments };
    Ok(JobPage {
        done: done.payments,
        figures: figures.as_object().cloned().unwrap_or_default(),
        cursor: to_json(&cursor)?,
        next: Next::Page,
        seats: done.seats,
    })
}

/// What comes after a pass. A payment that committed behind the pass is found by the next one.
async fn end_of_pass(
    tx: &mut Tx,
    schedule: ScheduleId,
    closed: bool,
    refunded: i64,
) -> Result<Next, StoreError> {
    if refunded > 0 {
        return Ok(Next::Page);
    }
    let waits = closed && pg::has_holds(tx, schedule).await?;
    Ok(if waits { Next::PageAfter(WAIT_FOR_HOLDS) } else { Next::Done })
}

impl Jobs {
    /// Says what a refund of every payment of a schedule would do now.
    pub async fn preview_refund(&self, id: ScheduleId) -> Result<RefundPreview, JobError> {
        let mut tx = self.pg.begin_read("preview_refund").await?;
        let closed = pg::is_closed(&mut tx, id).await?.ok_or(JobError::NoSchedule)?;
        let job_id = unfinished(tx.conn(), KIND, Some(id), None).await?;
        let counted = pg::count(tx.conn(), id).await?;
        tx.commit().await?;
        Ok(RefundPreview {
            schedule_id: id,
            seats: counted.seats,
            buyers: counted.buyers,
            amount: counted.amount,
            held_seats: counted.held,
            refunded_seats: counted.refunded,
            selling: !closed,
            job_id,
            server_time: counted.now,
        })
    }

    /// Makes the job that refunds every payment of a schedule, once per idempotency key.
    pub async fn refund(
        &self,
        request: &Request,
        schedule: ScheduleId,
        order: &RefundOrder,
    ) -> Result<Answer<Job>, JobError> {
        self.made(once(&self.pg, request, &BeginRefund { request, schedule, order }).await?.answer)
            .await
    }
}

/// Making the job.
struct BeginRefund<'a> {
    request: &'a Request,
    schedule: ScheduleId,
    order: &'a RefundOrder,
}

impl Work for BeginRefund<'_> {
    type Output = Effect<JobId>;
    type Error = JobError;
    const NAME: &'static str = "begin_refund";

    async fn run(&self, tx: &mut Tx) -> Result<Effect<JobId>, JobError> {
        let schedule = self.schedule;
        lock_schedule(tx, schedule).await?.ok_or(JobError::NoSchedule)?;
        let counted = pg::count(tx.conn(), schedule).await?;
        let new = NewJob {
            kind: KIND,
            schedule: Some(schedule),
            user: None,
            parameters: to_json(self.order)?,
            total: Some(counted.seats),
            cancellable: true,
        };
        let (action, subject) = ("schedule.refund", format!("schedule {schedule}"));
        let outcome = create(tx, self.request.user, &new, action, subject).await?;
        Ok(Effect { outcome, event: () })
    }
}
