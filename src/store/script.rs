//! The Lua scripts: embedding, running, and reading what they answer.
//!
//! The text of a script ends in a comment that names the `run_id` of the server its schedule was
//! built on. A server that was restarted, restored from an older state or promoted has another, so
//! it answers NOSCRIPT, and NOSCRIPT is never answered with a blind EVAL: first [`inspect`] says
//! whether the keys are still those of this epoch on this very server.

mod list;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use redis::{Script as Hashed, Value};

use self::list::LIBRARIES;
pub use self::list::Script;
use super::high_water::{Counters, Seen};
use super::keys::Keys;
use super::redis::Redis;
use super::{Store, StoreError};

/// For scripts that need to know no more than the epoch.
pub const NOTHING: &[u64] = &[];

/// One schedule's keys on one server: what a script needs to know where it runs.
#[derive(Debug, Clone)]
pub struct Place {
    /// The keys, for the epoch that the caller believes in.
    pub keys: Arc<Keys>,
    /// How far this process has seen them come.
    pub seen: Arc<Seen>,
    server: Arc<Bundle>,
}

/// All scripts, marked with one server's `run_id`.
#[derive(Debug)]
struct Bundle {
    run_id: String,
    scripts: Vec<Hashed>,
}

/// What a script answered: a word, then flat values.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The first element: `OK`, `TAKEN`, …
    pub word: String,
    values: Vec<Value>,
}

/// Why a script gave no answer of its own.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// Redis does not have this schedule's keys under this epoch on this server: rebuild them.
    #[error("Redis lost the schedule's keys")]
    Lost,
    /// They were rebuilt under a higher epoch: read it again.
    #[error("the epoch has moved on")]
    Stale,
    /// They are being rebuilt.
    #[error("the schedule's keys are being rebuilt")]
    Loading,
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether keys are in force, by `epoch` and `loading_until` of their `meta`: what lua/lib/guard.lua
/// asks, for those who read past the scripts.
pub fn in_force(keys: &Keys, epoch: Option<u64>, loading: Option<u64>) -> Result<(), ScriptError> {
    match epoch.unwrap_or(0) {
        epoch if epoch < keys.epoch() => Err(ScriptError::Lost),
        epoch if epoch > keys.epoch() => Err(ScriptError::Stale),
        _ if loading.is_some() => Err(ScriptError::Loading),
        _ => Ok(()),
    }
}

/// What [`inspect`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The epoch of the keys, 0 where there are none.
    pub epoch: u64,
    /// The server that the keys were built on, empty where there are none.
    pub built_on: String,
    /// The server that answered.
    pub server: String,
    /// Until when a rebuilding may take (Redis's clock, ms), 0 when none is under way.
    pub loading_until_ms: i64,
    /// Redis's clock, ms.
    pub now_ms: i64,
    /// How far the keys have come.
    pub counters: Counters,
}

impl Place {
    /// The place where `keys` were built on the server `run_id`.
    #[must_use]
    pub fn new(keys: Keys, run_id: &str) -> Self {
        Self { keys: Arc::new(keys), seen: Arc::default(), server: bundle(run_id) }
    }

    /// The same, going on from what was seen before.
    #[must_use]
    pub fn after(self, seen: Arc<Seen>) -> Self {
        Self { seen, ..self }
    }

    /// The name by which the server knows a script, once it was run there.
    #[must_use]
    pub fn name(&self, script: Script) -> &str {
        self.server.scripts[script as usize].get_hash()
    }

    /// Runs a script there.
    ///
    /// # Errors
    /// [`ScriptError`]: the shared replies of `lua/lib/guard`, and Redis's own failures.
    pub async fn run(
        &self,
        redis: &Redis,
        script: Script,
        keys: &[String],
        args: impl redis::ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        self.run_on(redis, false, (script, keys, args)).await
    }

    /// As [`Place::run`], on the connection for what may take long: for a rebuilding, whose batches must
    /// neither delay the scripts of others nor fail because this process is busy.
    pub async fn run_bulk(
        &self,
        redis: &Redis,
        script: Script,
        keys: &[String],
        args: impl redis::ToRedisArgs,
    ) -> Result<Reply, ScriptError> {
        self.run_on(redis, true, (script, keys, args)).await
    }

    async fn run_on(
        &self,
        redis: &Redis,
        bulk: bool,
        (script, keys, args): (Script, &[String], impl redis::ToRedisArgs),
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
                // Rebuilding is what makes the keys this server's own: it needs no proof of it.
                if script != Script::Restore {
                    Box::pin(self.prove(redis)).await?;
                }
                send(redis, bulk, command("EVAL", &text(script, &self.server.run_id))).await
            }
            other => other,
        };
        Reply::read(value.map_err(StoreError::from)?)
    }

    /// Whether the keys are still those that this place means, on the server it means.
    async fn prove(&self, redis: &Redis) -> Result<(), ScriptError> {
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

/// Asks whose keys a schedule's are, and which server answers.
pub async fn inspect(redis: &Redis, keys: &Keys) -> Result<Inspection, StoreError> {
    type Answer = (String, u64, String, String, i64, i64, u64, u64);
    let mut command = redis::cmd("EVAL");
    command.arg(text(Script::Inspect, "any")).arg(1).arg(keys.meta());
    let (_, epoch, built_on, server, loading_until_ms, now_ms, joined, changes): Answer =
        redis.hot(&command).await?;
    let counters = Counters { joined, changes };
    Ok(Inspection { epoch, built_on, server, loading_until_ms, now_ms, counters })
}

/// A script as the server gets it: its first line, the libraries it names, its body, the `run_id`.
fn text(script: Script, run_id: &str) -> String {
    let source = script.source();
    let (first, body) = source.split_once('\n').unwrap_or((source, ""));
    let used = body.lines().find_map(|line| line.strip_prefix("-- Uses")).unwrap_or("");
    let mut text = format!("{first}\n");
    for (name, library) in LIBRARIES {
        if used.split_whitespace().any(|wanted| wanted == *name) {
            text.push_str(library);
        }
    }
    text.push_str(body);
    text.push_str("\n-- run_id ");
    text.push_str(run_id);
    text
}

/// The scripts for `run_id`, hashed once per process and server.
fn bundle(run_id: &str) -> Arc<Bundle> {
    static BUNDLES: LazyLock<Mutex<HashMap<String, Arc<Bundle>>>> = LazyLock::new(Mutex::default);
    let mut bundles = BUNDLES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let make = || {
        let scripts = Script::ALL.iter().map(|script| Hashed::new(&text(*script, run_id)));
        Arc::new(Bundle { run_id: run_id.to_owned(), scripts: scripts.collect() })
    };
    Arc::clone(bundles.entry(run_id.to_owned()).or_insert_with(make))
}

impl Reply {
    /// Reads what Redis sent.
    ///
    /// # Errors
    /// [`ScriptError`]: the shared replies of `lua/lib/guard`, and whatever is no list that begins
    /// with a word.
    pub fn read(value: Value) -> Result<Self, ScriptError> {
        let Value::Array(mut values) = value else {
            return Err(unexpected(&value).into());
        };
        if values.is_empty() {
            return Err(unexpected(&Value::Array(values)).into());
        }
        let word: String = redis::from_redis_value(values.remove(0)).map_err(|e| bad(&e))?;
        match word.as_str() {
            "LOST" => Err(ScriptError::Lost),
            "STALE" => Err(ScriptError::Stale),
            "LOADING" => Err(ScriptError::Loading),
            _ => Ok(Self { word, values }),
        }
    }

    /// The value at `index`, counted after the word.
    pub fn get<T: redis::FromRedisValue>(&self, index: usize) -> Result<T, StoreError> {
        let value = self.values.get(index).ok_or_else(|| self.unknown())?;
        redis::from_redis_value_ref(value).map_err(|e| bad(&e))
    }

    /// All values from `index` on.
    pub fn rest<T: redis::FromRedisValue>(&self, index: usize) -> Result<Vec<T>, StoreError> {
        (index..self.values.len()).map(|index| self.get(index)).collect()
    }

    /// The error for a word or a shape that the caller's table does not list.
    #[must_use]
    pub fn unknown(&self) -> StoreError {
        StoreError::Inconsistent(format!("a script replied {} {:?}", self.word, self.values))
    }
}

fn unexpected(value: &Value) -> StoreError {
    StoreError::Inconsistent(format!("a script replied {value:?}"))
}

fn bad(error: &redis::ParsingError) -> StoreError {
    StoreError::Defect { store: Store::Redis, reason: error.to_string() }
}
