//! Whether a schedule can be joined, before anything is done for somebody who wants to.

use chrono::{DateTime, Utc};

use super::service::{Queue, QueueError};
use crate::concert::model::{ConcertStatus, Phase, Schedule};
use crate::concert::service::CatalogueError;
use crate::store::id::ScheduleId;
use crate::store::{Store, StoreError};

impl Queue {
    /// Refuses what a join of `schedule` would refuse, by a schedule and a board that are at most
    /// 1 s old. The join decides anew.
    ///
    /// # Errors
    /// As [`Queue::join`]; [`StoreError::Unavailable`] also where Redis has not answered lately.
    pub async fn check_joinable(&self, schedule: ScheduleId) -> Result<(), QueueError> {
        let known = match self.catalogue.schedule(schedule).await {
            Ok(known) => known,
            Err(CatalogueError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(QueueError::NoSchedule),
        };
        let board = self.boards.get(schedule).await?;
        if board.overdue().is_some() {
            let reason = "the board is too old to join by".to_owned();
            return Err(StoreError::Unavailable { store: Store::Redis, reason }.into());
        }
        let joinable = refusal(&known, board.meta.gone, board.now()).map_or(Ok(()), Err);
        if let Err(error) = &joinable {
            self.count_refusal(schedule, error);
        }
        joinable
    }
}

/// Why a schedule cannot be joined at `now`, in the order in which `queue/join` decides it.
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
