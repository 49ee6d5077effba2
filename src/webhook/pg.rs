//! The SQL of webhook endpoints, and whether events are recorded. The row of `event_recording` is
//! locked first, so that changes of endpoints come one after the other.

pub mod delivery;
pub mod dispatch;
pub mod event;
pub mod phases;
pub mod purge;

use chrono::{DateTime, Utc};

use super::model::{DisabledReason, EventType, Webhook};
use super::signature::SigningKeys;
use crate::store::StoreError;
use crate::store::id::WebhookId;
use crate::store::pg::{Pg, Tx};

/// Whether events are recorded, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    /// Whether the feed is on.
    pub feed: bool,
    /// Since when events are recorded; `None` if they are not.
    pub since: Option<DateTime<Utc>>,
}

/// An endpoint as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The endpoint, without its secret.
    pub webhook: Webhook,
    /// Its current keys.
    pub keys: SigningKeys,
}

struct Row {
    id: i64,
    url: String,
    description: String,
    types: Vec<String>,
    enabled: bool,
    disabled_reason: Option<String>,
    secret: Vec<u8>,
    seed: Option<Vec<u8>>,
    previous_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<Row> for Stored {
    fn from(row: Row) -> Self {
        let keys = SigningKeys { secret: row.secret, seed: row.seed };
        let reason = |text: String| {
            if text == "GONE" { DisabledReason::Gone } else { DisabledReason::Admin }
        };
        let webhook = Webhook {
            id: WebhookId(row.id),
            url: row.url,
            description: row.description,
            types: row.types.iter().filter_map(|name| EventType::find(name)).collect(),
            enabled: row.enabled,
            disabled_reason: row.disabled_reason.map(reason),
            public_key: keys.public_key_text(),
            previous_valid_until: row.previous_until,
            created_at: row.created_at,
            secret: None,
        };
        Self { webhook, keys }
    }
}

fn names(types: &[EventType]) -> Vec<String> {
    types.iter().map(|it| it.as_str().to_owned()).collect()
}

/// Reads whether events are recorded.
pub async fn recording(pg: &Pg) -> Result<Recording, StoreError> {
    let row = sqlx::query!("select feed, since from event_recording where id");
    let row = row.fetch_one(pg.pool()).await?;
    Ok(Recording { feed: row.feed, since: row.since })
}

/// Locks the recording against other changes, and reads it.
pub async fn lock_recording(tx: &mut Tx) -> Result<Recording, StoreError> {
    let row = sqlx::query!("select feed, since from event_recording where id for no key update");
    let row = row.fetch_one(tx.conn()).await?;
    Ok(Recording { feed: row.feed, since: row.since })
}

/// Turns the recording on or off, as the feed and the endpoints need it after a change. When it is
/// turned on, phases of sales are compared anew from now on.
pub async fn adjust_recording(tx: &mut Tx, feed: bool) -> Result<Recording, StoreError> {
    let row = sqlx::query!(
        r#"with need as (
             select $1 or exists (select from webhook_endpoint
                                  where enabled and deleted_at is null) as wanted),
           begun as (
             delete from sale_phase using event_recording r, need
              where not r.recording and need.wanted)
           update event_recording r set recording = need.wanted, feed = $1,
             since = case when need.wanted then coalesce(r.since, clock_timestamp()) end
           from need where r.id returning r.feed, r.since"#,
        feed
    );
    let row = row.fetch_one(tx.conn()).await?;
    Ok(Recording { feed: row.feed, since: row.since })
}

/// Lists all endpoints, the oldest first.
pub async fn list(pg: &Pg) -> Result<Vec<Stored>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select id, url, description, types, enabled, disabled_reason, secret, seed,
                case when previous_until > clock_timestamp() then previous_until end
                  as previous_until, created_at
         from webhook_endpoint where deleted_at is null order by id"
    );
    Ok(rows.fetch_all(pg.pool()).await?.into_iter().map(Into::into).collect())
}

/// Finds an endpoint.
pub async fn find(pg: &Pg, id: WebhookId) -> Result<Option<Stored>, StoreError> {
    Ok(list(pg).await?.into_iter().find(|stored| stored.webhook.id == id))
}

/// Finds an endpoint in a transaction that holds the lock.
pub async fn find_in(tx: &mut Tx, id: WebhookId) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select id, url, description, types, enabled, disabled_reason, secret, seed,
                case when previous_until > clock_timestamp() then previous_until end
                  as previous_until, created_at
         from webhook_endpoint where deleted_at is null and id = $1",
        id.0
    );
    Ok(row.fetch_optional(tx.conn()).await?.map(Into::into))
}

/// Counts the endpoints.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from webhook_endpoint where deleted_at is null"#
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

/// Creates an enabled endpoint.
pub async fn create(
    tx: &mut Tx,
    (url, description): (&str, &str),
    types: &[EventType],
    keys: &SigningKeys,
) -> Result<WebhookId, StoreError> {
    let id = sqlx::query_scalar!(
        "insert into webhook_endpoint (url, description, types, secret, seed)
         values ($1, $2, $3, $4, $5) returning id",
        url,
        description,
        &names(types),
        &keys.secret,
        keys.seed.as_deref()
    );
    Ok(WebhookId(id.fetch_one(tx.conn()).await?))
}

/// Writes what administrators may change of an endpoint.
pub async fn write(tx: &mut Tx, webhook: &Webhook) -> Result<(), StoreError> {
    let reason = webhook.disabled_reason.map(|reason| match reason {
        DisabledReason::Admin => "ADMIN",
        DisabledReason::Gone => "GONE",
    });
    sqlx::query!(
        "update webhook_endpoint set url = $2, description = $3, types = $4, enabled = $5,
                disabled_reason = $6 where id = $1",
        webhook.id.0,
        webhook.url,
        webhook.description,
        &names(&webhook.types),
        webhook.enabled,
        reason
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Replaces the keys. The previous ones sign too for `keep_seconds`.
pub async fn rotate(
    tx: &mut Tx,
    id: WebhookId,
    keys: &SigningKeys,
    keep_seconds: u32,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update webhook_endpoint set previous_secret = secret, previous_seed = seed,
                previous_until = clock_timestamp() + make_interval(secs => $4), secret = $2, seed = $3
         where id = $1",
        id.0,
        &keys.secret,
        keys.seed.as_deref(),
        f64::from(keep_seconds)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes an endpoint: it gets nothing from now on, and its row goes with its last delivery.
pub async fn delete(tx: &mut Tx, id: WebhookId) -> Result<(), StoreError> {
    sqlx::query!(
        "update webhook_endpoint set deleted_at = clock_timestamp() where id = $1 and deleted_at is null",
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Disables endpoints that answered 410, unless their URL has changed since. Returns those that it
/// disabled.
pub async fn disable_gone(
    tx: &mut Tx,
    gone: &[(WebhookId, String)],
) -> Result<Vec<WebhookId>, StoreError> {
    let ids: Vec<i64> = gone.iter().map(|(id, _)| id.0).collect();
    let urls: Vec<String> = gone.iter().map(|(_, url)| url.clone()).collect();
    let done = sqlx::query_scalar!(
        "update webhook_endpoint w set enabled = false, disabled_reason = 'GONE'
         from unnest($1::bigint[], $2::text[]) as gone (id, url)
         where w.id = gone.id and w.url = gone.url and w.enabled returning w.id",
        &ids,
        &urls
    );
    Ok(done.fetch_all(tx.conn()).await?.into_iter().map(WebhookId).collect())
}
