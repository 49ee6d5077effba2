//! The reads of a rebuild from PostgreSQL. Each page is one short statement over a bounded number
//! of rows, however large the tables are.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::queue::model::{Ended, Sequence};
use crate::seats::model::{FencedSeat, SeatState};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::pg::{Pg, clock};

/// Seat numbers per page.
const SEATS: u32 = 5_000;
/// Reservations or queue entries per page.
const ROWS: i64 = 10_000;

/// A page of seats: those that ever changed.
#[derive(Debug)]
pub struct SeatPage {
    /// The seats with their states.
    pub seats: Vec<(FencedSeat, SeatState)>,
    /// PostgreSQL's clock after the seats were read.
    pub now: DateTime<Utc>,
    /// The last seat number of the page; the next page begins after it.
    pub last: u32,
}

/// A page of reservations.
#[derive(Debug)]
pub struct ReservationPage {
    /// Users who ever held a seat.
    pub buyers: Vec<UserId>,
    /// Entries that were paid from and have not ended in `queue`: Redis was lost before its log was
    /// written.
    pub paid: Vec<(UserId, Sequence)>,
    /// The id of the last reservation; the next page begins after it.
    pub last: i64,
}

/// A page of queue entries.
#[derive(Debug)]
pub struct EntryPage {
    /// Number of entries in the page, of every status.
    pub count: u64,
    /// The entries that wait and were never admitted, in order. Not those of a user with a later
    /// entry: a loss of Redis came between the two, and the ticket that is shown decides.
    pub waiting: Vec<(UserId, Sequence)>,
    /// The entries that ended, and how.
    pub ended: Vec<(Sequence, Ended)>,
    /// The open entries with an active slot, and when the slot ends (ms since 1970).
    pub slots: Vec<(Sequence, i64)>,
    /// The last entry; the next page begins after it.
    pub last: Sequence,
}

/// The changed seats among the 5,000 numbers after `after`.
pub async fn seats(pg: &Pg, schedule: ScheduleId, after: u32) -> Result<SeatPage, StoreError> {
    let last = after.saturating_add(SEATS);
    // The limit keeps the planner from reading the reservations of all sales for each page.
    let rows = sqlx::query!(
        r#"select s.seat_number, s.fence, s.blocked, s.status = 'UNAVAILABLE' as "sold!",
                  r.hold_id as "hold_id?", r.expires_at as "expires_at?", r.user_id as "user_id?"
           from seat s left join lateral
             (select user_id, case when status = 'PAYMENT_WAITING' then hold_id end as hold_id,
                     expires_at
              from reservation
              where seat_id = s.id and status in ('PAYMENT_WAITING', 'COMPLETE') limit 1) r on true
           where s.concert_schedule_id = $1 and s.seat_number > $2 and s.seat_number <= $3
             and s.fence > 0
           order by s.seat_number"#,
        schedule.0,
        after.cast_signed(),
        last.cast_signed()
    );
    let rows = rows.fetch_all(pg.pool()).await?;
    // After the seats: a hold must not last longer in Redis than in PostgreSQL.
    let now = clock(pg.pool()).await?;
    let seats = rows.into_iter().map(|row| {
        let number = row.seat_number.unsigned_abs();
        let seat = FencedSeat { number, fence: row.fence, user: row.user_id.map(UserId) };
        let state = match row.hold_id.zip(row.expires_at) {
            _ if row.blocked => SeatState::Blocked,
            _ if row.sold => SeatState::Sold { hold: Uuid::nil() },
            Some((hold, expires_at)) => SeatState::Held { hold, expires_at },
            // Free, but changed before: its fence keeps a late relayed event from undoing that.
            None => SeatState::Free,
        };
        (seat, state)
    });
    Ok(SeatPage { seats: seats.collect(), now, last })
}

/// The page of reservations with ids above `after`; `None` if there are no more.
pub async fn reservations(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
) -> Result<Option<ReservationPage>, StoreError> {
    let row = sqlx::query!(
        r#"with page as materialized (
             select id, user_id, queue_sequence, reservation_at,
                    status in ('COMPLETE', 'REFUNDED') and not guest as paid
             from reservation where concert_schedule_id = $1 and id > $2 order by id limit $3),
           place as materialized (
             select user_id, queue_sequence, max(reservation_at) as last_at
             from page where paid group by user_id, queue_sequence),
           -- By its sequence, in one probe; only of a drawn place, or one that was never written,
           -- by its user. The orders and limits keep the planner from reading the whole table.
           paid as materialized (
             select p.user_id, p.queue_sequence
             from place p left join lateral
               (select status from queue q where q.concert_schedule_id = $1
                  and q.sequence = p.queue_sequence order by q.sequence limit 1) own on true
             where case when own.status is not null then own.status in ('WAITING', 'ACTIVE')
                   else (select q.id from queue q where q.user_id = p.user_id
                           and q.concert_schedule_id = $1 and q.expired_at >= p.last_at
                         order by q.user_id, q.id desc limit 1) is null end)
           select (select max(id) from page) as last,
                  array(select distinct user_id from page) as "buyers!",
                  array(select user_id from paid order by user_id, queue_sequence) as "users!",
                  array(select queue_sequence from paid order by user_id, queue_sequence)
                    as "places!""#,
        schedule.0,
        after,
        ROWS
    );
    let row = row.fetch_one(pg.pool()).await?;
    let sequence = |number: i64| Sequence(number.cast_unsigned());
    let paid = row.users.into_iter().map(UserId).zip(row.places.into_iter().map(sequence));
    Ok(row.last.map(|last| ReservationPage {
        buyers: row.buyers.into_iter().map(UserId).collect(),
        paid: paid.collect(),
        last,
    }))
}

/// The page of queue entries after `after`; `None` if there are no more. `latest` is the lowest
/// sequence of the last epoch that has entries: later entries of a user are looked for only before
/// it. There, the sums with 0 keep the planner from reading all later entries of the schedule.
pub async fn entries(
    pg: &Pg,
    schedule: ScheduleId,
    after: Sequence,
    latest: Sequence,
) -> Result<Option<EntryPage>, StoreError> {
    let row = sqlx::query!(
        r#"with page as materialized (
             select sequence, user_id, status, entered_at, slot_ends_at from queue
             where concert_schedule_id = $1 and sequence > $2 order by sequence limit $3),
           waiting as materialized (
             select sequence, user_id from page p
             where status = 'WAITING' and entered_at is null
               and (sequence >= $4 or not exists (
                 select from queue q where q.user_id = p.user_id
                   and q.concert_schedule_id + 0 = $1 and q.sequence + 0 > p.sequence))),
           slot as materialized (
             select sequence, (extract(epoch from slot_ends_at) * 1000)::bigint as ends from page
             where status in ('WAITING', 'ACTIVE') and slot_ends_at is not null)
           select (select max(sequence) from page) as last, (select count(*) from page) as "count!",
                  array(select sequence from waiting order by sequence) as "waiting!",
                  array(select user_id from waiting order by sequence) as "users!",
                  array(select sequence from page where status = 'EXPIRED') as "expired!",
                  array(select sequence from page where status = 'LEFT') as "left!",
                  array(select sequence from page where status = 'COMPLETED') as "completed!",
                  array(select sequence from slot order by sequence) as "slots!",
                  array(select ends from slot order by sequence) as "ends!""#,
        schedule.0,
        after.as_i64(),
        ROWS,
        latest.as_i64()
    );
    let row = row.fetch_one(pg.pool()).await?;
    let sequence = |number: i64| Sequence(number.cast_unsigned());
    let reasons =
        [(row.expired, Ended::Expired), (row.left, Ended::Left), (row.completed, Ended::Completed)];
    let ended = |(sequences, ended): (Vec<i64>, Ended)| {
        sequences.into_iter().map(move |number| (sequence(number), ended))
    };
    Ok(row.last.map(|last| EntryPage {
        count: row.count.unsigned_abs(),
        waiting: row
            .users
            .into_iter()
            .map(UserId)
            .zip(row.waiting.into_iter().map(sequence))
            .collect(),
        ended: reasons.into_iter().flat_map(ended).collect(),
        slots: row.slots.into_iter().map(sequence).zip(row.ends).collect(),
        last: sequence(last),
    }))
}
