//! Runs the scripts in `lua/queue` and reads their replies.

use std::time::Duration;

use redis::ToRedisArgs;

use super::join::reply::{JoinReply, read_entry, read_many};
use super::keyspaces::ScheduleScripts;
use super::model::{Admitted, Ended, EntryState, Joined, QueueEntry, Sequence, Ticket};
use super::sale_figures::SaleFigures;
use super::settings::settings;
use crate::board::seats::SeatVersion;
use crate::concert::model::Schedule;
use crate::store::StoreError;
use crate::store::high_water::Counters;
use crate::store::id::{ScheduleId, UserId};
use crate::store::keys::ScheduleKeys;
use crate::store::redis::Redis;
use crate::store::script::{NOTHING, Reply, Script, ScriptError, check_usable};

/// The lease that a process takes with a merge: up to a sequence, it has merged every entry that
/// polled there. The process renews it before it ends.
#[derive(Debug, Clone, Copy, Default)]
pub struct MergeLease<'p> {
    /// The process's name; empty to take no lease.
    pub process: &'p str,
    /// The sequence up to which presence is merged.
    pub upto: u64,
    /// How long the lease lasts; zero gives it back.
    pub duration: Duration,
}

/// An entry of the queue's log: its id, and its events, each with the name of its field.
pub type LogEntry = (String, Vec<(String, String)>);

impl ScheduleScripts {
    pub(super) async fn run(
        &self,
        script: Script,
        args: impl ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        let keys = &self.keyspace.keys;
        self.keyspace.run(&self.redis, script, keys.queue(), (keys.epoch(), args)).await
    }

    /// As [`ScheduleScripts::run`], on a bulk connection.
    pub(super) async fn run_bulk(
        &self,
        script: Script,
        args: impl ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        let keys = &self.keyspace.keys;
        self.keyspace.run_bulk(&self.redis, script, keys.queue(), (keys.epoch(), args)).await
    }

    async fn run_meta(&self, script: Script, args: impl ToRedisArgs) -> Result<Reply, ScriptError> {
        let keys = &self.keyspace.keys;
        self.keyspace.run(&self.redis, script, &keys.queue()[..1], (keys.epoch(), args)).await
    }

    /// Runs `queue/join`. With `ask`, no entry is created. If Redis hands out a number that this
    /// process has seen before, it went back in time: [`ScriptError::Lost`].
    pub async fn join(&self, user: UserId, ask: bool) -> Result<JoinReply, ScriptError> {
        let floor = self.keyspace.seen.floor();
        let reply = self.run(Script::Join, (user.0, u8::from(ask))).await?;
        let reply = JoinReply::read(&reply)?;
        self.check_new(floor, std::slice::from_ref(&reply))?;
        Ok(reply)
    }

    /// Runs `queue/join_many`: as [`ScheduleScripts::join`] for each user, in this order. `None`
    /// for users whom only `queue/join` can serve.
    pub async fn join_many(
        &self,
        users: &[(UserId, bool)],
    ) -> Result<Vec<Option<JoinReply>>, ScriptError> {
        let floor = self.keyspace.seen.floor();
        let args: Vec<(i64, u8)> =
            users.iter().map(|(user, ask)| (user.0, u8::from(*ask))).collect();
        let replies = read_many(&self.run(Script::JoinMany, args).await?, users.len())?;
        self.check_new(floor, replies.iter().flatten())?;
        Ok(replies)
    }

    /// Checks that the numbers of new entries are above those seen before the call, and notes them.
    fn check_new<'r>(
        &self,
        floor: Counters,
        replies: impl IntoIterator<Item = &'r JoinReply>,
    ) -> Result<(), ScriptError> {
        for reply in replies {
            if let JoinReply::Joined(Joined { entry, new }) = reply
                && entry.sequence.epoch() == self.keyspace.keys.epoch()
            {
                let number = entry.sequence.number();
                if *new && number <= floor.joined {
                    return Err(ScriptError::Lost);
                }
                self.keyspace.seen.joined(number);
            }
        }
        Ok(())
    }

    /// Runs `queue/resolve_ticket`; `None` if the ticket's drawn sequence must be looked up first.
    pub async fn resolve_ticket(&self, ticket: &Ticket) -> Result<Option<QueueEntry>, ScriptError> {
        let until = ticket.active_until.map_or(0, |until| until.timestamp_millis());
        let args = (ticket.user.0, ticket.sequence.0, until, ticket.joined.0);
        let reply = self.run(Script::ResolveTicket, args).await?;
        if reply.word == "DRAWN" {
            return Ok(None);
        }
        if reply.word == "ENDED" {
            let ended = Ended::from_bits(reply.get(0)?).ok_or_else(|| reply.unknown())?;
            let state = EntryState::Ended(ended);
            return Ok(Some(QueueEntry { state, ..QueueEntry::of(ticket) }));
        }
        Ok(Some(read_entry(&reply)?))
    }

    /// Runs `queue/resolve_many`: as [`Self::resolve_ticket`] for each waiting ticket. `None` for
    /// tickets that only `queue/resolve_ticket` can serve: active and drawn ones, for example.
    pub async fn resolve_many(
        &self,
        tickets: &[Ticket],
    ) -> Result<Vec<Option<QueueEntry>>, ScriptError> {
        let waiting: Vec<&Ticket> = tickets.iter().filter(|it| it.is_plain()).collect();
        let args: Vec<(i64, u64)> = waiting.iter().map(|it| (it.user.0, it.sequence.0)).collect();
        if args.is_empty() {
            return Ok(vec![None; tickets.len()]);
        }
        let reply = self.run(Script::ResolveMany, args).await?;
        let (outcomes, ahead): (String, Vec<u64>) = (reply.get(0)?, reply.rest(2)?);
        let mut found = outcomes.chars().zip(ahead);
        let entry = |ticket: &Ticket| {
            let sequence = ticket.is_plain().then_some(ticket.sequence)?;
            let (outcome, ahead) = found.next()?;
            let state = EntryState::Waiting { ahead };
            (outcome == 'W').then_some(QueueEntry { sequence, joined: sequence, state })
        };
        Ok(tickets.iter().map(entry).collect())
    }

    /// Runs `queue/leave`; returns how the entry ended, now or before.
    pub async fn leave(&self, user: UserId, sequence: Sequence) -> Result<Ended, ScriptError> {
        read_end(&self.run(Script::Leave, (user.0, sequence.0)).await?)
    }

    /// Runs `queue/complete`; returns how the entry ended, now or before.
    pub async fn complete(&self, user: UserId, sequence: Sequence) -> Result<Ended, ScriptError> {
        read_end(&self.run(Script::Complete, (user.0, sequence.0)).await?)
    }

    /// Runs `queue/admit`. Every process calls it every two seconds or more often. So this call also
    /// detects a Redis that went back in time: [`ScriptError::Lost`].
    pub async fn admit(&self) -> Result<Admitted, ScriptError> {
        let floor = self.keyspace.seen.floor();
        let reply = self.run(Script::Admit, NOTHING).await?;
        let counters = Counters { joined: reply.get(6)?, changes: reply.get(7)? };
        if counters.behind(floor) {
            return Err(ScriptError::Lost);
        }
        self.keyspace.seen.note(counters);
        Ok(Admitted {
            more: reply.word == "MORE",
            admitted: reply.get(0)?,
            parked: reply.get(1)?,
            expired: reply.get(2)?,
            waiting: reply.get(3)?,
            active: reply.get(4)?,
            stopped_at: Some(reply.get(8)?).filter(|sequence| *sequence > 0).map(Sequence),
            seats: SeatVersion { epoch: self.keyspace.keys.epoch(), number: counters.changes },
            rest: Duration::from_millis(reply.get(9)?),
            log_length: reply.get(10)?,
            figures: SaleFigures::read(&reply)?,
        })
    }

    /// Runs `queue/mark_present`: merges entries that polled at a process. With a `lease`, they are
    /// every entry up to its sequence that polled there.
    pub async fn mark_present(
        &self,
        lease: Option<MergeLease<'_>>,
        sequences: &[u64],
    ) -> Result<(), ScriptError> {
        let MergeLease { process, upto, duration } = lease.unwrap_or_default();
        let lease_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.run(Script::MarkPresent, (process, upto, lease_ms, sequences)).await.map(|_| ())
    }

    /// Runs `queue/configure`: applies the schedule's settings, unless newer ones apply.
    pub async fn configure(&self, schedule: &Schedule) -> Result<(), ScriptError> {
        self.run_meta(Script::Configure, &settings(schedule)).await.map(|_| ())
    }

    /// Runs `queue/begin_rebuild`: begins a rebuild, whose lease each loading call renews. False if
    /// another process has begun a later one. May be repeated: only the winner of an epoch uses it.
    pub async fn begin_rebuild(&self, run_id: &str, lease: Duration) -> Result<bool, ScriptError> {
        let keys = self.keyspace.keys.all();
        let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        let args = (self.keyspace.keys.epoch(), run_id, lease_ms);
        let reply = self.keyspace.run(&self.redis, Script::BeginRebuild, &keys, args).await?;
        Ok(reply.word == "OK" || reply.get::<u64>(0)? == self.keyspace.keys.epoch())
    }

    /// Runs `queue/finish_rebuild`: ends a rebuild; admission waits for `pause_ms`.
    pub async fn finish_rebuild(&self, pause_ms: u64) -> Result<(), ScriptError> {
        self.run_meta(Script::FinishRebuild, pause_ms).await.map(|_| ())
    }

    /// Reads up to `count` log entries after `position`, oldest first.
    pub async fn read_log(
        &self,
        position: &str,
        count: usize,
    ) -> Result<Vec<LogEntry>, StoreError> {
        let mut command = redis::cmd("XRANGE");
        let after = format!("({position}");
        command.arg(self.keyspace.keys.named("log")).arg(after).arg("+").arg("COUNT").arg(count);
        Ok(self.redis.bulk(&command).await?)
    }

    /// Deletes the log entries up to and including `position`.
    pub async fn trim_log(&self, position: &str) -> Result<(), StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("XTRIM").arg(self.keyspace.keys.named("log")).arg("MINID").arg(position).ignore();
        // MINID keeps the entry at `position`, which is archived too.
        pipe.cmd("XDEL").arg(self.keyspace.keys.named("log")).arg(position).ignore();
        self.redis.bulk_pipe(&pipe).await
    }

    /// Version of the settings in force; 0 if there is none.
    pub async fn settings_version(&self) -> Result<u64, ScriptError> {
        let keys = &self.keyspace.keys;
        let mut command = redis::cmd("HMGET");
        command.arg(keys.meta()).arg(&["epoch", "loading_until", "version"]);
        let read = self.redis.bulk(&command).await.map_err(StoreError::from)?;
        let (epoch, loading, version): (_, _, Option<u64>) = read;
        check_usable(keys, epoch, loading)?;
        Ok(version.unwrap_or(0))
    }

    /// Up to `limit` active entries, those whose slots end last: users and sequences.
    pub async fn list_active(&self, limit: isize) -> Result<Vec<(UserId, Sequence)>, StoreError> {
        let mut command = redis::cmd("ZREVRANGE");
        command.arg(self.keyspace.keys.named("active")).arg(0).arg(limit - 1);
        let users: Vec<i64> = self.redis.bulk(&command).await?;
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("HMGET");
        command.arg(self.keyspace.keys.named("place")).arg(&users);
        let stored: Vec<Option<String>> = self.redis.bulk(&command).await?;
        let sequence = |stored: String| Some(Sequence(stored.split(' ').next()?.parse().ok()?));
        let entry = |(user, stored): (i64, Option<String>)| {
            stored.and_then(sequence).map(|sequence| (UserId(user), sequence))
        };
        Ok(users.into_iter().zip(stored).filter_map(entry).collect())
    }
}

/// Opens new connections to the node of a schedule's keys, and checks that it serves all of them.
/// It does not while their hash slot moves to another node.
pub async fn check_reachable(redis: &Redis, keys: &ScheduleKeys) -> Result<(), StoreError> {
    let mut command = redis::cmd("EXISTS");
    command.arg(keys.all());
    redis.renew(&command).await
}

/// Takes a lease of a schedule, `rebuilder` or `reconciler`; false if another process has it.
pub async fn take_lease(
    redis: &Redis,
    schedule: ScheduleId,
    name: &str,
    lease: Duration,
) -> Result<bool, StoreError> {
    let mut command = redis::cmd("SET");
    command.arg(ScheduleKeys::new(schedule, 1).named(name)).arg(1).arg("NX");
    command.arg("PX").arg(u64::try_from(lease.as_millis()).unwrap_or(u64::MAX));
    let taken: Option<String> = redis.hot(&command).await?;
    Ok(taken.is_some())
}

/// Gives the lease `rebuilder` back.
pub async fn give_rebuilder_back(redis: &Redis, schedule: ScheduleId) -> Result<(), StoreError> {
    let mut command = redis::cmd("UNLINK");
    command.arg(ScheduleKeys::new(schedule, 1).named("rebuilder"));
    Ok(redis.hot(&command).await?)
}

/// Unlinks keys of one schedule.
pub async fn unlink(redis: &Redis, keys: &[String]) -> Result<(), StoreError> {
    let mut command = redis::cmd("UNLINK");
    command.arg(keys);
    Ok(redis.bulk(&command).await?)
}

fn read_end(reply: &Reply) -> Result<Ended, ScriptError> {
    Ok(Ended::from_bits(reply.get(0)?).ok_or_else(|| reply.unknown())?)
}
