//! The SQL that reads reservations and holds.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::pagination::Paging;
use crate::queue::model::Sequence;
use crate::reservation::model::{Reservation, ReservationStatus};
use crate::store::StoreError;
use crate::store::id::{ConcertId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::{Pg, Tx, clock};

/// The seats of a hold. A transaction reads them before it takes locks.
#[derive(Debug, Clone)]
pub struct HoldSeats {
    /// Id of the schedule.
    pub schedule: ScheduleId,
    /// Sequence of the buyer's queue entry.
    pub sequence: Sequence,
    /// Ids of the seats, in order.
    pub seats: Vec<SeatId>,
}

struct Row {
    id: i64,
    hold_id: Uuid,
    concert_id: i64,
    concert_schedule_id: i64,
    seat_id: i64,
    seat_number: i32,
    status: String,
    amount: i64,
    reservation_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl TryFrom<Row> for Reservation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ReservationId(row.id),
            hold_id: row.hold_id,
            concert_id: ConcertId(row.concert_id),
            schedule_id: ScheduleId(row.concert_schedule_id),
            seat_id: SeatId(row.seat_id),
            seat_number: row.seat_number.unsigned_abs(),
            status: ReservationStatus::parse(&row.status)?,
            amount: row.amount,
            reservation_at: row.reservation_at,
            expires_at: row.expires_at,
        })
    }
}

/// Reads the reservations of a user's hold, in order of seat ids, and PostgreSQL's clock. Empty if
/// the user has no such hold.
pub async fn hold(
    pg: &Pg,
    user: UserId,
    hold: Uuid,
) -> Result<(Vec<Reservation>, DateTime<Utc>), StoreError> {
    let rows = rows_of_hold(pg.pool(), user, hold).await?;
    Ok((rows, clock(pg.pool()).await?))
}

/// Like [`hold`], in a transaction that has locked the seats. The rows are read in a later
/// statement than the locks, and the clock after the rows.
pub async fn hold_locked(
    tx: &mut Tx,
    user: UserId,
    hold: Uuid,
) -> Result<(Vec<Reservation>, DateTime<Utc>), StoreError> {
    let rows = rows_of_hold(tx.conn(), user, hold).await?;
    Ok((rows, clock(tx.conn()).await?))
}

async fn rows_of_hold(
    on: impl PgExecutor<'_>,
    user: UserId,
    hold: Uuid,
) -> Result<Vec<Reservation>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select r.id, r.hold_id, r.concert_id, r.concert_schedule_id, r.seat_id, s.seat_number,
                r.status, r.amount, r.reservation_at, r.expires_at
         from reservation r join seat s on s.id = r.seat_id
         where r.hold_id = $1 and r.user_id + 0 = $2 order by r.seat_id",
        hold,
        user.0
    )
    .fetch_all(on)
    .await?;
    rows.into_iter().map(Reservation::try_from).collect()
}

/// Reads the seats of a user's hold; `None` if the user has no such hold.
pub async fn seats_of_hold(
    tx: &mut Tx,
    user: UserId,
    hold: Uuid,
) -> Result<Option<HoldSeats>, StoreError> {
    let rows = sqlx::query!(
        "select concert_schedule_id, queue_sequence, seat_id from reservation
         where hold_id = $1 and user_id + 0 = $2 order by seat_id",
        hold,
        user.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.first().map(|first| HoldSeats {
        schedule: ScheduleId(first.concert_schedule_id),
        sequence: Sequence(first.queue_sequence.cast_unsigned()),
        seats: rows.iter().map(|row| SeatId(row.seat_id)).collect(),
    }))
}

/// Reads one of a user's reservations.
pub async fn one(
    pg: &Pg,
    user: UserId,
    id: ReservationId,
) -> Result<Option<Reservation>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select r.id, r.hold_id, r.concert_id, r.concert_schedule_id, r.seat_id, s.seat_number,
                r.status, r.amount, r.reservation_at, r.expires_at
         from reservation r join seat s on s.id = r.seat_id
         where r.id = $1 and r.user_id = $2",
        id.0,
        user.0
    )
    .fetch_optional(pg.pool())
    .await?;
    row.map(Reservation::try_from).transpose()
}

/// Lists a user's reservations, newest first.
pub async fn list(
    pg: &Pg,
    user: UserId,
    status: Option<ReservationStatus>,
    paging: Paging,
) -> Result<Vec<Reservation>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select r.id, r.hold_id, r.concert_id, r.concert_schedule_id, r.seat_id, s.seat_number,
                r.status, r.amount, r.reservation_at, r.expires_at
         from reservation r join seat s on s.id = r.seat_id
         where r.user_id = $1 and ($2::bigint is null or r.id < $2)
           and ($3::text is null or r.status = $3)
         order by r.id desc limit $4",
        user.0,
        paging.after,
        status.map(ReservationStatus::as_str),
        paging.fetch()
    )
    .fetch_all(pg.pool())
    .await?;
    rows.into_iter().map(Reservation::try_from).collect()
}
