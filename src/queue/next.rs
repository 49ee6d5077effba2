//! The next entries to be admitted, and why nobody is admitted.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::keyspaces::{Keyspaces, ScheduleScripts};
use super::model::Sequence;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::script::{Reply, Script, ScriptError};

/// Maximum number of entries in the answer.
const MAX_ENTRIES: u64 = 20;
/// Number of values in a reply before the entries, and per entry.
const HEAD: usize = 4;
const EACH: usize = 4;

/// Why nobody is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AdmissionBlock {
    /// Admission is paused after a loss of Redis or a stall, until old tickets are shown again.
    Recovering,
    /// The concert is UNAVAILABLE.
    Withdrawn,
    /// The sale is over.
    Closed,
    /// The schedule has no seats.
    NoSeats,
    /// The sale has not opened.
    Upcoming,
    /// An administrator has paused admission.
    Paused,
    /// Every seat is sold or blocked.
    SoldOut,
    /// The draw has not finished.
    Draw,
    /// The capacity is 0.
    NoCapacity,
    /// Nobody waits.
    Empty,
    /// All active slots are in use.
    Full,
    /// The first entry is silent, and its client was asked to poll only seconds ago.
    Asking,
}

/// An entry near the front of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextEntry {
    /// The sequence.
    pub sequence: Sequence,
    /// The user's id.
    pub user: UserId,
    /// The entry is present in Redis: it polled within the presence window. Absent entries are
    /// passed over.
    #[serde(rename = "here")]
    pub present: bool,
    /// The entry was passed over and has returned: it is admitted before all others.
    #[serde(rename = "back")]
    pub returned: bool,
}

/// The front of the queue, as Redis has it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextInQueue {
    /// Why nobody is admitted; null while entries are admitted.
    pub blocked_by: Option<AdmissionBlock>,
    /// The former name of `blocked_by`.
    #[schema(deprecated)]
    pub still: Option<AdmissionBlock>,
    /// When that ends by itself: the opening, the end of the pause after a loss, or the end of the
    /// first slot. Null if it does not end by itself.
    pub until: Option<DateTime<Utc>>,
    /// Number of free active slots.
    pub room: u64,
    /// Up to 20 entries, in the order of admission. Empty before the draw.
    pub next: Vec<NextEntry>,
    /// The server's time of this answer.
    pub server_time: DateTime<Utc>,
}

impl AdmissionBlock {
    /// Reads the script's word; an empty word is `None`.
    fn read(word: &str, reply: &Reply) -> Result<Option<Self>, StoreError> {
        Ok(Some(match word {
            "" => return Ok(None),
            "RECOVERING" => Self::Recovering,
            "WITHDRAWN" => Self::Withdrawn,
            "CLOSED" => Self::Closed,
            "NO_SEATS" => Self::NoSeats,
            "UPCOMING" => Self::Upcoming,
            "PAUSED" => Self::Paused,
            "SOLD_OUT" => Self::SoldOut,
            "DRAW" => Self::Draw,
            "NO_CAPACITY" => Self::NoCapacity,
            "EMPTY" => Self::Empty,
            "FULL" => Self::Full,
            "ASKING" => Self::Asking,
            _ => return Err(reply.unknown()),
        }))
    }
}

impl NextInQueue {
    /// The answer for a sale that is over and has no keys in Redis.
    fn over() -> Self {
        let blocked_by = Some(AdmissionBlock::Closed);
        Self {
            blocked_by,
            still: blocked_by,
            until: None,
            room: 0,
            next: Vec::new(),
            server_time: Utc::now(),
        }
    }

    fn read(reply: &Reply) -> Result<Self, StoreError> {
        let word: String = reply.get(0)?;
        let blocked_by = AdmissionBlock::read(&word, reply)?;
        let time = |ms: i64| DateTime::from_timestamp_millis(ms).ok_or_else(|| reply.unknown());
        let until_ms: i64 = reply.get(1)?;
        let values: Vec<i64> = reply.rest(HEAD)?;
        let entry = |values: &[i64]| match *values {
            [sequence, user, present, returned] => Ok(NextEntry {
                sequence: Sequence(sequence.cast_unsigned()),
                user: UserId(user),
                present: present == 1,
                returned: returned == 1,
            }),
            _ => Err(reply.unknown()),
        };
        Ok(Self {
            blocked_by,
            still: blocked_by,
            until: (until_ms > 0).then(|| time(until_ms)).transpose()?,
            room: reply.get(2)?,
            next: values.chunks(EACH).map(entry).collect::<Result<_, _>>()?,
            server_time: time(reply.get(3)?)?,
        })
    }
}

/// Runs `queue/list_next`.
async fn list_next(scripts: &ScheduleScripts) -> Result<NextInQueue, ScriptError> {
    let reply = scripts.run(Script::ListNext, MAX_ENTRIES).await?;
    Ok(NextInQueue::read(&reply)?)
}

/// The front of a queue, read from Redis. Only for administrators.
pub async fn front(keyspaces: &Keyspaces, schedule: ScheduleId) -> Result<NextInQueue, StoreError> {
    match keyspaces.run(schedule, |scripts| async move { list_next(&scripts).await }).await {
        Err(StoreError::SaleOver) => Ok(NextInQueue::over()),
        other => other,
    }
}
