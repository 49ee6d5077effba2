//! The seats of a schedule without their states.

use std::collections::HashMap;

use super::model::Seat;
use crate::store::id::SeatId;

/// All seats of a schedule. Immutable per version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Version of the layout. Rises when seats are added.
    pub version: i32,
    /// In order of `seat_number`, which is its index plus one.
    pub seats: Vec<Seat>,
    by_id: HashMap<SeatId, u32>,
}

impl Layout {
    /// Builds a layout from seats in order of seat number.
    #[must_use]
    pub fn new(version: i32, seats: Vec<Seat>) -> Self {
        let by_id = seats.iter().map(|seat| (seat.id, seat.seat_number)).collect();
        Self { version, seats, by_id }
    }

    /// Returns the number of seats.
    #[must_use]
    pub fn total(&self) -> u32 {
        u32::try_from(self.seats.len()).unwrap_or(u32::MAX)
    }

    /// Returns the number of a seat; `None` if the seat belongs to another schedule.
    #[must_use]
    pub fn number(&self, id: SeatId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Returns the seat with this number.
    #[must_use]
    pub fn seat(&self, number: u32) -> Option<&Seat> {
        self.seats.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}
