//! Repairs seats that differ in Redis. Each gets a higher fence, so that Redis accepts PostgreSQL's
//! state whatever it had. The repair goes through the same script and outbox as any other change.

use chrono::{DateTime, Utc};

use super::drift::Drift;
use crate::outbox;
use crate::outbox::model::Recorded;
use crate::reservation::pg::{lock_schedule, lock_seats};
use crate::seats::model::{FencedSeat, SEATS_CHANGED, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId};
use crate::store::pg::{Tx, Work, clock};
use crate::upkeep::pg::{self, SeatNow};

/// A seat that differed between the stores when they were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriftSuspect {
    /// The seat's number.
    pub number: u32,
    /// PostgreSQL's fence at the comparison.
    pub fence: i64,
    /// Redis's fence at the comparison.
    pub seen: i64,
    /// The kind of drift.
    pub how: Drift,
}

impl DriftSuspect {
    /// Whether the stores still differ by what PostgreSQL shows now. A seat that has changed since
    /// is delivered to Redis anyway. Redis cannot have a change that was not committed before.
    fn still_differs(&self, now: &SeatNow) -> bool {
        let fence = now.seat.fence;
        !now.pending
            && match self.how {
                Drift::Wrong => fence == self.fence,
                Drift::Ahead => fence < self.seen,
            }
    }
}

/// The transaction that repairs seats. Returns the events for Redis, and PostgreSQL's clock.
#[derive(Debug)]
pub struct RepairSeats<'a> {
    /// The schedule of the seats.
    pub schedule: ScheduleId,
    /// The seats to repair.
    pub suspects: &'a [DriftSuspect],
}

impl Work for RepairSeats<'_> {
    type Output = (Vec<Recorded<SeatsChanged>>, DateTime<Utc>);
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        let schedule = self.schedule;
        // Before any lock: in a busy sale most of them changed a moment ago, and need no repair.
        let ids: Vec<SeatId> = self.find_differing(tx).await?.iter().map(|(id, ..)| *id).collect();
        if ids.is_empty() {
            return Ok((Vec::new(), clock(tx.conn()).await?));
        }
        lock_schedule(tx, schedule).await?;
        lock_seats(tx, schedule, &ids).await?;
        let now = clock(tx.conn()).await?;
        let mut events = Vec::new();
        for (id, seat, suspect) in self.find_differing(tx).await? {
            if ids.contains(&id) {
                let fence = pg::raise_fence(tx, id, suspect.seen).await?;
                let fenced = FencedSeat { fence, ..seat.seat };
                let state = seat.state();
                tracing::error!(%schedule, ?suspect, ?state, "repairing a seat in Redis");
                SeatsChanged::gather(&mut events, schedule, fenced, state);
            }
        }
        let mut appended = Vec::new();
        for event in events {
            appended.push(outbox::pg::append(tx, SEATS_CHANGED, event).await?);
        }
        Ok((appended, now))
    }
}

impl RepairSeats<'_> {
    /// The seats that still differ by what PostgreSQL shows now.
    async fn find_differing(
        &self,
        tx: &mut Tx,
    ) -> Result<Vec<(SeatId, SeatNow, DriftSuspect)>, StoreError> {
        let numbers: Vec<u32> = self.suspects.iter().map(|suspect| suspect.number).collect();
        let seats = pg::seats_numbered(tx, self.schedule, &numbers).await?;
        let differing = |(id, seat): (SeatId, SeatNow)| {
            let has_number = |suspect: &&DriftSuspect| suspect.number == seat.seat.number;
            let suspect = *self.suspects.iter().find(has_number)?;
            suspect.still_differs(&seat).then_some((id, seat, suspect))
        };
        Ok(seats.into_iter().filter_map(differing).collect())
    }
}
