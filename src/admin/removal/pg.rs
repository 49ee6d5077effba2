//! The SQL that decides whether a schedule can be removed, and marks it.

use super::model::Removal;
use crate::store::StoreError;
use crate::store::id::{ConcertId, ScheduleId};
use crate::store::pg::Tx;

/// Queue entries that are counted at most.
const COUNTED_ENTRIES: i64 = 100_000;

/// Seats of a schedule that buyers have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Buyers {
    /// Seats with a payment that is not refunded.
    pub paid: i64,
    /// Seats with a hold that can still be paid.
    pub held: i64,
}

/// Locks the schedules of a locked concert against everything, in order of their ids.
pub async fn lock_schedules(
    tx: &mut Tx,
    concert: ConcertId,
) -> Result<Vec<ScheduleId>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from concert_schedule where concert_id = $1 order by id for update",
        concert.0
    );
    Ok(ids.fetch_all(tx.conn()).await?.into_iter().map(ScheduleId).collect())
}

/// Counts the seats that buyers have, by PostgreSQL's clock now.
pub async fn buyers(tx: &mut Tx, schedule: ScheduleId) -> Result<Buyers, StoreError> {
    let row = sqlx::query!(
        r#"select count(*) filter (where status = 'COMPLETE') as "paid!",
                  count(*) filter (where status = 'PAYMENT_WAITING'
                                     and expires_at > clock_timestamp()) as "held!"
           from reservation where concert_schedule_id = $1"#,
        schedule.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Buyers { paid: row.paid, held: row.held })
}

/// Counts what the removal of a schedule deletes.
pub async fn counts(tx: &mut Tx, schedule: ScheduleId) -> Result<Removal, StoreError> {
    let row = sqlx::query!(
        r#"select (select count(*) from seat where concert_schedule_id = $1) as "seats!",
                  (select count(*) from reservation where concert_schedule_id = $1)
                    as "reservations!",
                  (select count(*) from reservation
                   where concert_schedule_id = $1 and status = 'REFUNDED') as "payments!",
                  (select count(*) from (select from queue where concert_schedule_id = $1 limit $2)
                     as counted) as "entries!""#,
        schedule.0,
        COUNTED_ENTRIES
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Removal {
        removing: false,
        schedules: 1,
        seats: row.seats,
        reservations: row.reservations,
        payments: row.payments,
        entries: row.entries,
    })
}

/// Marks a locked schedule as being removed, and raises its settings version.
pub async fn mark_schedule(tx: &mut Tx, id: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!(
        "update concert_schedule set removed_at = clock_timestamp(),
             settings_version = settings_version + 1 where id = $1",
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Marks a locked concert as being removed.
pub async fn mark_concert(tx: &mut Tx, id: ConcertId) -> Result<(), StoreError> {
    sqlx::query!("update concert set removed_at = clock_timestamp() where id = $1", id.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}
