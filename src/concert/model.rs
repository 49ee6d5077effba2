//! What is on sale: concerts, schedules with their queue settings, seats, and the phase of a sale.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::id::{ConcertId, ScheduleId, SeatId};

/// The kind of outbox entry whose payload is a [`SettingsChanged`].
pub const SETTINGS_CHANGED: &str = "settings_changed";

/// A schedule's settings, times or seats changed; whoever relays it reads the newest themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsChanged {
    /// Whose.
    pub schedule: ScheduleId,
}

/// Whether a concert is on at all. UNAVAILABLE stops joins and holds at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConcertStatus {
    /// On.
    Available,
    /// Withdrawn: no join, no hold; a live hold may still be paid.
    Unavailable,
}

impl ConcertStatus {
    /// As PostgreSQL and the API have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}

/// Concerts by what can be bought, among those that have a date whose sale is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Sale {
    /// The sale of a date has opened: those that opened last come first.
    Open,
    /// The sale of every date is still to open: those that open next come first.
    Upcoming,
}

/// Dates of a concert by whether their sale is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Dates {
    /// It is not: the next date comes first.
    Upcoming,
    /// It is: the latest date comes first.
    Past,
}

/// A concert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Concert {
    /// Its id.
    pub id: ConcertId,
    /// 1 to 200 characters.
    pub title: String,
    /// Up to 10,000 characters.
    pub description: String,
    /// Whether it is on.
    pub status: ConcertStatus,
}

/// In which order those in line are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum EntryOrder {
    /// In order of arrival.
    Fifo,
    /// Those who came before the opening in an order drawn at the opening; the rest as they come.
    Draw,
}

impl EntryOrder {
    /// As PostgreSQL and the API have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "FIFO",
            Self::Draw => "DRAW",
        }
    }
}

/// How the line of one schedule behaves; any part may change while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueSettings {
    /// How many may be inside at once.
    pub capacity: u32,
    /// How many are let in per second at most.
    pub admit_per_second: u32,
    /// How long a slot lasts from admission.
    pub active_ttl_seconds: u32,
    /// How long a slot waits for its owner to be seen.
    pub claim_window_seconds: u32,
    /// Who was not heard from for this long is passed over when their turn comes.
    pub presence_window_seconds: u32,
    /// How long the place of somebody passed over is kept, counted from the first time.
    pub return_grace_seconds: u32,
    /// How long held seats wait for payment.
    pub hold_ttl_seconds: u32,
    /// How many seats of this schedule one user may hold or own.
    pub max_seats_per_user: u32,
    /// Fixed once the line is open.
    pub entry_order: EntryOrder,
    /// From when on people may join.
    pub queue_opens_at: DateTime<Utc>,
    /// Stops admission; the line stays.
    pub paused: bool,
    /// Shown to those who wait.
    pub message: Option<String>,
}

/// One performance, as it stands in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// The concert that plays.
    pub concert_id: ConcertId,
    /// Whether that concert is on.
    pub concert_status: ConcertStatus,
    /// When the sale opens.
    pub reservation_available_at: DateTime<Utc>,
    /// When it closes: no join, no hold, no refund from here on.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
    /// The line's settings.
    pub settings: QueueSettings,
    /// Which version of the settings (and times) this is.
    pub settings_version: i64,
    /// How often the schedule's keys in Redis were built; 0: never yet.
    pub queue_epoch: u64,
    /// Rises when seats are added.
    pub layout_version: i32,
    /// Whether it closed so long ago that nothing of it moves any more, and its keys in Redis are not
    /// built again: two hours, by PostgreSQL's clock.
    pub over: bool,
    /// How many seats there are, sold and blocked ones included.
    pub seats_total: u32,
}

/// Where a sale stands: the first that fits, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// Past the deadline.
    Closed,
    /// Before the opening, or without seats.
    Upcoming,
    /// Nobody is let in for now.
    Paused,
    /// Every seat is sold or blocked; a refund reopens.
    SoldOut,
    /// On sale.
    Open,
}

impl Phase {
    /// The phase by the times (now, opening, deadline) in ms, and by how many of the seats are gone.
    #[must_use]
    pub fn at(
        (now, opens, deadline): (i64, i64, i64),
        paused: bool,
        gone: u32,
        seats: u32,
    ) -> Self {
        if now >= deadline {
            Self::Closed
        } else if now < opens || seats == 0 {
            Self::Upcoming
        } else if paused {
            Self::Paused
        } else if gone >= seats {
            Self::SoldOut
        } else {
            Self::Open
        }
    }
}

impl Schedule {
    /// The phase at `now`, given how many seats are sold or blocked.
    #[must_use]
    pub fn phase(&self, now: DateTime<Utc>, gone: u32) -> Phase {
        let ms = |time: DateTime<Utc>| time.timestamp_millis();
        let times = (ms(now), ms(self.reservation_available_at), ms(self.deadline_at));
        Phase::at(times, self.settings.paused, gone, self.seats_total)
    }

    /// How long a hold lasts.
    #[must_use]
    pub fn hold_ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.settings.hold_ttl_seconds))
    }
}

/// One seat without its state: what a map is drawn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Seat {
    /// Its id.
    pub id: SeatId,
    /// 1..n without a gap within a schedule.
    pub seat_number: u32,
    /// Such as `A`, `Balcony`.
    pub section: String,
    /// Such as `1`, `AA`.
    pub row: String,
    /// Points.
    pub seat_price: i64,
}

/// What a seat looks like to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SeatStatus {
    /// Free.
    Available,
    /// Somebody is about to pay for it.
    Held,
    /// Sold or blocked.
    Unavailable,
}

impl SeatStatus {
    /// From the read model's number for it.
    #[must_use]
    pub fn from_state(state: u8) -> Self {
        match state {
            0 => Self::Available,
            1 => Self::Held,
            _ => Self::Unavailable,
        }
    }
}

/// All seats of a schedule, immutable per version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Rises when seats are added.
    pub version: i32,
    /// In order of `seat_number`, which is its index plus one.
    pub seats: Vec<Seat>,
    by_id: HashMap<SeatId, u32>,
}

impl Layout {
    /// Takes seats in order of their numbers.
    #[must_use]
    pub fn new(version: i32, seats: Vec<Seat>) -> Self {
        let by_id = seats.iter().map(|seat| (seat.id, seat.seat_number)).collect();
        Self { version, seats, by_id }
    }

    /// The number of a seat, if it is one of this schedule.
    #[must_use]
    pub fn number(&self, id: SeatId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// A seat by its number.
    #[must_use]
    pub fn seat(&self, number: u32) -> Option<&Seat> {
        self.seats.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}
