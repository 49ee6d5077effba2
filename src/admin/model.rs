//! Request and response bodies for concerts and schedules.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::AdminError;
use super::rules::{given, storable};
use super::settings::QueueChange;
use super::state::AdminConcert;
use crate::concert::model::{ConcertStatus, Schedule};
use crate::strict_object::object;

/// A concert to create.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConcert {
    /// Title, 1 to 200 characters.
    #[garde(length(chars, min = 1, max = 200), custom(storable))]
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// Description, up to 10,000 characters.
    #[serde(default)]
    #[garde(length(chars, max = 10_000), custom(storable))]
    #[schema(max_length = 10_000)]
    pub description: String,
    /// Whether the concert is on sale at all. Default: AVAILABLE.
    #[serde(default = "available")]
    #[garde(skip)]
    pub status: ConcertStatus,
    /// True to create a draft, which only administrators see until it is published.
    #[serde(default)]
    #[garde(skip)]
    pub draft: bool,
}

/// Changes to a concert. Absent fields keep their values.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConcertChange {
    /// Title, 1 to 200 characters.
    #[serde(deserialize_with = "given")]
    #[garde(length(chars, min = 1, max = 200))]
    #[garde(custom(storable))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// Description, up to 10,000 characters.
    #[serde(deserialize_with = "given")]
    #[garde(length(chars, max = 10_000))]
    #[garde(custom(storable))]
    #[schema(value_type = String, max_length = 10_000)]
    pub description: Option<String>,
    /// Whether the concert is on sale at all. UNAVAILABLE stops joins and holds at once.
    #[serde(deserialize_with = "given")]
    #[garde(skip)]
    #[schema(value_type = ConcertStatus)]
    pub status: Option<ConcertStatus>,
}

/// The times of a schedule. The sale opens before it closes, and closes no later than the doors
/// open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When the sale opens.
    pub reservation_available_at: DateTime<Utc>,
    /// When the sale closes.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
}

/// A schedule to create.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// When the sale opens.
    #[garde(custom(storable))]
    pub reservation_available_at: DateTime<Utc>,
    /// When the sale closes.
    #[garde(custom(storable))]
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    #[garde(custom(storable))]
    pub concert_at: DateTime<Utc>,
    /// Queue settings that differ from the defaults.
    #[serde(default, deserialize_with = "object")]
    #[garde(dive)]
    pub queue: QueueChange,
    /// True to create a draft, which only administrators see until it is published.
    #[serde(default)]
    #[garde(skip)]
    pub draft: bool,
}

/// Changes to the times of a schedule. Absent fields keep their values.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimesChange {
    /// When the sale opens.
    #[serde(deserialize_with = "given")]
    #[garde(custom(storable))]
    #[schema(value_type = DateTime<Utc>)]
    pub reservation_available_at: Option<DateTime<Utc>>,
    /// When the sale closes.
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

impl Times {
    /// Checks that the times are in order, including the opening of the queue. PostgreSQL keeps
    /// microseconds, so times that differ by less are equal.
    ///
    /// # Errors
    /// [`AdminError::InvalidTimes`] names the two times that are not.
    pub fn check(&self, queue_opens_at: DateTime<Utc>) -> Result<(), AdminError> {
        let [opens, ends, plays, queue_opens] =
            [self.reservation_available_at, self.deadline_at, self.concert_at, queue_opens_at]
                .map(|time| time.timestamp_micros());
        let wrong = if opens >= ends {
            "reservation_available_at must be before deadline_at"
        } else if ends > plays {
            "deadline_at must not be after concert_at"
        } else if queue_opens > opens {
            "queue_opens_at must not be after reservation_available_at"
        } else {
            return Ok(());
        };
        Err(AdminError::InvalidTimes(wrong))
    }
}

impl NewSchedule {
    /// Returns the times of the new schedule.
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
    /// Returns `old` with this change applied.
    #[must_use]
    pub fn applied_to(&self, old: &AdminConcert) -> AdminConcert {
        AdminConcert {
            id: old.id,
            title: self.title.as_ref().unwrap_or(&old.title).clone(),
            description: self.description.as_ref().unwrap_or(&old.description).clone(),
            status: self.status.unwrap_or(old.status),
            draft: old.draft,
            removing: old.removing,
        }
    }
}

impl TimesChange {
    /// Returns the times of `old` with this change applied.
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
        let hour = TimeDelta::hours(1);
        let now = DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap();
        let times = |opens, closes, plays| Times {
            reservation_available_at: now + hour * opens,
            deadline_at: now + hour * closes,
            concert_at: now + hour * plays,
        };
        assert!(times(0, 1, 1).check(now).is_ok());
        for wrong in [times(1, 1, 2), times(2, 1, 3), times(0, 2, 1)] {
            assert!(wrong.check(now).is_err(), "{wrong:?}");
        }
        assert!(
            times(0, 1, 1).check(now + TimeDelta::seconds(1)).is_err(),
            "the queue opens no later than the sale"
        );
        let short = |nanoseconds| Times {
            deadline_at: now + TimeDelta::nanoseconds(nanoseconds),
            ..times(0, 1, 1)
        };
        assert!(short(999).check(now).is_err(), "PostgreSQL would store the same time twice");
        assert!(short(1000).check(now).is_ok());
    }

    #[test]
    fn a_concert_needs_a_title_that_can_be_stored() {
        let is_valid = |title: &str| {
            let text = serde_json::json!({ "title": title }).to_string();
            serde_json::from_str::<NewConcert>(&text).unwrap().validate().is_ok()
        };
        assert!(is_valid("가"));
        for refused in ["", &"x".repeat(201), "a\0b"] {
            assert!(!is_valid(refused), "{refused:?}");
        }
    }
}
