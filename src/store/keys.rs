//! Every key name there is in Redis, built here and nowhere else.
//!
//! `onsale:{<schedule id>}:<name>`: the braces put all keys of a schedule in one hash slot, so that
//! a script over several of them stays atomic in a Redis Cluster, and schedules spread over nodes.

use super::id::ScheduleId;

/// What every key of ours begins with; the schedule's id follows, and the closing brace.
const BRACE: &str = "onsale:{";
/// How many hash slots a Redis Cluster has.
const SLOTS: u16 = 16_384;

/// The bits of a sequence that are its number within the epoch: sequence = epoch × 2^40 + n.
pub const SEQUENCE_BITS: u32 = 40;

/// The key names of one schedule under one epoch, built once and shared by all calls.
#[derive(Debug, Clone)]
pub struct Keys {
    prefix: String,
    epoch: u64,
    line: Vec<String>,
    take: Vec<String>,
}

/// What `hold/take` takes as KEYS, in its order.
const TAKE: [&str; 11] = [
    "meta",
    "active",
    "place",
    "called",
    "holder",
    "held",
    "claim",
    "sold",
    "seatlog",
    "buyers",
    "user_seats",
];

impl Keys {
    /// The keys of `schedule` whose line has come to `epoch`.
    #[must_use]
    pub fn new(schedule: ScheduleId, epoch: u64) -> Self {
        let prefix = format!("{BRACE}{schedule}}}:");
        let fixed = ["meta", "waiting", "active", "place", "called", "parked", "returned", "log"];
        let line = (fixed.iter().map(|name| format!("{prefix}{name}")))
            .chain((0..3).map(|slot| format!("{prefix}here:{slot}")))
            .chain([format!("{prefix}mergers")])
            .chain((1..=epoch).map(|epoch| format!("{prefix}bits:{epoch}")))
            .chain((1..=epoch).map(|epoch| format!("{prefix}done:{epoch}")))
            .chain([format!("{prefix}slot_ends")])
            .collect();
        let take = TAKE.iter().map(|name| format!("{prefix}{name}")).collect();
        Self { prefix, epoch, line, take }
    }

    /// The epoch these keys were built for.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// One key by its name.
    #[must_use]
    pub fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Settings, epoch, counters, token bucket.
    #[must_use]
    pub fn meta(&self) -> &str {
        &self.line[0]
    }

    /// The waiting bitmap of `epoch`.
    #[must_use]
    pub fn bits(&self, epoch: u64) -> String {
        self.named(&format!("bits:{epoch}"))
    }

    /// How places of `epoch` ended, two bits each.
    #[must_use]
    pub fn done(&self, epoch: u64) -> String {
        self.named(&format!("done:{epoch}"))
    }

    /// What every script of the line takes as KEYS, in `lib/line`'s order.
    #[must_use]
    pub fn line(&self) -> &[String] {
        &self.line
    }

    /// What `hold/take` takes as KEYS, in its order: a rush tries little else.
    #[must_use]
    pub fn take(&self) -> &[String] {
        &self.take
    }

    /// The keys that `names` name, in that order.
    #[must_use]
    pub fn several(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| self.named(name)).collect()
    }

    /// Every key a schedule can have, meta first.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let others = [
            "held",
            "holder",
            "claim",
            "sold",
            "seatlog",
            "buyers",
            "user_seats",
            "handed",
            "rebuilder",
            "reconciler",
        ];
        (self.line.iter().cloned()).chain(others.iter().map(|name| self.named(name))).collect()
    }
}

/// The hash slot of a key in a Redis Cluster, which is that of what its braces hold; nothing for what
/// is no key of ours.
#[must_use]
pub fn slot(key: &[u8]) -> Option<u16> {
    let rest = key.strip_prefix(BRACE.as_bytes())?;
    let end = rest.iter().position(|byte| *byte == b'}')?;
    Some(crc16(&rest[..end]) % SLOTS)
}

/// CRC-16/XMODEM, as Redis Cluster has it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_of_a_schedule_have_the_slot_of_its_id() {
        let keys = Keys::new(ScheduleId(123_456_789), 3).all();
        // The check value of the CRC is that of these nine digits: 0x31c3.
        assert!(keys.iter().all(|key| slot(key.as_bytes()) == Some(0x31c3)), "{keys:?}");
        assert_eq!((slot(b"EVALSHA"), slot(b"{1}:x"), slot(b"onsale:{1")), (None, None, None));
    }
}
