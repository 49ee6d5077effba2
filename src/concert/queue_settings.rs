//! The queue settings of a schedule. Pure.

use chrono::{DateTime, Utc};
use onsale_model::auto_rate::AutoRules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The order of admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum EntryOrder {
    /// First come, first served.
    Fifo,
    /// Entries that join before the sale opens get a random order, drawn at the opening. Later
    /// entries follow first come, first served.
    Draw,
}

impl EntryOrder {
    /// Returns the name in PostgreSQL and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "FIFO",
            Self::Draw => "DRAW",
        }
    }
}

/// Where the admission rate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AdmissionMode {
    /// It is `admit_per_second`.
    Fixed,
    /// It follows the targets `auto_…`, between `auto_min_per_second` and `auto_max_per_second`.
    Auto,
}

impl AdmissionMode {
    /// Returns the name in PostgreSQL and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "FIXED",
            Self::Auto => "AUTO",
        }
    }
}

/// Queue settings of one schedule. All may change during the sale, except `entry_order` once the
/// queue is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueSettings {
    /// Limit of active slots at a time.
    pub capacity: u32,
    /// Limit of admissions per second. With the mode AUTO, the rate to start with.
    pub admit_per_second: u32,
    /// Where the admission rate comes from. FIXED: it is `admit_per_second`.
    pub admission_mode: AdmissionMode,
    /// Lowest automatic rate.
    pub auto_min_per_second: u32,
    /// Highest automatic rate.
    pub auto_max_per_second: u32,
    /// Target of the automatic rate: 99th percentile of holds and payments, in ms.
    pub auto_p99_ms: u32,
    /// Target of the automatic rate: share of holds and payments that fail, in percent.
    pub auto_error_percent: u32,
    /// Target of the automatic rate: share of active slots in use, in percent. 100: no target.
    pub auto_slots_percent: u32,
    /// Time from admission until the active slot expires, in seconds.
    pub active_ttl_seconds: u32,
    /// Time after admission until an owner who does not show up loses the slot, in seconds.
    pub claim_window_seconds: u32,
    /// Time without a request after which a waiting user counts as absent, in seconds. Absent users
    /// are passed over when their turn comes.
    pub presence_window_seconds: u32,
    /// Time for which the entry of a user who was passed over is kept, in seconds. It counts from
    /// the first time.
    pub return_grace_seconds: u32,
    /// Time to pay for held seats, in seconds.
    pub hold_ttl_seconds: u32,
    /// Limit of seats of this schedule that one user may hold or own.
    pub max_seats_per_user: u32,
    /// The order of admission. Cannot change once the queue is open.
    pub entry_order: EntryOrder,
    /// When the queue opens for joins.
    pub queue_opens_at: DateTime<Utc>,
    /// Whether admission is paused. The queue keeps its entries.
    pub paused: bool,
    /// Message shown to waiting users.
    pub message: Option<String>,
}

impl QueueSettings {
    /// The bounds and targets of the automatic rate.
    #[must_use]
    pub fn auto_rules(&self) -> AutoRules {
        AutoRules {
            start: self.admit_per_second,
            min: self.auto_min_per_second,
            max: self.auto_max_per_second,
            p99_ms: self.auto_p99_ms.into(),
            error_percent: self.auto_error_percent.into(),
            slots_percent: self.auto_slots_percent.into(),
        }
    }
}
