//! Reads the schedules that a check looks at.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Maximum number of schedules that a check lists.
const MOST_SCHEDULES: i64 = 100;

/// A schedule with its seats.
#[derive(Debug, FromRow)]
pub(crate) struct ComingSale {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) is_available: bool,
    pub(crate) paused: bool,
    pub(crate) queue_opens_at: DateTime<Utc>,
    pub(crate) opens_at: DateTime<Utc>,
    pub(crate) deadline_at: DateTime<Utc>,
    pub(crate) capacity: i32,
    pub(crate) admit_per_second: i32,
    pub(crate) active_ttl_seconds: i32,
    pub(crate) hold_ttl_seconds: i32,
    pub(crate) max_seats_per_user: i32,
    pub(crate) seats: i64,
    pub(crate) blocked: i64,
    /// Prices of a seat in points: the lowest and the highest.
    pub(crate) lowest_price: i64,
    pub(crate) highest_price: i64,
    /// Number of different prices.
    pub(crate) prices: i64,
    /// Seats whose price is 0.
    pub(crate) unpriced: i64,
    /// When a test purchase was refunded last; `None` if there was none.
    pub(crate) refunded_at: Option<DateTime<Utc>>,
    /// When a rehearsal passed last; `None` if none did.
    pub(crate) rehearsed_at: Option<DateTime<Utc>>,
}

impl ComingSale {
    /// Seats that are for sale: those that are not blocked.
    pub(crate) fn for_sale(&self) -> i64 {
        self.seats - self.blocked
    }
}

/// Reads the schedules whose sales have not ended, the next ones first; 100 at most.
pub(crate) async fn coming_sales(pg: &Pg) -> Result<Vec<ComingSale>, StoreError> {
    read(pg, None).await
}

/// Reads one schedule, also if its sale has ended.
pub(crate) async fn find_sale(pg: &Pg, id: ScheduleId) -> Result<Option<ComingSale>, StoreError> {
    Ok(read(pg, Some(id)).await?.pop())
}

// A test purchase is among the first reservations of a schedule, so only these are read.
async fn read(pg: &Pg, id: Option<ScheduleId>) -> Result<Vec<ComingSale>, StoreError> {
    let rows = sqlx::query_as(
        "select s.id, c.title, c.status = 'AVAILABLE' as is_available, s.paused, s.queue_opens_at,
                s.reservation_available_at as opens_at, s.deadline_at, s.capacity,
                s.admit_per_second, s.active_ttl_seconds, s.hold_ttl_seconds, s.max_seats_per_user,
                seats, blocked, lowest_price, highest_price, prices, unpriced, refunded_at,
                (select max(ended_at) from rehearsal
                 where concert_schedule_id = s.id and state = 'PASSED') as rehearsed_at
         from concert_schedule s join concert c on c.id = s.concert_id
         cross join lateral (
           select count(*) as seats, count(*) filter (where blocked) as blocked,
                  coalesce(min(seat_price), 0) as lowest_price,
                  coalesce(max(seat_price), 0) as highest_price,
                  count(distinct seat_price) as prices,
                  count(*) filter (where seat_price = 0) as unpriced
           from seat where concert_schedule_id = s.id) counted
         cross join lateral (
           select max(p.refunded_at) as refunded_at
           from (select id from reservation where concert_schedule_id = s.id
                 order by id limit 1000) r join payment p on p.reservation_id = r.id) tested
         where case when $2::bigint is null then s.deadline_at > now() and s.id > 0
                    else s.id = $2 end
         order by s.reservation_available_at, s.id limit $1",
    )
    .bind(MOST_SCHEDULES)
    .bind(id.map(|id| id.0))
    .fetch_all(pg.pool())
    .await?;
    Ok(rows)
}
