//! Reads how the webhook endpoints answered last.

use sqlx::FromRow;

use crate::store::StoreError;
use crate::store::pg::Pg;

/// A webhook endpoint that gets messages, and the last message that it got.
#[derive(Debug, FromRow)]
pub(crate) struct Endpoint {
    pub(crate) id: i64,
    pub(crate) url: String,
    /// Whether the last message was delivered; `None` if none was sent yet.
    pub(crate) answers: Option<bool>,
    /// Why the last attempt failed.
    pub(crate) last_error: Option<String>,
}

/// Reads the enabled endpoints, the oldest first. A message that is under way does not count.
pub(crate) async fn endpoints(pg: &Pg) -> Result<Vec<Endpoint>, StoreError> {
    let rows = sqlx::query_as(
        "select w.id, w.url, last.status = 'DELIVERED' as answers, last.last_error
         from webhook_endpoint w
         left join lateral (
           select status, last_error from webhook_delivery
           where endpoint_id = w.id and (status <> 'PENDING' or last_error is not null)
           order by id desc limit 1) last on true
         where w.enabled and w.deleted_at is null order by w.id",
    )
    .fetch_all(pg.pool())
    .await?;
    Ok(rows)
}
