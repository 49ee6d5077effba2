//! The order of a draw, and what is known of one: pure, so that anybody can hold it against the
//! published list.

use aws_lc_rs::{digest, hmac};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::queue::model::Sequence;
use crate::store::id::{ScheduleId, UserId};

/// The order that `secret` gives `tickets`: the index of whoever is first, then of the second, …
///
/// Lowest HMAC-SHA-256 first; its message is the ticket id as its 36 characters. Equal digests, of
/// which none is known, go by the id.
#[must_use]
pub fn order(secret: &[u8], tickets: &[Uuid]) -> Vec<u32> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut text = Uuid::encode_buffer();
    let digest = |(index, id): (u32, &Uuid)| {
        let tag = hmac::sign(&key, id.hyphenated().encode_lower(&mut text).as_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(tag.as_ref());
        (digest, *id, index)
    };
    let mut drawn: Vec<([u8; 32], Uuid, u32)> = (0..).zip(tickets).map(digest).collect();
    drawn.sort_unstable();
    drawn.into_iter().map(|(_, _, index)| index).collect()
}

/// What is public of a secret before it is.
#[must_use]
pub fn commitment(secret: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, secret).as_ref().to_vec()
}

/// How far a draw has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// The last sequence of before the opening.
    pub base: Sequence,
    /// How many numbers after it are the draw's.
    pub room: u64,
    /// How many are in it, once the list is frozen.
    pub entrants: Option<u64>,
    /// When everybody had a place, and the secret became public.
    pub opened_at: Option<DateTime<Utc>>,
    /// Whether the line stands in that order.
    pub moved: bool,
}

/// What everybody may know of a schedule's draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The SHA-256 of the secret.
    pub commitment: Vec<u8>,
    /// The secret, how many were in it, and since when that is public.
    pub opened: Option<(Vec<u8>, u64, DateTime<Utc>)>,
}

/// One entrant and the place they drew, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Whose.
    pub user: UserId,
    /// Where they joined.
    pub joined: Sequence,
    /// What they drew.
    pub place: u32,
}

/// Where everybody fell: 12 bytes for each entrant, whichever way it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    base: Sequence,
    /// The sequence of joining, by place.
    joined: Vec<Sequence>,
    /// The places, less one, in order of the sequence of joining.
    by_joining: Vec<u32>,
}

impl Places {
    /// From every entrant in order of joining: the sequence of joining, and the place from 1 on.
    /// Nothing where the places are not 1 to the number of entrants.
    #[must_use]
    pub fn new(base: Sequence, entrants: &[(Sequence, u32)]) -> Option<Self> {
        let mut joined = vec![Sequence(0); entrants.len()];
        let mut by_joining = Vec::with_capacity(entrants.len());
        for (sequence, place) in entrants {
            let index = place.checked_sub(1)?;
            let free = joined.get_mut(usize::try_from(index).ok()?)?;
            if *free != Sequence(0) {
                return None;
            }
            *free = *sequence;
            by_joining.push(index);
        }
        Some(Self { base, joined, by_joining })
    }

    /// The place in line that was drawn by whoever joined at `joined`.
    #[must_use]
    pub fn drawn(&self, joined: Sequence) -> Option<Sequence> {
        let at = |index: &u32| usize::try_from(*index).ok().and_then(|i| self.joined.get(i));
        let found = self.by_joining.binary_search_by_key(&Some(&joined), at).ok()?;
        Some(Sequence(self.base.0 + 1 + u64::from(self.by_joining[found])))
    }

    /// Where whoever has the place `sequence` joined: the same for a place that was not drawn.
    #[must_use]
    pub fn joined(&self, sequence: Sequence) -> Sequence {
        let index = sequence.0.checked_sub(self.base.0 + 1).and_then(|i| usize::try_from(i).ok());
        index.and_then(|index| self.joined.get(index)).copied().unwrap_or(sequence)
    }
}

/// Of which schedule, and of whom, the secret's use is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Which schedule.
    pub schedule: ScheduleId,
    /// How far it has come; nothing where it was not begun.
    pub draw: Option<Draw>,
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
