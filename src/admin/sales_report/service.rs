//! Answers with the stored sales report, and asks for a newer one when it is stale.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::job::ReportJob;
use super::model::EventReport;
use super::pg;
use super::pg::pages::{self, Entry};
use super::pg::stored::{self, Computed, Stored};
use super::prediction::Predicted;
use crate::admin::error::AdminError;
use crate::admin::service::{concert_in, schedule_in};
use crate::admin::state::AdminConcert;
use crate::concert::model::Schedule;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// A report of an unfinished sale is computed again after this time at the earliest, and after
/// [`TIMES_AS_LONG`] times as long as computing it took.
const YOUNGEST: Duration = Duration::from_secs(1);
const TIMES_AS_LONG: u32 = 10;
/// A request waits this long for figures that are quick to compute. Those of small sales are, and
/// so are the first figures of any sale until they have shown otherwise.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Figures that took longer than this are not waited for.
const QUICK: Duration = Duration::from_millis(500);
/// Pause between two looks for new figures.
const LOOK: Duration = Duration::from_millis(25);
/// Entries per page of the list of all entries.
pub const ENTRIES_PER_PAGE: i64 = 5_000;

/// The sales reports; cheap to clone.
#[derive(Debug, Clone)]
pub struct SalesReports {
    pg: Pg,
    wanted: Arc<Notify>,
}

/// A schedule, and what is stored about it.
struct View {
    schedule: Schedule,
    concert: AdminConcert,
    stored: Stored,
}

impl SalesReports {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg) -> Self {
        Self { pg, wanted: Arc::new(Notify::new()) }
    }

    /// The job that computes the reports for which this service is asked.
    #[must_use]
    pub fn job(&self) -> ReportJob {
        ReportJob::new(self.pg.clone(), Arc::clone(&self.wanted))
    }

    /// The sales report of a schedule, as it is stored. If the figures are not final and old enough,
    /// newer ones are computed, for which this call waits only if they are quick to compute. Queue
    /// figures lag by about a second, rejections by up to ten.
    pub async fn report(&self, id: ScheduleId) -> Result<EventReport, AdminError> {
        let mut view = self.view(id).await?;
        if !view.is_current() {
            stored::request(&self.pg, id).await?;
            self.wanted.notify_one();
            if view.is_quick() {
                self.wait(id).await?;
            }
            view = self.view(id).await?;
        }
        view.into_report()
    }

    /// Waits until no newer figures are pending, but not for long.
    async fn wait(&self, id: ScheduleId) -> Result<(), StoreError> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && stored::is_pending(&self.pg, id).await? {
            sleep(LOOK).await;
        }
        Ok(())
    }

    async fn view(&self, id: ScheduleId) -> Result<View, AdminError> {
        let mut tx = self.pg.begin("read_sales_report").await?;
        let schedule = schedule_in(&mut tx, id).await?;
        let concert = concert_in(&mut tx, schedule.concert_id).await?;
        let stored = stored::find(&mut tx, id).await?;
        tx.commit().await?;
        Ok(View { schedule, concert, stored })
    }

    /// The next page of all queue entries of a schedule, after the sequence `after`. Each page is a
    /// statement of its own, so it shows the entries as they are then.
    pub async fn entries(&self, id: ScheduleId, after: i64) -> Result<Vec<Entry>, StoreError> {
        pages::list_entries(&self.pg, id, after, ENTRIES_PER_PAGE).await
    }

    /// Checks that there is such a schedule.
    pub async fn find(&self, id: ScheduleId) -> Result<(), AdminError> {
        let mut tx = pg::snapshot(&self.pg, "find_schedule").await?;
        schedule_in(&mut tx, id).await.map(|_| ())
    }
}

impl View {
    /// Whether the stored figures are final and have their prediction, or are so new that no newer
    /// ones are needed.
    fn is_current(&self) -> bool {
        let Stored { computed, is_pending, is_final, now } = &self.stored;
        let Some(Computed { at, took, figures, .. }) = computed else {
            return false;
        };
        let youngest = YOUNGEST.max(took.saturating_mul(TIMES_AS_LONG));
        let age = (*now - *at).to_std().unwrap_or(Duration::ZERO);
        let wants_prediction = figures.prediction.as_ref().is_some_and(|it| it.is_due(*now));
        (*is_final && !wants_prediction) || (!is_pending && age < youngest)
    }

    fn is_quick(&self) -> bool {
        self.stored.computed.as_ref().is_none_or(|computed| computed.took < QUICK)
    }

    fn into_report(self) -> Result<EventReport, AdminError> {
        let Self { schedule, concert, stored } = self;
        let Some(Computed { at, figures, .. }) = stored.computed else {
            return Err(AdminError::ReportPending);
        };
        let settled = at >= schedule.deadline_at && figures.is_closed();
        let line = figures.line_at(at);
        let is_simulating = figures.prediction.as_ref().is_some_and(Predicted::is_pending);
        let (prediction, no_prediction) = figures.prediction.map_or((None, None), Predicted::parts);
        Ok(EventReport {
            schedule_id: schedule.id,
            concert_id: concert.id,
            title: concert.title,
            queue_opens_at: schedule.settings.queue_opens_at,
            reservation_available_at: schedule.reservation_available_at,
            deadline_at: schedule.deadline_at,
            concert_at: schedule.concert_at,
            entry_order: schedule.settings.entry_order,
            settled,
            line,
            waits: figures.waits,
            waits_from_opening: figures.waits_from_opening,
            queued: figures.queued,
            waits_by_joining: figures.waits_by_joining,
            people: figures.people,
            sold_out_seconds: figures.sold_out_seconds,
            refused_payments: figures.refused_payments,
            prediction,
            no_prediction,
            sales: figures.sales,
            sections: figures.sections,
            turned_away: figures.rejections.clone(),
            rejections: figures.rejections,
            interval_seconds: figures.interval_seconds,
            course: figures.course,
            computed_at: at,
            updating: is_simulating || (stored.is_pending && !stored.is_final),
            server_time: stored.now,
        })
    }
}
