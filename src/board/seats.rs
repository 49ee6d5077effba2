//! The state of every seat in one snapshot, and the latest changes.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Number of changes that are stored for `?since=`.
const STORED_CHANGES: usize = 2000;

/// State of a free seat.
pub const AVAILABLE: u8 = 0;
/// State of a claimed or held seat.
pub const HELD: u8 = 1;
/// State of a sold or blocked seat.
pub const UNAVAILABLE: u8 = 2;

/// The version of a seat map: the epoch, and the number of changes in Redis. It means the same in
/// every process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SeatVersion {
    /// The epoch of the schedule's keys.
    pub epoch: u64,
    /// Number of changes since the keys were built.
    pub number: u64,
}

/// Seats that changed together: number and state.
type Change = Vec<(u32, u8)>;

/// The state of every seat.
#[derive(Debug, Clone, Default)]
pub struct SeatStates {
    /// The version of this map.
    pub version: SeatVersion,
    /// Number of free, held, and sold or blocked seats.
    counts: [u32; 3],
    /// States by seat number. A seat beyond the end never changed.
    states: Vec<u8>,
    /// The latest changes, in order of their versions and without a gap; the last is `version`.
    changes: VecDeque<Arc<Change>>,
    /// Number of held seats.
    pub held: u32,
    /// Number of free seats.
    pub available: u32,
}

impl SeatStates {
    /// Builds a whole map of `total` seats. `gone` is Redis's bitmap of sold and blocked seats;
    /// `held` are the numbers of held seats.
    #[must_use]
    pub fn whole(version: SeatVersion, total: u32, gone: &[u8], held: &[u32]) -> Self {
        let mut states = vec![AVAILABLE; index(total) + 1];
        for number in held {
            if let Some(state) = states.get_mut(index(*number)) {
                *state = HELD;
            }
        }
        for (number, state) in states.iter_mut().enumerate() {
            if gone.get(number / 8).is_some_and(|byte| byte << (number % 8) & 0x80 != 0) {
                *state = UNAVAILABLE;
            }
        }
        Self { version, states, ..Self::default() }.counted(total)
    }

    /// The map after `changes`, each with its version. `None` if a change is missing; the caller
    /// then loads the whole map.
    #[must_use]
    pub fn after(&self, total: u32, changes: Vec<(u64, Change)>) -> Option<Self> {
        let mut next = self.clone();
        next.states.resize(index(total) + 1, AVAILABLE);
        for (number, change) in changes {
            if number != next.version.number + 1 {
                return None;
            }
            next.version.number = number;
            for (seat, state) in &change {
                *next.states.get_mut(index(*seat))? = *state;
            }
            next.changes.push_back(Arc::new(change));
        }
        while next.changes.len() > STORED_CHANGES {
            next.changes.pop_front();
        }
        Some(next.counted(total))
    }

    /// The state of a seat.
    #[must_use]
    pub fn state(&self, number: u32) -> u8 {
        self.states.get(index(number)).copied().unwrap_or(AVAILABLE)
    }

    /// Number of sold or blocked seats.
    #[must_use]
    pub fn gone(&self) -> u32 {
        self.counts[usize::from(UNAVAILABLE)]
    }

    /// The seats that changed after `version`, each with its current state. `None` if the changes
    /// since `version` are not stored, or `version` is newer than this map.
    #[must_use]
    pub fn since(&self, version: SeatVersion) -> Option<BTreeMap<u32, u8>> {
        if version.epoch != self.version.epoch {
            return None;
        }
        let missed = usize::try_from(self.version.number.checked_sub(version.number)?).ok()?;
        let from = self.changes.len().checked_sub(missed)?;
        let numbers = self.changes.range(from..).flat_map(|change| change.iter());
        Some(numbers.map(|(number, _)| (*number, self.state(*number))).collect())
    }

    fn counted(mut self, total: u32) -> Self {
        self.counts = [0; 3];
        for state in self.states.iter().skip(1).take(index(total)) {
            self.counts[usize::from(*state)] += 1;
        }
        [self.available, self.held, _] = self.counts;
        self
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl fmt::Display for SeatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.number)
    }
}

impl FromStr for SeatVersion {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, number) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { epoch: epoch.parse()?, number: number.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_lead_from_an_old_map_to_the_new_one() {
        let version = SeatVersion { epoch: 1, number: 7 };
        let old = SeatStates::whole(version, 10, &[0b0010_0000], &[5]);
        assert_eq!((old.state(2), old.state(5), old.state(9)), (UNAVAILABLE, HELD, AVAILABLE));
        assert_eq!((old.available, old.held, old.gone()), (8, 1, 1));
        let new =
            old.after(12, vec![(8, vec![(5, 0), (6, 1)]), (9, vec![(6, 2), (12, 1)])]).unwrap();
        assert_eq!(new.since(version).unwrap(), BTreeMap::from([(5, 0), (6, 2), (12, 1)]));
        assert_eq!(new.since(new.version).unwrap(), BTreeMap::new());
        assert_eq!(new.since(SeatVersion { epoch: 1, number: 6 }), None);
        assert_eq!(new.since(SeatVersion { epoch: 1, number: 10 }), None);
        assert_eq!(new.since(SeatVersion { epoch: 2, number: 9 }), None);
    }

    #[test]
    fn a_missing_change_is_detected() {
        let old = SeatStates::whole(SeatVersion { epoch: 1, number: 7 }, 10, &[], &[]);
        assert!(old.after(10, vec![(9, vec![(5, 1)])]).is_none());
    }

    #[test]
    fn a_version_is_parsed_as_it_was_written() {
        let version = SeatVersion { epoch: 3, number: 41 };
        assert_eq!(version.to_string().parse(), Ok(version));
        assert!("3".parse::<SeatVersion>().is_err());
    }
}
