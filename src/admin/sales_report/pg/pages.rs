//! The pages in which the report reads the large tables. Each page is one short statement, which
//! finds its rows by an index and returns sums of them.

use chrono::{DateTime, Utc};

use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};

/// Sums of the queue entries of one page.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the counts are those of `LineReport`")]
pub struct EntryPage {
    /// The last sequence of the page; `None` if there are no more entries.
    pub last: Option<i64>,
    pub joined: i64,
    pub admitted: i64,
    pub completed: i64,
    pub expired_inside: i64,
    pub left_inside: i64,
    pub expired_waiting: i64,
    pub left_waiting: i64,
    pub waiting: i64,
    pub inside: i64,
    /// Entries that were created before the opening.
    pub early: i64,
    /// The user of each entry.
    pub users: Vec<i64>,
    /// What each of these users did in this entry: bits of `people`.
    pub marks: Vec<i16>,
    /// The rank of each admitted entry in the page, from 0, in any order.
    pub ranks: Vec<i32>,
    /// Waits of the same entries from joining, in microseconds.
    pub waits: Vec<i64>,
    /// The same from the opening.
    pub waits_from_opening: Vec<i64>,
    /// Longest wait of an entry that ended and was never admitted, in seconds.
    pub ended_in_vain: Option<f64>,
    /// Since when the oldest entry waits that was never admitted.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Times of the first and the last event.
    pub first: Option<DateTime<Utc>>,
    pub latest: Option<DateTime<Utc>>,
    /// Intervals of ten seconds with joins, and the joins of each.
    pub joined_at: Vec<DateTime<Utc>>,
    pub joined_then: Vec<i64>,
    /// The same for first admissions.
    pub admitted_at: Vec<DateTime<Utc>>,
    pub admitted_then: Vec<i64>,
}

/// Reads the next `limit` queue entries after the sequence `after`.
///
/// The marks are sums of 1 (joined), 2 (admitted), 4 (seen afterwards) and 8 (not ended). An entry
/// that was passed over has no end of a slot, or has expired before it.
pub async fn entries(
    tx: &mut Tx,
    schedule: ScheduleId,
    opening: DateTime<Utc>,
    after: i64,
    limit: i64,
) -> Result<EntryPage, StoreError> {
    let page = sqlx::query_as!(
        EntryPage,
        r#"with page as materialized (
             select sequence, user_id, status, created_at, entered_at, expired_at, slot_ends_at,
                    (row_number() over (order by sequence) - 1)::integer as rank from queue
             where concert_schedule_id = $1 and sequence > $3 order by sequence limit $4),
           joins as (select date_bin('10 seconds', created_at, 'epoch') as at, count(*) as times
                     from page group by 1),
           admissions as (select date_bin('10 seconds', entered_at, 'epoch') as at, count(*) as times
                          from page where entered_at is not null group by 1)
           select max(sequence) as last, count(*) as "joined!", count(entered_at) as "admitted!",
                  count(*) filter (where status = 'COMPLETED') as "completed!",
                  count(entered_at) filter (where status = 'EXPIRED') as "expired_inside!",
                  count(entered_at) filter (where status = 'LEFT') as "left_inside!",
                  count(*) filter (where status = 'EXPIRED' and entered_at is null) as "expired_waiting!",
                  count(*) filter (where status = 'LEFT' and entered_at is null) as "left_waiting!",
                  count(*) filter (where status = 'WAITING') as "waiting!",
                  count(*) filter (where status = 'ACTIVE') as "inside!",
                  count(*) filter (where created_at < $2) as "early!",
                  coalesce(array_agg(user_id), '{}') as "users!",
                  coalesce(array_agg((1 + case when entered_at is null then 0 else 2
                      + 4 * coalesce(status in ('COMPLETED', 'LEFT')
                                     or coalesce(expired_at, slot_ends_at) >= slot_ends_at, false)::integer
                      + 8 * (status in ('WAITING', 'ACTIVE'))::integer end)::smallint), '{}')
                    as "marks!",
                  coalesce(array_agg(rank) filter (where entered_at is not null), '{}') as "ranks!",
                  coalesce(array_agg((1000000 * extract(epoch from greatest(interval '0',
                             entered_at - created_at)))::bigint)
                           filter (where entered_at is not null), '{}') as "waits!",
                  coalesce(array_agg((1000000 * extract(epoch from greatest(interval '0',
                             entered_at - greatest(created_at, $2))))::bigint)
                           filter (where entered_at is not null), '{}') as "waits_from_opening!",
                  max(extract(epoch from expired_at - created_at)::float8)
                    filter (where entered_at is null) as ended_in_vain,
                  min(created_at) filter (where entered_at is null and expired_at is null)
                    as waiting_since,
                  min(created_at) as first, max(greatest(created_at, entered_at)) as latest,
                  coalesce((select array_agg(at order by at) from joins), '{}') as "joined_at!",
                  coalesce((select array_agg(times order by at) from joins), '{}') as "joined_then!",
                  coalesce((select array_agg(at order by at) from admissions), '{}') as "admitted_at!",
                  coalesce((select array_agg(times order by at) from admissions), '{}') as "admitted_then!"
           from page"#,
        schedule.0,
        opening,
        after,
        limit
    );
    Ok(page.fetch_one(tx.conn()).await?)
}

/// Sums of the reservations of one page.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the counts are those of `SalesReport`")]
pub struct ReservationPage {
    /// The last id of the page; `None` if there are no more reservations.
    pub last: Option<i64>,
    pub sold: i64,
    pub guests: i64,
    pub revenue: i64,
    pub refunded: i64,
    pub refunds: i64,
    pub held: i64,
    pub expired: i64,
    pub cancelled: i64,
    /// The owner of each reservation that is not for a guest.
    pub owners: Vec<i64>,
    /// What each of them did in this reservation: bits of `people`.
    pub marks: Vec<i16>,
    /// Time of the last payment.
    pub last_payment: Option<DateTime<Utc>>,
    /// Times of the first and the last payment or refund.
    pub first: Option<DateTime<Utc>>,
    pub latest: Option<DateTime<Utc>>,
    /// Intervals of ten seconds with payments, and the payments and points of each.
    pub sold_at: Vec<DateTime<Utc>>,
    pub sold_then: Vec<i64>,
    pub paid_then: Vec<i64>,
    /// Intervals of ten seconds with refunds, and the refunds of each.
    pub refunded_at: Vec<DateTime<Utc>>,
    pub refunded_then: Vec<i64>,
}

/// Reads the next `limit` reservations after the id `after`, with their payments.
///
/// The marks are sums of 16 (held), 32 (paid), 64 (waits for payment) and 128 (owns a sold seat).
pub async fn reservations(
    tx: &mut Tx,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<ReservationPage, StoreError> {
    let page = sqlx::query_as!(
        ReservationPage,
        r#"with chosen as materialized (
             select id, user_id, status, amount, guest from reservation
             where concert_schedule_id = $1 and id > $2 order by id limit $3),
           page as materialized (
             select s.*, p.amount as paid, p.payment_at, p.refunded_at from chosen s
             left join lateral (select amount, payment_at, refunded_at from payment
                                where reservation_id = s.id limit 1) p on true),
           payments as (
             select date_bin('10 seconds', payment_at, 'epoch') as at, count(*) as times,
                    sum(paid)::bigint as paid
             from page where payment_at is not null group by 1),
           refunds as (
             select date_bin('10 seconds', refunded_at, 'epoch') as at, count(*) as times
             from page where refunded_at is not null group by 1)
           select max(id) as last,
                  count(*) filter (where status = 'COMPLETE' and not guest) as "sold!",
                  count(*) filter (where status = 'COMPLETE' and guest) as "guests!",
                  coalesce(sum(amount) filter (where status = 'COMPLETE'), 0)::bigint as "revenue!",
                  count(*) filter (where status = 'REFUNDED') as "refunded!",
                  coalesce(sum(amount) filter (where status = 'REFUNDED'), 0)::bigint as "refunds!",
                  count(*) filter (where status = 'PAYMENT_WAITING') as "held!",
                  count(*) filter (where status = 'EXPIRED') as "expired!",
                  count(*) filter (where status = 'CANCELLED' and not guest) as "cancelled!",
                  coalesce(array_agg(user_id) filter (where not guest), '{}') as "owners!",
                  coalesce(array_agg((16 + case status when 'COMPLETE' then 32 + 128
                      when 'REFUNDED' then 32 when 'PAYMENT_WAITING' then 64 else 0 end)::smallint)
                    filter (where not guest), '{}') as "marks!",
                  max(payment_at) as last_payment,
                  min(payment_at) as first, max(greatest(payment_at, refunded_at)) as latest,
                  coalesce((select array_agg(at order by at) from payments), '{}') as "sold_at!",
                  coalesce((select array_agg(times order by at) from payments), '{}')
                    as "sold_then!",
                  coalesce((select array_agg(paid order by at) from payments), '{}')
                    as "paid_then!",
                  coalesce((select array_agg(at order by at) from refunds), '{}')
                    as "refunded_at!",
                  coalesce((select array_agg(times order by at) from refunds), '{}')
                    as "refunded_then!"
           from page"#,
        schedule.0,
        after,
        limit
    );
    Ok(page.fetch_one(tx.conn()).await?)
}

/// One queue entry, for the list of all entries.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are those of the table")]
pub struct Entry {
    pub sequence: i64,
    pub token: uuid::Uuid,
    pub user_id: i64,
    pub status: String,
    pub created_at: DateTime<Utc>,
    pub entered_at: Option<DateTime<Utc>>,
    pub expired_at: Option<DateTime<Utc>>,
}

/// Lists the next `limit` queue entries after the sequence `after`, as they are now.
pub async fn list_entries(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let entries = sqlx::query_as!(
        Entry,
        "select sequence, token, user_id, status, created_at, entered_at, expired_at from queue
         where concert_schedule_id = $1 and sequence > $2 order by sequence limit $3",
        schedule.0,
        after,
        limit
    );
    Ok(entries.fetch_all(pg.pool()).await?)
}
