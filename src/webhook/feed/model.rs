//! Request and response bodies of the feed.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::webhook::model::EventId;

/// Which events are requested.
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// The `next_after` of the previous answer. Absent: from the oldest event that is left.
    #[garde(length(max = 100))]
    pub after: Option<String>,
    /// Maximum number of events.
    #[serde(default = "default_limit")]
    #[garde(range(min = 1, max = 1000))]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: u16,
}

fn default_limit() -> u16 {
    100
}

/// An event, as in a webhook message.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeedEvent {
    /// Id of the event: the header `webhook-id` of its message.
    #[schema(value_type = String)]
    pub id: EventId,
    /// Type of the event, such as `reservation.held`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When the event occurred.
    pub timestamp: DateTime<Utc>,
    /// Data of the event. Its form depends on the type.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// Events in the order of the feed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeedPage {
    /// The events.
    pub items: Vec<FeedEvent>,
    /// The value of `?after=` for the next call; the same as in this call if there is no new event.
    pub next_after: String,
    /// Whether there are more events now.
    pub has_more: bool,
}

/// Whether the feed is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedState {
    /// Whether the feed is on.
    pub enabled: bool,
    /// Since when events are recorded without a gap, for the feed or for webhooks. Null: they are
    /// not recorded.
    pub recorded_since: Option<DateTime<Utc>>,
}

/// A change of the feed.
#[derive(Debug, Clone, Copy, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedChange {
    /// Whether the feed is on.
    #[garde(skip)]
    pub enabled: bool,
}
