//! The call of the SQL function `write_hold` (`migrations/functions/write_hold.sql`), which is the
//! whole transaction of a hold.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::TAKEOVER_AFTER;
use crate::idempotency::model::Request;
use crate::outbox::model::{OutboxId, Recorded};
use crate::queue::model::Sequence;
use crate::reservation::model::{Hold, Reservation, ReservationStatus};
use crate::seats::model::{FencedSeat, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{ConcertId, ReservationId, ScheduleId, SeatId};
use crate::store::pg::single::{Single, lost};
use crate::store::pg::violated;

/// Limit of unpaid holds of one seat by one user. It covers the last ten minutes plus the time that
/// this many holds last. A further hold is refused.
const CHURN: i32 = 3;

/// Constraints that prevent a second owner of a seat even if the locks were wrong.
const ONE_OWNER: [&str; 2] = ["reservation_one_live_per_seat", "reservation_of_hold"];

/// A hold to write.
#[derive(Debug, Clone, Copy)]
pub struct NewHold<'a> {
    /// The request: the user and the idempotency key.
    pub request: &'a Request,
    /// Id of the schedule.
    pub schedule: ScheduleId,
    /// Id of the hold.
    pub id: Uuid,
    /// Sequence of the buyer's queue entry.
    pub sequence: Sequence,
    /// Ids of the seats.
    pub seats: &'a [SeatId],
}

/// Reply of the SQL function `write_hold`.
#[derive(Debug)]
pub struct HoldReply {
    /// Code of the reply, such as `OK` or `TAKEN`.
    pub word: String,
    /// The hold, if there is one.
    pub outcome: Option<Hold>,
    /// Seats that other buyers hold or own.
    pub taken: Vec<SeatId>,
    /// Limit of seats per user.
    pub limit: u32,
    /// Outbox entry with the change of the seats, for Redis.
    pub changed: Option<Recorded<SeatsChanged>>,
}

/// Columns of the reply `OK`.
struct WrittenColumns {
    hold: Uuid,
    concert: i64,
    held_at: DateTime<Utc>,
    held_until: DateTime<Utc>,
    reservations: Vec<i64>,
    seats: Vec<i64>,
    numbers: Vec<i32>,
    amounts: Vec<i64>,
    fences: Vec<i64>,
}

impl WrittenColumns {
    fn hold(&self, schedule: ScheduleId) -> Option<Hold> {
        let rows = self.reservations.iter().zip(&self.seats).zip(&self.numbers).zip(&self.amounts);
        let reservation =
            |(((id, seat), number), amount): (((&i64, &i64), &i32), &i64)| Reservation {
                id: ReservationId(*id),
                hold_id: self.hold,
                concert_id: ConcertId(self.concert),
                schedule_id: schedule,
                seat_id: SeatId(*seat),
                seat_number: number.unsigned_abs(),
                status: ReservationStatus::PaymentWaiting,
                amount: *amount,
                reservation_at: self.held_at,
                expires_at: self.held_until,
            };
        Hold::of(rows.map(reservation).collect(), self.held_at)
    }

    fn event(&self, new: NewHold<'_>) -> SeatsChanged {
        let user = Some(new.request.user);
        let fenced = |(number, fence): (&i32, &i64)| FencedSeat {
            number: number.unsigned_abs(),
            fence: *fence,
            user,
        };
        SeatsChanged {
            schedule: new.schedule,
            seats: self.numbers.iter().zip(&self.fences).map(fenced).collect(),
            state: SeatState::Held { hold: self.hold, expires_at: self.held_until },
        }
    }
}

/// Calls `write_hold`. A violation of [`ONE_OWNER`] counts as taken seats.
pub async fn write_hold(on: &mut Single, new: NewHold<'_>) -> Result<HoldReply, StoreError> {
    let ids: Vec<i64> = new.seats.iter().map(|seat| seat.0).collect();
    let called = sqlx::query!(
        r#"select reply as "reply!", stored as "stored: Json<Hold>", taken, seat_limit, hold, concert,
                  held_at, held_until, reservations, held_seats, seat_numbers, amounts, fences,
                  outbox_id
           from write_hold($1, $2, $3, $4, $5, $6, $7, $8, $9)"#,
        new.request.user.0,
        new.request.key,
        &new.request.fingerprint()[..],
        new.schedule.0,
        new.id,
        new.sequence.as_i64(),
        &ids,
        TAKEOVER_AFTER.as_secs_f64(),
        CHURN
    )
    .fetch_one(on.conn())
    .await;
    let row = match called {
        Ok(row) => row,
        Err(error) if violated(&error).is_some_and(|name| ONE_OWNER.contains(&name)) => {
            let (word, taken) = ("TAKEN".to_owned(), new.seats.to_vec());
            return Ok(HoldReply { word, outcome: None, taken, limit: 0, changed: None });
        }
        Err(error) => return Err(lost(error)),
    };
    let written = (|| {
        Some(WrittenColumns {
            hold: row.hold?,
            concert: row.concert?,
            held_at: row.held_at?,
            held_until: row.held_until?,
            reservations: row.reservations?,
            seats: row.held_seats?,
            numbers: row.seat_numbers?,
            amounts: row.amounts?,
            fences: row.fences?,
        })
    })();
    let hold = written.as_ref().and_then(|written| written.hold(new.schedule));
    let event = written.map(|written| written.event(new));
    Ok(HoldReply {
        word: row.reply,
        outcome: row.stored.map(|stored| stored.0).or(hold),
        taken: row.taken.unwrap_or_default().into_iter().map(SeatId).collect(),
        limit: row.seat_limit.map_or(0, i32::unsigned_abs),
        changed: row.outbox_id.map(OutboxId).zip(event).map(|(id, event)| Recorded { id, event }),
    })
}
