//! Request and response bodies of webhook endpoints and their deliveries.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

pub use super::event_type::EventType;
use crate::admin::rules::{given, storable};
use crate::store::id::WebhookId;

/// Most endpoints at one time.
pub const MAX_ENDPOINTS: i64 = 50;

/// Most deliveries that one call of replay makes.
pub const MAX_REPLAY: i64 = 10_000;

/// Why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DisabledReason {
    /// An administrator disabled it.
    Admin,
    /// It answered `410 Gone`.
    Gone,
}

/// A webhook endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Webhook {
    /// Id of the endpoint.
    pub id: WebhookId,
    /// URL to which messages are posted.
    pub url: String,
    /// Note for administrators.
    pub description: String,
    /// Types of events that it gets. Empty: all.
    pub types: Vec<EventType>,
    /// Whether it gets messages.
    pub enabled: bool,
    /// Why it is disabled; null if it is enabled.
    pub disabled_reason: Option<DisabledReason>,
    /// Public Ed25519 key (`whpk_…`); null if messages have no `v1a` signature.
    pub public_key: Option<String>,
    /// End of the rotation: until then messages are also signed with the previous secret. Null
    /// outside of a rotation.
    pub previous_valid_until: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The signing secret (`whsec_…`): only in the answers that created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub secret: Option<String>,
}

/// An endpoint to create.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// URL to which messages are posted: https, without user name, password or fragment. http and
    /// private addresses only as far as `ONSALE_WEBHOOK_ALLOW` allows.
    #[garde(length(chars, min = 1, max = 2000))]
    #[schema(min_length = 1, max_length = 2000)]
    pub url: String,
    /// Note for administrators, up to 500 characters.
    #[serde(default)]
    #[garde(length(chars, max = 500), custom(storable))]
    #[schema(max_length = 500)]
    pub description: String,
    /// Types of events that it gets. Empty or absent: all.
    #[serde(default)]
    #[garde(length(max = 20))]
    #[schema(max_items = 20)]
    pub types: Vec<EventType>,
    /// Whether messages are signed with an Ed25519 key too.
    #[serde(default)]
    #[garde(skip)]
    pub ed25519: bool,
}

/// Changes to an endpoint. Absent fields keep their values.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookChange {
    /// URL to which messages are posted.
    #[serde(deserialize_with = "given")]
    #[garde(length(chars, min = 1, max = 2000))]
    #[schema(value_type = String, min_length = 1, max_length = 2000)]
    pub url: Option<String>,
    /// Note for administrators, up to 500 characters.
    #[serde(deserialize_with = "given")]
    #[garde(length(chars, max = 500))]
    #[garde(custom(storable))]
    #[schema(value_type = String, max_length = 500)]
    pub description: Option<String>,
    /// Types of events that it gets. Empty: all.
    #[serde(deserialize_with = "given")]
    #[garde(length(max = 20))]
    #[schema(value_type = Vec<EventType>, max_items = 20)]
    pub types: Option<Vec<EventType>>,
    /// Whether it gets messages. Disabling it gives up its pending deliveries.
    #[serde(deserialize_with = "given")]
    #[garde(skip)]
    #[schema(value_type = bool)]
    pub enabled: Option<bool>,
}

/// A rotation of the secret.
#[derive(Debug, Clone, Copy, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// For how long messages are also signed with the previous secret, in seconds: up to a week.
    #[serde(default = "a_day")]
    #[garde(range(max = 604_800))]
    #[schema(minimum = 0, maximum = 604_800, default = 86_400)]
    pub keep_previous_seconds: u32,
}

/// Which events to send again: those of the list, or those that occurred in a time.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Replay {
    /// Ids of events, up to 100. They are sent again even if they were delivered.
    #[serde(deserialize_with = "given")]
    #[garde(length(min = 1, max = 100))]
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 100)]
    pub event_ids: Option<Vec<EventId>>,
    /// Start of the time. Events that were delivered, or are pending, are left out.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[schema(value_type = DateTime<Utc>)]
    pub from: Option<DateTime<Utc>>,
    /// End of the time, exclusive. Absent: now.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[schema(value_type = DateTime<Utc>)]
    pub until: Option<DateTime<Utc>>,
}

/// What a replay does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Replayed {
    /// Number of new deliveries.
    pub deliveries: i64,
    /// Whether the time has more events: repeat the call for them.
    pub more: bool,
}

/// A test event on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TestSent {
    /// Id of the event.
    #[schema(value_type = String)]
    pub event_id: EventId,
}

/// Status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryStatus {
    /// To be sent, or sent again.
    Pending,
    /// The endpoint answered 2xx.
    Delivered,
    /// Given up.
    Dead,
}

/// The delivery of one event to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Delivery {
    /// Id of the delivery.
    pub id: i64,
    /// Id of the event: the header `webhook-id`.
    #[schema(value_type = String)]
    pub event_id: EventId,
    /// Type of the event.
    pub event_type: String,
    /// Status of the delivery.
    pub status: DeliveryStatus,
    /// Number of attempts so far.
    pub attempts: i32,
    /// When the next attempt is due at the latest; null unless the delivery is pending.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was delivered or given up; null while it is pending.
    pub ended_at: Option<DateTime<Utc>>,
    /// Status of the last answer; null if there was none.
    pub last_status: Option<i16>,
    /// Why the last attempt failed; null if it did not.
    pub last_error: Option<String>,
}

/// Filter of the list of deliveries.
#[derive(Debug, Clone, Copy, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Only deliveries with this status.
    #[garde(skip)]
    pub status: Option<DeliveryStatus>,
}

/// The id of an event: `evt_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EventId(pub Uuid);

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "evt_{}", self.0.simple())
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for EventId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let uuid = text.strip_prefix("evt_").and_then(|hex| Uuid::try_parse(hex).ok());
        let id = uuid.map(Self).filter(|id| id.to_string() == text);
        id.ok_or("must be the id of an event")
    }
}

impl DeliveryStatus {
    /// The name of the status in SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Delivered => "DELIVERED",
            Self::Dead => "DEAD",
        }
    }
}

fn a_day() -> u32 {
    86_400
}
