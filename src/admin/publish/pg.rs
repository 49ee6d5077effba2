//! The SQL of publishing.

use super::model::SeatsFound;
use crate::store::StoreError;
use crate::store::id::{ConcertId, ScheduleId};
use crate::store::pg::Tx;

/// Publishes a locked concert.
pub async fn publish_concert(tx: &mut Tx, id: ConcertId) -> Result<(), StoreError> {
    sqlx::query!("update concert set draft = false where id = $1", id.0).execute(tx.conn()).await?;
    Ok(())
}

/// Publishes a locked schedule, and raises its settings version.
pub async fn publish_schedule(tx: &mut Tx, id: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!(
        "update concert_schedule set draft = false, settings_version = settings_version + 1
         where id = $1",
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Finds whether a schedule has seats, and seats that are not blocked.
pub async fn seats_found(tx: &mut Tx, id: ScheduleId) -> Result<SeatsFound, StoreError> {
    let found = sqlx::query!(
        r#"select exists (select from seat where concert_schedule_id = $1) as "any!",
                  exists (select from seat where concert_schedule_id = $1 and not blocked)
                    as "unblocked!""#,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(SeatsFound { any: found.any, unblocked: found.unblocked })
}
