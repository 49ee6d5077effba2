//! The SQL of the guest list.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{GivenSeat, GuestSeat};
use crate::admin::box_office::model::{NamedSeat, Person};
use crate::admin::box_office::pg::changed;
use crate::outbox::model::{OutboxId, Recorded};
use crate::pagination::Paging;
use crate::reservation::pg::TAKEOVER_AFTER;
use crate::seats::model::{FencedSeat, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::{Pg, Tx};

/// Seats that are given in one call.
#[derive(Debug)]
pub struct Gift<'a> {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The guest.
    pub guest: UserId,
    /// The seats, each once.
    pub seats: &'a [SeatId],
    /// Who gives them.
    pub admin: UserId,
    /// Why.
    pub reason: &'a str,
}

/// Reply of the SQL function `give_seats`.
#[derive(Debug)]
pub struct GiveReply {
    /// Code of the reply: `OK`, or why nothing was given.
    pub word: String,
    /// Seats that are held or sold, with `NOT_FREE`.
    pub taken: Vec<SeatId>,
    /// The seats, with `OK`.
    pub given: Option<Given>,
}

/// Seats that a transaction gave to a guest.
#[derive(Debug)]
pub struct Given {
    /// Id of the hold.
    pub hold: Uuid,
    /// The reservations.
    pub reservations: Vec<GivenSeat>,
    /// When they were given.
    pub at: DateTime<Utc>,
    /// The change of the seats, for Redis.
    pub change: Recorded<SeatsChanged>,
}

/// Finds the name of a user.
pub async fn name_of(tx: &mut Tx, user: UserId) -> Result<Option<String>, StoreError> {
    let find = sqlx::query_scalar!(r#"select name from "user" where id = $1"#, user.0);
    Ok(find.fetch_optional(tx.conn()).await?)
}

/// Calls `give_seats` (`migrations/functions/give_seats.sql`), as a part of this transaction. It takes
/// the locks of a gift itself.
pub async fn give_seats(tx: &mut Tx, gift: Gift<'_>) -> Result<GiveReply, StoreError> {
    let hold = Uuid::now_v7();
    let ids: Vec<i64> = gift.seats.iter().map(|seat| seat.0).collect();
    let row = sqlx::query!(
        r#"select reply as "reply!", taken, given_at, reservations, seats, seat_numbers, fences,
                  outbox_id
           from give_seats($1, $2, $3, $4, $5, $6, $7)"#,
        gift.schedule.0,
        gift.guest.0,
        hold,
        &ids,
        gift.admin.0,
        gift.reason,
        TAKEOVER_AFTER.as_secs_f64()
    )
    .fetch_one(tx.conn())
    .await?;
    let given = (|| {
        let (ids, seats) = (row.reservations?, row.seats?);
        let (numbers, fences) = (row.seat_numbers?, row.fences?);
        let seat = |((id, seat), number): ((&i64, &i64), &i32)| GivenSeat {
            id: ReservationId(*id),
            seat_id: SeatId(*seat),
            seat_number: number.unsigned_abs(),
        };
        let fenced = |(number, fence): (&i32, &i64)| FencedSeat {
            number: number.unsigned_abs(),
            fence: *fence,
            user: Some(gift.guest),
        };
        let event = SeatsChanged {
            schedule: gift.schedule,
            seats: numbers.iter().zip(&fences).map(fenced).collect(),
            state: SeatState::Sold { hold },
        };
        Some(Given {
            hold,
            reservations: ids.iter().zip(&seats).zip(&numbers).map(seat).collect(),
            at: row.given_at?,
            change: Recorded { id: OutboxId(row.outbox_id?), event },
        })
    })();
    let taken = row.taken.unwrap_or_default().into_iter().map(SeatId).collect();
    Ok(GiveReply { word: row.reply, taken, given })
}

/// Reply of the SQL function `revoke_guest`.
#[derive(Debug)]
pub struct RevokeReply {
    /// Code of the reply: `OK`, or why nothing was taken back.
    pub word: String,
    /// The seat, with `OK`.
    pub revoked: Option<Revoked>,
}

/// A seat that a transaction took back from a guest.
#[derive(Debug)]
pub struct Revoked {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The guest.
    pub guest: UserId,
    /// The seat.
    pub seat: SeatId,
    /// Its number.
    pub number: u32,
    /// Whether it is blocked now.
    pub blocked: bool,
    /// The change of the seat, for Redis.
    pub change: Recorded<SeatsChanged>,
}

/// Calls `revoke_guest` (`migrations/functions/revoke_guest.sql`), as a part of this transaction. It
/// takes the locks itself.
pub async fn revoke_guest(
    tx: &mut Tx,
    id: ReservationId,
    block: Option<bool>,
) -> Result<RevokeReply, StoreError> {
    let row = sqlx::query!(
        r#"select reply as "reply!", schedule, guest, old_seat, blocked, old_number, old_fence,
                  outbox_id
           from revoke_guest($1, $2)"#,
        id.0,
        block
    )
    .fetch_one(tx.conn())
    .await?;
    let revoked = (|| {
        let (schedule, blocked) = (ScheduleId(row.schedule?), row.blocked?);
        let number = row.old_number?.unsigned_abs();
        let seat = FencedSeat { number, fence: row.old_fence?, user: None };
        let state = if blocked { SeatState::Blocked } else { SeatState::Free };
        Some(Revoked {
            schedule,
            guest: UserId(row.guest?),
            seat: SeatId(row.old_seat?),
            number,
            blocked,
            change: changed(row.outbox_id?, schedule, seat, state),
        })
    })();
    Ok(RevokeReply { word: row.reply, revoked })
}

/// Lists the seats that were given in a schedule, the latest first.
pub async fn list(
    pg: &Pg,
    schedule: ScheduleId,
    paging: Paging,
) -> Result<Vec<GuestSeat>, StoreError> {
    let rows = sqlx::query!(
        r#"select g.reservation_id, r.hold_id, r.user_id, u.name, s.id as seat_id,
                  s.concert_schedule_id, s.seat_number, s.section, s."row", g.reason,
                  g.given_by, a.name as admin_name, g.given_at, g.was_blocked, g.revoked_at
           from guest_seat g join reservation r on r.id = g.reservation_id
           join "user" u on u.id = r.user_id join seat s on s.id = r.seat_id
           join "user" a on a.id = g.given_by
           where g.concert_schedule_id = $1 and g.reservation_id < $2
           order by g.reservation_id desc limit $3"#,
        schedule.0,
        paging.after.unwrap_or(i64::MAX),
        paging.fetch()
    )
    .fetch_all(pg.pool())
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.push(GuestSeat {
            reservation_id: ReservationId(row.reservation_id),
            hold_id: row.hold_id,
            guest: Person { id: UserId(row.user_id), name: row.name },
            seat: NamedSeat {
                id: SeatId(row.seat_id),
                schedule_id: ScheduleId(row.concert_schedule_id),
                seat_number: row.seat_number.unsigned_abs(),
                section: row.section,
                row: row.row,
            },
            reason: row.reason,
            given_by: Person { id: UserId(row.given_by), name: row.admin_name },
            given_at: row.given_at,
            was_blocked: row.was_blocked,
            revoked_at: row.revoked_at,
        });
    }
    Ok(found)
}

/// Whether there is a schedule with this id.
pub async fn has_schedule(pg: &Pg, id: ScheduleId) -> Result<bool, StoreError> {
    let find = sqlx::query_scalar!(
        r#"select exists (select from concert_schedule where id = $1) as "found!""#,
        id.0
    );
    Ok(find.fetch_one(pg.pool()).await?)
}
