//! The SQL of the feed.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::store::StoreError;
use crate::store::pg::Pg;
use crate::webhook::model::EventId;

/// An event at its position in the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Its position.
    pub position: i64,
    /// Its id.
    pub id: EventId,
    /// Its type.
    pub event_type: String,
    /// When it occurred.
    pub occurred_at: DateTime<Utc>,
    /// Its data.
    pub data: Value,
    /// Whether it is a test event, which the feed does not show.
    pub is_test: bool,
}

/// The part of the feed that is there.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The position before the oldest event that is left. If none is left: the last position given.
    pub oldest_after: i64,
    /// The last position given.
    pub last: i64,
}

/// Which part of the feed is there.
pub async fn bounds(pg: &Pg) -> Result<Bounds, StoreError> {
    let bounds = sqlx::query_as!(
        Bounds,
        r#"select coalesce((select position - 1 from sale_event where position is not null
                            order by position limit 1), position) as "oldest_after!",
                  position as last
           from event_position where id"#
    );
    Ok(bounds.fetch_one(pg.pool()).await?)
}

/// Up to `limit` events after a position, in order.
pub async fn after(pg: &Pg, position: i64, limit: i64) -> Result<Vec<Placed>, StoreError> {
    let rows = sqlx::query!(
        r#"select position as "position!", message, type as event_type, occurred_at, data,
                  target is not null as "is_test!"
             from sale_event where position > $1 order by position limit $2"#,
        position,
        limit
    )
    .fetch_all(pg.pool())
    .await?;
    let placed = rows.into_iter().map(|row| Placed {
        position: row.position,
        id: EventId(row.message),
        event_type: row.event_type,
        occurred_at: row.occurred_at,
        data: row.data,
        is_test: row.is_test,
    });
    Ok(placed.collect())
}
