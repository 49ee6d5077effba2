//! The SQL that makes a shadow and its buyers, and reads what was sold in it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::StoreError;
use crate::store::id::{RehearsalId, ScheduleId, SeatId};
use crate::store::pg::{Pg, Tx};

/// Buyers made by one statement.
const BATCH: u32 = 5_000;
/// Points of each synthetic buyer: enough for any seats.
const POINTS: i64 = 10_000_000_000_000;

/// Times of a shadow.
#[derive(Debug, Clone, Copy)]
pub struct ShadowTimes {
    /// When its queue opens.
    pub queue_opens_at: DateTime<Utc>,
    /// When its sale opens.
    pub opens_at: DateTime<Utc>,
    /// When its sale closes.
    pub closes_at: DateTime<Utc>,
}

/// Copies a schedule with its concert, settings and seats. The copy is not paused. Seats that are
/// sold in the schedule are free in it. Returns the number of its seats.
pub async fn copy(
    tx: &mut Tx,
    source: ScheduleId,
    rehearsal: RehearsalId,
    times: ShadowTimes,
) -> Result<u64, StoreError> {
    tx.raise_limit(Duration::from_secs(15)).await?;
    sqlx::query!(
        "insert into concert (id, title, description) overriding system value
         select $2, left('Rehearsal: ' || c.title, 200), 'Not a sale. It is removed at its end.'
         from concert c join concert_schedule s on s.concert_id = c.id where s.id = $1",
        source.0,
        rehearsal.concert().0
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into concert_schedule (id, concert_id, reservation_available_at, deadline_at,
             concert_at, queue_opens_at, capacity, admit_per_second, active_ttl_seconds,
             claim_window_seconds, presence_window_seconds, return_grace_seconds, hold_ttl_seconds,
             max_seats_per_user, entry_order, message, admission_mode, auto_min_per_second,
             auto_max_per_second, auto_p99_ms, auto_error_percent, auto_slots_percent,
             layout_version, draw_secret, draw_commitment)
         overriding system value
         select $2, $3, $4, $5, $5, $6, s.capacity, s.admit_per_second, s.active_ttl_seconds,
             s.claim_window_seconds, s.presence_window_seconds, s.return_grace_seconds,
             s.hold_ttl_seconds, s.max_seats_per_user, s.entry_order, s.message,
             s.admission_mode, s.auto_min_per_second, s.auto_max_per_second, s.auto_p99_ms,
             s.auto_error_percent, s.auto_slots_percent, 1, secret,
             sha256(secret)
         from concert_schedule s
         cross join sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) as secret
         where s.id = $1",
        source.0,
        rehearsal.schedule().0,
        rehearsal.concert().0,
        times.opens_at,
        times.closes_at,
        times.queue_opens_at
    )
    .execute(tx.conn())
    .await?;
    let seats = sqlx::query!(
        r#"insert into seat (concert_schedule_id, seat_number, section, "row", seat_price, blocked,
                             fence)
           select $2, seat_number, section, "row", seat_price, blocked,
                  case when blocked then 1 else 0 end
           from seat where concert_schedule_id = $1 order by seat_number"#,
        source.0,
        rehearsal.schedule().0
    )
    .execute(tx.conn())
    .await?;
    Ok(seats.rows_affected())
}

/// Makes the synthetic buyers with the numbers 1 to `count`, each with enough points.
pub async fn create_buyers(pg: &Pg, rehearsal: RehearsalId, count: u32) -> Result<(), StoreError> {
    let step = usize::try_from(BATCH).unwrap_or(usize::MAX);
    for first in (1..=count).step_by(step) {
        let last = count.min(first.saturating_add(BATCH - 1));
        let mut tx = pg.begin("create_synthetic_buyers").await?;
        tx.raise_limit(Duration::from_secs(15)).await?;
        sqlx::query!(
            r#"with made as (
                 insert into "user" (id, name) overriding system value
                 select $1 - n, 'Rehearsal buyer ' || n
                 from generate_series($2::bigint, $3::bigint) n returning id),
               balance as (insert into point (user_id, amount) select id, $4 from made)
               insert into point_history (user_id, kind, amount, balance_after, reference)
               select id, 'CHARGE', $4, $4, 'rehearsal' from made"#,
            rehearsal.first_buyer().0,
            i64::from(first),
            i64::from(last),
            POINTS
        )
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The seats that are paid for, each as often as it was sold. In order of ids.
pub async fn sold_seats(pg: &Pg, schedule: ScheduleId) -> Result<Vec<SeatId>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select seat_id from reservation where concert_schedule_id = $1 and status || '' = 'COMPLETE'
         order by seat_id",
        schedule.0
    );
    Ok(ids.fetch_all(pg.pool()).await?.into_iter().map(SeatId).collect())
}
