//! Reads the replies of the scripts that join.

use chrono::{DateTime, Utc};

use crate::queue::model::{EntryState, Joined, QueueEntry, Sequence};
use crate::store::StoreError;
use crate::store::script::Reply;

/// Reply of `queue/join` for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinReply {
    /// The user has an entry.
    Joined(Joined),
    /// The user has no entry in Redis. With `ask`, the script does not create one.
    Unknown,
    /// The queue has not opened yet.
    NotOpen {
        /// When the queue opens.
        opens_at: DateTime<Utc>,
    },
    /// The deadline of the sale has passed.
    Closed,
    /// Every seat is sold or blocked.
    SoldOut,
    /// The concert is withdrawn.
    Unavailable,
}

impl JoinReply {
    /// Reads the script's reply.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] if the script's header does not list the reply.
    pub fn read(reply: &Reply) -> Result<Self, StoreError> {
        if let Some(refusal) = Self::read_refusal(reply, 0)? {
            return Ok(refusal);
        }
        Ok(match reply.word.as_str() {
            "UNKNOWN" => Self::Unknown,
            _ => Self::Joined(Joined { entry: read_entry(reply)?, new: reply.get::<u8>(3)? == 1 }),
        })
    }

    /// Reads the reason of a refusal; `None` for another reply. `opens_at` is the index of the time
    /// when the queue opens.
    fn read_refusal(reply: &Reply, opens_at: usize) -> Result<Option<Self>, StoreError> {
        Ok(Some(match reply.word.as_str() {
            "NOT_OPEN" => Self::NotOpen { opens_at: millis(reply.get(opens_at)?)? },
            "CLOSED" => Self::Closed,
            "SOLD_OUT" => Self::SoldOut,
            "UNAVAILABLE" => Self::Unavailable,
            _ => return Ok(None),
        }))
    }
}

/// Reads the reply of `queue/join_many` for `count` users, in their order. `None` for users whom
/// only `queue/join` can serve.
///
/// # Errors
/// [`StoreError::Inconsistent`] if the script's header does not list the reply.
pub fn read_many(reply: &Reply, count: usize) -> Result<Vec<Option<JoinReply>>, StoreError> {
    let outcomes: String = reply.get(0)?;
    if outcomes.len() != count {
        return Err(reply.unknown());
    }
    let joins_any = outcomes.contains(['A', 'W']);
    let mut next = if joins_any { NewEntries::read(reply)? } else { NewEntries::default() };
    let outcome = |letter| {
        Ok(Some(match letter {
            'S' => return Ok(None),
            'U' => JoinReply::Unknown,
            'R' => JoinReply::read_refusal(reply, 1)?.ok_or_else(|| reply.unknown())?,
            'A' | 'W' => JoinReply::Joined(next.entry(letter == 'A')),
            _ => return Err(reply.unknown()),
        }))
    };
    outcomes.chars().map(outcome).collect()
}

/// The new entries of a reply of `queue/join_many`, one after the other.
#[derive(Debug, Default)]
struct NewEntries {
    sequence: u64,
    ahead: u64,
    active_until: DateTime<Utc>,
}

impl NewEntries {
    fn read(reply: &Reply) -> Result<Self, StoreError> {
        let (sequence, ahead) = (reply.get(2)?, reply.get(3)?);
        Ok(Self { sequence, ahead, active_until: millis(reply.get(4)?)? })
    }

    fn entry(&mut self, active: bool) -> Joined {
        let sequence = Sequence(self.sequence);
        self.sequence += 1;
        let state = if active {
            EntryState::Active { until: self.active_until }
        } else {
            self.ahead += 1;
            EntryState::Waiting { ahead: self.ahead - 1 }
        };
        Joined { entry: QueueEntry { sequence, joined: sequence, state }, new: true }
    }
}

/// Reads an entry from `{state, sequence, ahead or deadline_ms, …}`.
pub(in crate::queue) fn read_entry(reply: &Reply) -> Result<QueueEntry, StoreError> {
    let state = match reply.word.as_str() {
        "WAITING" | "RETURNED" => EntryState::Waiting { ahead: reply.get(1)? },
        "ACTIVE" => EntryState::Active { until: millis(reply.get(1)?)? },
        _ => return Err(reply.unknown()),
    };
    let sequence = Sequence(reply.get(0)?);
    // Redis has no sequence of joining. The caller looks it up in the draw.
    Ok(QueueEntry { sequence, joined: sequence, state })
}

/// A time in milliseconds since 1970.
pub(in crate::queue) fn millis(ms: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_millis(ms)
        .ok_or_else(|| StoreError::Inconsistent(format!("a script replied the time {ms}")))
}
