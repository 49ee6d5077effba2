//! The SQL that lists and replays deliveries, and that writes test events.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::pagination::Paging;
use crate::store::StoreError;
use crate::store::id::WebhookId;
use crate::store::pg::{Pg, Tx};
use crate::webhook::model::{Delivery, DeliveryStatus, EventId, EventType};

/// Lists an endpoint's deliveries, newest first: one more than fits the page.
pub async fn list(
    pg: &Pg,
    endpoint: WebhookId,
    status: Option<DeliveryStatus>,
    paging: Paging,
) -> Result<Vec<Delivery>, StoreError> {
    let rows = sqlx::query!(
        "select d.id, e.message, e.type as event_type, d.status, d.attempts, d.due_at, d.ended_at,
                d.last_status, d.last_error
           from webhook_delivery d join sale_event e on e.id = d.event_id
          where d.endpoint_id = $1 and d.id < $2 and ($3::text is null or d.status = $3)
          order by d.id desc limit $4",
        endpoint.0,
        paging.after.unwrap_or(i64::MAX),
        status.map(DeliveryStatus::as_str),
        paging.fetch()
    )
    .fetch_all(pg.pool())
    .await?;
    let deliveries = rows.into_iter().map(|row| {
        let status = match row.status.as_str() {
            "DELIVERED" => DeliveryStatus::Delivered,
            "DEAD" => DeliveryStatus::Dead,
            _ => DeliveryStatus::Pending,
        };
        Delivery {
            id: row.id,
            event_id: EventId(row.message),
            event_type: row.event_type,
            status,
            attempts: row.attempts,
            due_at: (status == DeliveryStatus::Pending).then_some(row.due_at),
            ended_at: row.ended_at,
            last_status: row.last_status,
            last_error: row.last_error,
        }
    });
    Ok(deliveries.collect())
}

/// Locks the publication of events, so that deliveries of a replay get ids above all that are
/// visible: they are sent after what is pending.
pub async fn lock_publication(tx: &mut Tx) -> Result<(), StoreError> {
    sqlx::query!("select position from event_position where id for update")
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}

/// Makes a delivery of each of these events. Returns how many of them exist; test events of other
/// endpoints do not.
pub async fn replay(
    tx: &mut Tx,
    endpoint: WebhookId,
    events: &[EventId],
) -> Result<i64, StoreError> {
    let messages: Vec<Uuid> = events.iter().map(|id| id.0).collect();
    let done = sqlx::query!(
        "insert into webhook_delivery (endpoint_id, event_id, entity, due_at)
         select $1, id, entity, clock_timestamp() from sale_event
          where message = any($2) and position is not null and (target is null or target = $1)
          order by id",
        endpoint.0,
        &messages
    )
    .execute(tx.conn())
    .await?;
    Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
}

/// Makes a delivery of each event of a time that the endpoint wants, and that is neither delivered
/// to it nor pending: at most `limit`, the oldest first. Returns their number.
pub async fn replay_missing(
    tx: &mut Tx,
    endpoint: WebhookId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<i64, StoreError> {
    let done = sqlx::query!(
        "insert into webhook_delivery (endpoint_id, event_id, entity, due_at)
         select $1, e.id, e.entity, clock_timestamp()
           from sale_event e join webhook_endpoint w on w.id = $1
          where e.occurred_at >= $2 and e.occurred_at < $3
            and e.position is not null and e.target is null
            and (w.types = '{}' or e.type = any(w.types))
            and not exists (select from webhook_delivery d where d.event_id = e.id
                              and d.endpoint_id = $1 and d.status in ('DELIVERED', 'PENDING'))
          order by e.id limit $4",
        endpoint.0,
        from,
        until,
        limit
    )
    .execute(tx.conn())
    .await?;
    Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
}

/// Writes a test event for one endpoint. It does not appear in the feed.
pub async fn write_test(
    tx: &mut Tx,
    endpoint: WebhookId,
    data: &Value,
) -> Result<EventId, StoreError> {
    let message = sqlx::query_scalar!(
        "insert into sale_event (type, entity, data, target)
         values ($1, 'webhook:' || $2::text, $3, $4) returning message",
        EventType::WebhookTest.as_str(),
        endpoint.to_string(),
        data,
        endpoint.0
    );
    Ok(EventId(message.fetch_one(tx.conn()).await?))
}
