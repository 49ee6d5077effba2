//! Who is let in next, and why nobody is where nobody is.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::keyspaces::{Line, Lines};
use super::model::Sequence;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::script::{Reply, Script, ScriptError};

/// So many of those in front are told.
const MOST: u64 = 20;
/// Values of a reply before those of people, and of each of them.
const HEAD: usize = 4;
const EACH: usize = 4;

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Still {
    /// After a loss of Redis or a standstill, old tickets are waited for.
    Recovering,
    /// The concert is UNAVAILABLE.
    Withdrawn,
    /// The sale is over.
    Closed,
    /// The schedule has no seats.
    NoSeats,
    /// The sale has not opened.
    Upcoming,
    /// By an administrator.
    Paused,
    /// Every seat is sold or blocked.
    SoldOut,
    /// The draw is not over.
    Draw,
    /// The capacity is 0.
    NoCapacity,
    /// Nobody waits.
    Empty,
    /// As many are inside as may be.
    Full,
    /// The front has not been heard from, and was asked to poll only seconds ago.
    Asking,
}

/// Somebody near the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct InFront {
    /// Their place.
    pub sequence: Sequence,
    /// Who.
    pub user: UserId,
    /// Heard from within the presence window, as far as Redis was told: others are passed over.
    pub here: bool,
    /// Passed over before, and back: let in before all others.
    pub back: bool,
}

/// The front of a line, as Redis has it at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Front {
    /// Why nobody is let in; null where people are.
    pub still: Option<Still>,
    /// When that ends by itself: the opening, the end of the pause after a loss, the first slot that
    /// is free. Null where it doesn't.
    pub until: Option<DateTime<Utc>>,
    /// Free slots.
    pub room: u64,
    /// The first ones, in the order in which they are let in; none while a draw is to come.
    pub next: Vec<InFront>,
    /// When.
    pub server_time: DateTime<Utc>,
}

impl Still {
    /// From the script's word; an empty one is none.
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

impl Front {
    fn read(reply: &Reply) -> Result<Self, StoreError> {
        let word: String = reply.get(0)?;
        let still = Still::read(&word, reply)?;
        let time = |ms: i64| DateTime::from_timestamp_millis(ms).ok_or_else(|| reply.unknown());
        let until_ms: i64 = reply.get(1)?;
        let people: Vec<i64> = reply.rest(HEAD)?;
        let person = |values: &[i64]| match *values {
            [sequence, user, here, back] => Ok(InFront {
                sequence: Sequence(sequence.cast_unsigned()),
                user: UserId(user),
                here: here == 1,
                back: back == 1,
            }),
            _ => Err(reply.unknown()),
        };
        Ok(Self {
            still,
            until: (until_ms > 0).then(|| time(until_ms)).transpose()?,
            room: reply.get(2)?,
            next: people.chunks(EACH).map(person).collect::<Result<_, _>>()?,
            server_time: time(reply.get(3)?)?,
        })
    }
}

impl Line {
    /// `queue/next`.
    pub async fn next(&self) -> Result<Front, ScriptError> {
        let reply = self.run(Script::Next, MOST).await?;
        Ok(Front::read(&reply)?)
    }
}

impl Lines {
    /// The front of a line: asked of Redis, for administrators alone.
    pub async fn front(&self, schedule: ScheduleId) -> Result<Front, StoreError> {
        self.run(schedule, |line| async move { line.next().await }).await
    }
}
