//! Changes to queue settings, their limits, and the defaults of new schedules.

use chrono::{DateTime, TimeDelta, Utc};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::AdminError;
use super::rules::{given, storable};
use crate::concert::model::{EntryOrder, QueueSettings, Schedule};
use crate::concert::sale_settings::{
    ACTIVE_TTL, ADMIT_PER_SECOND, CAPACITY, CLAIM_WINDOW, HOLD_TTL, MAX_SEATS_PER_USER,
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
/// [`AdminError::Invalid`] if the queue would open after the sale.
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concert::audience::Hidden;
    use crate::concert::model::ConcertStatus;
    use crate::store::id::{ConcertId, ScheduleId};

    fn change(text: &str) -> Result<QueueChange, String> {
        let change: QueueChange = serde_json::from_str(text).map_err(|error| error.to_string())?;
        change.validate().map_err(|report| report.to_string())?;
        Ok(change)
    }

    #[test]
    fn absent_settings_keep_their_values_and_null_clears_only_the_message() {
        let mut old = defaults(Utc::now());
        old.message = Some("soon".to_owned());
        let new = change(r#"{"capacity":0,"paused":true}"#).unwrap().applied_to(&old);
        assert_eq!(new, QueueSettings { capacity: 0, paused: true, ..old.clone() });
        let new = change(r#"{"message":null}"#).unwrap().applied_to(&old);
        assert_eq!(new, QueueSettings { message: None, ..old.clone() });
        assert!(change(r#"{"capacity":null}"#).is_err());
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let long = "x".repeat(1001);
        for refused in [
            r#"{"capacity":1000001}"#,
            r#"{"admit_per_second":0}"#,
            r#"{"presence_window_seconds":9}"#,
            r#"{"presence_window_seconds":601}"#,
            r#"{"hold_ttl_seconds":3601}"#,
            r#"{"max_seats_per_user":101}"#,
            r#"{"entry_order":"LIFO"}"#,
            r#"{"queue_opens_at":"0001-01-01T00:00:00Z"}"#,
            r#"{"message":"a\u0000b"}"#,
            &format!(r#"{{"message":"{long}"}}"#),
            r#"{"capacty":1}"#,
        ] {
            assert!(change(refused).is_err(), "{refused}");
        }
        assert!(change(&format!(r#"{{"message":"{}"}}"#, "가".repeat(1000))).is_ok());
    }

    #[test]
    fn the_entry_order_is_fixed_once_the_queue_is_open() {
        let now = Utc::now();
        let old = schedule(now + OPENS_BEFORE);
        let draw = QueueSettings { entry_order: EntryOrder::Draw, ..old.settings.clone() };
        assert!(matches!(may_change(&old, &draw, now), Err(AdminError::LineIsOpen)));
        let before = now - TimeDelta::seconds(1);
        assert!(may_change(&old, &draw, before).is_ok());
        assert!(may_change(&old, &old.settings, now).is_ok(), "the same order is no change");
    }

    #[test]
    fn the_queue_opens_no_later_than_the_sale() {
        let now = Utc::now();
        let old = schedule(now);
        let opens = |at| QueueSettings { queue_opens_at: at, ..old.settings.clone() };
        assert!(may_change(&old, &opens(now), now).is_ok());
        let late = may_change(&old, &opens(now + TimeDelta::seconds(1)), now);
        assert!(matches!(late, Err(AdminError::Invalid { .. })));
    }

    fn schedule(reservation_available_at: DateTime<Utc>) -> Schedule {
        Schedule {
            id: ScheduleId(1),
            concert_id: ConcertId(1),
            concert_status: ConcertStatus::Available,
            reservation_available_at,
            deadline_at: reservation_available_at + TimeDelta::days(1),
            concert_at: reservation_available_at + TimeDelta::days(1),
            settings: defaults(reservation_available_at),
            settings_version: 1,
            queue_epoch: 0,
            over: false,
            hidden: Hidden::default(),
            layout_version: 0,
            seats_version: 0,
            seats_total: 0,
        }
    }
}
