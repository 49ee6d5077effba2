//! The SQL that ends deliveries of disabled endpoints, counts what is left, and deletes old rows.

use std::time::Duration;

use crate::store::StoreError;
use crate::store::id::WebhookId;
use crate::store::pg::{Pg, Tx};

/// Rows per statement.
const BATCH: i64 = 5000;

/// The numbers of deliveries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog {
    /// Deliveries that are not ended.
    pub pending: i64,
    /// Deliveries that were given up and are not purged yet.
    pub dead: i64,
    /// Age of the oldest event with a pending delivery, in seconds; 0 if there is none.
    pub oldest_seconds: f64,
}

/// Gives up a page of an endpoint's pending deliveries, without those that a statement of another
/// session has locked. Returns their number.
pub async fn give_up_page(tx: &mut Tx, endpoint: WebhookId) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "update webhook_delivery set status = 'DEAD', ended_at = clock_timestamp(),
                last_error = 'the endpoint is disabled'
          where id in (select id from webhook_delivery
                        where endpoint_id = $1 and status = 'PENDING'
                        order by due_at, id limit $2 for update skip locked)",
        endpoint.0,
        BATCH
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Gives up all of an endpoint's pending deliveries. Returns their number.
pub async fn give_up_all(tx: &mut Tx, endpoint: WebhookId) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "update webhook_delivery set status = 'DEAD', ended_at = clock_timestamp(),
                last_error = 'the endpoint is disabled'
          where endpoint_id = $1 and status = 'PENDING'",
        endpoint.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Whether [`give_up_disabled`] or [`give_up_page`] may have left some, if it gave up this many.
#[must_use]
pub fn may_be_more(given_up: u64) -> bool {
    given_up == BATCH.unsigned_abs()
}

/// Gives up the pending deliveries of endpoints that are disabled or deleted. Returns their number.
pub async fn give_up_disabled(pg: &Pg) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "update webhook_delivery set status = 'DEAD', ended_at = clock_timestamp(),
                last_error = 'the endpoint is disabled'
          where id in (select d.id from webhook_endpoint w join webhook_delivery d
                         on d.endpoint_id = w.id and d.status = 'PENDING'
                       where not w.enabled or w.deleted_at is not null limit $1)
            and status = 'PENDING'",
        BATCH
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected())
}

/// Counts the deliveries.
pub async fn backlog(pg: &Pg) -> Result<Backlog, StoreError> {
    let backlog = sqlx::query_as!(
        Backlog,
        r#"select count(*) as "pending!",
                  (select count(*) from webhook_delivery where status = 'DEAD') as "dead!",
                  coalesce(extract(epoch from clock_timestamp() - (
                    select min(e.occurred_at) from sale_event e where e.id = min(d.event_id))),
                    0)::double precision as "oldest_seconds!"
             from webhook_delivery d where d.status = 'PENDING'"#
    );
    Ok(backlog.fetch_one(pg.pool()).await?)
}

/// Deletes ended deliveries and events that are older than `retention`. Events go in the order of the
/// feed, and only after their deliveries, so that the feed never has a gap. Returns whether there may
/// be more.
pub async fn purge(pg: &Pg, retention: Duration) -> Result<bool, StoreError> {
    let deliveries = sqlx::query!(
        "delete from webhook_delivery where id in (
           select id from webhook_delivery where status <> 'PENDING'
              and ended_at < (select clock_timestamp() - make_interval(secs => $1))
            order by ended_at limit $2)",
        retention.as_secs_f64(),
        BATCH
    )
    .execute(pg.writes())
    .await?;
    let events = sqlx::query!(
        "delete from sale_event where position in (
           select position from sale_event where position < (
             select coalesce(
               (select e.position from sale_event e where e.position is not null
                  and (e.occurred_at >= (select clock_timestamp() - make_interval(secs => $1))
                       or exists (select from webhook_delivery d where d.event_id = e.id))
                order by e.position limit 1),
               (select position + 1 from event_position where id)))
           order by position limit $2)",
        retention.as_secs_f64(),
        BATCH
    )
    .execute(pg.writes())
    .await?;
    sqlx::query!(
        "delete from webhook_endpoint w where deleted_at is not null
           and not exists (select from webhook_delivery where endpoint_id = w.id)"
    )
    .execute(pg.writes())
    .await?;
    let full = BATCH.unsigned_abs();
    Ok(deliveries.rows_affected() == full || events.rows_affected() == full)
}
