//! The `meta` hash of a schedule, parsed: current settings, counters, epoch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::keys::SEQUENCE_BITS;

/// State of a schedule's draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Drawn {
    /// The schedule has no draw.
    #[default]
    No,
    /// The draw has not finished: no entry has a position yet, and nobody is admitted.
    Pending,
    /// The draw has finished: the queue is in drawn order.
    Done,
}

/// The fields of `meta`, and the sizes of four sets of the queue.
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the hash")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// The schedule was removed: this is the marker that is left of its keys.
    pub removed: bool,
    /// Epoch of the keys; 0 if Redis does not have the schedule.
    pub epoch: u64,
    /// The keys are being rebuilt.
    pub loading: bool,
    /// Admission is paused until this time, after a loss of Redis or a stall (Redis's clock, ms).
    pub pause_until_ms: i64,
    /// The concert is available.
    pub available: bool,
    /// An administrator has paused admission.
    pub paused: bool,
    /// State of the draw that orders the entries from before the opening.
    pub draw: Drawn,
    /// The last sequence before the draw; 0 until the draw is closed.
    pub draw_base: u64,
    /// The organiser's message to waiting users.
    pub message: Option<Arc<str>>,
    /// When the sale opens (ms since 1970).
    pub opens_ms: i64,
    /// When the sale closes (ms since 1970).
    pub deadline_ms: i64,
    /// Maximum number of active slots.
    pub capacity: u64,
    /// Maximum admissions per second.
    pub rate: u64,
    /// This maximum is automatic.
    pub auto: bool,
    /// Presence window (ms).
    pub presence_ms: u64,
    /// Claim window (ms).
    pub claim_ms: u64,
    /// The sequence up to which clients are asked to poll with their own tickets.
    pub notice: u64,
    /// Number of seats, of every state.
    pub seats_total: u32,
    /// Number of sold or blocked seats.
    pub gone: u32,
    /// Number of blocked seats.
    pub blocked: u32,
    /// Version of the seat map.
    pub seat_version: u64,
    /// Entries created, in all epochs.
    pub joined: u64,
    /// Entries admitted since the keys were built.
    pub admitted: u64,
    /// Entries ended by time since the keys were built.
    pub expired: u64,
    /// Waiting entries.
    pub waiting: u64,
    /// Active slots in use.
    pub active: u64,
    /// Entries that were passed over and have not returned.
    pub parked: u64,
    /// Entries that were passed over and have returned: admitted first.
    pub returned: u64,
}

impl Meta {
    /// Reads the fields of the hash; absent numbers are 0. `sizes` are the numbers of waiting,
    /// active, parked and returned entries.
    #[must_use]
    pub fn parse(fields: &HashMap<String, String>, sizes: [u64; 4]) -> Self {
        let [waiting, active, parked, returned] = sizes;
        let text = |name: &str| fields.get(name).map(String::as_str);
        let number = |name: &str| text(name).and_then(|v| v.parse::<i64>().ok()).unwrap_or(0);
        let count = |name: &str| u64::try_from(number(name)).unwrap_or(0);
        let seats = |name: &str| u32::try_from(number(name)).unwrap_or(0);
        let draw_base = count("draw_base");
        // In the epoch of the draw, `next_n` also counts the numbers that are reserved for it. No
        // entry was created with them.
        let reserved = (draw_base >> SEQUENCE_BITS == count("epoch")).then(|| count("draw_room"));
        Self {
            removed: number("removed") == 1,
            epoch: count("epoch"),
            loading: text("loading_until").is_some(),
            pause_until_ms: number("pause_until"),
            available: number("available") == 1,
            paused: number("paused") == 1,
            draw: match (number("draw"), number("drawn")) {
                (_, 1) => Drawn::Done,
                (1, _) => Drawn::Pending,
                _ => Drawn::No,
            },
            draw_base,
            message: text("message").filter(|message| !message.is_empty()).map(Arc::from),
            opens_ms: number("opens_ms"),
            deadline_ms: number("deadline_ms"),
            capacity: count("capacity"),
            rate: count("rate"),
            auto: number("auto") == 1,
            presence_ms: count("presence_ms"),
            claim_ms: count("claim_ms"),
            notice: count("notice"),
            seats_total: seats("seats_total"),
            gone: seats("gone"),
            blocked: seats("blocked"),
            seat_version: count("seat_version"),
            joined: (count("joined_before") + count("next_n"))
                .saturating_sub(reserved.unwrap_or(0)),
            admitted: count("admitted"),
            expired: count("expired"),
            waiting,
            active,
            parked,
            returned,
        }
    }

    /// The presence window.
    #[must_use]
    pub fn presence(&self) -> Duration {
        Duration::from_millis(self.presence_ms)
    }

    /// When the sale closes.
    #[must_use]
    pub fn deadline(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.deadline_ms).unwrap_or_default()
    }
}
