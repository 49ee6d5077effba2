//! Reads what the pace of a sale is found from.

use chrono::{DateTime, Utc};

use super::model::Pace;
use super::pg;
use super::seen::Seen;
use crate::admin::auto_admission::model::AutoRate;
use crate::admin::{auto_admission, history};
use crate::board::meta::Drawn;
use crate::board::snapshot::Board;
use crate::concert::model::{AdmissionMode, ConcertStatus, Phase, Schedule};
use crate::concert::view::SeatCounts;
use crate::queue::keyspaces::Keyspaces;
use crate::queue::next::{self, AdmissionBlock};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Reads the pace of sales; cheap to clone.
#[derive(Debug, Clone)]
pub struct Paces {
    pg: Pg,
    keyspaces: Keyspaces,
}

impl Paces {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, keyspaces: Keyspaces) -> Self {
        Self { pg, keyspaces }
    }

    /// The pace of a sale as `board` shows it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if PostgreSQL does not answer.
    pub async fn pace(
        &self,
        schedule: &Schedule,
        board: &Board,
        seats: &SeatCounts,
    ) -> Result<Pace, StoreError> {
        let mut seen = seen(schedule, board, seats);
        if seen.phase == Phase::Paused {
            seen.paused = pg::last_pause(&self.pg, schedule.id).await?;
        }
        if schedule.settings.admission_mode == AdmissionMode::Auto {
            let checked = auto_admission::pg::checked(self.pg.pool(), schedule.id).await?;
            seen.auto = Some(AutoRate::of(schedule, checked.as_ref()));
        }
        if seen.phase == Phase::Open {
            seen.sold_per_second = history::pg::sales_rate(&self.pg, schedule.id).await?;
            if seen.waiting > 0 && seen.active < seen.capacity && seen.redis_lost_at.is_none() {
                seen.asking = self.is_asking(schedule.id).await;
            }
        }
        Ok(Pace::of(&seen))
    }

    /// Whether admission waits for silent entries. False while Redis does not answer, which the next
    /// board shows.
    async fn is_asking(&self, schedule: ScheduleId) -> bool {
        let front = next::front(&self.keyspaces, schedule).await;
        front.is_ok_and(|front| front.blocked_by == Some(AdmissionBlock::Asking))
    }
}

/// What the board and the schedule show.
fn seen(schedule: &Schedule, board: &Board, seats: &SeatCounts) -> Seen {
    let (meta, now) = (&board.meta, board.now());
    let time = |ms: i64| (ms > 0).then(|| DateTime::<Utc>::from_timestamp_millis(ms)).flatten();
    let gone = seats.sold + seats.blocked;
    Seen {
        now,
        redis_lost_at: board.overdue().map(|_| board.as_of()),
        recovering: board.recovering,
        pause_until: time(meta.pause_until_ms),
        available: schedule.concert_status == ConcertStatus::Available,
        phase: schedule.phase(now, gone),
        opens_at: schedule.reservation_available_at,
        deadline_at: schedule.deadline_at,
        seats: seats.total.into(),
        unsold: seats.total.saturating_sub(gone).into(),
        drawing: meta.draw == Drawn::Pending,
        paused: None,
        capacity: meta.capacity,
        active: meta.active,
        waiting: meta.waiting + meta.returned,
        set_per_second: meta.rate,
        measured_per_second: board.rates.admit,
        measured_ms: board.rates.measured_ms(),
        joins_per_second: board.rates.join,
        next_seconds: board.wait_estimate(0).map(|wait| wait.seconds),
        asking: false,
        sold_per_second: None,
        auto: None,
    }
}
