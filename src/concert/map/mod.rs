//! The public seat map: whole, without states, as two bits per seat, or what changed.

pub mod http;
pub mod stream;

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Layout, Seat, SeatStatus};
use crate::board::seats::{SeatStates, SeatVersion};
use crate::store::id::{ScheduleId, SeatId};

/// Which seats, in which states. Opaque to clients, and the same in every process.
///
/// It names the layout too: whoever asks what changed since a map with fewer seats gets the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MapVersion {
    /// Of the states.
    pub seats: SeatVersion,
    /// Of the layout.
    pub layout: i32,
}

impl fmt::Display for MapVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.seats, self.layout)
    }
}

impl FromStr for MapVersion {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seats, layout) = text.split_once('-').unwrap_or((text, ""));
        Ok(Self { seats: seats.parse()?, layout: layout.parse()? })
    }
}

/// Every seat with its state.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeatMap<'m> {
    /// Opaque; `?since=` takes it.
    #[schema(example = "1.204-1")]
    pub version: String,
    /// In order of their numbers.
    pub seats: Vec<MapSeat<'m>>,
}

/// A seat of the map.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapSeat<'m> {
    id: SeatId,
    seat_number: u32,
    section: &'m str,
    row: &'m str,
    /// Points.
    seat_price: i64,
    status: SeatStatus,
}

/// The map without states: immutable per `layout_version`.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeatLayout<'m> {
    /// Whose.
    pub schedule_id: ScheduleId,
    /// Rises when seats are added.
    pub layout_version: i32,
    /// In order of their numbers.
    pub seats: &'m [Seat],
}

/// The states alone.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeatBits {
    /// Opaque; `?since=` takes it.
    #[schema(example = "1.204-1")]
    pub version: String,
    /// Of the layout that the bits belong to.
    pub layout_version: i32,
    /// Base64 of two bits per seat in order of `seat_number`: 0 available, 1 held, 2 unavailable.
    /// Four seats to a byte, the first in its lowest bits: the state of seat *n* is
    /// `bytes[(n - 1) >> 2] >> ((n - 1) & 3) * 2 & 3`.
    pub status: String,
}

/// The seats that changed.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatChanges {
    /// What the map is after them.
    #[schema(example = "1.207-1")]
    pub version: String,
    /// What was asked for.
    #[schema(example = "1.204-1")]
    pub since: String,
    /// In order of their numbers.
    pub seats: Vec<ChangedSeat>,
}

/// A seat that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChangedSeat {
    /// Its id.
    pub id: SeatId,
    /// What it is now.
    pub status: SeatStatus,
}

impl<'m> SeatLayout<'m> {
    /// The layout of a schedule.
    #[must_use]
    pub fn new(schedule_id: ScheduleId, layout: &'m Layout) -> Self {
        Self { schedule_id, layout_version: layout.version, seats: &layout.seats }
    }
}

/// Every seat with its state.
#[must_use]
pub fn whole<'m>(layout: &'m Layout, states: &SeatStates) -> SeatMap<'m> {
    let version = MapVersion { seats: states.version, layout: layout.version }.to_string();
    let seats = layout.seats.iter().map(|seat| MapSeat {
        id: seat.id,
        seat_number: seat.seat_number,
        section: &seat.section,
        row: &seat.row,
        seat_price: seat.seat_price,
        status: SeatStatus::from_state(states.state(seat.seat_number)),
    });
    SeatMap { version, seats: seats.collect() }
}

/// The states of all seats of `layout`, two bits each.
#[must_use]
pub fn bits(layout: &Layout, states: &SeatStates) -> SeatBits {
    let version = MapVersion { seats: states.version, layout: layout.version }.to_string();
    let packed = layout.seats.chunks(4).map(|four| {
        four.iter().rev().fold(0, |byte, seat| byte << 2 | states.state(seat.seat_number) & 3)
    });
    let packed: Vec<u8> = packed.collect();
    SeatBits { version, layout_version: layout.version, status: STANDARD.encode(packed) }
}

/// What changed since the map was `since`; nothing where that is not known any more.
#[must_use]
pub fn changes(layout: &Layout, states: &SeatStates, since: MapVersion) -> Option<SeatChanges> {
    if since.layout != layout.version {
        return None;
    }
    let changed = states.since(since.seats)?;
    let seats = changed.into_iter().filter_map(|(number, state)| {
        let seat = layout.seat(number)?;
        Some(ChangedSeat { id: seat.id, status: SeatStatus::from_state(state) })
    });
    let version = MapVersion { seats: states.version, layout: layout.version }.to_string();
    Some(SeatChanges { version, since: since.to_string(), seats: seats.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: SeatVersion = SeatVersion { epoch: 1, number: 7 };

    fn layout(version: i32, seats: u32) -> Layout {
        let seat = |seat_number| Seat {
            id: SeatId(1000 + i64::from(seat_number)),
            seat_number,
            section: "A".to_owned(),
            row: "1".to_owned(),
            seat_price: 100,
        };
        Layout::new(version, (1..=seats).map(seat).collect())
    }

    /// Five seats, of which 2 is gone and 5 held; then 3 is held as well.
    fn states() -> SeatStates {
        let old = SeatStates::whole(OLD, 5, &[0b0010_0000], &[5]);
        old.after(5, vec![(8, vec![(3, 1)])]).unwrap()
    }

    #[test]
    fn two_bits_tell_a_seat_and_the_first_seat_is_lowest() {
        let told = bits(&layout(2, 5), &states());
        assert_eq!((told.version.as_str(), told.layout_version), ("1.8-2", 2));
        // 1: 0, 2: 2, 3: 1, 4: 0; then 5: 1.
        assert_eq!(STANDARD.decode(told.status).unwrap(), [0b00_01_10_00, 0b01]);
    }

    #[test]
    fn fifty_thousand_seats_take_17_kilobytes() {
        assert_eq!(bits(&layout(1, 50_000), &SeatStates::default()).status.len(), 16_668);
    }

    #[test]
    fn the_map_says_what_each_seat_is() {
        let (layout, states) = (layout(2, 6), states());
        let map = serde_json::to_value(whole(&layout, &states)).unwrap();
        let seats = map["seats"].as_array().unwrap();
        let told: Vec<_> = seats.iter().map(|seat| seat["status"].as_str().unwrap()).collect();
        let (free, held) = ("AVAILABLE", "HELD");
        assert_eq!(told, [free, "UNAVAILABLE", held, free, held, free]);
        assert_eq!(seats[1]["id"], 1002);
    }

    #[test]
    fn changes_are_told_where_version_and_layout_are_known() {
        let since = MapVersion { seats: OLD, layout: 2 };
        let told = changes(&layout(2, 5), &states(), since).unwrap();
        let seats = vec![ChangedSeat { id: SeatId(1003), status: SeatStatus::Held }];
        let (version, since_text) = ("1.8-2".to_owned(), "1.7-2".to_owned());
        assert_eq!(told, SeatChanges { version, since: since_text, seats });

        assert_eq!(changes(&layout(3, 6), &states(), since), None, "seats were added");
        let forgotten = SeatVersion { epoch: 1, number: 6 };
        assert_eq!(
            changes(&layout(2, 5), &states(), MapVersion { seats: forgotten, ..since }),
            None
        );
    }

    #[test]
    fn a_version_reads_back_as_it_was_written() {
        let version = MapVersion { seats: OLD, layout: 3 };
        assert_eq!(version.to_string().parse(), Ok(version));
        for text in ["", "1.7", "1-2", "1.7-", "1.7-x"] {
            assert!(text.parse::<MapVersion>().is_err(), "{text}");
        }
    }
}
