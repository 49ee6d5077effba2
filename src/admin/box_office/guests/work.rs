//! The transactions of the guest list: the SQL function, and then the rows that say who did it and why.

use serde_json::json;

use super::model::{GivenSeats, Giving, Guest, RevokedSeat, Revoking};
use super::pg::{self, Gift};
use crate::admin::box_office::error::BoxOfficeError;
use crate::admin::box_office::model::Person;
use crate::admin::box_office::pg::{Action, ActionKind, write_action};
use crate::idempotency::model::Effect;
use crate::outbox::model::Recorded;
use crate::seats::model::SeatsChanged;
use crate::store::StoreError;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::{Tx, Work};
use crate::user::pg as users;

/// Giving seats to a guest.
#[derive(Debug)]
pub struct GiveSeats<'a> {
    /// Who of the staff gives them.
    pub admin: UserId,
    /// The schedule.
    pub schedule: ScheduleId,
    /// Who gets them.
    pub guest: &'a Guest,
    /// The seats, each once.
    pub seats: &'a [SeatId],
    /// Why.
    pub terms: &'a Giving,
}

impl Work for GiveSeats<'_> {
    type Output = Effect<GivenSeats, Recorded<SeatsChanged>>;
    type Error = BoxOfficeError;
    const NAME: &'static str = "give_seats";

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, BoxOfficeError> {
        let Self { admin, schedule, guest, seats, terms } = *self;
        let guest = match guest {
            Guest::Named(name) => Person { id: users::create(tx, name).await?, name: name.clone() },
            Guest::User(id) => {
                let name = pg::name_of(tx, *id).await?.ok_or(BoxOfficeError::NoUser)?;
                Person { id: *id, name }
            }
        };
        let gift = Gift { schedule, guest: guest.id, seats, admin, reason: &terms.reason };
        let reply = pg::give_seats(tx, gift).await?;
        let Some(given) = reply.given.filter(|_| reply.word == "OK") else {
            return Err(match reply.word.as_str() {
                "NO_SCHEDULE" => BoxOfficeError::NoSchedule,
                "NO_SEAT" => BoxOfficeError::NoSeat,
                "NO_USER" => BoxOfficeError::NoUser,
                "NOT_FREE" => BoxOfficeError::NotFree(reply.taken),
                word => StoreError::Inconsistent(format!("give_seats replied {word}")).into(),
            });
        };
        let rows = given.reservations.iter();
        let action = Action {
            kind: ActionKind::Give,
            admin,
            user: guest.id,
            schedule: Some(schedule),
            seats: rows.map(|row| (row.id, row.seat_id)).collect(),
            to: None,
            reason: &terms.reason,
            after: json!({ "schedule_id": schedule, "seat_ids": seats }),
        };
        write_action(tx, action).await?;
        let outcome = GivenSeats {
            guest,
            schedule_id: schedule,
            hold_id: given.hold,
            reservations: given.reservations,
            given_at: given.at,
        };
        Ok(Effect { outcome, event: given.change })
    }
}

/// Taking a seat back from a guest.
#[derive(Debug)]
pub struct RevokeGuest<'a> {
    /// Who of the staff takes it back.
    pub admin: UserId,
    /// The reservation.
    pub reservation: ReservationId,
    /// Why, and what becomes of the seat.
    pub terms: &'a Revoking,
}

impl Work for RevokeGuest<'_> {
    type Output = Effect<RevokedSeat, Recorded<SeatsChanged>>;
    type Error = BoxOfficeError;
    const NAME: &'static str = "revoke_guest";

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, BoxOfficeError> {
        let Self { admin, reservation, terms } = *self;
        let reply = pg::revoke_guest(tx, reservation, terms.block).await?;
        let Some(revoked) = reply.revoked.filter(|_| reply.word == "OK") else {
            return Err(match reply.word.as_str() {
                "NO_GUEST" => BoxOfficeError::NoGuest,
                "ALREADY_REVOKED" => BoxOfficeError::AlreadyRevoked,
                word => StoreError::Inconsistent(format!("revoke_guest replied {word}")).into(),
            });
        };
        let action = Action {
            kind: ActionKind::Revoke,
            admin,
            user: revoked.guest,
            schedule: Some(revoked.schedule),
            seats: vec![(reservation, revoked.seat)],
            to: None,
            reason: &terms.reason,
            after: json!({ "reservation_id": reservation, "seat_id": revoked.seat,
                           "blocked": revoked.blocked }),
        };
        write_action(tx, action).await?;
        let outcome = RevokedSeat {
            reservation_id: reservation,
            seat_id: revoked.seat,
            seat_number: revoked.number,
            blocked: revoked.blocked,
        };
        Ok(Effect { outcome, event: revoked.change })
    }
}
