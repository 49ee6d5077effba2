//! What the loops read from PostgreSQL.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::hold::model::FencedSeat;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId, UserId};
use crate::store::pg::Pg;

/// Schedules whose line may move: built in Redis, and not long past their deadline.
pub async fn live(pg: &Pg) -> Result<Vec<ScheduleId>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from concert_schedule
         where queue_epoch > 0 and deadline_at > clock_timestamp() - interval '2 hours'
         order by id"
    )
    .fetch_all(pg.pool())
    .await?;
    Ok(ids.into_iter().map(ScheduleId).collect())
}

/// Seats whose reservation is overdue by so much that it may be ended, with their schedules.
pub async fn overdue(
    pg: &Pg,
    takeover_seconds: f64,
    limit: i64,
) -> Result<Vec<(ScheduleId, SeatId)>, StoreError> {
    let rows = sqlx::query!(
        "select concert_schedule_id, seat_id from reservation
         where status = 'PAYMENT_WAITING'
           and expires_at < clock_timestamp() - make_interval(secs => $1)
         order by expires_at limit $2",
        takeover_seconds,
        limit
    )
    .fetch_all(pg.pool())
    .await?;
    let seat = |schedule, seat| (ScheduleId(schedule), SeatId(seat));
    Ok(rows.into_iter().map(|row| seat(row.concert_schedule_id, row.seat_id)).collect())
}

/// A seat that is not free, or was not always, as Redis is to know it.
#[derive(Debug, Clone)]
pub struct SeatNow {
    /// Number and fence.
    pub seat: FencedSeat,
    /// Kept back.
    pub blocked: bool,
    /// Sold.
    pub sold: bool,
    /// The hold that keeps it, and until when.
    pub hold: Option<(Uuid, DateTime<Utc>)>,
}

/// Every seat of a schedule that ever changed, and PostgreSQL's clock.
pub async fn seats_now(
    pg: &Pg,
    schedule: ScheduleId,
) -> Result<(Vec<SeatNow>, DateTime<Utc>), StoreError> {
    let rows = sqlx::query!(
        r#"select s.seat_number, s.fence, s.blocked, s.status = 'UNAVAILABLE' as "sold!",
                  r.hold_id as "hold_id?", r.expires_at as "expires_at?"
           from seat s
           left join reservation r on r.seat_id = s.id and r.status = 'PAYMENT_WAITING'
           where s.concert_schedule_id = $1
             and (s.status = 'UNAVAILABLE' or s.blocked or s.fence > 0 or r.id is not null)
           order by s.seat_number"#,
        schedule.0
    )
    .fetch_all(pg.pool())
    .await?;
    let now = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#);
    let now = now.fetch_one(pg.pool()).await?;
    let seats = rows.into_iter().map(|row| SeatNow {
        seat: FencedSeat { number: row.seat_number.unsigned_abs(), fence: row.fence },
        blocked: row.blocked,
        sold: row.sold,
        hold: row.hold_id.zip(row.expires_at),
    });
    Ok((seats.collect(), now))
}

/// Everybody who ever held a seat of a schedule.
pub async fn buyers(pg: &Pg, schedule: ScheduleId) -> Result<Vec<UserId>, StoreError> {
    let users = sqlx::query_scalar!(
        "select distinct user_id from reservation where concert_schedule_id = $1",
        schedule.0
    );
    Ok(users.fetch_all(pg.pool()).await?.into_iter().map(UserId).collect())
}

/// Schedules that closed two hours ago and more and still have open places in `queue`.
pub async fn closed(pg: &Pg) -> Result<Vec<ScheduleId>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from concert_schedule s
         where deadline_at < clock_timestamp() - interval '2 hours'
           and exists (select 1 from queue q where q.concert_schedule_id = s.id
                         and q.status in ('WAITING', 'ACTIVE'))
         limit 100"
    );
    Ok(ids.fetch_all(pg.pool()).await?.into_iter().map(ScheduleId).collect())
}

/// Schedules whose concert was a day ago, within the week: their keys go.
pub async fn over(pg: &Pg) -> Result<Vec<(ScheduleId, u64)>, StoreError> {
    let rows = sqlx::query!(
        "select id, queue_epoch from concert_schedule
         where queue_epoch > 0 and concert_at < clock_timestamp() - interval '1 day'
           and concert_at > clock_timestamp() - interval '8 days'"
    )
    .fetch_all(pg.pool())
    .await?;
    Ok(rows.into_iter().map(|row| (ScheduleId(row.id), row.queue_epoch.cast_unsigned())).collect())
}
