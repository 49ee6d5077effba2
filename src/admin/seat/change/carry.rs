//! What replaced seats leave to the new ones: fences by number, and blocks by section, row and
//! position.
//!
//! Redis keeps the fence of each seat number that ever changed, and ignores changes that are not
//! above it. So a new seat begins above the fence that its number had.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::admin::seat::model::Columns;
use crate::seats::model::{FencedSeat, SeatState, SeatsChanged};
use crate::store::id::ScheduleId;

/// Seats per outbox entry.
const SEATS_PER_ENTRY: usize = 1_000;

/// A seat that is replaced, and has changed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSeat {
    /// Its number.
    pub number: u32,
    /// Its section.
    pub section: String,
    /// Its row.
    pub row: String,
    /// Its position in the row, from 1.
    pub place: u32,
    /// Its fence.
    pub fence: i64,
    /// Whether it is blocked.
    pub blocked: bool,
}

/// A seat number without a seat, and the last fence that it had.
pub type RemovedSeat = (u32, i64);

/// Fences and blocks of new seats.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// The number of the first new seat.
    pub first: u32,
    /// Fence of each new seat; 0 if its number never changed.
    pub fences: Vec<i64>,
    /// Whether each new seat is blocked.
    pub blocked: Vec<bool>,
    /// Numbers that changed once and have no seat now.
    pub removed: Vec<RemovedSeat>,
}

impl Carried {
    /// For seats that replace all seats of a schedule. A block stays on the seat with the same
    /// section, row and position.
    #[must_use]
    pub fn to_replacement(old: &[OldSeat], removed: &[RemovedSeat], new: &Columns) -> Self {
        let changed = old.iter().map(|seat| (seat.number, seat.fence));
        let mut fences = raised(changed.chain(removed.iter().copied()));
        let blocked: HashSet<(&str, &str, u32)> = old
            .iter()
            .filter(|seat| seat.blocked)
            .map(|seat| (seat.section.as_str(), seat.row.as_str(), seat.place))
            .collect();
        let mut carried = Self { first: 1, ..Self::default() };
        let mut places: HashMap<(&str, &str), u32> = HashMap::new();
        for (number, (section, row)) in (1..).zip(new.sections.iter().zip(&new.rows)) {
            let place = places.entry((section, row)).or_default();
            *place += 1;
            let is_blocked = blocked.contains(&(section.as_str(), row.as_str(), *place));
            carried.push(fences.remove(&number), is_blocked);
        }
        carried.removed = fences.into_iter().collect();
        carried
    }

    /// For seats that follow the seat numbered `last`.
    #[must_use]
    pub fn to_added(last: u32, removed: &[RemovedSeat], new: &Columns) -> Self {
        let mut fences = raised(removed.iter().copied());
        let mut carried = Self { first: last + 1, ..Self::default() };
        for (number, _) in (last + 1..).zip(&new.prices) {
            carried.push(fences.remove(&number), false);
        }
        // Numbers beyond the new seats keep the fences that they have.
        let stays = |(number, _): &&RemovedSeat| fences.contains_key(number);
        carried.removed = removed.iter().filter(stays).copied().collect();
        carried
    }

    fn push(&mut self, fence: Option<i64>, blocked: bool) {
        // Blocking changes the seat, so its fence is above 0.
        self.fences.push(fence.unwrap_or(i64::from(blocked)));
        self.blocked.push(blocked);
    }

    /// The changes that Redis must apply: of all numbers that changed before, and of blocked seats.
    /// `left` says that numbers without a seat are free from now on.
    #[must_use]
    pub fn events(&self, schedule: ScheduleId, left: bool) -> Vec<SeatsChanged> {
        let (mut free, mut blocked) = (Vec::new(), Vec::new());
        let seat = |number, fence| FencedSeat { number, fence, user: None };
        for (number, (fence, is_blocked)) in
            (self.first..).zip(self.fences.iter().zip(&self.blocked))
        {
            match (*fence > 0, *is_blocked) {
                (_, true) => blocked.push(seat(number, *fence)),
                (true, false) => free.push(seat(number, *fence)),
                (false, false) => {}
            }
        }
        if left {
            free.extend(self.removed.iter().map(|(number, fence)| seat(*number, *fence)));
        }
        let event = |state| {
            move |seats: &[FencedSeat]| SeatsChanged { schedule, seats: seats.to_vec(), state }
        };
        let free = free.chunks(SEATS_PER_ENTRY).map(event(SeatState::Free));
        free.chain(blocked.chunks(SEATS_PER_ENTRY).map(event(SeatState::Blocked))).collect()
    }
}

/// The next fence of each number.
fn raised(fences: impl Iterator<Item = RemovedSeat>) -> BTreeMap<u32, i64> {
    fences.filter(|(_, fence)| *fence > 0).map(|(number, fence)| (number, fence + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(seats: &[(&str, &str)]) -> Columns {
        let mut columns = Columns::default();
        for (section, row) in seats {
            columns.sections.push((*section).to_owned());
            columns.rows.push((*row).to_owned());
            columns.prices.push(5);
        }
        columns
    }

    fn old(number: u32, section: &str, place: u32, fence: i64, blocked: bool) -> OldSeat {
        let (section, row) = (section.to_owned(), "1".to_owned());
        OldSeat { number, section, row, place, fence, blocked }
    }

    #[test]
    fn a_block_stays_on_its_seat_and_a_fence_on_its_number() {
        // Seat 2 of A is blocked. Then section B comes in front of it.
        let new = columns(&[("B", "1"), ("A", "1"), ("A", "1")]);
        let carried = Carried::to_replacement(&[old(2, "A", 2, 4, true)], &[(9, 7)], &new);
        assert_eq!(carried.fences, [0, 5, 1]);
        assert_eq!(carried.blocked, [false, false, true]);
        assert_eq!(carried.removed, [(9, 8)]);
        let events = carried.events(ScheduleId(1), true);
        let numbers = |event: &SeatsChanged| {
            event.seats.iter().map(|seat| (seat.number, seat.fence)).collect::<Vec<_>>()
        };
        assert_eq!(events.len(), 2);
        assert_eq!((events[0].state, numbers(&events[0])), (SeatState::Free, vec![(2, 5), (9, 8)]));
        assert_eq!((events[1].state, numbers(&events[1])), (SeatState::Blocked, vec![(3, 1)]));
    }

    #[test]
    fn seats_that_never_changed_leave_nothing() {
        let carried = Carried::to_replacement(&[], &[], &columns(&[("A", "1")]));
        assert_eq!(carried.events(ScheduleId(1), true), []);
        assert_eq!((carried.fences, carried.blocked), (vec![0], vec![false]));
    }

    #[test]
    fn an_added_seat_begins_above_the_fence_of_its_number() {
        let carried = Carried::to_added(1, &[(3, 6), (8, 2)], &columns(&[("A", "1"), ("A", "1")]));
        assert_eq!(carried.fences, [0, 7]);
        assert_eq!(carried.removed, [(8, 2)]);
        let events = carried.events(ScheduleId(1), false);
        assert_eq!(events[0].seats, [FencedSeat { number: 3, fence: 7, user: None }]);
    }

    #[test]
    fn many_seats_are_spread_over_several_entries() {
        let old: Vec<OldSeat> = (1..=2_500).map(|n| old(n, "A", n, 1, true)).collect();
        let carried = Carried::to_replacement(&old, &[], &Columns::default());
        assert_eq!(carried.removed.len(), 2_500);
        assert_eq!(carried.events(ScheduleId(1), true).len(), 3);
    }
}
