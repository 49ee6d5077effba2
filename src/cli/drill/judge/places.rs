//! Queue entries and active slots: none is lost, none goes back, and no slot is too many.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::verdict::{Fault, Found, Window};
use crate::cli::drill::observations::{Observation, Seen, Status};

/// Age from which on an admission is in the snapshot of every healthy process. Snapshots are at most
/// 1 s old.
const SNAPSHOT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
struct Entry {
    sequence: u64,
    /// Entries before it at its last roll call.
    ahead: Option<u64>,
    /// Whether it has been seen since the last roll call.
    is_called: bool,
}

/// The queue entries of all buyers.
#[derive(Debug)]
pub(super) struct Places<'w> {
    windows: &'w [Window],
    entries: HashMap<usize, Entry>,
    active: HashSet<usize>,
    /// Sequences that were admitted, and when their buyers learned of it.
    admitted: Vec<(Duration, u64)>,
    capacity: Option<u64>,
    roll_call: Option<Duration>,
}

impl<'w> Places<'w> {
    pub(super) fn new(windows: &'w [Window]) -> Self {
        let (entries, active) = (HashMap::new(), HashSet::new());
        Self { windows, entries, active, admitted: Vec::new(), capacity: None, roll_call: None }
    }

    pub(super) fn apply(&mut self, Observation { at, buyer, seen }: &Observation) -> Found {
        let mut found = Found::new();
        match seen {
            Seen::Ticket { sequence, status, ahead } => {
                self.ticket((*at, *buyer), *sequence, *status, *ahead, &mut found);
            }
            Seen::TicketRefused { code } => {
                self.active.remove(buyer);
                if let Some(entry) = self.entries.remove(buyer) {
                    let text = format!("buyer {buyer} lost entry {}: {code}", entry.sequence);
                    found.push((Fault::PlaceLost, text));
                }
            }
            Seen::GivesUp => {
                self.active.remove(buyer);
                self.entries.remove(buyer);
            }
            Seen::Slots { active, capacity } => {
                self.capacity = Some(*capacity);
                if active > capacity {
                    let text = format!("{active} active slots, and a capacity of {capacity}");
                    found.push((Fault::OverCapacity, text));
                }
            }
            Seen::RollCall => {
                self.roll_call = Some(*at);
                self.entries.values_mut().for_each(|entry| entry.is_called = false);
            }
            _ => {}
        }
        found
    }

    fn ticket(
        &mut self,
        (at, buyer): (Duration, usize),
        sequence: u64,
        status: Status,
        ahead: Option<u64>,
        found: &mut Found,
    ) {
        let before = self.entries.get(&buyer).copied();
        if let Some(before) = before.filter(|before| before.sequence != sequence) {
            let text = format!("buyer {buyer} had entry {}, and now {sequence}", before.sequence);
            found.push((Fault::WentBack, text));
        }
        match status {
            Status::Final => {
                self.active.remove(&buyer);
                if self.entries.remove(&buyer).is_some() {
                    let text = format!("buyer {buyer} lost entry {sequence}: it has ended");
                    found.push((Fault::PlaceLost, text));
                }
                return;
            }
            Status::Active => {
                if self.active.insert(buyer) {
                    self.admitted.push((at, sequence));
                    found.extend(self.count_slots());
                }
            }
            Status::Waiting if self.active.remove(&buyer) => {
                let text =
                    format!("buyer {buyer} was active with entry {sequence}, and waits again");
                found.push((Fault::PlaceLost, text));
            }
            Status::Waiting => {}
        }
        let entry = Entry { sequence, ahead: None, is_called: true };
        let entry = self.entries.entry(buyer).or_insert(entry);
        entry.sequence = sequence;
        if status == Status::Waiting && !entry.is_called {
            entry.is_called = true;
            let earlier = std::mem::replace(&mut entry.ahead, ahead);
            found.extend(self.compare(buyer, sequence, earlier, ahead));
        }
    }

    /// Compares an entry that waits at a roll call with the roll call before, and with the entries
    /// that were admitted.
    fn compare(
        &self,
        buyer: usize,
        sequence: u64,
        earlier: Option<u64>,
        ahead: Option<u64>,
    ) -> Found {
        let mut found = Found::new();
        if let (Some(earlier), Some(ahead)) = (earlier, ahead)
            && ahead > earlier
        {
            let text = format!("buyer {buyer}: {earlier} entries were ahead, and now {ahead}");
            found.push((Fault::WentBack, text));
        }
        let known = self.roll_call.unwrap_or_default().saturating_sub(SNAPSHOT);
        let may_lose = |at| self.windows.iter().any(|window| window.may_lose_admission(at));
        let behind =
            |(at, other): &&(Duration, u64)| *at <= known && *other > sequence && !may_lose(*at);
        if let Some((at, other)) = self.admitted.iter().find(behind) {
            let (at, called) = (at.as_secs_f64(), self.roll_call.unwrap_or_default().as_secs_f64());
            let text = format!(
                "buyer {buyer} waits with entry {sequence} {called:.1} s after the start, and \
                 {other} was admitted at {at:.1} s"
            );
            found.push((Fault::WentBack, text));
        }
        found
    }

    /// Compares the slots that buyers know of with the capacity. The service has at least these.
    fn count_slots(&self) -> Option<(Fault, String)> {
        let (active, capacity) = (self.active.len() as u64, self.capacity?);
        let text = || format!("{active} buyers are active, and the capacity is {capacity}");
        (active > capacity).then(|| (Fault::OverCapacity, text()))
    }
}
