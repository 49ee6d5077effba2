//! The loops' reads from PostgreSQL, and the write that raises a seat's fence.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::queue::model::Sequence;
use crate::seats::model::{FencedSeat, SeatState};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId, UserId};
use crate::store::pg::{Pg, Tx, clock};

/// A seat as PostgreSQL has it now, for a comparison with Redis.
#[derive(Debug, Clone)]
pub struct SeatNow {
    /// Number, fence, and the user who holds or owns the seat.
    pub seat: FencedSeat,
    /// Blocked by an administrator.
    pub blocked: bool,
    /// Sold.
    pub sold: bool,
    /// The live hold and when it expires.
    pub hold: Option<(Uuid, DateTime<Utc>)>,
    /// An outbox entry names the seat: Redis may not have its last change yet.
    pub pending: bool,
}

impl SeatNow {
    /// A seat that never changed.
    #[must_use]
    pub fn untouched(number: u32) -> Self {
        let seat = FencedSeat { number, fence: 0, user: None };
        Self { seat, blocked: false, sold: false, hold: None, pending: false }
    }

    /// The seat's state.
    #[must_use]
    pub fn state(&self) -> SeatState {
        match self.hold {
            _ if self.blocked => SeatState::Blocked,
            _ if self.sold => SeatState::Sold { hold: Uuid::nil() },
            Some((hold, expires_at)) => SeatState::Held { hold, expires_at },
            // Free, but changed before: its fence keeps a late relayed event from undoing that.
            None => SeatState::Free,
        }
    }
}

/// A row of the view `seat_now`.
struct SeatRow {
    id: i64,
    seat_number: i32,
    fence: i64,
    blocked: bool,
    sold: bool,
    hold_id: Option<Uuid>,
    expires_at: Option<DateTime<Utc>>,
    user_id: Option<i64>,
    pending: bool,
}

impl From<SeatRow> for (SeatId, SeatNow) {
    fn from(row: SeatRow) -> Self {
        let number = row.seat_number.unsigned_abs();
        let seat = FencedSeat { number, fence: row.fence, user: row.user_id.map(UserId) };
        let SeatRow { blocked, sold, pending, .. } = row;
        let hold = row.hold_id.zip(row.expires_at);
        (SeatId(row.id), SeatNow { seat, blocked, sold, hold, pending })
    }
}

/// Every seat of a schedule that ever changed, in order of numbers, and PostgreSQL's clock.
pub async fn seats_now(
    pg: &Pg,
    schedule: ScheduleId,
) -> Result<(Vec<SeatNow>, DateTime<Utc>), StoreError> {
    let rows = sqlx::query_as!(
        SeatRow,
        r#"select n.id as "id!", n.seat_number as "seat_number!", n.fence as "fence!",
                  n.blocked as "blocked!", n.sold as "sold!", n.hold_id, n.expires_at,
                  r.user_id as "user_id?", n.pending as "pending!"
           from seat_now n left join reservation r
             on r.seat_id = n.id and r.status in ('PAYMENT_WAITING', 'COMPLETE')
           where n.concert_schedule_id = $1 and n.fence > 0 order by n.seat_number"#,
        schedule.0
    )
    .fetch_all(pg.pool())
    .await?;
    let now = clock(pg.pool()).await?;
    let seat = |row| <(SeatId, SeatNow)>::from(row).1;
    Ok((rows.into_iter().map(seat).collect(), now))
}

/// The seats with these numbers, in order of their ids.
pub async fn seats_numbered(
    tx: &mut Tx,
    schedule: ScheduleId,
    numbers: &[u32],
) -> Result<Vec<(SeatId, SeatNow)>, StoreError> {
    let numbers: Vec<i32> = numbers.iter().map(|number| number.cast_signed()).collect();
    let rows = sqlx::query_as!(
        SeatRow,
        r#"select n.id as "id!", n.seat_number as "seat_number!", n.fence as "fence!",
                  n.blocked as "blocked!", n.sold as "sold!", n.hold_id, n.expires_at,
                  r.user_id as "user_id?", n.pending as "pending!"
           from seat_now n left join reservation r
             on r.seat_id = n.id and r.status in ('PAYMENT_WAITING', 'COMPLETE')
           where n.concert_schedule_id = $1 and n.seat_number = any($2) order by n.id"#,
        schedule.0,
        &numbers
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Raises the fence of a locked seat above its own value and above `seen`; returns the new fence.
pub async fn raise_fence(tx: &mut Tx, seat: SeatId, seen: i64) -> Result<i64, StoreError> {
    let row = sqlx::query!(
        "update seat set fence = greatest(fence, $2) + 1 where id = $1
         returning fence",
        seat.0,
        seen
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.fence)
}

/// A sale that Redis has and PostgreSQL lost.
#[derive(Debug, Clone, Copy)]
pub struct LostSale {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The seat's number.
    pub seat_number: u32,
    /// The fence of the sale in Redis.
    pub fence: i64,
    /// The hold that was paid, if Redis has it.
    pub hold: Option<Uuid>,
    /// The buyer, if Redis has them.
    pub user: Option<UserId>,
}

/// Records a lost sale, and blocks its locked seat. An unpaid hold of the seat ends.
pub async fn block_lost_sale(tx: &mut Tx, seat: SeatId, lost: LostSale) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into lost_sale (concert_schedule_id, seat_number, fence, hold_id, user_id)
         values ($1, $2, $3, $4, $5) on conflict do nothing",
        lost.schedule.0,
        lost.seat_number.cast_signed(),
        lost.fence,
        lost.hold,
        lost.user.map(|user| user.0)
    )
    .execute(tx.conn())
    .await?;
    sqlx::query_scalar!(r#"select end_holds($1) as "ended!""#, &[seat.0][..])
        .fetch_one(tx.conn())
        .await?;
    sqlx::query!("update seat set blocked = true, reservation_at = null where id = $1", seat.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The sales of a schedule that the reconciler found lost.
pub async fn lost_sales(pg: &Pg, schedule: ScheduleId) -> Result<Vec<LostSale>, StoreError> {
    let rows = sqlx::query!(
        "select distinct on (seat_number) seat_number, fence, hold_id, user_id from lost_sale
         where concert_schedule_id = $1 order by seat_number, fence desc",
        schedule.0
    )
    .fetch_all(pg.pool())
    .await?;
    let lost = rows.into_iter().map(|row| LostSale {
        schedule,
        seat_number: row.seat_number.unsigned_abs(),
        fence: row.fence,
        hold: row.hold_id,
        user: row.user_id.map(UserId),
    });
    Ok(lost.collect())
}

/// Number of seats of a schedule; they are numbered from 1.
pub async fn seats_total(pg: &Pg, schedule: ScheduleId) -> Result<u32, StoreError> {
    let last = sqlx::query_scalar!(
        "select max(seat_number) from seat where concert_schedule_id = $1",
        schedule.0
    );
    Ok(last.fetch_one(pg.pool()).await?.map_or(0, i32::unsigned_abs))
}

/// The version of a schedule's settings that Redis must have; `None` while an outbox entry of that
/// kind names the schedule.
pub async fn delivered_settings_version(
    pg: &Pg,
    schedule: ScheduleId,
) -> Result<Option<u64>, StoreError> {
    let version = sqlx::query_scalar!(
        "select settings_version from concert_schedule s where id = $1 and not exists
           (select from outbox o where o.kind = 'settings_changed' and o.parked_at is null
              and o.payload -> 'schedule' = to_jsonb(s.id))",
        schedule.0
    );
    Ok(version.fetch_optional(pg.pool()).await?.map(i64::cast_unsigned))
}

/// Which of these entries were paid from, without those whose completion is still in the outbox.
pub async fn paid_of(
    pg: &Pg,
    schedule: ScheduleId,
    entries: &[(UserId, Sequence)],
) -> Result<Vec<(UserId, Sequence)>, StoreError> {
    let users: Vec<i64> = entries.iter().map(|(user, _)| user.0).collect();
    let sequences: Vec<i64> = entries.iter().map(|(_, sequence)| sequence.as_i64()).collect();
    let rows = sqlx::query!(
        r#"select p.user_id as "user_id!", p.sequence as "sequence!"
           from unnest($2::bigint[], $3::bigint[]) as p (user_id, sequence)
           where exists (select from reservation r where r.user_id = p.user_id
                   and r.concert_schedule_id = $1 and r.queue_sequence = p.sequence
                   and r.status in ('COMPLETE', 'REFUNDED'))
             and not exists (select from outbox o where o.kind = 'ticket_completed'
                   and o.parked_at is null and o.payload -> 'user' = to_jsonb(p.user_id))"#,
        schedule.0,
        &users,
        &sequences
    )
    .fetch_all(pg.pool())
    .await?;
    let entry = |user, sequence: i64| (UserId(user), Sequence(sequence.cast_unsigned()));
    Ok(rows.into_iter().map(|row| entry(row.user_id, row.sequence)).collect())
}

/// A schedule whose keys may be removed.
#[derive(Debug, Clone, Copy)]
pub struct PastSale {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Its epoch.
    pub epoch: u64,
    /// Whether the concert was more than a day ago.
    pub concert_is_over: bool,
}

/// Schedules that closed more than two hours ago, and have no open queue entry, or whose concert was
/// more than a day ago. At most `limit` of them after the id `after`, in order of their ids.
pub async fn past(pg: &Pg, after: ScheduleId, limit: i64) -> Result<Vec<PastSale>, StoreError> {
    // A little later than the time from which on a sale is over for all processes.
    let rows = sqlx::query!(
        r#"select s.id, s.queue_epoch,
                  s.concert_at < statement_timestamp() - interval '1 day' as "concert_is_over!"
           from concert_schedule s
           left join queue_archive a on a.concert_schedule_id = s.id
           where s.queue_epoch > 0 and s.id > $1
             and s.deadline_at < statement_timestamp() - interval '125 minutes'
             and (a.settled_at is not null
                  or s.concert_at < statement_timestamp() - interval '1 day')
           order by s.id limit $2"#,
        after.0,
        limit
    )
    .fetch_all(pg.pool())
    .await?;
    let past = rows.into_iter().map(|row| PastSale {
        schedule: ScheduleId(row.id),
        epoch: row.queue_epoch.cast_unsigned(),
        concert_is_over: row.concert_is_over,
    });
    Ok(past.collect())
}

/// Records what the reconciler repaired in a schedule.
pub async fn record_repair(
    pg: &Pg,
    schedule: ScheduleId,
    what: &str,
    times: u64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into store_repair (concert_schedule_id, what, times)
         select $1::bigint, $2::text, $3::bigint
          where exists (select from concert_schedule where id = $1)",
        schedule.0,
        what,
        times.cast_signed()
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}
