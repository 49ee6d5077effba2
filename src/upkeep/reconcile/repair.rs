//! Stating anew what is so of seats that Redis contradicts: under a higher fence, so that Redis takes
//! it whatever it had, by the same script and the same outbox as any other change.

use chrono::{DateTime, Utc};

use super::drift::Contradiction;
use crate::outbox;
use crate::outbox::model::OutboxId;
use crate::reservation::pg::{lock_schedule, lock_seats};
use crate::reservation::read::pg::clock;
use crate::seats::model::{FencedSeat, SEATS_CHANGED, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId};
use crate::store::pg::{Tx, Work};
use crate::upkeep::pg::{self, SeatNow};

/// A seat that the stores were seen to differ about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspect {
    /// Which, by number.
    pub number: u32,
    /// What PostgreSQL's fence was.
    pub fence: i64,
    /// What Redis's was.
    pub seen: i64,
    /// How they differ.
    pub how: Contradiction,
}

impl Suspect {
    /// Whether the two still differ, now that the seat is locked. A seat that has changed since has
    /// been told, or will be; and Redis can't know of a change that was not committed before.
    fn stands(&self, now: &SeatNow) -> bool {
        let fence = now.seat.fence;
        !now.pending
            && match self.how {
                Contradiction::Wrong => fence == self.fence,
                Contradiction::Ahead => fence < self.seen,
            }
    }
}

/// Stating seats anew. Comes to what Redis is to be told, and PostgreSQL's clock.
#[derive(Debug)]
pub struct Restate<'a> {
    /// Whose seats.
    pub schedule: ScheduleId,
    /// Which.
    pub suspects: &'a [Suspect],
}

impl Work for Restate<'_> {
    type Output = (Vec<(OutboxId, SeatsChanged)>, DateTime<Utc>);
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        let schedule = self.schedule;
        // Before any lock: in a busy sale most have changed a moment ago, and are let alone.
        let ids: Vec<SeatId> = self.standing(tx).await?.iter().map(|(id, ..)| *id).collect();
        if ids.is_empty() {
            return Ok((Vec::new(), clock(tx).await?));
        }
        lock_schedule(tx, schedule).await?;
        lock_seats(tx, schedule, &ids).await?;
        let now = clock(tx).await?;
        let mut events = Vec::new();
        for (id, seat, suspect) in self.standing(tx).await? {
            if ids.contains(&id) {
                let fence = pg::raise_fence(tx, id, suspect.seen).await?;
                let fenced = FencedSeat { fence, ..seat.seat };
                let state = seat.state();
                tracing::error!(%schedule, ?suspect, ?state, "Redis contradicted a seat");
                SeatsChanged::gather(&mut events, schedule, fenced, state);
            }
        }
        let mut told = Vec::new();
        for event in events {
            told.push((outbox::pg::append(tx, SEATS_CHANGED, &event).await?, event));
        }
        Ok((told, now))
    }
}

impl Restate<'_> {
    /// The suspects that differ by what PostgreSQL shows now.
    async fn standing(&self, tx: &mut Tx) -> Result<Vec<(SeatId, SeatNow, Suspect)>, StoreError> {
        let numbers: Vec<u32> = self.suspects.iter().map(|suspect| suspect.number).collect();
        let seats = pg::seats_numbered(tx, self.schedule, &numbers).await?;
        let standing = |(id, seat): (SeatId, SeatNow)| {
            let of = |suspect: &&Suspect| suspect.number == seat.seat.number;
            let suspect = *self.suspects.iter().find(of)?;
            suspect.stands(&seat).then_some((id, seat, suspect))
        };
        Ok(seats.into_iter().filter_map(standing).collect())
    }
}
