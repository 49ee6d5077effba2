//! Alerts, as the API and webhooks give them.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::store::id::ScheduleId;

macro_rules! alert_kinds {
    ($($(#[$doc:meta])* $name:ident = $text:tt,)+) => {
        /// What an alert is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
        pub enum AlertKind {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl AlertKind {
            /// The name, as in the API and in SQL.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The kind with this name. `None` if this release does not have it.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

alert_kinds! {
    /// Entries wait, slots are free, and nobody was admitted for two minutes.
    NobodyAdmitted = "NOBODY_ADMITTED",
    /// The queue has been recovering from a loss of Redis for a minute.
    Recovering = "RECOVERING",
    /// More than one join or hold a second was refused for a minute, for a reason that a healthy sale
    /// does not have: a store failed, an internal error, or too many requests.
    RefusalsRise = "REFUSALS_RISE",
    /// Every seat is sold or blocked.
    SoldOut = "SOLD_OUT",
    /// Redis differed from PostgreSQL in the last ten minutes, and was repaired.
    StoresDiffer = "STORES_DIFFER",
    /// Redis does not answer.
    RedisUnavailable = "REDIS_UNAVAILABLE",
    /// PostgreSQL did not answer. It is recorded once PostgreSQL is back.
    PostgresUnavailable = "POSTGRES_UNAVAILABLE",
    /// A hundredth of the calls to Redis took more than 250 ms for a minute.
    RedisSlow = "REDIS_SLOW",
    /// A hundredth of the transactions waited more than 250 ms for a connection for a minute.
    PostgresPoolExhausted = "POSTGRES_POOL_EXHAUSTED",
}

/// An alert about a sale, or about a store and so about every sale.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Alert {
    /// Id of the alert. Newer alerts have higher ids.
    pub id: i64,
    /// What it is about. Later releases may add kinds.
    #[schema(value_type = AlertKind)]
    pub kind: String,
    /// The schedule; null if it is about a store.
    pub schedule_id: Option<ScheduleId>,
    /// When it began.
    pub begun_at: DateTime<Utc>,
    /// When it ended. Null while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
    /// The figures at its begin.
    #[schema(value_type = Object)]
    pub detail: Value,
}

/// Filter for alerts.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// Only alerts that last (`true`), or that have ended (`false`).
    #[garde(skip)]
    pub open: Option<bool>,
}
