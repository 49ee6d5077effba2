//! The lease on a draw: two processes at once would do no harm, but the same work twice.

use uuid::Uuid;

use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Takes or renews the lease on a draw for `seconds`; false if another process has it.
pub async fn take(
    pg: &Pg,
    schedule: ScheduleId,
    worker: Uuid,
    seconds: f64,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into draw_lease as l (concert_schedule_id, worker, until)
         values ($1, $2, clock_timestamp() + make_interval(secs => $3))
         on conflict (concert_schedule_id) do update set
           worker = excluded.worker, until = excluded.until
         where l.worker = excluded.worker or l.until < clock_timestamp()",
        schedule.0,
        worker,
        seconds
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives the lease back.
pub async fn give_back(pg: &Pg, schedule: ScheduleId, worker: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from draw_lease where concert_schedule_id = $1 and worker = $2",
        schedule.0,
        worker
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}
