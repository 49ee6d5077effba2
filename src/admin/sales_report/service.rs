//! Builds the sales report.

use chrono::TimeDelta;

use super::model::{EventReport, interval_seconds};
use super::pg;
use crate::admin::error::AdminError;
use crate::admin::service::{concert_in, schedule_in};
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, clock};

/// Builds sales reports; cheap to clone.
#[derive(Debug, Clone)]
pub struct SalesReports {
    pg: Pg,
}

impl SalesReports {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg) -> Self {
        Self { pg }
    }

    /// Builds the sales report of a schedule. Queue figures lag by about a second, rejections by up
    /// to ten.
    pub async fn report(&self, id: ScheduleId) -> Result<EventReport, AdminError> {
        let mut tx = pg::snapshot(&self.pg).await?;
        let schedule = schedule_in(&mut tx, id).await?;
        let concert = concert_in(&mut tx, schedule.concert_id).await?;
        let opened = schedule.reservation_available_at;
        let line = pg::line(&mut tx, id).await?;
        let sales = pg::sales(&mut tx, id).await?;
        let server_time = clock(tx.conn()).await?;
        let span = pg::span(&mut tx, id).await?;
        let span = span.map_or(TimeDelta::zero(), |(first, last)| last - first);
        let interval = interval_seconds(span);
        let rejections = pg::rejections(&mut tx, id).await?;
        Ok(EventReport {
            schedule_id: id,
            concert_id: concert.id,
            title: concert.title,
            queue_opens_at: schedule.settings.queue_opens_at,
            reservation_available_at: opened,
            deadline_at: schedule.deadline_at,
            concert_at: schedule.concert_at,
            entry_order: schedule.settings.entry_order,
            settled: server_time >= schedule.deadline_at
                && line.waiting + line.inside + sales.held == 0,
            waits: pg::waits(&mut tx, id, None).await?,
            waits_from_opening: pg::waits(&mut tx, id, Some(opened)).await?,
            sections: pg::sections(&mut tx, id).await?,
            turned_away: rejections.clone(),
            rejections,
            interval_seconds: interval,
            course: pg::course(&mut tx, id, interval).await?,
            line,
            sales,
            server_time,
        })
    }
}
