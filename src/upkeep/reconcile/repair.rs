//! Repairs seats that differ in Redis. Each gets a higher fence, so that Redis accepts PostgreSQL's
//! state whatever it had. The repair goes through the same script and outbox as any other change.
//!
//! A seat that Redis has as sold under a higher fence, and PostgreSQL does not, is blocked instead of
//! freed: PostgreSQL has lost the sale, by a failover to a standby without the last transactions. So
//! the seat is not sold twice before an operator has settled it (`onsale restore compare`).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::drift::Drift;
use crate::outbox;
use crate::outbox::model::Recorded;
use crate::reservation::pg::{lock_schedule, lock_seats};
use crate::seats::model::{FencedSeat, SEATS_CHANGED, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId, UserId};
use crate::store::pg::{Tx, Work, clock};
use crate::upkeep::pg::{self, LostSale, SeatNow};

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
    /// The sale that Redis has under a later fence than PostgreSQL's.
    pub sale: Option<SaleSeen>,
}

/// A sale in Redis: the hold that was paid, and its buyer, as far as Redis has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaleSeen {
    /// The hold.
    pub hold: Option<Uuid>,
    /// The buyer.
    pub user: Option<UserId>,
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
    const NAME: &'static str = "repair_seats";

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
                let mut fenced = FencedSeat { fence, ..seat.seat };
                let mut state = seat.state();
                if let Some(sale) = suspect.sale.filter(|_| !seat.sold && !seat.blocked) {
                    let lost = LostSale {
                        schedule,
                        seat_number: suspect.number,
                        fence: suspect.seen,
                        hold: sale.hold,
                        user: sale.user,
                    };
                    pg::block_lost_sale(tx, id, lost).await?;
                    (fenced.user, state) = (None, SeatState::Blocked);
                    tracing::error!(
                        %schedule, ?suspect,
                        "PostgreSQL lost the sale of a seat; the seat is blocked"
                    );
                }
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
