//! The public seat map in four forms: seats with states, seats alone, states as two bits per seat,
//! and changes since a version.

pub mod http;
pub mod stream;

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

use super::layout::Layout;
use super::model::{Seat, SeatStatus};
use crate::board::seats::{SeatStates, SeatVersion};
use crate::store::id::{ScheduleId, SeatId};

/// Version of a seat map. Opaque to clients, and the same in every process.
///
/// It includes the layout's version, so that a client with an older layout gets the whole map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MapVersion {
    /// Version of the states.
    pub seats: SeatVersion,
    /// Version of the layout.
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

/// Every seat of a schedule with its state.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeatMap<'m> {
    /// Version of the map: an opaque value for `?since=`.
    #[schema(example = "1.204-1")]
    pub version: String,
    /// In order of seat number.
    pub seats: Vec<MapSeat<'m>>,
}

/// A seat with its state.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapSeat<'m> {
    id: SeatId,
    seat_number: u32,
    section: &'m str,
    row: &'m str,
    /// Price in points.
    seat_price: i64,
    status: SeatStatus,
}

/// Every seat without its state. Immutable per `layout_version`.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeatLayout<'m> {
    /// Id of the schedule.
    pub schedule_id: ScheduleId,
    /// Version of the layout. Rises when seats are added.
    pub layout_version: i32,
    /// In order of seat number.
    pub seats: &'m [Seat],
}

/// The states of all seats.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeatBits {
    /// Version of the map: an opaque value for `?since=`.
    #[schema(example = "1.204-1")]
    pub version: String,
    /// Version of the layout that the states belong to.
    pub layout_version: i32,
    /// Base64 of two bits per seat in order of `seat_number`: 0 available, 1 held, 2 unavailable.
    /// A byte has four seats, the first in its lowest bits. The state of seat *n* is
    /// `bytes[(n - 1) >> 2] >> ((n - 1) & 3) * 2 & 3`.
    pub status: String,
}

/// The seats that changed since a version.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatChanges {
    /// Version of the map after the changes.
    #[schema(example = "1.207-1")]
    pub version: String,
    /// Version of the map before the changes, as in the request.
    #[schema(example = "1.204-1")]
    pub since: String,
    /// In order of seat number.
    pub seats: Vec<ChangedSeat>,
}

/// A seat whose state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChangedSeat {
    /// Id of the seat.
    pub id: SeatId,
    /// New state.
    pub status: SeatStatus,
}

impl<'m> SeatLayout<'m> {
    /// Builds the answer with the layout of a schedule.
    #[must_use]
    pub fn new(schedule_id: ScheduleId, layout: &'m Layout) -> Self {
        Self { schedule_id, layout_version: layout.version, seats: &layout.seats }
    }
}

/// Builds the map of every seat with its state.
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

/// Packs the states of all seats of `layout`, two bits each.
#[must_use]
pub fn bits(layout: &Layout, states: &SeatStates) -> SeatBits {
    let version = MapVersion { seats: states.version, layout: layout.version }.to_string();
    let packed = layout.seats.chunks(4).map(|four| {
        four.iter().rev().fold(0, |byte, seat| byte << 2 | states.state(seat.seat_number) & 3)
    });
    let packed: Vec<u8> = packed.collect();
    SeatBits { version, layout_version: layout.version, status: STANDARD.encode(packed) }
}

/// Lists the changes since the version `since`; `None` if they are no longer known.
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

    /// Five seats: seat 2 is sold and seat 5 held, then seat 3 is held as well.
    fn states() -> SeatStates {
        let old = SeatStates::whole(OLD, 5, &[0b0010_0000], &[5]);
        old.after(5, vec![(8, vec![(3, 1)])]).unwrap()
    }

    #[test]
    fn each_seat_takes_two_bits_and_the_first_seat_the_lowest() {
        let answer = bits(&layout(2, 5), &states());
        assert_eq!((answer.version.as_str(), answer.layout_version), ("1.8-2", 2));
        // 1: 0, 2: 2, 3: 1, 4: 0; then 5: 1.
        assert_eq!(STANDARD.decode(answer.status).unwrap(), [0b00_01_10_00, 0b01]);
    }

    #[test]
    fn fifty_thousand_seats_take_17_kilobytes() {
        assert_eq!(bits(&layout(1, 50_000), &SeatStates::default()).status.len(), 16_668);
    }

    #[test]
    fn the_map_has_the_state_of_each_seat() {
        let (layout, states) = (layout(2, 6), states());
        let map = serde_json::to_value(whole(&layout, &states)).unwrap();
        let seats = map["seats"].as_array().unwrap();
        let statuses: Vec<_> = seats.iter().map(|seat| seat["status"].as_str().unwrap()).collect();
        let (free, held) = ("AVAILABLE", "HELD");
        assert_eq!(statuses, [free, "UNAVAILABLE", held, free, held, free]);
        assert_eq!(seats[1]["id"], 1002);
    }

    #[test]
    fn changes_need_a_known_version_of_the_current_layout() {
        let since = MapVersion { seats: OLD, layout: 2 };
        let answer = changes(&layout(2, 5), &states(), since).unwrap();
        let seats = vec![ChangedSeat { id: SeatId(1003), status: SeatStatus::Held }];
        let (version, since_text) = ("1.8-2".to_owned(), "1.7-2".to_owned());
        assert_eq!(answer, SeatChanges { version, since: since_text, seats });

        assert_eq!(changes(&layout(3, 6), &states(), since), None, "seats were added");
        let dropped = SeatVersion { epoch: 1, number: 6 };
        assert_eq!(changes(&layout(2, 5), &states(), MapVersion { seats: dropped, ..since }), None);
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
