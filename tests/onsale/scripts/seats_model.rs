//! The seats as a plain model: the decision of PostgreSQL about each seat, and the claims before
//! it.

use std::collections::{BTreeMap, BTreeSet};

use onsale::seats::model::CLAIM_MS;
use onsale::seats::service::BEYOND_EXPIRY;

use super::dump::SeatsState;

/// The state of a seat on the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    #[default]
    Free,
    /// Held until this time (ms), and after it until the next sweep.
    Held(i64),
    Gone,
}

/// A claim that PostgreSQL has not decided yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub hold: String,
    /// The deadline in the claim itself.
    pub deadline: i64,
    pub user: u64,
    /// When the same user's expired hold of this seat stops keeping others from it.
    pub kept_until: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seat {
    /// The highest fence, its state, its hold, and its user (0: none).
    pub decided: Option<(i64, &'static str, String, u64)>,
    pub shown: Shown,
    pub claim: Option<Claim>,
}

impl Seat {
    fn live(&self, now: i64) -> bool {
        matches!(self.shown, Shown::Held(until) if until > now) || self.shown == Shown::Gone
    }

    /// The hold that has the seat, and its user.
    fn owner(&self) -> Option<(&str, u64)> {
        match (&self.claim, &self.decided) {
            (Some(claim), _) => Some((&claim.hold, claim.user)),
            (None, Some((_, _, hold, user))) => Some((hold, *user)),
            (None, None) => None,
        }
    }

    fn is_kept_for(&self, user: u64, now: i64) -> bool {
        self.live(now) && self.owner().is_some_and(|owner| owner.1 == user)
    }

    /// Until when the user's expired hold keeps others from the seat.
    fn kept_until(&self, user: u64, now: i64) -> Option<i64> {
        let held = matches!(&self.decided, Some((_, "KEEP", _, _))) && self.claim.is_none();
        match self.shown {
            Shown::Held(until) if held && self.is_kept_for(user, now) => {
                (until <= now + BEYOND_EXPIRY.num_milliseconds()).then_some(until)
            }
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeatsModel {
    pub seats: BTreeMap<u32, Seat>,
    pub buyers: BTreeSet<u64>,
    /// The seats that may belong to a user, in the order of their claims.
    pub lists: BTreeMap<u64, Vec<u32>>,
    pub version: u64,
}

impl SeatsModel {
    pub fn gone(&self) -> usize {
        self.seats.values().filter(|seat| seat.shown == Shown::Gone).count()
    }

    fn seat(&self, number: u32) -> Seat {
        self.seats.get(&number).cloned().unwrap_or_default()
    }

    /// `active` says whether the buyer has an active slot for the sequence of the call.
    pub fn take(
        &mut self,
        (user, active): (u64, bool),
        hold: &str,
        (limit, seats): (usize, &[u32]),
        now: i64,
    ) -> (&'static str, Vec<u64>) {
        let free = |number: u32| {
            let seat = self.seat(number);
            !seat.live(now) || seat.kept_until(user, now).is_some()
        };
        let is_this = |number: u32| self.seat(number).owner().is_some_and(|owner| owner.0 == hold);
        let taken = |number: &&u32| !free(**number) && !is_this(**number);
        let taken: Vec<u64> = seats.iter().filter(taken).map(|n| u64::from(*n)).collect();
        if !taken.is_empty() {
            let repeater = u64::from(self.buyers.contains(&user));
            return ("TAKEN", [vec![repeater], taken].concat());
        }
        let wants = |number: &&u32| free(**number) || self.seat(**number).claim.is_some();
        let wanted: Vec<u32> = seats.iter().filter(wants).copied().collect();
        let fresh = seats.iter().filter(|number| free(**number)).count();
        if !wanted.is_empty() {
            if !active {
                return ("NOT_ACTIVE", Vec::new());
            }
            let mut theirs = self.lists.get(&user).cloned().unwrap_or_default();
            theirs.retain(|number| {
                !seats.contains(number) && self.seat(*number).is_kept_for(user, now)
            });
            if fresh > 0 && theirs.len() + seats.len() > limit {
                let expired = |number: &&u32| self.seat(**number).kept_until(user, now).is_some();
                return ("OVER_LIMIT", vec![theirs.iter().filter(expired).count() as u64]);
            }
            self.lists.insert(user, [&theirs, seats].concat());
            self.buyers.insert(user);
            self.version += 1;
        }
        for number in wanted {
            let kept_until = self.seat(number).kept_until(user, now);
            let seat = self.seats.entry(number).or_default();
            let deadline = now + CLAIM_MS;
            seat.shown = Shown::Held(deadline.max(kept_until.unwrap_or(0)));
            seat.claim = Some(Claim { hold: hold.to_owned(), deadline, user, kept_until });
        }
        ("OK", vec![self.version, fresh as u64])
    }

    pub fn give_up(&mut self, hold: &str, seats: &[u32], now: i64) -> (&'static str, Vec<u64>) {
        let (mut dropped, mut freed) = (0, 0);
        for number in seats {
            let seat = self.seats.entry(*number).or_default();
            if let Some(claim) = seat.claim.take_if(|claim| claim.hold == hold) {
                let kept = claim.kept_until.filter(|until| *until > now);
                seat.shown = kept.map_or(Shown::Free, Shown::Held);
                dropped += 1;
                freed += u64::from(kept.is_none());
            }
        }
        self.version += u64::from(freed > 0);
        ("OK", vec![dropped, self.version])
    }

    fn free(&mut self, seats: &[u32]) {
        for number in seats {
            let seat = self.seats.entry(*number).or_default();
            (seat.shown, seat.claim) = (Shown::Free, None);
        }
        self.version += u64::from(!seats.is_empty());
    }

    /// Whether a seat is claimed or held, or was and is not swept.
    pub fn has_held(&self) -> bool {
        self.count_held() > 0
    }

    fn count_held(&self) -> u64 {
        self.seats.values().filter(|seat| matches!(seat.shown, Shown::Held(_))).count() as u64
    }

    pub fn sweep(&mut self, now: i64) -> (&'static str, Vec<u64>) {
        let held = self.seats.iter().filter(|(_, seat)| matches!(seat.shown, Shown::Held(_)));
        let expired: Vec<u32> =
            held.filter(|(_, seat)| !seat.live(now)).map(|(number, _)| *number).collect();
        self.free(&expired);
        ("OK", vec![expired.len() as u64, self.version, self.count_held()])
    }

    /// `until` is the end of a hold.
    pub fn apply(
        &mut self,
        (state, hold, user): (&'static str, &str, u64),
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
            let before = seat.decided.take();
            let claimed = seat.claim.take().filter(|claim| claim.hold == hold);
            let of_before = before.as_ref().filter(|before| before.2 == hold);
            let user = match (state, user) {
                ("FREE" | "BLOCK", _) => 0,
                (_, 0) => claimed
                    .map_or_else(|| of_before.map_or(0, |before| before.3), |claim| claim.user),
                (_, user) => user,
            };
            seat.decided = Some((*fence, state, hold.to_owned(), user));
            seat.shown = match (state, until) {
                ("SELL" | "BLOCK", _) => Shown::Gone,
                ("KEEP", Some(until)) => Shown::Held(until),
                _ => Shown::Free,
            };
            for of in [before.map_or(0, |before| before.3), user] {
                let list = self.lists.entry(of).or_default();
                list.retain(|listed| listed != number);
            }
            if user > 0 {
                self.lists.entry(user).or_default().push(*number);
            }
        }
        self.lists.retain(|_, list| !list.is_empty());
        self.version += u64::from(applied > 0);
        ("OK", vec![applied, self.version])
    }

    /// The state that Redis must have.
    pub fn state(&self) -> SeatsState {
        let mut state = SeatsState { buyers: self.buyers.clone(), ..SeatsState::default() };
        for (user, seats) in &self.lists {
            let seats: Vec<String> = seats.iter().map(ToString::to_string).collect();
            state.user_seats.insert(*user, seats.join(" "));
        }
        let mut blocked = 0;
        for (number, seat) in &self.seats {
            if let Some((fence, word, hold, user)) = &seat.decided {
                let user = if *user > 0 { format!(" {user}") } else { String::new() };
                state.holder.insert(*number, format!("{fence} {word} {hold}{user}"));
                blocked += u64::from(*word == "BLOCK");
            }
            if let Some(Claim { hold, deadline, user, kept_until }) = &seat.claim {
                let kept = kept_until.map_or_else(String::new, |until| format!(" {until}"));
                state.claim.insert(*number, format!("{hold} {deadline} {user}{kept}"));
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
