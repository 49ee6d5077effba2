//! One schedule's keys on one server, and methods that run scripts on them and record their
//! replies.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onsale::queue::keyspaces::ScheduleScripts;
use onsale::store::id::ScheduleId;
use onsale::store::keys::ScheduleKeys;
use onsale::store::redis::Redis;
use onsale::store::script::{Keyspace, Reply, Script, ScriptError, inspect};
use onsale_dev::redis::RedisServer;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;

use super::header;

pub const HOUR: i64 = 3_600_000;

/// One schedule's keys.
pub struct Stage {
    pub schedule: ScheduleId,
    pub redis: Redis,
    pub raw: MultiplexedConnection,
    pub keyspace: Keyspace,
    pub run_id: String,
    version: Mutex<u32>,
    replies: Mutex<BTreeSet<(&'static str, String)>>,
}

/// The reply of a script.
#[derive(Debug)]
pub struct ScriptReply {
    pub word: String,
    reply: Option<Reply>,
}

impl ScriptReply {
    /// The value at `index`, counted after the word.
    #[track_caller]
    pub fn get<T: redis::FromRedisValue>(&self, index: usize) -> T {
        let reply =
            self.reply.as_ref().unwrap_or_else(|| panic!("the reply is only {}", self.word));
        reply.get(index).unwrap_or_else(|error| panic!("{self:?} at {index}: {error}"))
    }

    /// The number at `index`, if there is one.
    pub fn try_get(&self, index: usize) -> Option<i64> {
        self.reply.as_ref()?.get(index).ok()
    }

    /// All values after the word.
    pub fn numbers(&self) -> Vec<i64> {
        self.reply.as_ref().map_or_else(Vec::new, |reply| reply.rest(0).expect("numbers"))
    }

    /// Fails unless the reply is this word and these numbers.
    #[track_caller]
    pub fn is(&self, word: &str, numbers: &[i64]) {
        assert_eq!((self.word.as_str(), &self.numbers()[..]), (word, numbers));
    }
}

/// This machine's clock in milliseconds, which Redis uses too.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("before the year 292,277,026")
}

impl Stage {
    /// The keys of `schedule`, not built yet.
    pub async fn bare(server: &RedisServer, schedule: i64) -> Self {
        let (schedule, url) = (ScheduleId(schedule), server.url());
        let redis = Redis::lazy(&url).expect("a URL");
        let client = redis::Client::open(url).expect("a URL");
        let limit =
            AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(10)));
        let raw = client.get_multiplexed_async_connection_with_config(&limit).await.expect("Redis");
        let found = inspect(&redis, &ScheduleKeys::new(schedule, 1)).await.expect("Redis answers");
        let keyspace = Keyspace::new(ScheduleKeys::new(schedule, 1), &found.server);
        let (version, replies) = (Mutex::default(), Mutex::default());
        Self { schedule, redis, raw, keyspace, run_id: found.server, version, replies }
    }

    /// An open sale of 20 seats with a large capacity, where nothing expires for an hour.
    pub async fn open(server: &RedisServer, schedule: i64) -> Self {
        let stage = Self::bare(server, schedule).await;
        stage.build().await;
        stage.configure(&[]).await;
        stage.run(Script::FinishRebuild, &["0"]).await;
        stage
    }

    /// Begins a rebuild of the keys; returns Redis's clock.
    pub async fn build(&self) -> i64 {
        *self.version.lock().expect("a version") = 0;
        let reply = self.run(Script::BeginRebuild, &[&self.run_id, "30000"]).await;
        assert_eq!(reply.word, "OK");
        reply.get(0)
    }

    /// Uses another epoch for the calls that follow, like a process that has another one.
    pub fn at_epoch(&mut self, epoch: u64) {
        self.keyspace = Keyspace::new(ScheduleKeys::new(self.schedule, epoch), &self.run_id);
    }

    /// The schedule's scripts as the service runs them.
    pub fn scripts(&self) -> ScheduleScripts {
        ScheduleScripts { redis: self.redis.clone(), keyspace: self.keyspace.clone().into() }
    }

    /// Applies the usual settings, some of which `over` replaces.
    pub async fn configure(&self, over: &[(&str, i64)]) {
        let now = now();
        let usual = [
            ("available", 1),
            ("opens_ms", now - HOUR),
            ("deadline_ms", now + 10 * HOUR),
            ("queue_opens_ms", now - HOUR),
            ("seats_total", 20),
            ("capacity", 1000),
            ("rate", 1000),
            ("active_ms", HOUR),
            ("claim_ms", HOUR),
            ("presence_ms", HOUR),
            ("grace_ms", HOUR),
            ("paused", 0),
            ("draw", 0),
        ];
        let version = {
            let mut version = self.version.lock().expect("a version");
            *version += 1;
            *version
        };
        let mut args = vec![version.to_string()];
        for (name, value) in usual.iter().chain(over) {
            args.extend([(*name).to_owned(), value.to_string()]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.run(Script::Configure, &args).await.is("OK", &[]);
    }

    /// The names of a script's keys, from its header.
    pub fn keys(&self, script: Script) -> Vec<String> {
        let (keys, text) = (&self.keyspace.keys, header::read(script));
        match text.keys.as_str() {
            "as lib/queue" => keys.queue().to_vec(),
            all if all.contains("every other key") => keys.all(),
            names => keys.all_named(&names.split_whitespace().collect::<Vec<_>>()),
        }
    }

    /// Runs a script with the epoch and `args`, and records the first word of its reply.
    pub async fn run(&self, script: Script, args: &[&str]) -> ScriptReply {
        let mut all = vec![self.keyspace.keys.epoch().to_string()];
        all.extend(args.iter().map(ToString::to_string));
        let reply = match self.keyspace.run(&self.redis, script, &self.keys(script), &all).await {
            Ok(reply) => ScriptReply { word: reply.word.clone(), reply: Some(reply) },
            Err(ScriptError::Lost) => ScriptReply { word: "LOST".to_owned(), reply: None },
            Err(ScriptError::Stale) => ScriptReply { word: "STALE".to_owned(), reply: None },
            Err(ScriptError::Loading) => ScriptReply { word: "LOADING".to_owned(), reply: None },
            Err(ScriptError::Store(error)) => panic!("{script:?} {args:?}: {error}"),
        };
        self.replies.lock().expect("the replies").insert((script.path(), reply.word.clone()));
        reply
    }

    /// As [`Stage::run`], with numbers.
    pub async fn run_numbers(&self, script: Script, args: &[i64]) -> ScriptReply {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        self.run(script, &args.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// Every first word that a script has replied on this stage.
    pub fn reply_words(&self) -> BTreeSet<(&'static str, String)> {
        self.replies.lock().expect("the replies").clone()
    }

    /// Runs one command on one of the schedule's keys, without a script.
    pub async fn touch<T: redis::FromRedisValue>(
        &self,
        command: &str,
        key: &str,
        args: &[&str],
    ) -> T {
        let mut all = redis::cmd(command);
        all.arg(self.keyspace.keys.named(key)).arg(args);
        all.query_async(&mut self.raw.clone()).await.expect("Redis answers")
    }
}
