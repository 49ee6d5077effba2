//! Creates and changes webhook endpoints, and lists and replays their deliveries. Each change has an
//! audit row, without secrets.

use chrono::Utc;
use serde_json::{Value, json};

use super::error::WebhookError;
use super::model::{
    Delivery, DeliveryQuery, DisabledReason, MAX_ENDPOINTS, MAX_REPLAY, NewWebhook, Replay,
    Replayed, Rotation, TestSent, Webhook, WebhookChange,
};
use super::pg::{self, Recording, Stored, delivery, purge};
use super::sender::{Sender, UrlRefused};
use super::signature::SigningKeys;
use crate::admin::pg::{Audit, write_audit};
use crate::pagination::{Page, Paging};
use crate::store::id::{UserId, WebhookId};
use crate::store::pg::{Pg, Tx};
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

/// Longest URL in its normal form, which has only ASCII characters.
const MAX_URL: usize = 2000;

/// Manages webhook endpoints; cheap to clone.
#[derive(Debug, Clone)]
pub struct Webhooks {
    pg: Pg,
    sender: Sender,
    metrics: Metrics,
}

impl Webhooks {
    /// Creates the service. `sender` says which URLs may be endpoints.
    #[must_use]
    pub fn new(pg: Pg, sender: Sender, metrics: Metrics) -> Self {
        Self { pg, sender, metrics }
    }

    /// Creates an endpoint. Only this answer, and those of rotations, have the secret.
    pub async fn create(&self, admin: UserId, new: &NewWebhook) -> Result<Webhook, WebhookError> {
        let url = self.check(&new.url)?;
        let keys = generate(new.ed25519)?;
        let mut tx = self.pg.begin("create_webhook").await?;
        let feed = pg::lock_recording(&mut tx).await?.feed;
        if pg::count(&mut tx).await? >= MAX_ENDPOINTS {
            return Err(WebhookError::TooMany { limit: MAX_ENDPOINTS });
        }
        let text = (url.as_str(), new.description.as_str());
        let id = pg::create(&mut tx, text, &new.types, &keys).await?;
        pg::adjust_recording(&mut tx, feed).await?;
        let created = find(&mut tx, id).await?.webhook;
        audit(&mut tx, admin, "webhook.create", id, None, json_of(&created)?).await?;
        tx.commit().await?;
        Ok(Webhook { secret: Some(keys.secret_text()), ..created })
    }

    /// Lists all endpoints, the oldest first.
    pub async fn list(&self) -> Result<Page<Webhook>, WebhookError> {
        let all = pg::list(&self.pg).await?;
        let items = all.into_iter().map(|stored| stored.webhook).collect();
        Ok(Page { items, next_cursor: None })
    }

    /// Finds an endpoint.
    pub async fn find(&self, id: WebhookId) -> Result<Webhook, WebhookError> {
        Ok(pg::find(&self.pg, id).await?.ok_or(WebhookError::NotFound)?.webhook)
    }

    /// Changes an endpoint. Messages that are being sent still go to the former URL. Disabling gives
    /// up a page of pending deliveries at once and leaves the rest to the upkeep. Enabling gives up
    /// what is left, also after a 410, so that nothing from before is sent.
    pub async fn change(
        &self,
        admin: UserId,
        id: WebhookId,
        change: WebhookChange,
    ) -> Result<Webhook, WebhookError> {
        let url = change.url.as_deref().map(|url| self.check(url)).transpose()?;
        if change.enabled == Some(true) && !self.find(id).await?.enabled {
            self.give_up_in_pages(id).await?;
        }
        let mut tx = self.pg.begin("change_webhook").await?;
        let feed = pg::lock_recording(&mut tx).await?.feed;
        let old = find(&mut tx, id).await?.webhook;
        let mut new = old.clone();
        new.url = url.unwrap_or(new.url);
        new.description = change.description.unwrap_or(new.description);
        new.types = change.types.unwrap_or(new.types);
        match change.enabled {
            Some(true) => (new.enabled, new.disabled_reason) = (true, None),
            Some(false) if old.enabled => {
                (new.enabled, new.disabled_reason) = (false, Some(DisabledReason::Admin));
            }
            Some(false) | None => {}
        }
        let given_up = match (old.enabled, new.enabled) {
            (true, false) => purge::give_up_page(&mut tx, id).await?,
            (false, true) => {
                // A publication or a replay from before it was disabled may still add deliveries.
                delivery::lock_publication(&mut tx).await?;
                purge::give_up_all(&mut tx, id).await?
            }
            _ => 0,
        };
        pg::write(&mut tx, &new).await?;
        pg::adjust_recording(&mut tx, feed).await?;
        let (before, after) = (Some(json_of(&old)?), json_of(&new)?);
        audit(&mut tx, admin, "webhook.change", id, before, after).await?;
        tx.commit().await?;
        self.metrics.webhooks().ended("dead", given_up);
        Ok(new)
    }

    /// Gives up the pending deliveries of a disabled endpoint, in short transactions.
    async fn give_up_in_pages(&self, id: WebhookId) -> Result<(), StoreError> {
        loop {
            let mut tx = self.pg.begin("give_up_deliveries").await?;
            pg::lock_recording(&mut tx).await?;
            if pg::find_in(&mut tx, id).await?.is_none_or(|stored| stored.webhook.enabled) {
                return Ok(());
            }
            let given_up = purge::give_up_page(&mut tx, id).await?;
            tx.commit().await?;
            self.metrics.webhooks().ended("dead", given_up);
            if !purge::may_be_more(given_up) {
                return Ok(());
            }
        }
    }

    /// Deletes an endpoint and gives up its pending deliveries.
    pub async fn delete(&self, admin: UserId, id: WebhookId) -> Result<(), WebhookError> {
        let mut tx = self.pg.begin("delete_webhook").await?;
        let feed = pg::lock_recording(&mut tx).await?.feed;
        let old = find(&mut tx, id).await?.webhook;
        pg::delete(&mut tx, id).await?;
        pg::adjust_recording(&mut tx, feed).await?;
        let before = Some(json_of(&old)?);
        audit(&mut tx, admin, "webhook.delete", id, before, json!({})).await?;
        Ok(tx.commit().await?)
    }

    /// Replaces the secret, and the Ed25519 key if there is one.
    pub async fn rotate(
        &self,
        admin: UserId,
        id: WebhookId,
        rotation: Rotation,
    ) -> Result<Webhook, WebhookError> {
        let mut tx = self.pg.begin("rotate_webhook_keys").await?;
        pg::lock_recording(&mut tx).await?;
        let old = find(&mut tx, id).await?;
        let keys = generate(old.keys.seed.is_some())?;
        pg::rotate(&mut tx, id, &keys, rotation.keep_previous_seconds).await?;
        let new = find(&mut tx, id).await?.webhook;
        let (before, after) = (Some(json_of(&old.webhook)?), json_of(&new)?);
        audit(&mut tx, admin, "webhook.rotate", id, before, after).await?;
        tx.commit().await?;
        Ok(Webhook { secret: Some(keys.secret_text()), ..new })
    }

    /// Sends a test event to one endpoint, of whatever types it is.
    pub async fn test(&self, admin: UserId, id: WebhookId) -> Result<TestSent, WebhookError> {
        let mut tx = self.pg.begin("test_webhook").await?;
        enabled(&mut tx, id).await?;
        let data = json!({ "webhook_id": id, "admin": admin });
        let event_id = delivery::write_test(&mut tx, id, &data).await?;
        tx.commit().await?;
        Ok(TestSent { event_id })
    }

    /// Lists an endpoint's deliveries, newest first.
    pub async fn deliveries(
        &self,
        id: WebhookId,
        query: DeliveryQuery,
        paging: Paging,
    ) -> Result<Page<Delivery>, WebhookError> {
        self.find(id).await?;
        let rows = delivery::list(&self.pg, id, query.status, paging).await?;
        Ok(paging.page(rows, |delivery| delivery.id))
    }

    /// Sends events again: those that are named, or those of a time that the endpoint lacks.
    pub async fn replay(
        &self,
        admin: UserId,
        id: WebhookId,
        replay: &Replay,
    ) -> Result<Replayed, WebhookError> {
        let mut tx = self.pg.begin("change_webhook").await?;
        delivery::lock_publication(&mut tx).await?;
        enabled(&mut tx, id).await?;
        let deliveries = match (&replay.event_ids, replay.from, replay.until) {
            (Some(events), None, None) => {
                let mut events = events.clone();
                events.sort_unstable_by_key(|event| event.0);
                events.dedup();
                let found = delivery::replay(&mut tx, id, &events).await?;
                if usize::try_from(found).ok() != Some(events.len()) {
                    return Err(WebhookError::EventNotFound);
                }
                found
            }
            (None, Some(from), until) => {
                let time = (from, until.unwrap_or_else(Utc::now));
                delivery::replay_missing(&mut tx, id, time, MAX_REPLAY).await?
            }
            _ => {
                let detail = "needs either event_ids, or from with an optional until";
                return Err(WebhookError::Invalid { pointer: "", detail });
            }
        };
        let after = json!({ "deliveries": deliveries });
        audit(&mut tx, admin, "webhook.replay", id, None, after).await?;
        tx.commit().await?;
        Ok(Replayed { deliveries, more: deliveries == MAX_REPLAY })
    }

    /// Checks a URL, and returns it in its normal form.
    fn check(&self, url: &str) -> Result<String, WebhookError> {
        let invalid = |detail| WebhookError::Invalid { pointer: "/url", detail };
        let checked = self.sender.check(url).map_err(|refused| {
            invalid(match refused {
                UrlRefused::Malformed => "must be a URL",
                UrlRefused::Scheme => "must be an https URL",
                UrlRefused::Parts => "must have no user name, password or fragment",
                UrlRefused::Address => "must not have a private, local or reserved address",
            })
        })?;
        if checked.as_str().len() > MAX_URL {
            return Err(invalid("must have at most 2000 characters when it is encoded"));
        }
        Ok(checked.into())
    }
}

/// Turns the feed on or off.
pub async fn set_feed(pg: &Pg, admin: UserId, on: bool) -> Result<Recording, WebhookError> {
    let mut tx = pg.begin("set_event_feed").await?;
    let before = pg::lock_recording(&mut tx).await?;
    let after = pg::adjust_recording(&mut tx, on).await?;
    let state = |recording: Recording| json!({ "enabled": recording.feed });
    let (action, subject) = ("event_feed.change", "event feed".to_owned());
    let (before, changed) = (Some(state(before)), state(after));
    write_audit(&mut tx, Audit { admin, action, subject, before, after: changed }).await?;
    tx.commit().await?;
    Ok(after)
}

async fn find(tx: &mut Tx, id: WebhookId) -> Result<Stored, WebhookError> {
    pg::find_in(tx, id).await?.ok_or(WebhookError::NotFound)
}

async fn enabled(tx: &mut Tx, id: WebhookId) -> Result<(), WebhookError> {
    if find(tx, id).await?.webhook.enabled { Ok(()) } else { Err(WebhookError::Disabled) }
}

async fn audit(
    tx: &mut Tx,
    admin: UserId,
    action: &str,
    id: WebhookId,
    before: Option<Value>,
    after: Value,
) -> Result<(), StoreError> {
    let subject = format!("webhook {id}");
    write_audit(tx, Audit { admin, action, subject, before, after }).await
}

fn json_of(webhook: &Webhook) -> Result<Value, StoreError> {
    serde_json::to_value(webhook)
        .map_err(|error| StoreError::Inconsistent(format!("a webhook is not JSON: {error}")))
}

fn generate(ed25519: bool) -> Result<SigningKeys, StoreError> {
    SigningKeys::generate(ed25519).map_err(|_| StoreError::Defect {
        store: Store::PostgreSql,
        reason: "the system has no random numbers".to_owned(),
    })
}
