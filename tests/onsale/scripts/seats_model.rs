//! The seats as a plain model: what was decided of each, and who has a bare claim.

use std::collections::{BTreeMap, BTreeSet};

use super::dump::SeatsState;

/// What the map shows of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    #[default]
    Free,
    /// Until then (ms), and after it until it is swept.
    Held(i64),
    Gone,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seat {
    /// The highest fence, its state, its hold.
    pub decided: Option<(i64, &'static str, String)>,
    pub shown: Shown,
    /// Whose claim, and its deadline as the claim itself tells it.
    pub claim: Option<(String, i64)>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeatsModel {
    pub seats: BTreeMap<u32, Seat>,
    pub buyers: BTreeSet<u64>,
    pub version: u64,
}

impl SeatsModel {
    pub fn gone(&self) -> usize {
        self.seats.values().filter(|seat| seat.shown == Shown::Gone).count()
    }

    fn live(seat: &Seat, now: i64) -> bool {
        matches!(seat.shown, Shown::Held(until) if until > now) || seat.shown == Shown::Gone
    }

    /// The hold that a seat stands in for while it is not free.
    fn owner(seat: &Seat) -> Option<&str> {
        match (&seat.claim, &seat.decided) {
            (Some((hold, _)), _) | (None, Some((_, _, hold))) => Some(hold),
            (None, None) => None,
        }
    }

    /// `active`: whether the buyer's slot is, for the place they name.
    pub fn take(
        &mut self,
        (user, active): (u64, bool),
        hold: &str,
        seats: &[u32],
        now: i64,
    ) -> (&'static str, Vec<u64>) {
        let seat = |number: &u32| self.seats.get(number).cloned().unwrap_or_default();
        let not_mine = |number: &&u32| {
            Self::live(&seat(number), now) && Self::owner(&seat(number)) != Some(hold)
        };
        let taken: Vec<u64> = seats.iter().filter(not_mine).map(|n| u64::from(*n)).collect();
        if !taken.is_empty() {
            let repeater = u64::from(self.buyers.contains(&user));
            return ("TAKEN", [vec![repeater], taken].concat());
        }
        let wants = |number: &&u32| !Self::live(&seat(number), now) || seat(number).claim.is_some();
        let wanted: Vec<u32> = seats.iter().filter(wants).copied().collect();
        if !wanted.is_empty() {
            if !active {
                return ("NOT_ACTIVE", Vec::new());
            }
            self.buyers.insert(user);
            self.version += 1;
        }
        for number in wanted {
            let seat = self.seats.entry(number).or_default();
            seat.shown = Shown::Held(now + 5000);
            seat.claim = Some((hold.to_owned(), now + 5000));
        }
        ("OK", vec![self.version])
    }

    pub fn give_up(&mut self, hold: &str, seats: &[u32]) -> (&'static str, Vec<u64>) {
        let mine = |number: &&u32| {
            let seat = self.seats.get(number);
            seat.and_then(|seat| seat.claim.as_ref()).is_some_and(|claim| claim.0 == hold)
        };
        let mine: Vec<u32> = seats.iter().filter(mine).copied().collect();
        self.free(&mine);
        ("OK", vec![mine.len() as u64, self.version])
    }

    fn free(&mut self, seats: &[u32]) {
        for number in seats {
            let seat = self.seats.entry(*number).or_default();
            (seat.shown, seat.claim) = (Shown::Free, None);
        }
        self.version += u64::from(!seats.is_empty());
    }

    pub fn sweep(&mut self, now: i64) -> (&'static str, Vec<u64>) {
        let held = self.seats.iter().filter(|(_, seat)| matches!(seat.shown, Shown::Held(_)));
        let lapsed: Vec<u32> =
            held.filter(|(_, seat)| !Self::live(seat, now)).map(|(number, _)| *number).collect();
        self.free(&lapsed);
        ("OK", vec![lapsed.len() as u64, self.version])
    }

    /// `until`: when a seat that is kept stops being.
    pub fn apply(
        &mut self,
        (state, hold): (&'static str, &str),
        until: Option<i64>,
        seats: &[(u32, i64)],
    ) -> (&'static str, Vec<u64>) {
        let mut applied = 0;
        for (number, fence) in seats {
            let seat = self.seats.entry(*number).or_default();
            if seat.decided.as_ref().is_some_and(|decided| decided.0 >= *fence) {
                continue;
            }
            applied += 1;
            seat.decided = Some((*fence, state, hold.to_owned()));
            seat.claim = None;
            seat.shown = match (state, until) {
                ("SELL" | "BLOCK", _) => Shown::Gone,
                ("KEEP", Some(until)) => Shown::Held(until),
                _ => Shown::Free,
            };
        }
        self.version += u64::from(applied > 0);
        ("OK", vec![applied, self.version])
    }

    /// What Redis is to have.
    pub fn state(&self) -> SeatsState {
        let mut state = SeatsState { buyers: self.buyers.clone(), ..SeatsState::default() };
        let mut blocked = 0;
        for (number, seat) in &self.seats {
            if let Some((fence, word, hold)) = &seat.decided {
                state.holder.insert(*number, format!("{fence} {word} {hold}"));
                blocked += u64::from(*word == "BLOCK");
            }
            if let Some((hold, deadline)) = &seat.claim {
                state.claim.insert(*number, format!("{hold} {deadline}"));
            }
            match seat.shown {
                Shown::Free => {}
                Shown::Held(until) => {
                    state.held.insert(*number, until);
                    state.map.insert(*number, 1);
                }
                Shown::Gone => {
                    state.sold.insert(u64::from(*number));
                    state.map.insert(*number, 2);
                }
            }
        }
        state.counted = (state.sold.len() as u64, blocked, self.version);
        state
    }
}
