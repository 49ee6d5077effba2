//! The SQL of refunds of whole schedules.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::outbox::model::{OutboxId, Recorded};
use crate::seats::model::{FencedSeat, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId};
use crate::store::pg::Tx;

/// Reservations that one page looks at. They may all be unpaid.
const LOOK: i64 = 1000;

/// The reservations of a schedule, by what became of them.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Paid seats.
    pub seats: i64,
    /// Users who paid for them.
    pub buyers: i64,
    /// What they paid.
    pub amount: i64,
    /// Seats that wait for payment.
    pub held: i64,
    /// Refunded seats.
    pub refunded: i64,
    /// PostgreSQL's clock.
    pub now: DateTime<Utc>,
}

/// The payments of a page.
#[derive(Debug)]
pub struct PaymentPage {
    /// Their ids.
    pub ids: Vec<PaymentId>,
    /// The last reservation that the page looked at; `None` if there is none.
    pub last: Option<ReservationId>,
}

/// What a call of `refund_payments` refunded.
#[derive(Debug)]
pub struct RefundedPayments {
    /// Number of payments.
    pub payments: i64,
    /// Their sum, in points.
    pub amount: i64,
    /// The change of their seats.
    pub seats: Option<Recorded<SeatsChanged>>,
}

/// Counts the reservations of a schedule.
pub async fn count(on: impl PgExecutor<'_>, schedule: ScheduleId) -> Result<Counted, StoreError> {
    let counted = sqlx::query_as!(
        Counted,
        r#"select count(*) filter (where status = 'COMPLETE') as "seats!",
                  count(distinct user_id) filter (where status = 'COMPLETE') as "buyers!",
                  coalesce(sum(amount) filter (where status = 'COMPLETE'), 0)::bigint as "amount!",
                  count(*) filter (where status = 'PAYMENT_WAITING'
                                     and expires_at > clock_timestamp()) as "held!",
                  count(*) filter (where status = 'REFUNDED') as "refunded!",
                  clock_timestamp() as "now!"
           from reservation
           where concert_schedule_id = $1
             and status || '' in ('COMPLETE', 'PAYMENT_WAITING', 'REFUNDED')"#,
        schedule.0
    );
    Ok(counted.fetch_one(on).await?)
}

/// Whether no new hold of a schedule is possible: its concert is withdrawn, or its deadline has
/// passed. `None` if there is no such schedule.
pub async fn is_closed(tx: &mut Tx, schedule: ScheduleId) -> Result<Option<bool>, StoreError> {
    let closed = sqlx::query_scalar!(
        r#"select (c.status = 'UNAVAILABLE' or s.deadline_at <= clock_timestamp()) as "closed!"
           from concert_schedule s join concert c on c.id = s.concert_id where s.id = $1"#,
        schedule.0
    );
    Ok(closed.fetch_optional(tx.conn()).await?)
}

/// Whether a hold of a schedule can still be paid.
pub async fn has_holds(tx: &mut Tx, schedule: ScheduleId) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from reservation
             where concert_schedule_id = $1 and status || '' = 'PAYMENT_WAITING'
               and expires_at > clock_timestamp()) as "found!""#,
        schedule.0
    );
    Ok(found.fetch_one(tx.conn()).await?)
}

/// The next `limit` complete payments of a schedule after a reservation, in order of reservations.
/// Only those made before `before`, if it is given.
pub async fn next_payments(
    tx: &mut Tx,
    schedule: ScheduleId,
    after: ReservationId,
    before: Option<DateTime<Utc>>,
    limit: i64,
) -> Result<PaymentPage, StoreError> {
    let page = sqlx::query!(
        r#"with looked as materialized (
             select id, status from reservation
             where concert_schedule_id = $1 and id > $2 order by id limit $3),
           chosen as materialized (
             select l.id, p.id as payment from looked l join payment p on p.reservation_id = l.id
             where l.status = 'COMPLETE' and ($4::timestamptz is null or p.payment_at < $4)
             order by l.id limit $5)
           select coalesce((select array_agg(payment order by id) from chosen), '{}') as "payments!",
                  case when (select count(*) from chosen) = $5 then (select max(id) from chosen)
                       else (select max(id) from looked) end as last"#,
        schedule.0,
        after.0,
        LOOK,
        before,
        limit
    )
    .fetch_one(tx.conn())
    .await?;
    let ids = page.payments.into_iter().map(PaymentId).collect();
    Ok(PaymentPage { ids, last: page.last.map(ReservationId) })
}

/// Refunds payments of a schedule (`migrations/functions/refund_payments.sql`). Those that are
/// refunded already are skipped.
pub async fn refund(
    tx: &mut Tx,
    schedule: ScheduleId,
    payments: &[PaymentId],
    block: bool,
) -> Result<RefundedPayments, StoreError> {
    let ids: Vec<i64> = payments.iter().map(|payment| payment.0).collect();
    let row = sqlx::query!(
        r#"select cardinality(refunded) as payments, amount, seat_numbers, fences, outbox_id
           from refund_payments($1, $2, $3)"#,
        schedule.0,
        &ids,
        block
    )
    .fetch_one(tx.conn())
    .await?;
    let numbers = row.seat_numbers.unwrap_or_default().into_iter();
    let seats = numbers.zip(row.fences.unwrap_or_default()).map(|(number, fence)| FencedSeat {
        number: number.unsigned_abs(),
        fence,
        user: None,
    });
    let state = if block { SeatState::Blocked } else { SeatState::Free };
    let event = SeatsChanged { schedule, seats: seats.collect(), state };
    Ok(RefundedPayments {
        payments: row.payments.unwrap_or_default().into(),
        amount: row.amount.unwrap_or_default(),
        seats: row.outbox_id.map(|id| Recorded { id: OutboxId(id), event }),
    })
}
