//! The metrics of webhooks.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Ends of attempts and of deliveries.
const OUTCOMES: [&str; 3] = ["delivered", "failed", "dead"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Outcome {
    outcome: &'static str,
}

/// The metrics of webhooks.
#[derive(Debug, Default)]
pub struct WebhookMetrics {
    deliveries: Family<Outcome, Counter>,
    pending: Gauge,
    dead: Gauge,
    oldest: Gauge<f64, AtomicU64>,
}

impl WebhookMetrics {
    pub(super) fn register(&self, to: &mut Registry) {
        let help = "Ends of deliveries of webhooks: delivered, failed (to be tried again), dead \
                    (given up)";
        to.register("webhook_deliveries", help, self.deliveries.clone());
        for outcome in OUTCOMES {
            // Present from the start, so that an alert can compare them with 0.
            self.deliveries.get_or_create(&Outcome { outcome }).inc_by(0);
        }
        let help = "Deliveries of webhooks that are not ended, in all processes";
        to.register("webhook_pending", help, self.pending.clone());
        let help = "Deliveries of webhooks that were given up and are not purged yet";
        to.register("webhook_dead", help, self.dead.clone());
        let help = "Age of the oldest event with a pending delivery";
        to.register("webhook_oldest_pending_seconds", help, self.oldest.clone());
    }

    /// Counts deliveries that ended: `delivered`, `failed` (to be tried again) or `dead`.
    pub fn ended(&self, outcome: &'static str, count: u64) {
        self.deliveries.get_or_create(&Outcome { outcome }).inc_by(count);
    }

    /// Sets the numbers of pending and dead deliveries, and the age of the oldest pending one.
    pub fn backlog(&self, pending: i64, dead: i64, oldest_seconds: f64) {
        self.pending.set(pending);
        self.dead.set(dead);
        self.oldest.set(oldest_seconds);
    }
}
