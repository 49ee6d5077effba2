//! Events out: webhooks and the feed.

pub mod attempts;
pub mod crashes;
pub mod endpoints;
pub mod feed;
pub mod order;
pub mod sale_events;

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::client::Client;
use crate::support::receiver::{Received, Receiver};
use crate::support::wait::until;

/// Flags of a process whose webhooks may reach this machine, with short pauses.
pub const LOCAL: [&str; 3] =
    ["--webhook-allow=127.0.0.0/8", "--webhook-retry-pause=20ms", "--webhook-timeout=500ms"];

/// Creates an endpoint for all types of events, or for those of `types`.
pub async fn create(admin: &Client, receiver: &Receiver, types: &[&str]) -> Value {
    let new = json!({"url": receiver.url(), "types": types});
    admin.post("/v1/admin/webhooks", new).await.ok(201)
}

/// The path of an endpoint, with this rest.
pub fn path(webhook: &Value, rest: &str) -> String {
    format!("/v1/admin/webhooks/{}{rest}", webhook["id"])
}

/// Writes an event of an entity in a transaction of its own, and returns its number. The volume of a
/// whole sale would take too long.
pub async fn write_event(pool: &PgPool, entity: &str, number: i64) -> i64 {
    sqlx::query_scalar(
        "insert into sale_event (type, entity, data)
         values ('reservation.held', $1, jsonb_build_object('entity', $1, 'number', $2)) returning id",
    )
    .bind(entity)
    .bind(number)
    .fetch_one(pool)
    .await
    .expect("an event")
}

/// Waits until an endpoint has as many deliveries with a status; returns them.
pub async fn deliveries(admin: &Client, webhook: &Value, status: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} deliveries are {status}"), async || {
        let path = path(webhook, &format!("/deliveries?limit=200&status={status}"));
        let page = admin.get(&path).await.ok(200);
        let items = page["items"].as_array().expect("items").clone();
        (items.len() == count).then_some(items)
    })
    .await
}

/// Waits until messages of these types have been accepted; returns them in this order.
pub async fn wait_for(receiver: &Receiver, types: &[&str]) -> Vec<Received> {
    until(&format!("{types:?}"), async || {
        let accepted = receiver.accepted();
        let find = |kind: &&str| accepted.iter().find(|message| message.kind() == *kind).cloned();
        types.iter().map(find).collect::<Option<Vec<_>>>()
    })
    .await
}
