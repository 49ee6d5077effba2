//! How the settings of a line may be changed, and what they are where nobody said.

use chrono::{DateTime, TimeDelta, Utc};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::AdminError;
use super::rules::{given, storable};
use crate::concert::model::{EntryOrder, QueueSettings, Schedule};

/// How long before the sale its line opens, where nobody said.
const OPENS_BEFORE: TimeDelta = TimeDelta::minutes(30);

/// Changes to a line's settings: what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueueChange {
    /// How many may be inside at once.
    /// New schedules: 500.
    #[serde(deserialize_with = "given")]
    #[garde(range(max = 1_000_000))]
    #[schema(value_type = u32, maximum = 1_000_000)]
    pub capacity: Option<u32>,
    /// How many are let in per second at most.
    /// New schedules: 50.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = 1, max = 10_000))]
    #[schema(value_type = u32, minimum = 1, maximum = 10_000)]
    pub admit_per_second: Option<u32>,
    /// How long a slot lasts from admission.
    /// New schedules: 600.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = 1, max = 86_400))]
    #[schema(value_type = u32, minimum = 1, maximum = 86_400)]
    pub active_ttl_seconds: Option<u32>,
    /// How long a slot waits for its owner to be seen.
    /// New schedules: 60.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = 1, max = 3_600))]
    #[schema(value_type = u32, minimum = 1, maximum = 3_600)]
    pub claim_window_seconds: Option<u32>,
    /// Who was not heard from for this long is passed over when their turn comes. At least 10:
    /// clients near the front ask every few seconds.
    /// New schedules: 90.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = 10, max = 600))]
    #[schema(value_type = u32, minimum = 10, maximum = 600)]
    pub presence_window_seconds: Option<u32>,
    /// How long the place of somebody passed over is kept, counted from the first time.
    /// New schedules: 600.
    #[serde(deserialize_with = "given")]
    #[garde(range(max = 86_400))]
    #[schema(value_type = u32, maximum = 86_400)]
    pub return_grace_seconds: Option<u32>,
    /// How long held seats wait for payment.
    /// New schedules: 300.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = 1, max = 3_600))]
    #[schema(value_type = u32, minimum = 1, maximum = 3_600)]
    pub hold_ttl_seconds: Option<u32>,
    /// How many seats one user may hold or own.
    /// New schedules: 4.
    #[serde(deserialize_with = "given")]
    #[garde(range(min = 1, max = 100))]
    #[schema(value_type = u32, minimum = 1, maximum = 100)]
    pub max_seats_per_user: Option<u32>,
    /// Fixed once the line is open.
    #[serde(deserialize_with = "given")]
    #[garde(skip)]
    #[schema(value_type = EntryOrder)]
    pub entry_order: Option<EntryOrder>,
    /// From when on people may join: not after the sale opens. 30 minutes before it, where nobody
    /// said.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[schema(value_type = DateTime<Utc>)]
    pub queue_opens_at: Option<DateTime<Utc>>,
    /// Stops admission; the line stays.
    /// New schedules: false.
    #[serde(deserialize_with = "given")]
    #[garde(skip)]
    #[schema(value_type = bool)]
    pub paused: Option<bool>,
    /// Shown to those who wait; null clears it.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[garde(inner(inner(length(chars, max = 1_000))))]
    #[schema(value_type = Option<String>, max_length = 1_000)]
    pub message: Option<Option<String>>,
}

/// The settings of a line that nobody has said anything about.
#[must_use]
pub fn defaults(reservation_available_at: DateTime<Utc>) -> QueueSettings {
    QueueSettings {
        capacity: 500,
        admit_per_second: 50,
        active_ttl_seconds: 600,
        claim_window_seconds: 60,
        presence_window_seconds: 90,
        return_grace_seconds: 600,
        hold_ttl_seconds: 300,
        max_seats_per_user: 4,
        entry_order: EntryOrder::Fifo,
        queue_opens_at: reservation_available_at - OPENS_BEFORE,
        paused: false,
        message: None,
    }
}

impl QueueChange {
    /// The settings after this change to `old`.
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

/// Whether the line of `schedule` may get settings `new` at `now`.
///
/// # Errors
/// [`AdminError::LineIsOpen`] for another order of entry once people may join.
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
    use crate::concert::model::ConcertStatus;
    use crate::store::id::{ConcertId, ScheduleId};

    fn change(text: &str) -> Result<QueueChange, String> {
        let change: QueueChange = serde_json::from_str(text).map_err(|error| error.to_string())?;
        change.validate().map_err(|report| report.to_string())?;
        Ok(change)
    }

    #[test]
    fn what_is_absent_stays_and_null_clears_the_message_only() {
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
    fn the_order_of_entry_is_fixed_once_the_line_is_open() {
        let now = Utc::now();
        let old = schedule(now + OPENS_BEFORE);
        let draw = QueueSettings { entry_order: EntryOrder::Draw, ..old.settings.clone() };
        assert!(matches!(may_change(&old, &draw, now), Err(AdminError::LineIsOpen)));
        let before = now - TimeDelta::seconds(1);
        assert!(may_change(&old, &draw, before).is_ok());
        assert!(may_change(&old, &old.settings, now).is_ok(), "the same order is no change");
    }

    #[test]
    fn the_line_opens_no_later_than_the_sale() {
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
            layout_version: 0,
            seats_total: 0,
        }
    }
}
