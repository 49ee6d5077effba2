//! Concerts and schedules as an administrator makes and changes them.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::AdminError;
use super::rules::{given, storable};
use super::settings::QueueChange;
use crate::concert::model::{Concert, ConcertStatus, QueueSettings, Schedule};
use crate::store::id::{ConcertId, ScheduleId};
use crate::strict_object::object;

/// A concert to be made.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConcert {
    /// What it is called.
    #[garde(length(chars, min = 1, max = 200), custom(storable))]
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// What it is.
    #[serde(default)]
    #[garde(length(chars, max = 10_000), custom(storable))]
    #[schema(max_length = 10_000)]
    pub description: String,
    /// Whether it is on.
    #[serde(default = "available")]
    #[garde(skip)]
    pub status: ConcertStatus,
}

/// Changes to a concert: what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConcertChange {
    /// What it is called.
    #[serde(deserialize_with = "given")]
    #[garde(length(chars, min = 1, max = 200))]
    #[garde(custom(storable))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// What it is.
    #[serde(deserialize_with = "given")]
    #[garde(length(chars, max = 10_000))]
    #[garde(custom(storable))]
    #[schema(value_type = String, max_length = 10_000)]
    pub description: Option<String>,
    /// Whether it is on: UNAVAILABLE stops joins and holds at once.
    #[serde(deserialize_with = "given")]
    #[garde(skip)]
    #[schema(value_type = ConcertStatus)]
    pub status: Option<ConcertStatus>,
}

/// The times of a schedule: the sale opens before it closes, and closes before the doors open or
/// just then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When the sale opens.
    pub reservation_available_at: DateTime<Utc>,
    /// When it closes.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
}

/// A schedule to be made.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// When the sale opens.
    #[garde(custom(storable))]
    pub reservation_available_at: DateTime<Utc>,
    /// When it closes.
    #[garde(custom(storable))]
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    #[garde(custom(storable))]
    pub concert_at: DateTime<Utc>,
    /// The line's settings, where they are not the defaults.
    #[serde(default, deserialize_with = "object")]
    #[garde(dive)]
    pub queue: QueueChange,
}

/// Changes to the times of a schedule: what is absent stays.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimesChange {
    /// When the sale opens.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[schema(value_type = DateTime<Utc>)]
    pub reservation_available_at: Option<DateTime<Utc>>,
    /// When it closes.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[schema(value_type = DateTime<Utc>)]
    pub deadline_at: Option<DateTime<Utc>>,
    /// When the doors open.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[schema(value_type = DateTime<Utc>)]
    pub concert_at: Option<DateTime<Utc>>,
}

/// A schedule as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScheduleSettings {
    /// Its id.
    pub id: ScheduleId,
    /// The concert that plays.
    pub concert_id: ConcertId,
    /// When the sale opens.
    pub reservation_available_at: DateTime<Utc>,
    /// When it closes.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
    /// The line's settings.
    pub queue: QueueSettings,
}

impl From<Schedule> for ScheduleSettings {
    fn from(schedule: Schedule) -> Self {
        Self {
            id: schedule.id,
            concert_id: schedule.concert_id,
            reservation_available_at: schedule.reservation_available_at,
            deadline_at: schedule.deadline_at,
            concert_at: schedule.concert_at,
            queue: schedule.settings,
        }
    }
}

impl Times {
    /// Whether they are in order, the line's opening among them.
    ///
    /// # Errors
    /// [`AdminError::InvalidTimes`] says which are not.
    pub fn check(&self, queue_opens_at: DateTime<Utc>) -> Result<(), AdminError> {
        let wrong = if self.reservation_available_at >= self.deadline_at {
            "reservation_available_at must be before deadline_at"
        } else if self.deadline_at > self.concert_at {
            "deadline_at must not be after concert_at"
        } else if queue_opens_at > self.reservation_available_at {
            "queue_opens_at must not be after reservation_available_at"
        } else {
            return Ok(());
        };
        Err(AdminError::InvalidTimes(wrong))
    }
}

impl NewSchedule {
    /// Its times.
    #[must_use]
    pub fn times(&self) -> Times {
        Times {
            reservation_available_at: self.reservation_available_at,
            deadline_at: self.deadline_at,
            concert_at: self.concert_at,
        }
    }
}

impl ConcertChange {
    /// The concert after this change to `old`.
    #[must_use]
    pub fn applied_to(&self, old: &Concert) -> Concert {
        Concert {
            id: old.id,
            title: self.title.as_ref().unwrap_or(&old.title).clone(),
            description: self.description.as_ref().unwrap_or(&old.description).clone(),
            status: self.status.unwrap_or(old.status),
        }
    }
}

impl TimesChange {
    /// The times after this change to those of `old`.
    #[must_use]
    pub fn applied_to(&self, old: &Schedule) -> Times {
        Times {
            reservation_available_at: (self.reservation_available_at)
                .unwrap_or(old.reservation_available_at),
            deadline_at: self.deadline_at.unwrap_or(old.deadline_at),
            concert_at: self.concert_at.unwrap_or(old.concert_at),
        }
    }
}

fn available() -> ConcertStatus {
    ConcertStatus::Available
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn the_sale_opens_before_it_closes_and_closes_before_the_concert() {
        let (now, hour) = (Utc::now(), TimeDelta::hours(1));
        let times = |opens, closes, plays| Times {
            reservation_available_at: now + hour * opens,
            deadline_at: now + hour * closes,
            concert_at: now + hour * plays,
        };
        assert!(times(0, 1, 1).check(now).is_ok());
        for wrong in [times(1, 1, 2), times(2, 1, 3), times(0, 2, 1)] {
            assert!(wrong.check(now).is_err(), "{wrong:?}");
        }
        assert!(times(0, 1, 1).check(now + TimeDelta::seconds(1)).is_err(), "the line opens first");
    }

    #[test]
    fn a_concert_needs_a_title_that_can_be_kept() {
        let made = |title: &str| {
            let text = serde_json::json!({ "title": title }).to_string();
            serde_json::from_str::<NewConcert>(&text).unwrap().validate().is_ok()
        };
        assert!(made("가"));
        for refused in ["", &"x".repeat(201), "a\0b"] {
            assert!(!made(refused), "{refused:?}");
        }
    }
}
