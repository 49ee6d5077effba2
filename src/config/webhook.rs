//! Settings of webhooks and of the events that they send.

use std::time::Duration;

use clap::Args;
use ipnet::IpNet;

use super::limits::network;
use super::retention::LONGEST;
use super::secret::{InvalidSetting, refuse};

/// Bounds of `ONSALE_WEBHOOK_TIMEOUT`.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(100);
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Shortest `ONSALE_WEBHOOK_RETRY_PAUSE`.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// Longest `ONSALE_WEBHOOK_RETRY_PAUSE`: pauses do not grow beyond it.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Settings of webhooks.
#[derive(Debug, Clone, Args)]
pub struct WebhookSettings {
    /// Comma-separated addresses or networks (`10.0.0.0/8`) that webhooks may reach although they
    /// are private, local or reserved; also by http. All other endpoints need https and a public
    /// address.
    #[arg(long, env = "ONSALE_WEBHOOK_ALLOW", value_delimiter = ',', value_parser = network)]
    pub webhook_allow: Vec<IpNet>,
    /// Time limit of one attempt to deliver a webhook, from connecting to the end of the answer:
    /// 100ms to 1min.
    #[arg(long, env = "ONSALE_WEBHOOK_TIMEOUT", default_value = "15s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub webhook_timeout: Duration,
    /// Pause before the first retry of a webhook, 10ms to 1h. It doubles with each further one, up to
    /// one hour.
    #[arg(long, env = "ONSALE_WEBHOOK_RETRY_PAUSE", default_value = "5s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub webhook_retry_pause: Duration,
    /// A webhook is given up this long after its first attempt; at most a thousand years.
    #[arg(long, env = "ONSALE_WEBHOOK_RETRY_FOR", default_value = "24h")]
    #[arg(value_parser = humantime::parse_duration)]
    pub webhook_retry_for: Duration,
    /// How long events and ended deliveries are kept, for the feed and for replays; at most a thousand
    /// years.
    #[arg(long, env = "ONSALE_EVENT_RETENTION", default_value = "7d")]
    #[arg(value_parser = humantime::parse_duration)]
    pub event_retention: Duration,
}

impl WebhookSettings {
    /// Refuses settings that are out of range.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the variable to change.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        if !(SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(&self.webhook_timeout) {
            return refuse("ONSALE_WEBHOOK_TIMEOUT", "it must be from 100ms to 1min");
        }
        if !(SHORTEST_PAUSE..=LONGEST_PAUSE).contains(&self.webhook_retry_pause) {
            return refuse("ONSALE_WEBHOOK_RETRY_PAUSE", "it must be from 10ms to 1h");
        }
        if self.webhook_retry_for > LONGEST {
            return refuse("ONSALE_WEBHOOK_RETRY_FOR", "it must be at most a thousand years");
        }
        if self.event_retention > LONGEST {
            return refuse("ONSALE_EVENT_RETENTION", "it must be at most a thousand years");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        settings: WebhookSettings,
    }

    #[test]
    fn times_that_postgresql_cannot_express_are_refused() {
        for (flag, good, bad) in [
            ("--webhook-retry-pause", "1h", "61m"),
            ("--webhook-retry-for", "365000d", "300000y"),
            ("--event-retention", "365000d", "300000y"),
        ] {
            let check = |value| {
                Line::try_parse_from(["serve", flag, value]).unwrap().settings.check().is_ok()
            };
            assert!(check(good), "{flag} {good}");
            assert!(!check(bad), "{flag} {bad}");
        }
    }
}
