//! Builds every key name in Redis; no other module does.
//!
//! The form is `onsale:{<schedule id>}:<name>`, except for those of processes. The braces put all keys of a schedule into one hash
//! slot of a Redis Cluster. So a script over several keys stays atomic, and schedules spread over
//! nodes.

use super::id::ScheduleId;

/// Beginning of every key; the schedule's id and the closing brace follow.
const BRACE: &str = "onsale:{";
/// Key of the hash with the records of all running processes. Its slot is that of `processes`.
pub const PROCESSES: &str = "onsale:{processes}:records";
/// Key of the hash with the figures of all running processes, in the same slot.
pub const PROCESS_FIGURES: &str = "onsale:{processes}:figures";

/// Number of hash slots of a Redis Cluster.
pub(super) const SLOTS: u16 = 16_384;

/// Number of low bits of a sequence that count within the epoch: sequence = epoch × 2^40 + n.
pub const SEQUENCE_BITS: u32 = 40;

/// The key names of one schedule in one epoch, built once and shared by all calls.
#[derive(Debug, Clone)]
pub struct ScheduleKeys {
    prefix: String,
    epoch: u64,
    queue: Vec<String>,
    claim: Vec<String>,
}

/// The names of the keys that `seats/claim` takes as KEYS, in its order.
const CLAIM_KEYS: [&str; 11] = [
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

impl ScheduleKeys {
    /// Builds the key names of `schedule` in `epoch`.
    #[must_use]
    pub fn new(schedule: ScheduleId, epoch: u64) -> Self {
        let prefix = format!("{BRACE}{schedule}}}:");
        let fixed = ["meta", "waiting", "active", "place", "called", "parked", "returned", "log"];
        let queue = (fixed.iter().map(|name| format!("{prefix}{name}")))
            .chain((0..3).map(|slot| format!("{prefix}present:{slot}")))
            .chain([format!("{prefix}mergers")])
            .chain((1..=epoch).map(|epoch| format!("{prefix}bits:{epoch}")))
            .chain((1..=epoch).map(|epoch| format!("{prefix}done:{epoch}")))
            .chain([format!("{prefix}slot_ends")])
            .collect();
        let claim = CLAIM_KEYS.iter().map(|name| format!("{prefix}{name}")).collect();
        Self { prefix, epoch, queue, claim }
    }

    /// The epoch of these keys.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The key with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The key of the settings, the epoch, the counters and the token bucket.
    #[must_use]
    pub fn meta(&self) -> &str {
        &self.queue[0]
    }

    /// The key of the waiting bitmap of `epoch`.
    #[must_use]
    pub fn bits(&self, epoch: u64) -> String {
        self.named(&format!("bits:{epoch}"))
    }

    /// The key of the bitmap that says how queue entries of `epoch` ended, with two bits each.
    #[must_use]
    pub fn done(&self, epoch: u64) -> String {
        self.named(&format!("done:{epoch}"))
    }

    /// The keys that every queue script takes as KEYS, in the order of `lib/queue`.
    #[must_use]
    pub fn queue(&self) -> &[String] {
        &self.queue
    }

    /// The keys of the queue's entries: all of [`Self::queue`] except `meta`.
    #[must_use]
    pub fn queue_data(&self) -> Vec<String> {
        self.queue[1..].to_vec()
    }

    /// The keys that `seats/claim` takes as KEYS, in its order. They are built in advance because
    /// nearly all calls of a rush are claims.
    #[must_use]
    pub fn claim(&self) -> &[String] {
        &self.claim
    }

    /// The keys with these names, in the same order.
    #[must_use]
    pub fn all_named(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| self.named(name)).collect()
    }

    /// Every key that a schedule can have; the first is `meta`.
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
        (self.queue.iter().cloned()).chain(others.iter().map(|name| self.named(name))).collect()
    }
}

/// Matches the `meta` of every schedule, and no other key of this service.
pub const META_PATTERN: &str = "onsale:{*}:meta";

/// The schedule that a key belongs to. `None` if it is not a key of a schedule.
#[must_use]
pub fn schedule_of(key: &str) -> Option<ScheduleId> {
    let (schedule, _) = key.strip_prefix(BRACE)?.split_once('}')?;
    schedule.parse().ok().map(ScheduleId)
}

/// The hash slot of a key in a Redis Cluster: that of the text between its braces. `None` if the
/// key does not belong to this service.
#[must_use]
pub fn slot(key: &[u8]) -> Option<u16> {
    let rest = key.strip_prefix(BRACE.as_bytes())?;
    let end = rest.iter().position(|byte| *byte == b'}')?;
    Some(crc16(&rest[..end]) % SLOTS)
}

/// CRC-16/XMODEM, which Redis Cluster uses for hash slots.
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
    fn a_key_names_its_schedule() {
        let keys = ScheduleKeys::new(ScheduleId(7), 1);
        assert_eq!(schedule_of(keys.meta()), Some(ScheduleId(7)));
        let broken = ["onsale:{}:meta", "onsale:{7:meta", "onsale:{x}:meta", "{7}:meta"];
        for other in broken.into_iter().chain([PROCESSES, PROCESS_FIGURES]) {
            assert_eq!(schedule_of(other), None, "{other}");
        }
    }

    #[test]
    fn all_keys_of_a_schedule_have_the_slot_of_its_id() {
        let keys = ScheduleKeys::new(ScheduleId(123_456_789), 3).all();
        // 0x31c3 is the check value of this CRC, defined over these nine digits.
        assert!(keys.iter().all(|key| slot(key.as_bytes()) == Some(0x31c3)), "{keys:?}");
        assert_eq!((slot(b"EVALSHA"), slot(b"{1}:x"), slot(b"onsale:{1")), (None, None, None));
    }
}
