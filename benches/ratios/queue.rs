//! Fills queues, and checks what of them arrived in PostgreSQL.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onsale::queue::join::reply::JoinReply;
use onsale::queue::keyspaces::ScheduleScripts;
use onsale::queue::model::{QueueEntry, Sequence};
use onsale::store::id::{ScheduleId, UserId};
use onsale::store::keys::{SEQUENCE_BITS, ScheduleKeys};
use onsale::store::redis::Redis;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::Outcome;
use crate::stage::Stage;

/// Concurrent calls while a queue is filled, and users per call.
const JOINING: usize = 8;
const BATCH: usize = 128;
/// Time between two reads of the log's oldest entry.
const SAMPLE: Duration = Duration::from_millis(100);
/// How often the rows are counted again after the log is empty.
const COUNTS: usize = 50;

/// Samples the age of the oldest entry in a queue's log.
#[derive(Debug)]
pub struct ArchiveWatch {
    stop: CancellationToken,
    sampling: JoinHandle<Outcome<Duration>>,
}

impl Stage {
    /// Lets users join in batches, as the service does in a rush. Returns their entries, in order of
    /// their sequences.
    ///
    /// # Errors
    /// Fails unless each join creates an entry.
    pub async fn fill(
        &self,
        schedule: ScheduleId,
        users: &[UserId],
    ) -> Outcome<Vec<(UserId, QueueEntry)>> {
        let line = self.line(schedule).await?;
        let batches = users.chunks(BATCH).map(<[UserId]>::to_vec).collect();
        let batches: Arc<Mutex<Vec<Vec<UserId>>>> = Arc::new(Mutex::new(batches));
        let mut joining = JoinSet::new();
        for _ in 0..JOINING {
            joining.spawn(join(line.clone(), Arc::clone(&batches)));
        }
        let mut all = Vec::with_capacity(users.len());
        while let Some(joined) = joining.join_next().await {
            all.extend(joined??);
        }
        all.sort_by_key(|(_, entry)| entry.sequence);
        Ok(all)
    }

    /// Writes users 1 to `people` into the queue's keys, like joins, but without log and presence.
    /// Only for polls, which read no user: most of these users do not exist.
    pub async fn lay(
        &self,
        schedule: ScheduleId,
        people: u64,
    ) -> Outcome<Vec<(UserId, QueueEntry)>> {
        let keys = self.line(schedule).await?.keyspace.keys.clone();
        let first = keys.epoch() << SEQUENCE_BITS;
        let all: Vec<u64> = (1..=people).collect();
        for users in all.chunks(10_000) {
            let mut pipe = redis::pipe();
            pipe.cmd("ZADD").arg(keys.named("waiting"));
            for user in users {
                pipe.arg(first + user).arg(*user);
            }
            self.redis.bulk_pipe::<()>(pipe.ignore()).await?;
        }
        let mut pipe = redis::pipe();
        pipe.cmd("HSET").arg(keys.meta()).arg("next_n").arg(people).ignore();
        // Bit 0 belongs to no entry. The bits after the last whole byte are set one by one.
        let bits = keys.bits(keys.epoch());
        let whole = vec![0xff_u8; usize::try_from(people / 8)?];
        pipe.cmd("SETRANGE").arg(&bits).arg(0).arg(whole).ignore();
        pipe.cmd("SETBIT").arg(&bits).arg(0).arg(0).ignore();
        for user in people / 8 * 8..=people {
            pipe.cmd("SETBIT").arg(&bits).arg(user).arg(1).ignore();
        }
        self.redis.bulk_pipe::<()>(&pipe).await?;
        let entry = |user: &u64| {
            let sequence = Sequence(first + user);
            (UserId(user.cast_signed()), QueueEntry::waiting(sequence, sequence))
        };
        Ok(all.iter().map(entry).collect())
    }

    /// Waits until the queue's log is written to PostgreSQL, because that work must not be
    /// measured with something else.
    pub async fn settled(&self, schedule: ScheduleId) -> Outcome<()> {
        let mut length = redis::cmd("XLEN");
        length.arg(ScheduleKeys::new(schedule, 1).named("log"));
        while self.redis.hot::<u64>(&length).await? > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Returns the number of entries that wait in Redis.
    pub async fn waiting(&self, schedule: ScheduleId) -> Outcome<u64> {
        let mut count = redis::cmd("ZCARD");
        count.arg(ScheduleKeys::new(schedule, 1).named("waiting"));
        Ok(self.redis.hot(&count).await?)
    }

    /// Returns the number of the queue's rows in PostgreSQL.
    pub async fn archived(&self, schedule: ScheduleId) -> Outcome<u64> {
        let count = "select count(*) from queue where concert_schedule_id = $1";
        let count = sqlx::query_scalar::<_, i64>(count).bind(schedule.0);
        Ok(count.fetch_one(&self.pool).await?.unsigned_abs())
    }

    /// Waits until the log is written, and checks that PostgreSQL has `entries` rows of the queue.
    ///
    /// # Errors
    /// Fails if it has fewer or more.
    pub async fn assert_archived(&self, schedule: ScheduleId, entries: u64) -> Outcome<()> {
        let mut rows = 0;
        for _ in 0..COUNTS {
            self.settled(schedule).await?;
            rows = self.archived(schedule).await?;
            if rows == entries {
                return Ok(());
            }
            tokio::time::sleep(SAMPLE).await;
        }
        Err(format!("{entries} entries in the queue, {rows} rows in PostgreSQL").into())
    }

    /// Starts to sample how far the archive is behind.
    pub fn watch_archive(&self, schedule: ScheduleId) -> ArchiveWatch {
        let stop = CancellationToken::new();
        let sampling = tokio::spawn(sample(self.redis.clone(), schedule, stop.clone()));
        ArchiveWatch { stop, sampling }
    }
}

impl ArchiveWatch {
    /// Stops, and returns the highest age of the log's oldest entry.
    pub async fn highest(self) -> Outcome<Duration> {
        self.stop.cancel();
        self.sampling.await?
    }
}

/// Lets batches of users join, until none is left.
async fn join(
    line: ScheduleScripts,
    batches: Arc<Mutex<Vec<Vec<UserId>>>>,
) -> Outcome<Vec<(UserId, QueueEntry)>> {
    let next = || batches.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut joined = Vec::new();
    while let Some(users) = next() {
        let args: Vec<(UserId, bool)> = users.iter().map(|user| (*user, false)).collect();
        for (user, reply) in users.iter().zip(line.join_many(&args).await?) {
            match reply {
                Some(JoinReply::Joined(place)) if place.new => joined.push((*user, place.entry)),
                other => return Err(format!("a join failed: {other:?}").into()),
            }
        }
    }
    Ok(joined)
}

async fn sample(redis: Redis, schedule: ScheduleId, stop: CancellationToken) -> Outcome<Duration> {
    let mut oldest = redis::cmd("XRANGE");
    oldest.arg(ScheduleKeys::new(schedule, 1).named("log")).arg(&["-", "+", "COUNT", "1"]);
    let mut highest = Duration::ZERO;
    while stop.run_until_cancelled(tokio::time::sleep(SAMPLE)).await.is_some() {
        let found: Vec<(String, Vec<(String, String)>)> = redis.bulk(&oldest).await?;
        let Some((id, _)) = found.first() else { continue };
        let (written_ms, _) = id.split_once('-').ok_or("an odd id in the log")?;
        let written = UNIX_EPOCH + Duration::from_millis(written_ms.parse()?);
        highest = highest.max(SystemTime::now().duration_since(written).unwrap_or_default());
    }
    Ok(highest)
}
