//! Concerts, schedules with their queue settings, seats, and the phase of a sale.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audience::Hidden;
pub use super::queue_settings::{AdmissionMode, EntryOrder, QueueSettings};
use crate::store::id::{ConcertId, ScheduleId, SeatId};

/// The kind of outbox entry whose payload is a [`SettingsChanged`].
pub const SETTINGS_CHANGED: &str = "settings_changed";

/// Outbox payload: the settings, times or seats of a schedule changed. The relay reads the current
/// values from PostgreSQL, so the payload does not have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsChanged {
    /// The schedule.
    pub schedule: ScheduleId,
}

/// Whether a concert is on sale at all. UNAVAILABLE stops joins and holds at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConcertStatus {
    /// The concert's schedules follow their own times.
    Available,
    /// Withdrawn: joins and holds are refused. Existing holds can still be paid.
    Unavailable,
}

impl ConcertStatus {
    /// Returns the name in PostgreSQL and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}

/// Filter for concerts that have a date whose sale is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Sale {
    /// The sale of at least one date has opened. The latest opening comes first.
    Open,
    /// The sale of no date has opened. The next opening comes first.
    Upcoming,
}

/// Filter for dates of a concert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Dates {
    /// The sale is not over. The next date comes first.
    Upcoming,
    /// The sale is over. The latest date comes first.
    Past,
}

/// A concert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Concert {
    /// Id of the concert.
    pub id: ConcertId,
    /// Title, 1 to 200 characters.
    pub title: String,
    /// Description, up to 10,000 characters.
    pub description: String,
    /// Whether the concert is on sale at all.
    pub status: ConcertStatus,
    /// It is not published: only administrators see it.
    #[serde(skip)]
    pub draft: bool,
    /// Its removal has begun.
    #[serde(skip)]
    pub removing: bool,
}

/// One schedule, as PostgreSQL stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Id of the schedule.
    pub id: ScheduleId,
    /// Id of its concert.
    pub concert_id: ConcertId,
    /// Status of its concert.
    pub concert_status: ConcertStatus,
    /// When the sale opens.
    pub reservation_available_at: DateTime<Utc>,
    /// When the sale closes. From then on joins, holds and refunds are refused.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
    /// Queue settings.
    pub settings: QueueSettings,
    /// The automatic rate, once it was checked.
    pub auto_rate: Option<u32>,
    /// Version of settings, times and automatic rate. Rises with each change.
    pub settings_version: i64,
    /// Number of times that the schedule's Redis keys were built. 0 before the first time.
    pub queue_epoch: u64,
    /// Version of the layout. Rises when seats are added, replaced or priced.
    pub layout_version: i32,
    /// Rises with each change of the seats by an administrator.
    pub seats_version: i32,
    /// Whether the sale closed at least two hours ago, by PostgreSQL's clock, or is being removed.
    /// Then nothing of it changes any more, and its Redis keys are not built again.
    pub over: bool,
    /// Why the public does not see it, if so.
    pub hidden: Hidden,
    /// Number of seats in all states together.
    pub seats_total: u32,
}

/// Phase of a sale. If several fit, the first in this order applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// The deadline has passed.
    Closed,
    /// The sale has not opened, or the schedule has no seats.
    Upcoming,
    /// Admission is paused.
    Paused,
    /// Every seat is sold or blocked. A refund opens the sale again.
    SoldOut,
    /// On sale.
    Open,
}

/// What the phase of a sale depends on. Times are in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct SaleState {
    /// When the sale opens.
    pub opens_ms: i64,
    /// When the sale closes.
    pub deadline_ms: i64,
    /// Whether an administrator has paused admission.
    pub paused: bool,
    /// Seats that are sold or blocked.
    pub gone: u32,
    /// All seats of the schedule.
    pub seats: u32,
}

impl SaleState {
    /// Computes the phase at a time, as `sale_phase` in `lua/lib/sale.lua` does.
    #[must_use]
    pub fn phase(&self, now_ms: i64) -> Phase {
        if now_ms >= self.deadline_ms {
            Phase::Closed
        } else if now_ms < self.opens_ms || self.seats == 0 {
            Phase::Upcoming
        } else if self.paused {
            Phase::Paused
        } else if self.gone >= self.seats {
            Phase::SoldOut
        } else {
            Phase::Open
        }
    }
}

impl Schedule {
    /// Computes the phase at `now`. `gone` is the number of seats that are sold or blocked.
    #[must_use]
    pub fn phase(&self, now: DateTime<Utc>, gone: u32) -> Phase {
        let state = SaleState {
            opens_ms: self.reservation_available_at.timestamp_millis(),
            deadline_ms: self.deadline_at.timestamp_millis(),
            paused: self.settings.paused,
            gone,
            seats: self.seats_total,
        };
        state.phase(now.timestamp_millis())
    }

    /// Returns the limit of admissions per second that applies now.
    #[must_use]
    pub fn admission_rate(&self) -> u32 {
        let settings = &self.settings;
        match settings.admission_mode {
            AdmissionMode::Fixed => settings.admit_per_second,
            AdmissionMode::Auto => {
                settings.auto_rules().bounded(self.auto_rate.unwrap_or(settings.admit_per_second))
            }
        }
    }

    /// Returns the time to pay for held seats.
    #[must_use]
    pub fn hold_ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.settings.hold_ttl_seconds))
    }
}

/// One seat without its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Seat {
    /// Id of the seat.
    pub id: SeatId,
    /// Number of the seat: 1..n in a schedule, without a gap.
    pub seat_number: u32,
    /// Name of the section, such as `A` or `Balcony`.
    pub section: String,
    /// Name of the row, such as `1` or `AA`.
    pub row: String,
    /// Price in points.
    pub seat_price: i64,
}

/// Public state of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SeatStatus {
    /// Free to hold.
    Available,
    /// Held: it waits for payment.
    Held,
    /// Sold or blocked.
    Unavailable,
}

impl SeatStatus {
    /// Converts the state number of the read model.
    #[must_use]
    pub fn from_state(state: u8) -> Self {
        match state {
            0 => Self::Available,
            1 => Self::Held,
            _ => Self::Unavailable,
        }
    }
}
