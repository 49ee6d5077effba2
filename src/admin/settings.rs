//! Changes to queue settings, their limits, and the defaults of new schedules.

use chrono::{DateTime, TimeDelta, Utc};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::AdminError;
use super::rules::{given, storable};
use crate::concert::model::{AdmissionMode, EntryOrder, QueueSettings, Schedule};
use crate::concert::sale_settings::{
    ACTIVE_TTL, ADMIT_PER_SECOND, AUTO_ERROR_PERCENT, AUTO_MAX_PER_SECOND, AUTO_MIN_PER_SECOND,
    AUTO_P99, AUTO_SLOTS_PERCENT, CAPACITY, CLAIM_WINDOW, HOLD_TTL, MAX_SEATS_PER_USER,
    PRESENCE_WINDOW, RETURN_GRACE,
};

/// Default time from the opening of the queue to the opening of the sale.
const OPENS_BEFORE: TimeDelta = TimeDelta::minutes(30);

/// Changes to queue settings. Absent fields keep their values.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueueChange {
    /// Limit of active slots at a time.
    /// New schedules: 500.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = CAPACITY.min, max = CAPACITY.max))]
    #[schema(value_type = u32, maximum = 1_000_000)]
    pub capacity: Option<u32>,
    /// Limit of admissions per second.
    /// New schedules: 50.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = ADMIT_PER_SECOND.min, max = ADMIT_PER_SECOND.max))]
    #[schema(value_type = u32, minimum = 1, maximum = 10_000)]
    pub admit_per_second: Option<u32>,
    /// Where the admission rate comes from. AUTO: it follows the targets `auto_…`. FIXED returns to
    /// `admit_per_second` at once.
    /// New schedules: FIXED.
    #[serde(deserialize_with = "given")]
    #[garde(skip)]
    #[schema(value_type = AdmissionMode)]
    pub admission_mode: Option<AdmissionMode>,
    /// Lowest automatic rate. At most `auto_max_per_second`.
    /// New schedules: 5.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = AUTO_MIN_PER_SECOND.min, max = AUTO_MIN_PER_SECOND.max))]
    #[schema(value_type = u32, minimum = 1, maximum = 10_000)]
    pub auto_min_per_second: Option<u32>,
    /// Highest automatic rate.
    /// New schedules: 200.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = AUTO_MAX_PER_SECOND.min, max = AUTO_MAX_PER_SECOND.max))]
    #[schema(value_type = u32, minimum = 1, maximum = 10_000)]
    pub auto_max_per_second: Option<u32>,
    /// Target of the automatic rate: 99th percentile of holds and payments, in ms.
    /// New schedules: 500.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = AUTO_P99.min, max = AUTO_P99.max))]
    #[schema(value_type = u32, minimum = 10, maximum = 10_000)]
    pub auto_p99_ms: Option<u32>,
    /// Target of the automatic rate: share of holds and payments that fail, in percent.
    /// New schedules: 2.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = AUTO_ERROR_PERCENT.min, max = AUTO_ERROR_PERCENT.max))]
    #[schema(value_type = u32, minimum = 1, maximum = 100)]
    pub auto_error_percent: Option<u32>,
    /// Target of the automatic rate: share of active slots in use, in percent. 100: no target.
    /// New schedules: 100.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = AUTO_SLOTS_PERCENT.min, max = AUTO_SLOTS_PERCENT.max))]
    #[schema(value_type = u32, minimum = 1, maximum = 100)]
    pub auto_slots_percent: Option<u32>,
    /// Time from admission until the active slot expires, in seconds.
    /// New schedules: 600.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = ACTIVE_TTL.min, max = ACTIVE_TTL.max))]
    #[schema(value_type = u32, minimum = 1, maximum = 86_400)]
    pub active_ttl_seconds: Option<u32>,
    /// Time after admission until an owner who does not show up loses the slot, in seconds.
    /// New schedules: 60.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = CLAIM_WINDOW.min, max = CLAIM_WINDOW.max))]
    #[schema(value_type = u32, minimum = 1, maximum = 3_600)]
    pub claim_window_seconds: Option<u32>,
    /// Time without a request after which a waiting user counts as absent, in seconds. Absent users
    /// are passed over when their turn comes. At least 10, because clients near the front poll
    /// every few seconds.
    /// New schedules: 90.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = PRESENCE_WINDOW.min, max = PRESENCE_WINDOW.max))]
    #[schema(value_type = u32, minimum = 10, maximum = 600)]
    pub presence_window_seconds: Option<u32>,
    /// Time for which the entry of a user who was passed over is kept, in seconds. It counts from
    /// the first time.
    /// New schedules: 600.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = RETURN_GRACE.min, max = RETURN_GRACE.max))]
    #[schema(value_type = u32, maximum = 86_400)]
    pub return_grace_seconds: Option<u32>,
    /// Time to pay for held seats, in seconds.
    /// New schedules: 300.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = HOLD_TTL.min, max = HOLD_TTL.max))]
    #[schema(value_type = u32, minimum = 1, maximum = 3_600)]
    pub hold_ttl_seconds: Option<u32>,
    /// Limit of seats that one user may hold or own.
    /// New schedules: 4.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = MAX_SEATS_PER_USER.min, max = MAX_SEATS_PER_USER.max))]
    #[schema(value_type = u32, minimum = 1, maximum = 100)]
    pub max_seats_per_user: Option<u32>,
    /// The order of admission. Cannot change once the queue is open.
    #[serde(deserialize_with = "given")]
    #[garde(skip)]
    #[schema(value_type = EntryOrder)]
    pub entry_order: Option<EntryOrder>,
    /// When the queue opens for joins. Not after the opening of the sale.
    /// New schedules: 30 minutes before the opening of the sale.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[schema(value_type = DateTime<Utc>)]
    pub queue_opens_at: Option<DateTime<Utc>>,
    /// Stops admission. The queue keeps its entries.
    /// New schedules: false.
    #[serde(deserialize_with = "given")]
    #[garde(skip)]
    #[schema(value_type = bool)]
    pub paused: Option<bool>,
    /// Message shown to waiting users. Null clears it.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[garde(inner(inner(length(chars, max = 1_000))))]
    #[schema(value_type = Option<String>, max_length = 1_000)]
    pub message: Option<Option<String>>,
}

/// Returns the default queue settings for a sale that opens at `reservation_available_at`.
#[must_use]
pub fn defaults(reservation_available_at: DateTime<Utc>) -> QueueSettings {
    QueueSettings {
        capacity: CAPACITY.default,
        admit_per_second: ADMIT_PER_SECOND.default,
        admission_mode: AdmissionMode::Fixed,
        auto_min_per_second: AUTO_MIN_PER_SECOND.default,
        auto_max_per_second: AUTO_MAX_PER_SECOND.default,
        auto_p99_ms: AUTO_P99.default,
        auto_error_percent: AUTO_ERROR_PERCENT.default,
        auto_slots_percent: AUTO_SLOTS_PERCENT.default,
        active_ttl_seconds: ACTIVE_TTL.default,
        claim_window_seconds: CLAIM_WINDOW.default,
        presence_window_seconds: PRESENCE_WINDOW.default,
        return_grace_seconds: RETURN_GRACE.default,
        hold_ttl_seconds: HOLD_TTL.default,
        max_seats_per_user: MAX_SEATS_PER_USER.default,
        entry_order: EntryOrder::Fifo,
        queue_opens_at: reservation_available_at - OPENS_BEFORE,
        paused: false,
        message: None,
    }
}

impl QueueChange {
    /// Returns `old` with this change applied.
    #[must_use]
    pub fn applied_to(&self, old: &QueueSettings) -> QueueSettings {
        QueueSettings {
            capacity: self.capacity.unwrap_or(old.capacity),
            admit_per_second: self.admit_per_second.unwrap_or(old.admit_per_second),
            admission_mode: self.admission_mode.unwrap_or(old.admission_mode),
            auto_min_per_second: self.auto_min_per_second.unwrap_or(old.auto_min_per_second),
            auto_max_per_second: self.auto_max_per_second.unwrap_or(old.auto_max_per_second),
            auto_p99_ms: self.auto_p99_ms.unwrap_or(old.auto_p99_ms),
            auto_error_percent: self.auto_error_percent.unwrap_or(old.auto_error_percent),
            auto_slots_percent: self.auto_slots_percent.unwrap_or(old.auto_slots_percent),
            active_ttl_seconds: self.active_ttl_seconds.unwrap_or(old.active_ttl_seconds),
            claim_window_seconds: self.claim_window_seconds.unwrap_or(old.claim_window_seconds),
            presence_window_seconds: (self.presence_window_seconds)
                .unwrap_or(old.presence_window_seconds),
            return_grace_seconds: self.return_grace_seconds.unwrap_or(old.return_grace_seconds),
            hold_ttl_seconds: self.hold_ttl_seconds.unwrap_or(old.hold_ttl_seconds),
            max_seats_per_user: self.max_seats_per_user.unwrap_or(old.max_seats_per_user),
            entry_order: self.entry_order.unwrap_or(old.entry_order),
            queue_opens_at: self.queue_opens_at.unwrap_or(old.queue_opens_at),
            paused: self.paused.unwrap_or(old.paused),
            message: self.message.clone().unwrap_or_else(|| old.message.clone()),
        }
    }
}

/// Checks that `schedule` may get the settings `new` at `now`.
///
/// # Errors
/// [`AdminError::LineIsOpen`] if the entry order would change after the queue has opened.
/// [`AdminError::Invalid`] if the queue would open after the sale, or the bounds of the automatic rate
/// contradict each other.
pub fn may_change(
    schedule: &Schedule,
    new: &QueueSettings,
    now: DateTime<Utc>,
) -> Result<(), AdminError> {
    let old = &schedule.settings;
    if new.entry_order != old.entry_order && now >= old.queue_opens_at {
        return Err(AdminError::LineIsOpen);
    }
    if new.queue_opens_at > schedule.reservation_available_at {
        let detail = "must not be after reservation_available_at";
        return Err(AdminError::invalid("/queue_opens_at", detail));
    }
    check_bounds(new)
}

/// Checks the bounds of the automatic rate.
///
/// # Errors
/// [`AdminError::Invalid`] if the lowest rate is above the highest.
pub fn check_bounds(settings: &QueueSettings) -> Result<(), AdminError> {
    if settings.auto_min_per_second > settings.auto_max_per_second {
        let detail = "must not be above auto_max_per_second";
        return Err(AdminError::invalid("/auto_min_per_second", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
