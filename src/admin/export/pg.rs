//! The SQL of exports. Each page is one short statement, which looks at the next rows of one index:
//! reservations of a schedule by id, or queue entries by sequence. It returns a row for each of them,
//! also for those that are not exported, so that the next page begins after the last one.

use super::record::{Admission, Buyer, PaymentRow, PointRow, ReservationRow};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// The buyers among the next reservations. A buyer is exported at their first paid reservation.
pub(super) async fn buyers(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<Vec<Buyer>, StoreError> {
    let rows = sqlx::query_as!(
        Buyer,
        r#"with page as materialized (
             select o.id, o.user_id, o.status in ('COMPLETE', 'REFUNDED') and not o.guest and not exists (
                      select from reservation e
                      where e.user_id = o.user_id and e.id < o.id and not e.guest
                        and e.concert_schedule_id + 0 = $1
                        and e.status || '' in ('COMPLETE', 'REFUNDED')) as is_first
             from (select id, user_id, status, guest from reservation
                   where concert_schedule_id = $1 and id > $2 order by id limit $3) o)
           select p.id as "cursor!", p.user_id as "user_id!", u.name as "name!", b.seats as "seats!", b.amount as "amount!",
                  b.refunded_seats as "refunded_seats!", b.refunded_amount as "refunded_amount!",
                  b.first_reserved_at as "first_reserved_at?"
           from page p join "user" u on u.id = p.user_id
           cross join lateral (
             select count(*) filter (where r.status = 'COMPLETE') as seats,
                    coalesce(sum(r.amount) filter (where r.status = 'COMPLETE'), 0)::bigint as amount,
                    count(*) filter (where r.status = 'REFUNDED') as refunded_seats,
                    coalesce(sum(r.amount) filter (where r.status = 'REFUNDED'), 0)::bigint
                      as refunded_amount,
                    min(r.reservation_at) as first_reserved_at
             from reservation r
             where p.is_first and r.user_id = p.user_id and r.concert_schedule_id + 0 = $1
               and not r.guest
               and r.status || '' in ('COMPLETE', 'REFUNDED')) b
           order by p.id"#,
        schedule.0,
        after,
        limit
    );
    Ok(rows.fetch_all(pg.pool()).await?)
}

/// The next reservations.
pub(super) async fn reservations(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<Vec<ReservationRow>, StoreError> {
    let rows = sqlx::query_as!(
        ReservationRow,
        r#"with page as materialized (
             select id, hold_id, user_id, seat_id, status, amount, reservation_at, expires_at,
                    queue_sequence
             from reservation where concert_schedule_id = $1 and id > $2 order by id limit $3)
           select p.id as "cursor!", p.hold_id as "hold_id!", p.user_id as "user_id!",
                  u.name as "name!", s.seat_number as "seat_number!", s.section as "section!",
                  s."row" as "row!", p.status as "status?", p.amount as "amount!",
                  p.reservation_at as "reserved_at!", p.expires_at as "expires_at!",
                  p.queue_sequence as "queue_sequence!"
           from page p join "user" u on u.id = p.user_id join seat s on s.id = p.seat_id
           order by p.id"#,
        schedule.0,
        after,
        limit
    );
    Ok(rows.fetch_all(pg.pool()).await?)
}

/// The payments of the next reservations.
pub(super) async fn payments(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<Vec<PaymentRow>, StoreError> {
    let rows = sqlx::query_as!(
        PaymentRow,
        r#"with page as materialized (
             select id, hold_id, user_id, seat_id, amount from reservation
             where concert_schedule_id = $1 and id > $2 order by id limit $3)
           select r.id as "cursor!", p.id as "payment_id?", r.hold_id as "hold_id!",
                  r.user_id as "user_id!", u.name as "name!", s.seat_number as "seat_number!",
                  s.section as "section!", s."row" as "row!", r.amount as "amount!", p.status as "status?", p.payment_at as "paid_at?",
                  p.refunded_at as "refunded_at?"
           from page r join "user" u on u.id = r.user_id join seat s on s.id = r.seat_id
           left join payment p on p.reservation_id = r.id
           order by r.id"#,
        schedule.0,
        after,
        limit
    );
    Ok(rows.fetch_all(pg.pool()).await?)
}

/// The movements of points of the next reservations. Its cursor is twice the reservation's id for the
/// payment of a hold, at the first reservation of the hold; one more for the refund of a reservation.
pub(super) async fn points(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<Vec<PointRow>, StoreError> {
    let rows = sqlx::query_as!(
        PointRow,
        r#"with page as materialized (
             select id, hold_id, user_id, status in ('COMPLETE', 'REFUNDED') and not exists (
                      select from reservation e where e.hold_id = o.hold_id and e.id < o.id) as pays
             from (select id, hold_id, user_id, status from reservation
                   where concert_schedule_id = $1 and id > ($2::bigint - 1) / 2
                   order by id limit $3) o)
           select m.cursor as "cursor!", m.kind as "kind?", p.user_id as "user_id!",
                  u.name as "name!", m.amount as "amount?", m.balance_after as "balance_after?",
                  p.hold_id as "hold_id!", m.reference as "reference?", m.created_at as "moved_at?"
           from page p join "user" u on u.id = p.user_id
           cross join lateral (
             select 2 * p.id as cursor, h.kind, h.amount, h.balance_after, h.reference, h.created_at
             from point_history h
             where p.pays and h.kind = 'PAYMENT' and h.reference = p.hold_id::text
             union all
             select 2 * p.id + 1, h.kind, h.amount, h.balance_after, h.reference, h.created_at
             from (select) one
             left join payment y on y.reservation_id = p.id and y.status = 'REFUNDED'
             left join point_history h on h.kind = 'REFUND' and h.reference = y.id::text) m
           where m.cursor > $2
           order by m.cursor"#,
        schedule.0,
        after,
        limit
    );
    Ok(rows.fetch_all(pg.pool()).await?)
}

/// The admitted ones of the next queue entries.
pub(super) async fn admissions(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<Vec<Admission>, StoreError> {
    let rows = sqlx::query_as!(
        Admission,
        r#"with page as materialized (
             select sequence, user_id, token, status, created_at, entered_at, expired_at from queue
             where concert_schedule_id = $1 and sequence > $2 order by sequence limit $3)
           select q.sequence as "cursor!", q.user_id as "user_id!", u.name as "name!",
                  q.token as "ticket_id!", q.status as "status!", q.created_at as "joined_at!",
                  q.entered_at as "admitted_at?", q.expired_at as "ended_at?"
           from page q join "user" u on u.id = q.user_id
           order by q.sequence"#,
        schedule.0,
        after,
        limit
    );
    Ok(rows.fetch_all(pg.pool()).await?)
}
