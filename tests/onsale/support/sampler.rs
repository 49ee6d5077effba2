//! Watching a line in Redis all the while, from beside the service.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::faults::key;
use super::world::World;

/// What was seen at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Redis's clock.
    pub at_ms: i64,
    pub active: i64,
    /// Since the keys were built.
    pub admitted: i64,
    pub epoch: i64,
}

/// Looks a few hundred times a second until it is asked what it saw. A Redis that is away is
/// looked for again.
pub struct Sampler {
    stop: CancellationToken,
    task: JoinHandle<Vec<Sample>>,
}

impl Sampler {
    pub fn start(world: &World, schedule: i64) -> Self {
        let stop = CancellationToken::new();
        let client = redis::Client::open(world.redis.url_of(schedule)).expect("a URL");
        let task = tokio::spawn(look(client, schedule, stop.clone()));
        Self { stop, task }
    }

    /// Everything it saw.
    pub async fn stop(self) -> Vec<Sample> {
        self.stop.cancel();
        self.task.await.expect("no panic")
    }
}

async fn look(client: redis::Client, schedule: i64, stop: CancellationToken) -> Vec<Sample> {
    type Seen = (i64, (Option<i64>, Option<i64>), (i64, i64));
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("ZCARD").arg(key(schedule, "active"));
    pipe.cmd("HMGET").arg(key(schedule, "meta")).arg(&["admitted", "epoch"]).cmd("TIME");
    let (mut samples, mut conn) = (Vec::new(), None);
    while !stop.is_cancelled() {
        if conn.is_none() {
            conn = client.get_multiplexed_async_connection().await.ok();
        }
        if let Some(open) = &mut conn {
            match pipe.query_async::<Seen>(open).await {
                Ok((active, (Some(admitted), Some(epoch)), (seconds, micros))) => {
                    let at_ms = seconds * 1000 + micros / 1000;
                    samples.push(Sample { at_ms, active, admitted, epoch });
                }
                Ok(_) => {}
                Err(_) => conn = None,
            }
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    samples
}

/// The most that were inside at once.
pub fn most_active(samples: &[Sample]) -> i64 {
    samples.iter().map(|sample| sample.active).max().unwrap_or(0)
}

/// The first two moments between which more were let in than `rate` a second allows, with one
/// second's worth saved up before.
pub fn too_fast(samples: &[Sample], rate: i64) -> Option<(Sample, Sample)> {
    for (number, first) in samples.iter().enumerate() {
        for last in samples[number..].iter().filter(|last| last.epoch == first.epoch) {
            let allowed = rate * (last.at_ms - first.at_ms + 1) / 1000 + rate;
            if last.admitted - first.admitted > allowed {
                return Some((*first, *last));
            }
        }
    }
    None
}
