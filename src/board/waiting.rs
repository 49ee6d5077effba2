//! The waiting entries in order: the waiting bitmaps, with running counts.
//!
//! A waiting entry is a bit. Each block of 512 bits has the number of entries before it. So the
//! number of entries ahead of a sequence is one addition and a few popcounts, whether 100 or 10
//! million wait.

use crate::store::keys::SEQUENCE_BITS;

/// 512 bits: one cache line of words per count.
const WORDS_PER_BLOCK: usize = 8;

/// All waiting entries of one snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingEntries {
    epochs: Vec<Bits>,
    total: u64,
}

/// The waiting bits of one epoch, from the head of the queue on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bits {
    epoch: u64,
    /// The number of the entry of the first bit; a multiple of 8.
    first: u64,
    words: Vec<u64>,
    /// For each block, the number of entries in older epochs and earlier blocks.
    before: Vec<u64>,
}

impl WaitingEntries {
    /// Builds the entries from Redis's bitmaps, in order of epochs. Each is an epoch, the position
    /// of its first byte, and the bytes; bit 0 is the highest of byte 0.
    #[must_use]
    pub fn build(bitmaps: impl IntoIterator<Item = (u64, u64, Vec<u8>)>) -> Self {
        let mut entries = Self::default();
        for (epoch, offset, bytes) in bitmaps {
            let words: Vec<u64> = bytes.chunks(8).map(word).collect();
            let mut before = Vec::with_capacity(words.len() / WORDS_PER_BLOCK + 1);
            for block in words.chunks(WORDS_PER_BLOCK) {
                before.push(entries.total);
                let count = block.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
                entries.total += count;
            }
            entries.epochs.push(Bits { epoch, first: offset * 8, words, before });
        }
        entries
    }

    /// Number of waiting entries.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.total
    }

    /// Number of entries ahead of `sequence`; `None` if `sequence` does not wait in this snapshot.
    #[must_use]
    pub fn ahead(&self, sequence: u64) -> Option<u64> {
        let (epoch, number) = (sequence >> SEQUENCE_BITS, sequence & ((1 << SEQUENCE_BITS) - 1));
        let bits = self.epochs.iter().find(|bits| bits.epoch == epoch)?;
        let index = usize::try_from(number.checked_sub(bits.first)?).ok()?;
        let word = *bits.words.get(index / 64)?;
        let bit = index % 64;
        if word << bit >> 63 == 0 {
            return None;
        }
        let start = index / 64 / WORDS_PER_BLOCK * WORDS_PER_BLOCK;
        let whole: u32 = bits.words[start..index / 64].iter().map(|word| word.count_ones()).sum();
        // In two steps, since a shift by 64 overflows.
        let part = (word >> (63 - bit) >> 1).count_ones();
        Some(bits.before[start / WORDS_PER_BLOCK] + u64::from(whole + part))
    }

    /// The sequence of the entry with `ahead` others before it; `None` if fewer wait.
    #[must_use]
    pub fn at(&self, ahead: u64) -> Option<u64> {
        if ahead >= self.total {
            return None;
        }
        let bits =
            self.epochs.iter().rfind(|bits| bits.before.first().is_some_and(|b| *b <= ahead))?;
        let block = bits.before.partition_point(|before| *before <= ahead) - 1;
        let mut left = ahead - bits.before[block];
        for (index, word) in bits.words.iter().enumerate().skip(block * WORDS_PER_BLOCK) {
            let count = u64::from(word.count_ones());
            if left < count {
                let bit = (0..64u32)
                    .filter(|bit| word << bit >> 63 == 1)
                    .nth(usize::try_from(left).ok()?)?;
                let number = bits.first + u64::try_from(index).ok()? * 64 + u64::from(bit);
                return Some((bits.epoch << SEQUENCE_BITS) + number);
            }
            left -= count;
        }
        None
    }

    /// Up to `count` + 1 points of the queue, from its head to its end: each is a sequence and the
    /// number of entries before it. A client interpolates its position between two points.
    #[must_use]
    pub fn points(&self, count: u64) -> Vec<(u64, u64)> {
        let Some(last) = self.total.checked_sub(1) else {
            return Vec::new();
        };
        let steps = count.min(last).max(1);
        let mut points: Vec<(u64, u64)> = (0..=steps)
            .filter_map(|step| {
                let ahead = last * step / steps;
                Some((self.at(ahead)?, ahead))
            })
            .collect();
        points.dedup();
        points
    }
}

fn word(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    u64::from_be_bytes(whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use super::*;

    fn bitmap(numbers: &BTreeSet<u64>, offset: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in numbers {
            let index = usize::try_from(number / 8 - offset).unwrap();
            if bytes.len() <= index {
                bytes.resize(index + 1, 0u8);
            }
            bytes[index] |= 0x80 >> (number % 8);
        }
        bytes
    }

    proptest! {
        #[test]
        fn the_number_ahead_is_the_number_of_entries_with_lower_sequences(
            old in proptest::collection::btree_set(0u64..3000, 0..200),
            new in proptest::collection::btree_set(1024u64..5000, 0..400),
        ) {
            let bitmaps = [(1, 0, bitmap(&old, 0)), (2, 128, bitmap(&new, 128))];
            let entries = WaitingEntries::build(bitmaps);
            let all: Vec<u64> = (old.iter().map(|n| (1 << SEQUENCE_BITS) + n))
                .chain(new.iter().map(|n| (2 << SEQUENCE_BITS) + n)).collect();
            prop_assert_eq!(entries.count(), all.len() as u64);
            for (ahead, sequence) in all.iter().enumerate() {
                prop_assert_eq!(entries.ahead(*sequence), Some(ahead as u64));
                prop_assert_eq!(entries.at(ahead as u64), Some(*sequence));
            }
            prop_assert_eq!(entries.at(all.len() as u64), None);
            for number in (1024..5000).filter(|n| !new.contains(n)) {
                prop_assert_eq!(entries.ahead((2 << SEQUENCE_BITS) + number), None);
            }
        }

        #[test]
        fn points_run_from_the_head_to_the_end_of_the_queue(
            numbers in proptest::collection::btree_set(0u64..20_000, 1..2000),
        ) {
            let entries = WaitingEntries::build([(1, 0, bitmap(&numbers, 0))]);
            let points = entries.points(256);
            prop_assert!(points.len() <= 257);
            prop_assert_eq!(points.first().unwrap().1, 0);
            prop_assert_eq!(points.last().unwrap().1, numbers.len() as u64 - 1);
            for (sequence, ahead) in &points {
                prop_assert_eq!(entries.ahead(*sequence), Some(*ahead));
            }
            // What docs/API.md promises about the position that a client interpolates.
            let most = (numbers.len() as u64).div_ceil(256);
            for (ahead, number) in numbers.iter().enumerate() {
                let sequence = (1 << SEQUENCE_BITS) + number;
                let next = points.partition_point(|(at, _)| *at < sequence);
                let found = if points[next].0 == sequence { points[next].1 } else {
                    let ((from, low), (to, high)) = (points[next - 1], points[next]);
                    low + (high - low) * (sequence - from) / (to - from)
                };
                prop_assert!(found.abs_diff(ahead as u64) < most.max(1), "{found}, not {ahead}");
            }
        }
    }
}
