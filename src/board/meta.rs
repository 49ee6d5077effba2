//! The `meta` hash of a schedule, parsed: settings in force, counters, epoch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::keys::SEQUENCE_BITS;

/// Whether places in line are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Drawn {
    /// Never.
    #[default]
    No,
    /// A draw is to come, or under way: nobody has a place, and nobody is let in.
    Pending,
    /// It was held.
    Done,
}

/// What `meta` says, with the sizes of the sets beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// 0 where Redis has no such schedule.
    pub epoch: u64,
    /// Set while the keys are being rebuilt.
    pub loading: bool,
    /// Until when admission waits for old tickets after a loss (Redis's clock, ms).
    pub pause_until_ms: i64,
    /// Whether the concert is on.
    pub available: bool,
    /// Stops admission.
    pub paused: bool,
    /// Whether the order of those who came before the opening is drawn, or was.
    pub draw: Drawn,
    /// The last place of before the draw; 0 until it was begun.
    pub draw_base: u64,
    /// Shown to those who wait.
    pub message: Option<Arc<str>>,
    /// When the sale opens, ms.
    pub opens_ms: i64,
    /// When it closes, ms.
    pub deadline_ms: i64,
    /// Slots.
    pub capacity: u64,
    /// Admissions per second at most.
    pub rate: u64,
    /// Presence window, ms.
    pub presence_ms: u64,
    /// Claim window, ms.
    pub claim_ms: u64,
    /// The sequence up to which clients are asked to poll with their own tickets.
    pub notice: u64,
    /// Seats, of every state.
    pub seats_total: u32,
    /// Sold or blocked.
    pub gone: u32,
    /// Blocked.
    pub blocked: u32,
    /// The version of the seat map.
    pub seat_version: u64,
    /// Places given out, ever.
    pub joined: u64,
    /// Let in, since the keys were built.
    pub admitted: u64,
    /// Ended by time, since the keys were built.
    pub expired: u64,
    /// In line.
    pub waiting: u64,
    /// Inside.
    pub active: u64,
    /// Passed over, and not back yet.
    pub parked: u64,
    /// Passed over, and back: let in first.
    pub returned: u64,
}

impl Meta {
    /// Reads the fields of the hash; absent ones are 0.
    #[must_use]
    pub fn parse(fields: &HashMap<String, String>, sizes: [u64; 4]) -> Self {
        let [waiting, active, parked, returned] = sizes;
        let text = |name: &str| fields.get(name).map(String::as_str);
        let number = |name: &str| text(name).and_then(|v| v.parse::<i64>().ok()).unwrap_or(0);
        let count = |name: &str| u64::try_from(number(name)).unwrap_or(0);
        let seats = |name: &str| u32::try_from(number(name)).unwrap_or(0);
        let draw_base = count("draw_base");
        // Numbers that were kept for the draw were given to nobody, in the epoch it was begun in.
        let kept = (draw_base >> SEQUENCE_BITS == count("epoch")).then(|| count("draw_room"));
        Self {
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
            presence_ms: count("presence_ms"),
            claim_ms: count("claim_ms"),
            notice: count("notice"),
            seats_total: seats("seats_total"),
            gone: seats("gone"),
            blocked: seats("blocked"),
            seat_version: count("seat_version"),
            joined: (count("joined_before") + count("next_n")).saturating_sub(kept.unwrap_or(0)),
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
