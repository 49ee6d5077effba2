//! Runs `redis-benchmark` with the same script, without a service in front.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use onsale::queue::keyspaces::ScheduleScripts;
use onsale::store::script::Script;
use tokio::process::Command;

use crate::cpu::micros_each;
use crate::load::Round;
use crate::stage::Stage;
use crate::{Outcome, cpu};

const CLIENTS: u32 = 50;

/// Number of the next run. It begins the random numbers of that run: the seeds of two runs, which are
/// of the time and of the process id, may be the same, and then so are their numbers.
static RUNS: AtomicU64 = AtomicU64::new(1);
/// What redis-benchmark replaces by 12 random digits.
const RANDOM: &str = "__rand_int__";

/// Calls of one script.
#[derive(Debug)]
pub struct Benchmark {
    words: Vec<String>,
    port: u16,
    pid: u32,
    deep: u32,
}

impl Benchmark {
    /// Prepares calls of `script` with these keys, the epoch and these arguments. An argument
    /// `__rand_int__` is another number in each call. Each connection pipelines `deep` calls.
    pub fn new(
        stage: &Stage,
        line: &ScheduleScripts,
        script: Script,
        keys: &[String],
        args: &[&str],
        deep: u32,
    ) -> Self {
        let mut words = vec!["EVALSHA".to_owned(), line.keyspace.name(script).to_owned()];
        words.push(keys.len().to_string());
        words.extend_from_slice(keys);
        words.push(line.keyspace.keys.epoch().to_string());
        words.extend(args.iter().map(ToString::to_string));
        let redis = &stage.stores.redis;
        Self { words, port: redis.port(), pid: redis.pid(), deep }
    }

    /// Calls the script for about `time`. A short first run determines the number of calls.
    pub async fn run(&self, time: Duration) -> Outcome<Round> {
        let rate = self.calls(20_000).await?.rate;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let calls = (rate * time.as_secs_f64()) as u64;
        self.calls(calls.max(1000)).await
    }

    /// Calls the script once.
    ///
    /// # Errors
    /// Fails unless the first word of its reply is this one.
    pub async fn assert_reply(&self, stage: &Stage, word: &str) -> Outcome<()> {
        let (name, args) = self.words.split_first().ok_or("no command")?;
        let mut command = redis::cmd(name);
        command.arg(args);
        let reply: Vec<redis::Value> = stage.redis.bulk(&command).await?;
        let found: String = redis::from_redis_value(reply.into_iter().next().ok_or("no reply")?)?;
        if found == word { Ok(()) } else { Err(format!("the script replied {found}").into()) }
    }

    async fn calls(&self, count: u64) -> Outcome<Round> {
        let before = cpu::used(self.pid)?;
        let mut benchmark = Command::new("redis-benchmark");
        benchmark.args(["-p", &self.port.to_string(), "-c", &CLIENTS.to_string()]);
        benchmark.args(["-n", &count.to_string(), "-P", &self.deep.to_string()]);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        benchmark.args(["-r", "1000000000", "--csv"]);
        benchmark
            .args(self.words.iter().map(|word| word.replace(RANDOM, &format!("{run}{RANDOM}"))));
        let output =
            benchmark.output().await.map_err(|error| format!("redis-benchmark: {error}"))?;
        let used = cpu::used(self.pid)?.saturating_sub(before);
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        // The first field may have commas, but no quotes: "command","rate",…
        let rate = last.split("\",\"").nth(1).ok_or_else(|| format!("redis-benchmark: {text}"))?;
        Ok(Round { rate: rate.parse()?, answers: count, cpu: [0.0, micros_each(used, count)] })
    }
}
