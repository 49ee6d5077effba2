//! The order of a draw, and its types. Pure, so that anybody can verify the order against the
//! published list.

use aws_lc_rs::{digest, hmac};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::queue::model::Sequence;
use crate::store::id::{ScheduleId, UserId};

/// The order of `tickets` under `secret`: the index of the first ticket, then of the second, …
///
/// Tickets are sorted by HMAC-SHA-256, lowest first; the message is the ticket id in its 36
/// characters. Equal digests, of which none is known, are sorted by the id.
#[must_use]
pub fn order(secret: &[u8], tickets: &[Uuid]) -> Vec<u32> {
    let mut digests = Digests::new(secret);
    digests.add(tickets);
    digests.order()
}

/// The digests of a list of tickets, which may be added in parts: see [`order`].
#[derive(Debug)]
pub struct Digests {
    key: hmac::Key,
    /// Digest, ticket id and index of each ticket.
    digests: Vec<([u8; 32], Uuid, u32)>,
}

impl Digests {
    /// No digests yet.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), digests: Vec::new() }
    }

    /// Adds the next tickets of the list.
    pub fn add(&mut self, tickets: &[Uuid]) {
        let first = u32::try_from(self.digests.len()).unwrap_or(u32::MAX);
        let mut text = Uuid::encode_buffer();
        for (index, id) in (first..).zip(tickets) {
            let tag = hmac::sign(&self.key, id.hyphenated().encode_lower(&mut text).as_bytes());
            let mut digest = [0; 32];
            digest.copy_from_slice(tag.as_ref());
            self.digests.push((digest, *id, index));
        }
    }

    /// The order of all tickets that were added.
    #[must_use]
    pub fn order(mut self) -> Vec<u32> {
        self.digests.sort_unstable();
        self.digests.into_iter().map(|(_, _, index)| index).collect()
    }
}

/// The SHA-256 of a secret: public before the secret is.
#[must_use]
pub fn commitment(secret: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, secret).as_ref().to_vec()
}

/// The progress of a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// The last sequence before the opening.
    pub base: Sequence,
    /// How many numbers after `base` are reserved for drawn entries.
    pub room: u64,
    /// Number of entrants, once the list is frozen.
    pub entrants: Option<u64>,
    /// When every entrant had a rank and the secret became public.
    pub opened_at: Option<DateTime<Utc>>,
    /// Whether the queue is in drawn order.
    pub moved: bool,
}

/// The public proof of a schedule's draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The SHA-256 of the secret.
    pub commitment: Vec<u8>,
    /// The secret, the number of entrants, and since when the secret is public.
    pub opened: Option<(Vec<u8>, u64, DateTime<Utc>)>,
}

/// One entry of the list of entrants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entrant {
    /// The sequence of joining.
    pub joined: Sequence,
    /// The user.
    pub user: UserId,
    /// The ticket id, which the draw depends on.
    pub ticket_id: Uuid,
}

/// The frozen list of entrants, and their drawn order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnList {
    /// The entrants, in order of joining.
    entrants: Vec<Entrant>,
    /// Indices of `entrants`: the first in drawn order, the second, …
    order: Vec<u32>,
}

impl DrawnList {
    /// Draws the order of the frozen list `entrants`, which is in order of joining. `digests` are
    /// those of its tickets.
    #[must_use]
    pub fn draw(digests: Digests, entrants: Vec<Entrant>) -> Self {
        Self { entrants, order: digests.order() }
    }

    /// Number of entrants.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no entrants.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Up to `limit` entrants in drawn order, without the first `moved`.
    pub fn after(&self, moved: usize, limit: usize) -> impl Iterator<Item = &Entrant> {
        let indices = self.order.iter().skip(moved).take(limit);
        indices.filter_map(|index| self.entrants.get(usize::try_from(*index).ok()?))
    }

    /// Each sequence of joining with the drawn rank, from 1, in order of joining.
    #[must_use]
    pub fn ranks(&self) -> Vec<(Sequence, u32)> {
        let mut ranks = vec![0; self.order.len()];
        for (rank, index) in (1..).zip(&self.order) {
            if let Some(slot) = usize::try_from(*index).ok().and_then(|i| ranks.get_mut(i)) {
                *slot = rank;
            }
        }
        self.entrants.iter().map(|entrant| entrant.joined).zip(ranks).collect()
    }
}

/// The drawn ranks of all entrants, for lookups in both directions: 12 bytes per entrant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnRanks {
    base: Sequence,
    /// The sequences of joining, by rank.
    joined: Vec<Sequence>,
    /// The ranks minus one, in order of the sequences of joining.
    by_joining: Vec<u32>,
}

impl DrawnRanks {
    /// Builds the ranks from every entrant in order of joining: the sequence of joining, and the
    /// rank from 1. `None` if the ranks are not 1 to the number of entrants.
    #[must_use]
    pub fn new(base: Sequence, entrants: &[(Sequence, u32)]) -> Option<Self> {
        let mut joined = vec![Sequence(0); entrants.len()];
        let mut by_joining = Vec::with_capacity(entrants.len());
        for (sequence, rank) in entrants {
            let index = rank.checked_sub(1)?;
            let slot = joined.get_mut(usize::try_from(index).ok()?)?;
            if *slot != Sequence(0) {
                return None;
            }
            *slot = *sequence;
            by_joining.push(index);
        }
        Some(Self { base, joined, by_joining })
    }

    /// The drawn sequence of the entry that joined at `joined`; `None` if it is not an entrant.
    #[must_use]
    pub fn drawn(&self, joined: Sequence) -> Option<Sequence> {
        let at = |index: &u32| usize::try_from(*index).ok().and_then(|i| self.joined.get(i));
        let found = self.by_joining.binary_search_by_key(&Some(&joined), at).ok()?;
        Some(Sequence(self.base.0 + 1 + u64::from(self.by_joining[found])))
    }

    /// The sequence of joining of the entry at `sequence`: `sequence` itself if it was not drawn.
    #[must_use]
    pub fn joined(&self, sequence: Sequence) -> Sequence {
        let index = sequence.0.checked_sub(self.base.0 + 1).and_then(|i| usize::try_from(i).ok());
        index.and_then(|index| self.joined.get(index)).copied().unwrap_or(sequence)
    }
}

/// A schedule whose draw is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The progress of the draw; `None` if it was not begun.
    pub draw: Option<Draw>,
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
