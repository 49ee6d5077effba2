//! Runs the scripts of the line and reads their replies.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::ToRedisArgs;

use super::keyspaces::Line;
use super::model::{Admitted, Ended, Joined, Sequence, Stand, Standing, Ticket};
use super::settings::settings;
use crate::concert::model::Schedule;
use crate::store::StoreError;
use crate::store::high_water::Counters;
use crate::store::id::{ScheduleId, UserId};
use crate::store::keys::Keys;
use crate::store::redis::Redis;
use crate::store::script::{NOTHING, Reply, Script, ScriptError, in_force};

/// What `queue/join` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinReply {
    /// The user has a place.
    Joined(Joined),
    /// The user has none here, and was not given one: as it was asked.
    Unknown,
    /// Before the line opens.
    NotOpen {
        /// When it does.
        opens_at: DateTime<Utc>,
    },
    /// Past the deadline.
    Closed,
    /// Every seat is sold or blocked.
    SoldOut,
    /// The concert is withdrawn.
    Unavailable,
}

impl JoinReply {
    /// Reads what the script said.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] where the script's header lists no such reply.
    pub fn read(reply: &Reply) -> Result<Self, StoreError> {
        Ok(match reply.word.as_str() {
            "UNKNOWN" => Self::Unknown,
            "NOT_OPEN" => Self::NotOpen { opens_at: millis(reply.get(0)?)? },
            "CLOSED" => Self::Closed,
            "SOLD_OUT" => Self::SoldOut,
            "UNAVAILABLE" => Self::Unavailable,
            _ => Self::Joined(Joined { stand: stand(reply)?, new: reply.get::<u8>(3)? == 1 }),
        })
    }
}

/// What a process states when it merges presence: that it has merged everything it heard up to a
/// sequence, and until when it will do so again.
#[derive(Debug, Clone, Copy, Default)]
pub struct Statement<'p> {
    /// Its name among the processes that serve this schedule; empty for none.
    pub process: &'p str,
    /// Up to which sequence.
    pub upto: u64,
    /// For how long; zero ends the statement.
    pub lease: Duration,
}

impl Line {
    pub(super) async fn run(
        &self,
        script: Script,
        args: impl ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        let keys = &self.place.keys;
        self.place.run(&self.redis, script, keys.line(), (keys.epoch(), args)).await
    }

    /// As [`Line::run`], for a rebuilding.
    pub(super) async fn run_bulk(
        &self,
        script: Script,
        args: impl ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        let keys = &self.place.keys;
        self.place.run_bulk(&self.redis, script, keys.line(), (keys.epoch(), args)).await
    }

    async fn meta(&self, script: Script, args: impl ToRedisArgs) -> Result<Reply, ScriptError> {
        let keys = &self.place.keys;
        self.place.run(&self.redis, script, &keys.line()[..1], (keys.epoch(), args)).await
    }

    /// `queue/join`. With `ask`, whoever has no place here is not given one. A number that this
    /// process has seen given out before is not told again: Redis went back in time, and the keys
    /// are [`ScriptError::Lost`].
    pub async fn join(&self, user: UserId, ask: bool) -> Result<JoinReply, ScriptError> {
        let floor = self.place.seen.floor();
        let reply = self.run(Script::Join, (user.0, u8::from(ask))).await?;
        let reply = JoinReply::read(&reply)?;
        if let JoinReply::Joined(Joined { stand, new }) = &reply
            && stand.sequence.epoch() == self.place.keys.epoch()
        {
            let number = stand.sequence.number();
            if *new && number <= floor.joined {
                return Err(ScriptError::Lost);
            }
            self.place.seen.joined(number);
        }
        Ok(reply)
    }

    /// `queue/ticket`; nothing where it is of before a draw, and what it drew is to be looked up.
    pub async fn ticket(&self, ticket: &Ticket) -> Result<Option<Stand>, ScriptError> {
        let until = ticket.active_until.map_or(0, |until| until.timestamp_millis());
        let reply = self.run(Script::Ticket, (ticket.user.0, ticket.sequence.0, until)).await?;
        if reply.word == "DRAWN" {
            return Ok(None);
        }
        if reply.word == "ENDED" {
            let ended = Ended::from_bits(reply.get(0)?).ok_or_else(|| reply.unknown())?;
            return Ok(Some(Stand { standing: Standing::Ended(ended), ..Stand::of(ticket) }));
        }
        Ok(Some(stand(&reply)?))
    }

    /// `queue/leave`; tells how the place ended, now or before.
    pub async fn leave(&self, user: UserId, sequence: Sequence) -> Result<Ended, ScriptError> {
        ended(&self.run(Script::Leave, (user.0, sequence.0)).await?)
    }

    /// `queue/complete`; tells how the place ended, now or before.
    pub async fn complete(&self, user: UserId, sequence: Sequence) -> Result<Ended, ScriptError> {
        ended(&self.run(Script::Complete, (user.0, sequence.0)).await?)
    }

    /// `queue/admit`. Every process calls it at least once a second, so it is here that one notices
    /// a Redis that went back in time: [`ScriptError::Lost`].
    pub async fn admit(&self) -> Result<Admitted, ScriptError> {
        let floor = self.place.seen.floor();
        let reply = self.run(Script::Admit, NOTHING).await?;
        let counters = Counters { joined: reply.get(6)?, changes: reply.get(7)? };
        if counters.behind(floor) {
            return Err(ScriptError::Lost);
        }
        self.place.seen.note(counters);
        Ok(Admitted {
            more: reply.word == "MORE",
            admitted: reply.get(0)?,
            parked: reply.get(1)?,
            expired: reply.get(2)?,
            waiting: reply.get(3)?,
            active: reply.get(4)?,
            stopped_at: Some(reply.get(8)?).filter(|sequence| *sequence > 0).map(Sequence),
        })
    }

    /// `queue/mark_present`: merges the entries that a process heard from. With a `statement` Redis
    /// counts on it that this was everything the process heard up to its sequence.
    pub async fn mark_present(
        &self,
        statement: Option<Statement<'_>>,
        sequences: &[u64],
    ) -> Result<(), ScriptError> {
        let Statement { process, upto, lease } = statement.unwrap_or_default();
        let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        self.run(Script::MarkPresent, (process, upto, lease_ms, sequences)).await.map(|_| ())
    }

    /// `queue/configure`: puts the schedule's settings in force, unless newer ones are.
    pub async fn configure(&self, schedule: &Schedule) -> Result<(), ScriptError> {
        self.meta(Script::Configure, &settings(schedule)).await.map(|_| ())
    }

    /// `queue/restore`: begins a rebuilding; each call that loads renews its lease. False where another
    /// process has begun a later one. May be repeated: only the winner of an epoch builds under it.
    pub async fn restore(&self, run_id: &str, lease: Duration) -> Result<bool, ScriptError> {
        let keys = self.place.keys.all();
        let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        let args = (self.place.keys.epoch(), run_id, lease_ms);
        let reply = self.place.run(&self.redis, Script::Restore, &keys, args).await?;
        Ok(reply.word == "OK" || reply.get::<u64>(0)? == self.place.keys.epoch())
    }

    /// `queue/ready`: ends a rebuilding; admission waits for `pause_ms`.
    pub async fn ready(&self, pause_ms: u64) -> Result<(), ScriptError> {
        self.meta(Script::Ready, pause_ms).await.map(|_| ())
    }

    /// Log entries after `position`, oldest first: each entry's id and its events.
    pub async fn log(
        &self,
        position: &str,
        count: usize,
    ) -> Result<Vec<(String, Vec<(String, String)>)>, StoreError> {
        let mut command = redis::cmd("XRANGE");
        let after = format!("({position}");
        command.arg(self.place.keys.named("log")).arg(after).arg("+").arg("COUNT").arg(count);
        Ok(self.redis.bulk(&command).await?)
    }

    /// Drops log entries up to and including `position`.
    pub async fn trim_log(&self, position: &str) -> Result<(), StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("XTRIM").arg(self.place.keys.named("log")).arg("MINID").arg(position).ignore();
        // MINID keeps the entry itself, which is written too.
        pipe.cmd("XDEL").arg(self.place.keys.named("log")).arg(position).ignore();
        self.redis.bulk_pipe(&pipe).await
    }
}

impl Line {
    /// Which version of the settings is in force; 0 where none is.
    pub async fn settings_version(&self) -> Result<u64, ScriptError> {
        let keys = &self.place.keys;
        let mut command = redis::cmd("HMGET");
        command.arg(keys.meta()).arg(&["epoch", "loading_until", "version"]);
        let read = self.redis.bulk(&command).await.map_err(StoreError::from)?;
        let (epoch, loading, version): (_, _, Option<u64>) = read;
        in_force(keys, epoch, loading)?;
        Ok(version.unwrap_or(0))
    }

    /// Who is inside, and at which place; `most` of them, those whose slots last longest.
    pub async fn inside(&self, most: isize) -> Result<Vec<(UserId, Sequence)>, StoreError> {
        let mut command = redis::cmd("ZREVRANGE");
        command.arg(self.place.keys.named("active")).arg(0).arg(most - 1);
        let users: Vec<i64> = self.redis.bulk(&command).await?;
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("HMGET");
        command.arg(self.place.keys.named("place")).arg(&users);
        let places: Vec<Option<String>> = self.redis.bulk(&command).await?;
        let sequence = |place: String| Some(Sequence(place.split(' ').next()?.parse().ok()?));
        let place = |(user, place): (i64, Option<String>)| {
            place.and_then(sequence).map(|sequence| (UserId(user), sequence))
        };
        Ok(users.into_iter().zip(places).filter_map(place).collect())
    }
}

/// Makes sure of new connections to where a schedule's keys are or will be, and that all of them may be
/// touched there: not so while their slot is on its way to another node.
pub async fn reachable(redis: &Redis, keys: &Keys) -> Result<(), StoreError> {
    let mut command = redis::cmd("EXISTS");
    command.arg(keys.all());
    redis.renew(&command).await
}

/// Takes the right to be the one process that does something with a schedule's keys for `lease`:
/// `rebuilder`, `reconciler`. False where another has it.
pub async fn lease(
    redis: &Redis,
    schedule: ScheduleId,
    name: &str,
    lease: Duration,
) -> Result<bool, StoreError> {
    let mut command = redis::cmd("SET");
    command.arg(Keys::new(schedule, 1).named(name)).arg(1).arg("NX");
    command.arg("PX").arg(u64::try_from(lease.as_millis()).unwrap_or(u64::MAX));
    let taken: Option<String> = redis.hot(&command).await?;
    Ok(taken.is_some())
}

/// Gives the right to rebuild back, unused.
pub async fn end_lease(redis: &Redis, schedule: ScheduleId) -> Result<(), StoreError> {
    let mut command = redis::cmd("UNLINK");
    command.arg(Keys::new(schedule, 1).named("rebuilder"));
    Ok(redis.hot(&command).await?)
}

/// Removes every key of a schedule whose time is over.
pub async fn unlink(redis: &Redis, keys: &Keys) -> Result<(), StoreError> {
    let mut command = redis::cmd("UNLINK");
    command.arg(keys.all());
    Ok(redis.bulk(&command).await?)
}

fn stand(reply: &Reply) -> Result<Stand, StoreError> {
    let standing = match reply.word.as_str() {
        "WAITING" | "RETURNED" => Standing::Waiting { ahead: reply.get(1)? },
        "ACTIVE" => Standing::Active { until: millis(reply.get(1)?)? },
        _ => return Err(reply.unknown()),
    };
    let sequence = Sequence(reply.get(0)?);
    // As far as Redis knows; a drawn place is looked up in the draw.
    Ok(Stand { sequence, joined: sequence, standing })
}

fn ended(reply: &Reply) -> Result<Ended, ScriptError> {
    Ok(Ended::from_bits(reply.get(0)?).ok_or_else(|| reply.unknown())?)
}

fn millis(ms: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_millis(ms)
        .ok_or_else(|| StoreError::Inconsistent(format!("a script replied the time {ms}")))
}
