//! Webhooks and the feed, from the settings.

use utoipa_axum::router::OpenApiRouter;

use super::loops::{Loops, WebhookLoops, start_webhooks};
use crate::config::WebhookSettings;
use crate::store::pg::Pg;
use crate::webhook;
use crate::webhook::dispatcher::Dispatcher;
use crate::webhook::feed::service::Feed;
use crate::webhook::retry::RetryPolicy;
use crate::webhook::sender::Sender;
use crate::webhook::service::Webhooks;
use crate::webhook::upkeep::{PhaseLoop, WebhookUpkeep};

/// The services behind the routes of webhooks and of the feed.
pub(super) struct EventServices {
    webhooks: Webhooks,
    feed: Feed,
}

impl EventServices {
    /// The routes.
    pub(super) fn routes(self) -> OpenApiRouter {
        webhook::http::routes(self.webhooks).merge(webhook::feed::http::routes(self.feed))
    }
}

/// Starts the loops of webhooks, and returns the services.
pub(super) fn start(
    settings: &WebhookSettings,
    pg: &Pg,
    loops: &Loops,
) -> Result<EventServices, reqwest::Error> {
    let timeout = settings.webhook_timeout;
    let sender = Sender::new(&settings.webhook_allow, timeout)?;
    let retry = RetryPolicy {
        first_pause: settings.webhook_retry_pause,
        give_up_after: settings.webhook_retry_for,
    };
    let Loops { metrics, tasks, .. } = loops.clone();
    let upkeep = WebhookUpkeep::new(pg.clone(), settings.event_retention, metrics.clone());
    let webhooks = Webhooks::new(pg.clone(), sender.clone(), metrics.clone());
    let dispatcher = Dispatcher::new(pg.clone(), sender, timeout, retry, metrics, tasks);
    start_webhooks(loops, WebhookLoops { dispatcher, phases: PhaseLoop::new(pg.clone()), upkeep });
    Ok(EventServices { webhooks, feed: Feed::new(pg.clone()) })
}
