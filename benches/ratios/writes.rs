//! The yardstick of a join in Redis: an entry in a sorted set and a bit, as pipelined commands.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use onsale::store::keys::SEQUENCE_BITS;
use tokio::task::JoinSet;

use crate::cpu::{as_float, micros_each};
use crate::load::Round;
use crate::stage::Stage;
use crate::{Outcome, cpu};

/// Connections, as many as redis-benchmark has.
const CLIENTS: usize = 50;
/// Commands in one pipeline. Half of them are ZADD, half SETBIT.
const DEEP: u64 = 16;

/// Sends ZADD and SETBIT for new members.
pub struct Writes {
    client: redis::Client,
    next: Arc<AtomicU64>,
}

impl Writes {
    pub fn new(stage: &Stage) -> Outcome<Self> {
        let client = redis::Client::open(stage.stores.redis_url())?;
        Ok(Self { client, next: Arc::new(AtomicU64::new(1)) })
    }

    /// Writes members for `time`. The round counts pairs of commands.
    ///
    /// # Errors
    /// Fails unless the sorted set gets each member.
    pub async fn run(&self, stage: &Stage, time: Duration) -> Outcome<Round> {
        let redis = stage.stores.redis.pid();
        let (before, begun) = (self.members().await?, Instant::now());
        let used = cpu::used(redis)?;
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let connection = self.client.get_multiplexed_async_connection().await?;
            clients.spawn(write(connection, Arc::clone(&self.next), begun + time));
        }
        let mut pairs = 0;
        while let Some(count) = clients.join_next().await {
            pairs += count??;
        }
        let (used, took) = (cpu::used(redis)?.saturating_sub(used), begun.elapsed());
        if self.members().await? - before != pairs {
            return Err("the sorted set of the yardstick is not complete".into());
        }
        let rate = as_float(pairs) / took.as_secs_f64();
        Ok(Round { rate, answers: pairs, cpu: [0.0, micros_each(used, pairs)] })
    }

    async fn members(&self) -> Outcome<u64> {
        let mut connection = self.client.get_multiplexed_async_connection().await?;
        Ok(redis::cmd("ZCARD").arg("yardstick:waiting").query_async(&mut connection).await?)
    }
}

/// Writes until a time. Returns the number of pairs.
async fn write(
    mut connection: redis::aio::MultiplexedConnection,
    next: Arc<AtomicU64>,
    until: Instant,
) -> Result<u64, redis::RedisError> {
    let mut pairs = 0;
    while Instant::now() < until {
        let first = next.fetch_add(DEEP / 2, Ordering::Relaxed);
        let mut pipe = redis::pipe();
        for number in first..first + DEEP / 2 {
            let score = (1_u64 << SEQUENCE_BITS) + number;
            pipe.cmd("ZADD").arg("yardstick:waiting").arg(score).arg(number).ignore();
            pipe.cmd("SETBIT").arg("yardstick:bits").arg(number).arg(1).ignore();
        }
        pipe.query_async::<()>(&mut connection).await?;
        pairs += DEEP / 2;
    }
    Ok(pairs)
}
