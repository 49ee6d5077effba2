//! Embeds and runs the Lua scripts, and reads their replies.
//!
//! The text of a script ends in a comment with the `run_id` of the server on which its schedule's
//! keys were built. A server that was restarted, restored from an older state or promoted has
//! another `run_id`, so it answers NOSCRIPT. After NOSCRIPT, [`inspect`] first checks that the keys
//! still belong to this epoch and this server. Only then is the script sent with EVAL.

mod list;
mod reply;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use redis::{Script as Hashed, Value};

use self::list::LIBRARIES;
pub use self::list::Script;
pub use self::reply::{Reply, ScriptError};
use super::StoreError;
use super::activity::Activity;
use super::high_water::{Counters, Seen};
use super::keys::ScheduleKeys;
use super::redis::Redis;
use crate::telemetry::traces::ChildSpan;

/// The arguments of a script that needs only the epoch.
pub const NOTHING: &[u64] = &[];

/// One schedule's keys in one epoch on one server. Scripts run on it.
#[derive(Debug, Clone)]
pub struct Keyspace {
    /// The key names, in the epoch that the caller expects.
    pub keys: Arc<ScheduleKeys>,
    /// The highest counters that this process has read from these keys.
    pub seen: Arc<Seen>,
    activity: Arc<Activity>,
    server: Arc<Bundle>,
}

/// All scripts, with one server's `run_id` in their texts.
#[derive(Debug)]
struct Bundle {
    run_id: String,
    scripts: Vec<Hashed>,
}

/// Checks that keys may be used, by `epoch` and `loading_until` of their `meta`: the check of
/// lua/lib/guard.lua, for callers that read keys without a script.
pub fn check_usable(
    keys: &ScheduleKeys,
    epoch: Option<u64>,
    loading: Option<u64>,
) -> Result<(), ScriptError> {
    match epoch.unwrap_or(0) {
        epoch if epoch < keys.epoch() => Err(ScriptError::Lost),
        epoch if epoch > keys.epoch() => Err(ScriptError::Stale),
        _ if loading.is_some() => Err(ScriptError::Loading),
        _ => Ok(()),
    }
}

/// The result of [`inspect`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The epoch of the keys; 0 if there are none.
    pub epoch: u64,
    /// The `run_id` of the server on which the keys were built; empty if there are none.
    pub built_on: String,
    /// The `run_id` of the server that answered.
    pub server: String,
    /// The time limit of the running rebuild (Redis's clock, ms); 0 if none is running.
    pub loading_until_ms: i64,
    /// Redis's clock, in ms.
    pub now_ms: i64,
    /// The counters in the keys.
    pub counters: Counters,
}

impl Keyspace {
    /// Creates the keyspace of `keys` that were built on the server `run_id`.
    #[must_use]
    pub fn new(keys: ScheduleKeys, run_id: &str) -> Self {
        let (seen, activity) = Default::default();
        Self { keys: Arc::new(keys), seen, activity, server: bundle(run_id) }
    }

    /// Continues with the counters that were read before, and with the schedule's activity.
    #[must_use]
    pub fn after(self, seen: Arc<Seen>, activity: Arc<Activity>) -> Self {
        Self { seen, activity, ..self }
    }

    /// The hash by which the server finds a script that has run there.
    #[must_use]
    pub fn name(&self, script: Script) -> &str {
        self.server.scripts[script as usize].get_hash()
    }

    /// Runs a script on this keyspace.
    ///
    /// # Errors
    /// [`ScriptError`]: the shared replies of `lua/lib/guard`, and failures of Redis.
    pub async fn run(
        &self,
        redis: &Redis,
        script: Script,
        keys: &[String],
        args: impl redis::ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        self.run_on(redis, false, script, keys, args).await
    }

    /// Like [`Keyspace::run`], on a bulk connection. For rebuilds: their batches must not delay
    /// the scripts of other callers, and must not fail because this process is busy.
    pub async fn run_bulk(
        &self,
        redis: &Redis,
        script: Script,
        keys: &[String],
        args: impl redis::ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        self.run_on(redis, true, script, keys, args).await
    }

    async fn run_on(
        &self,
        redis: &Redis,
        bulk: bool,
        script: Script,
        keys: &[String],
        args: impl redis::ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        let mut span = ChildSpan::script(script.path());
        let result = self.call(redis, bulk, script, keys, args).await;
        if let Ok(reply) = &result {
            span.set_outcome(&reply.word);
        }
        span.end(result.as_ref().err().map(ScriptError::kind));
        result
    }

    async fn call(
        &self,
        redis: &Redis,
        bulk: bool,
        script: Script,
        keys: &[String],
        args: impl redis::ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        let hashed = &self.server.scripts[script as usize];
        let command = |verb: &str, text: &str| {
            let mut command = redis::cmd(verb);
            command.arg(text).arg(keys.len()).arg(keys).arg(&args);
            command
        };
        let first = send(redis, bulk, command("EVALSHA", hashed.get_hash())).await;
        let value = match first {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                // A rebuild binds the keys to this server, so it does not need this check.
                if script != Script::BeginRebuild {
                    Box::pin(self.check_keys(redis)).await?;
                }
                send(redis, bulk, command("EVAL", &text(script, &self.server.run_id))).await
            }
            other => other,
        };
        let reply = Reply::read(value.map_err(StoreError::from)?)?;
        if script.ends_rest() {
            self.activity.note_change();
        }
        Ok(reply)
    }

    /// Checks that the keys still belong to this epoch, and were built on this server.
    async fn check_keys(&self, redis: &Redis) -> Result<(), ScriptError> {
        let found = inspect(redis, &self.keys).await?;
        if found.epoch < self.keys.epoch() || found.built_on != found.server {
            return Err(ScriptError::Lost);
        }
        if found.server != self.server.run_id {
            return Err(ScriptError::Stale);
        }
        Ok(())
    }
}

async fn send(redis: &Redis, bulk: bool, command: redis::Cmd) -> Result<Value, redis::RedisError> {
    if bulk { redis.bulk(&command).await } else { redis.hot(&command).await }
}

/// Reads the epoch and the counters of a schedule's keys, the server on which they were built, and
/// the server that answers.
pub async fn inspect(redis: &Redis, keys: &ScheduleKeys) -> Result<Inspection, StoreError> {
    type Answer = (String, u64, String, String, i64, i64, u64, u64);
    let mut command = redis::cmd("EVAL");
    command.arg(text(Script::Inspect, "any")).arg(1).arg(keys.meta());
    let span = ChildSpan::script(Script::Inspect.path());
    let answer: Result<Answer, _> = redis.hot(&command).await.map_err(StoreError::from);
    span.end(answer.as_ref().err().map(StoreError::kind));
    let (_, epoch, built_on, server, loading_until_ms, now_ms, joined, changes): Answer = answer?;
    let counters = Counters { joined, changes };
    Ok(Inspection { epoch, built_on, server, loading_until_ms, now_ms, counters })
}

/// The text of a script for the server: its first line, the libraries that it names, its body and
/// the `run_id`.
fn text(script: Script, run_id: &str) -> String {
    let source = script.source();
    let (first, body) = source.split_once('\n').unwrap_or((source, ""));
    let used = body.lines().find_map(|line| line.strip_prefix("-- Uses")).unwrap_or("");
    let mut text = format!("{first}\n");
    for (name, library) in LIBRARIES {
        if used.split_whitespace().any(|word| word == *name) {
            text.push_str(library);
        }
    }
    text.push_str(body);
    text.push_str("\n-- run_id ");
    text.push_str(run_id);
    text
}

/// The scripts for `run_id`; each process hashes them once per server.
fn bundle(run_id: &str) -> Arc<Bundle> {
    static BUNDLES: LazyLock<Mutex<HashMap<String, Arc<Bundle>>>> = LazyLock::new(Mutex::default);
    let mut bundles = BUNDLES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let make = || {
        let scripts = Script::ALL.iter().map(|script| Hashed::new(&text(*script, run_id)));
        Arc::new(Bundle { run_id: run_id.to_owned(), scripts: scripts.collect() })
    };
    Arc::clone(bundles.entry(run_id.to_owned()).or_insert_with(make))
}
