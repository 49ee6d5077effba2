//! Loads queue entries into Redis during a rebuild: which entries wait, how entries ended, when the
//! slots of open entries end, and which entries were paid from.

use std::collections::BTreeMap;
use std::time::Duration;

use super::keyspaces::ScheduleScripts;
use super::model::{Ended, Sequence};
use crate::store::id::UserId;
use crate::store::script::{Reply, Script, ScriptError};

/// Bytes of `done:<epoch>` per call: 16,384 entries, less than 1 ms of Redis's time.
const SEGMENT_BYTES: u64 = 4096;
/// Segments that are collected before they are loaded: 1 MiB of memory.
const MAX_SEGMENTS: usize = 256;
/// Waiting entries, slots or paid entries per call.
const MAX_ITEMS: usize = 500;

/// Ended entries, two bits each, as Redis stores them. Bounded: the caller takes the segments out
/// when [`EndedEntries::is_full`] returns true.
#[derive(Debug, Default)]
pub struct EndedEntries {
    segments: BTreeMap<(u64, u64), Vec<u8>>,
}

/// Consecutive bytes of `done:<epoch>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The epoch, from 1.
    epoch: u64,
    /// Position of the first byte.
    first_byte: u64,
    /// The bytes, without zeros at the end.
    bytes: Vec<u8>,
}

impl EndedEntries {
    /// Adds an ended entry. The first reason added for an entry stays.
    pub fn add(&mut self, sequence: Sequence, ended: Ended) {
        let (byte, shift) = (sequence.number() / 4, 6 - 2 * (sequence.number() % 4));
        let segment = self.segments.entry((sequence.epoch(), byte / SEGMENT_BYTES)).or_default();
        let at = usize::try_from(byte % SEGMENT_BYTES).unwrap_or(0);
        if segment.len() <= at {
            segment.resize(at + 1, 0);
        }
        if let Some(byte) = segment.get_mut(at)
            && (*byte >> shift).trailing_zeros() >= 2
        {
            *byte |= ended.bits() << shift;
        }
    }

    /// Whether the segments must be loaded before more entries are added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.segments.len() >= MAX_SEGMENTS
    }

    /// Takes all segments out.
    pub fn take(&mut self) -> Vec<Segment> {
        let all = std::mem::take(&mut self.segments).into_iter();
        let segment = |((epoch, number), bytes)| {
            let first_byte = number * SEGMENT_BYTES;
            Segment { epoch, first_byte, bytes }
        };
        all.map(segment).collect()
    }
}

/// Runs `queue/load_entries` with ended entries. Renews the lease of the rebuild. Skips a
/// segment of an epoch that these keys do not have.
pub async fn ended(
    scripts: &ScheduleScripts,
    segment: &Segment,
    lease: Duration,
) -> Result<(), ScriptError> {
    let Segment { epoch, first_byte, bytes } = segment;
    if *epoch == 0 || *epoch > scripts.keyspace.keys.epoch() {
        return Ok(());
    }
    let args = (millis(lease), "ENDED", epoch, first_byte, bytes.as_slice());
    loaded(&scripts.run_bulk(Script::LoadEntries, args).await?)
}

/// Runs `queue/load_entries` with the number of entries created in earlier epochs. Renews the
/// lease.
pub async fn count(
    scripts: &ScheduleScripts,
    joined_before: u64,
    lease: Duration,
) -> Result<(), ScriptError> {
    let args = (millis(lease), "COUNT", joined_before);
    loaded(&scripts.run_bulk(Script::LoadEntries, args).await?)
}

/// Runs `queue/load_entries` with the slot ends (ms) of open entries. Each call renews the
/// lease.
pub async fn slots(
    scripts: &ScheduleScripts,
    slots: &[(Sequence, i64)],
    lease: Duration,
) -> Result<(), ScriptError> {
    for slots in slots.chunks(MAX_ITEMS) {
        let slots: Vec<(u64, i64)> =
            slots.iter().map(|(sequence, end)| (sequence.0, *end)).collect();
        loaded(&scripts.run_bulk(Script::LoadEntries, (millis(lease), "SLOTS", slots)).await?)?;
    }
    Ok(())
}

/// Runs `queue/load_entries` with entries that wait. Each call renews the lease.
pub async fn waiting(
    scripts: &ScheduleScripts,
    entries: &[(UserId, Sequence)],
    lease: Duration,
) -> Result<(), ScriptError> {
    load_each(scripts, "WAITING", entries, lease).await
}

/// Runs `queue/load_entries` with entries that were paid from: it completes them. Each call
/// renews the lease.
pub async fn paid(
    scripts: &ScheduleScripts,
    entries: &[(UserId, Sequence)],
    lease: Duration,
) -> Result<(), ScriptError> {
    load_each(scripts, "PAID", entries, lease).await
}

async fn load_each(
    scripts: &ScheduleScripts,
    kind: &str,
    entries: &[(UserId, Sequence)],
    lease: Duration,
) -> Result<(), ScriptError> {
    for entries in entries.chunks(MAX_ITEMS) {
        let entries: Vec<(i64, u64)> =
            entries.iter().map(|(user, sequence)| (user.0, sequence.0)).collect();
        loaded(&scripts.run_bulk(Script::LoadEntries, (millis(lease), kind, entries)).await?)?;
    }
    Ok(())
}

/// A duration in ms, as the scripts take it.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Fails if the rebuild was already over.
fn loaded(reply: &Reply) -> Result<(), ScriptError> {
    match reply.word.as_str() {
        "OK" => Ok(()),
        "READY" => Err(ScriptError::Stale),
        _ => Err(reply.unknown().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(epoch: u64, number: u64) -> Sequence {
        Sequence((epoch << 40) + number)
    }

    #[test]
    fn ended_entries_are_packed_four_to_a_byte_and_the_first_reason_stays() {
        let mut entries = EndedEntries::default();
        entries.add(sequence(1, 1), Ended::Completed);
        entries.add(sequence(1, 1), Ended::Expired);
        entries.add(sequence(1, 4), Ended::Left);
        entries.add(sequence(2, SEGMENT_BYTES * 4), Ended::Expired);
        let segment = |epoch, first_byte, bytes| Segment { epoch, first_byte, bytes };
        assert_eq!(
            entries.take(),
            [segment(1, 0, vec![0b0011_0000, 0b1000_0000]), segment(2, 4096, vec![0b0100_0000])]
        );
        assert_eq!(entries.take(), []);
    }

    #[test]
    fn ended_entries_take_at_most_one_mebibyte() {
        let mut entries = EndedEntries::default();
        let mut added = 0;
        while !entries.is_full() {
            entries.add(sequence(1, added * SEGMENT_BYTES * 4), Ended::Left);
            added += 1;
        }
        assert_eq!(added * SEGMENT_BYTES, 1 << 20);
    }
}
