//! Checks whether a schedule can be joined, before a join.

use chrono::{DateTime, Utc};

use crate::concert::model::{ConcertStatus, Phase, Schedule};
use crate::concert::service::CatalogueError;
use crate::queue::service::{QueueError, WaitingRoom};
use crate::store::id::ScheduleId;
use crate::store::{Store, StoreError};

impl WaitingRoom {
    /// Returns the error that a join of `schedule` would return, judged by a schedule and a board
    /// that are at most 1 s old. The join itself decides again.
    ///
    /// # Errors
    /// As [`WaitingRoom::join`]; also [`StoreError::Unavailable`] if the board is older than 2 s.
    pub async fn check_joinable(&self, schedule: ScheduleId) -> Result<(), QueueError> {
        let sale = match self.catalogue.schedule(schedule).await {
            Ok(sale) => sale,
            Err(CatalogueError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(QueueError::NoSchedule),
        };
        let board = self.boards.get(schedule).await?;
        if board.overdue().is_some() {
            let reason = "the board is overdue".to_owned();
            return Err(StoreError::Unavailable { store: Store::Redis, reason }.into());
        }
        let joinable = refusal(&sale, board.meta.gone, board.now()).map_or(Ok(()), Err);
        if let Err(error) = &joinable {
            self.count_refusal(schedule, error);
        }
        joinable
    }
}

/// The reason why a schedule cannot be joined at `now`, checked in the order of `queue/join`;
/// `None` if it can be joined.
fn refusal(schedule: &Schedule, gone: u32, now: DateTime<Utc>) -> Option<QueueError> {
    let opens_at = schedule.settings.queue_opens_at;
    if schedule.concert_status != ConcertStatus::Available {
        return Some(QueueError::ConcertUnavailable);
    }
    if now < opens_at {
        return Some(QueueError::NotOpen { opens_at });
    }
    match schedule.phase(now, gone) {
        Phase::Closed => Some(QueueError::Closed),
        Phase::SoldOut => Some(QueueError::SoldOut),
        Phase::Upcoming | Phase::Paused | Phase::Open => None,
    }
}
