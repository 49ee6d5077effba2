//! Watches a queue in Redis while a test runs, without the service.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::faults::key;
use super::world::World;

/// One observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Redis's clock, in milliseconds.
    pub at_ms: i64,
    pub active: i64,
    /// Admissions since the keys were built.
    pub admitted: i64,
    pub epoch: i64,
}

/// Takes a sample every 3 ms until it is stopped. It reconnects to a Redis that is down.
pub struct Sampler {
    stop: CancellationToken,
    task: JoinHandle<Vec<Sample>>,
}

impl Sampler {
    pub fn start(world: &World, schedule: i64) -> Self {
        let stop = CancellationToken::new();
        let client = redis::Client::open(world.redis.url_of(schedule)).expect("a URL");
        let task = tokio::spawn(sample(client, schedule, stop.clone()));
        Self { stop, task }
    }

    /// Stops; returns all samples.
    pub async fn stop(self) -> Vec<Sample> {
        self.stop.cancel();
        self.task.await.expect("no panic")
    }
}

async fn sample(client: redis::Client, schedule: i64, stop: CancellationToken) -> Vec<Sample> {
    type Reply = (i64, (Option<i64>, Option<i64>), (i64, i64));
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("ZCARD").arg(key(schedule, "active"));
    pipe.cmd("HMGET").arg(key(schedule, "meta")).arg(&["admitted", "epoch"]).cmd("TIME");
    let (mut samples, mut conn) = (Vec::new(), None);
    while !stop.is_cancelled() {
        if conn.is_none() {
            conn = client.get_multiplexed_async_connection().await.ok();
        }
        if let Some(open) = &mut conn {
            match pipe.query_async::<Reply>(open).await {
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

/// The largest number of active slots in any sample.
pub fn most_active(samples: &[Sample]) -> i64 {
    samples.iter().map(|sample| sample.active).max().unwrap_or(0)
}

/// The first two samples between which more buyers were admitted than `rate` per second allows. One
/// second's worth may have been saved up before.
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
