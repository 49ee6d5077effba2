//! The SQL that finds buyers and seats. Each statement finds its rows by an index. Rehearsals, whose
//! buyers and schedules have ids below zero, are not found.

pub mod buyer;

use uuid::Uuid;

use super::model::{MatchedBy, SearchHit, SeatProfile, SeatState};
use crate::admin::box_office::model::{NamedSeat, Person};
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Pg;

/// The highest character. A name that begins with a text is not above this text followed by it.
const HIGHEST: &str = "\u{10ffff}";

/// A reservation with its user, seat and payment.
struct ReservationRow {
    id: i64,
    hold_id: Uuid,
    user_id: i64,
    name: String,
    seat_id: i64,
    concert_schedule_id: i64,
    seat_number: i32,
    section: String,
    row: String,
    payment_id: Option<i64>,
}

impl ReservationRow {
    fn hit(self, matched_by: MatchedBy) -> SearchHit {
        let schedule_id = ScheduleId(self.concert_schedule_id);
        SearchHit {
            seat: Some(NamedSeat {
                id: SeatId(self.seat_id),
                schedule_id,
                seat_number: self.seat_number.unsigned_abs(),
                section: self.section,
                row: self.row,
            }),
            schedule_id: Some(schedule_id),
            reservation_id: Some(ReservationId(self.id)),
            hold_id: Some(self.hold_id),
            payment_id: self.payment_id.map(PaymentId),
            ..SearchHit::of_user(matched_by, Person { id: UserId(self.user_id), name: self.name })
        }
    }
}

/// Reads reservations by a condition, which names an index.
macro_rules! reservations {
    ($pg:ident, $condition:literal, $id:expr) => {
        sqlx::query_as!(
            ReservationRow,
            r#"select r.id, r.hold_id, r.user_id, u.name, s.id as seat_id, s.concert_schedule_id,
                      s.seat_number, s.section, s."row", p.id as "payment_id?"
               from reservation r join "user" u on u.id = r.user_id join seat s on s.id = r.seat_id
               left join payment p on p.reservation_id = r.id
               where r.user_id > 0 and "#
                + $condition
                + " order by r.id limit 100",
            $id
        )
        .fetch_all($pg.pool())
        .await?
    };
}

/// Finds a reservation by its id.
pub async fn by_reservation(pg: &Pg, id: i64) -> Result<Vec<SearchHit>, StoreError> {
    let rows = reservations!(pg, "r.id = $1", id);
    Ok(rows.into_iter().map(|row| row.hit(MatchedBy::Reservation)).collect())
}

/// Finds a reservation by the id of its payment.
pub async fn by_payment(pg: &Pg, id: i64) -> Result<Vec<SearchHit>, StoreError> {
    let rows = reservations!(pg, "p.id = $1", id);
    Ok(rows.into_iter().map(|row| row.hit(MatchedBy::Payment)).collect())
}

/// Finds the reservations of a hold.
pub async fn by_hold(pg: &Pg, id: Uuid) -> Result<Vec<SearchHit>, StoreError> {
    let rows = reservations!(pg, "r.hold_id = $1", id);
    Ok(rows.into_iter().map(|row| row.hit(MatchedBy::Hold)).collect())
}

/// Finds a queue entry by its ticket id.
pub async fn by_ticket(pg: &Pg, id: Uuid) -> Result<Vec<SearchHit>, StoreError> {
    let rows = sqlx::query!(
        r#"select q.user_id, u.name, q.concert_schedule_id from queue q
           join "user" u on u.id = q.user_id where q.token = $1 and q.user_id > 0 limit 1"#,
        id
    )
    .fetch_all(pg.pool())
    .await?;
    let hit = |user: Person, schedule| SearchHit {
        schedule_id: Some(ScheduleId(schedule)),
        ticket_id: Some(id),
        ..SearchHit::of_user(MatchedBy::Ticket, user)
    };
    Ok(rows
        .into_iter()
        .map(|row| hit(Person { id: UserId(row.user_id), name: row.name }, row.concert_schedule_id))
        .collect())
}

/// Finds a user by its id.
pub async fn by_user(pg: &Pg, id: i64) -> Result<Vec<SearchHit>, StoreError> {
    let rows = sqlx::query!(r#"select id, name from "user" where id = $1 and id > 0"#, id)
        .fetch_all(pg.pool())
        .await?;
    let person = |id, name| Person { id: UserId(id), name };
    let hit = |user| SearchHit::of_user(MatchedBy::User, user);
    Ok(rows.into_iter().map(|row| hit(person(row.id, row.name))).collect())
}

/// Finds up to `limit` users whose names begin with `text`, in any case, in order of names.
pub async fn by_name(pg: &Pg, text: &str, limit: i64) -> Result<Vec<SearchHit>, StoreError> {
    // Operators that compare bytes, as the index does; `like` with a parameter would not use it.
    let rows = sqlx::query!(
        r#"select id, name from "user"
           where lower(name) ~>=~ lower($1) and lower(name) ~<=~ (lower($1) || $2)
             and id > 0
           order by lower(name) using ~<~, id limit $3"#,
        text,
        HIGHEST,
        limit
    )
    .fetch_all(pg.pool())
    .await?;
    let person = |id, name| Person { id: UserId(id), name };
    let hit = |user| SearchHit::of_user(MatchedBy::Name, user);
    Ok(rows.into_iter().map(|row| hit(person(row.id, row.name))).collect())
}

/// The id of the seat with this number in a schedule.
pub async fn seat_numbered(
    pg: &Pg,
    schedule: ScheduleId,
    number: i32,
) -> Result<Option<SeatId>, StoreError> {
    let find = sqlx::query_scalar!(
        "select id from seat where concert_schedule_id = $1 and seat_number = $2
           and concert_schedule_id > 0",
        schedule.0,
        number
    );
    Ok(find.fetch_optional(pg.pool()).await?.map(SeatId))
}

/// Reads a seat, and who has it.
pub async fn seat(pg: &Pg, id: SeatId) -> Result<Option<SeatProfile>, StoreError> {
    let row = sqlx::query!(
        r#"select s.id, s.concert_schedule_id, s.seat_number, s.section, s."row", s.seat_price,
                  s.status = 'UNAVAILABLE' as "sold!", s.blocked, r.id as "reservation?",
                  r.hold_id as "hold_id?", r.user_id as "user_id?", u.name as "name?",
                  r.amount as "amount?", r.guest as "guest?", p.id as "payment?",
                  case when r.status = 'PAYMENT_WAITING' then r.expires_at end as expires_at,
                  r.status = 'PAYMENT_WAITING' and r.expires_at > clock_timestamp() as "held?"
           from seat s left join lateral (
             select id, hold_id, user_id, amount, guest, status, expires_at from reservation
             where seat_id = s.id and status in ('PAYMENT_WAITING', 'COMPLETE') limit 1) r on true
           left join "user" u on u.id = r.user_id
           left join payment p on p.reservation_id = r.id
           where s.id = $1 and s.concert_schedule_id > 0"#,
        id.0
    )
    .fetch_optional(pg.pool())
    .await?;
    Ok(row.map(|row| {
        let state = match (row.sold, row.guest) {
            (true, Some(true)) => SeatState::Guest,
            (true, _) => SeatState::Sold,
            _ if row.blocked => SeatState::Blocked,
            _ if row.held == Some(true) => SeatState::Held,
            _ => SeatState::Available,
        };
        // An unpaid hold past its end has no claim to the seat.
        let has_owner = matches!(state, SeatState::Guest | SeatState::Sold | SeatState::Held);
        SeatProfile {
            seat: NamedSeat {
                id: SeatId(row.id),
                schedule_id: ScheduleId(row.concert_schedule_id),
                seat_number: row.seat_number.unsigned_abs(),
                section: row.section,
                row: row.row,
            },
            seat_price: row.seat_price,
            state,
            owner: Person::of(row.user_id, row.name).filter(|_| has_owner),
            reservation_id: row.reservation.map(ReservationId).filter(|_| has_owner),
            hold_id: row.hold_id.filter(|_| has_owner),
            payment_id: row.payment.map(PaymentId),
            amount: row.amount.filter(|_| has_owner),
            expires_at: row.expires_at.filter(|_| has_owner),
        }
    }))
}
