//! The SQL of refunds of whole schedules.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::outbox::model::Recorded;
use crate::payment::pg::refund::{RefundReply, RefundTerms, RefundedPayments, refund_payments};
use crate::reservation::pg::{lock_schedule, lock_seats};
use crate::seats::model::SeatsChanged;
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
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

/// What a page refunded.
#[derive(Debug, Default)]
pub struct RefundedPage {
    /// Number of payments.
    pub payments: i64,
    /// Their sum, in points.
    pub amount: i64,
    /// The changes of their seats, one per buyer.
    pub seats: Vec<Recorded<SeatsChanged>>,
}

/// Counts the reservations of a schedule. Seats of guests are not paid, and stay theirs.
pub async fn count(on: impl PgExecutor<'_>, schedule: ScheduleId) -> Result<Counted, StoreError> {
    let counted = sqlx::query_as!(
        Counted,
        r#"select count(*) filter (where status = 'COMPLETE' and not guest) as "seats!",
                  count(distinct user_id) filter (where status = 'COMPLETE' and not guest)
                    as "buyers!",
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

/// Refunds payments of a schedule, also after its deadline, buyer by buyer
/// (`migrations/functions/refund_payments.sql`). Those that are refunded already are skipped.
///
/// # Errors
/// [`StoreError::Inconsistent`] if one of them is not of this schedule.
pub async fn refund(
    tx: &mut Tx,
    schedule: ScheduleId,
    payments: &[PaymentId],
    block: bool,
) -> Result<RefundedPage, StoreError> {
    let terms = RefundTerms { late: true, block };
    let mut page = RefundedPage::default();
    for (buyer, payments) in lock_by_buyer(tx, schedule, payments).await? {
        match refund_payments(tx, buyer, &payments, terms).await? {
            RefundReply::Refunded(refunded) => page.add(refunded),
            RefundReply::AlreadyRefunded => {}
            reply @ (RefundReply::NoPayment | RefundReply::Closed) => {
                let reason = format!("refund_payments replied {reply:?} for user {buyer}");
                return Err(StoreError::Inconsistent(reason));
            }
        }
    }
    Ok(page)
}

/// The payments by buyer, in order of the buyers. Locks the schedule and the seats of all: seats are
/// locked before balances, and `refund_payments` locks a balance.
async fn lock_by_buyer(
    tx: &mut Tx,
    schedule: ScheduleId,
    payments: &[PaymentId],
) -> Result<Vec<(UserId, Vec<PaymentId>)>, StoreError> {
    let ids: Vec<i64> = payments.iter().map(|payment| payment.0).collect();
    let buyers = sqlx::query!(
        r#"select p.user_id, array_agg(p.id order by p.id) as "payments!",
                  array_agg(r.seat_id) as "seats!"
           from payment p join reservation r on r.id = p.reservation_id
           where p.id = any ($1) and r.concert_schedule_id + 0 = $2
           group by p.user_id order by p.user_id"#,
        &ids,
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    if buyers.iter().map(|buyer| buyer.payments.len()).sum::<usize>() != payments.len() {
        return Err(StoreError::Inconsistent(format!(
            "payments of another schedule than {schedule}"
        )));
    }
    lock_schedule(tx, schedule).await?;
    let seats: Vec<SeatId> =
        buyers.iter().flat_map(|buyer| &buyer.seats).copied().map(SeatId).collect();
    lock_seats(tx, schedule, &seats).await?;
    let of_buyer = |payments: Vec<i64>| payments.into_iter().map(PaymentId).collect();
    Ok(buyers.into_iter().map(|row| (UserId(row.user_id), of_buyer(row.payments))).collect())
}

impl RefundedPage {
    fn add(&mut self, refunded: RefundedPayments) {
        for payment in refunded.payments {
            self.payments += 1;
            self.amount += payment.amount;
        }
        self.seats.push(refunded.change);
    }
}
