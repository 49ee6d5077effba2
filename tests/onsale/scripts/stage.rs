//! One schedule's keys on one server, and a way to run scripts on them that notes what they say.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onsale::dev::redis::RedisServer;
use onsale::queue::keyspaces::Line;
use onsale::store::id::ScheduleId;
use onsale::store::keys::Keys;
use onsale::store::redis::Redis;
use onsale::store::script::{Place, Reply, Script, ScriptError, inspect};
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;

use super::header;

pub const HOUR: i64 = 3_600_000;

/// One schedule's keys.
pub struct Stage {
    pub schedule: ScheduleId,
    pub redis: Redis,
    pub raw: MultiplexedConnection,
    pub place: Place,
    pub run_id: String,
    version: Mutex<u32>,
    said: Mutex<BTreeSet<(&'static str, String)>>,
}

/// What a script said.
#[derive(Debug)]
pub struct Said {
    pub word: String,
    reply: Option<Reply>,
}

impl Said {
    /// The value at `index`, counted after the word.
    #[track_caller]
    pub fn get<T: redis::FromRedisValue>(&self, index: usize) -> T {
        let reply = self.reply.as_ref().unwrap_or_else(|| panic!("only {} was said", self.word));
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

    /// Fails unless this word was said, and these numbers after it.
    #[track_caller]
    pub fn is(&self, word: &str, numbers: &[i64]) {
        assert_eq!((self.word.as_str(), &self.numbers()[..]), (word, numbers));
    }
}

/// This machine's clock, which is Redis's too.
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
        let found = inspect(&redis, &Keys::new(schedule, 1)).await.expect("Redis answers");
        let place = Place::new(Keys::new(schedule, 1), &found.server);
        let (version, said) = (Mutex::default(), Mutex::default());
        Self { schedule, redis, raw, place, run_id: found.server, version, said }
    }

    /// An open sale of 20 seats with much room, where nothing is over for hours.
    pub async fn open(server: &RedisServer, schedule: i64) -> Self {
        let stage = Self::bare(server, schedule).await;
        stage.build().await;
        stage.configure(&[]).await;
        stage.say(Script::Ready, &["0"]).await;
        stage
    }

    /// Begins the building of the keys; returns Redis's clock.
    pub async fn build(&self) -> i64 {
        *self.version.lock().expect("a version") = 0;
        let said = self.say(Script::Restore, &[&self.run_id, "30000"]).await;
        assert_eq!(said.word, "OK");
        said.get(0)
    }

    /// The same schedule as somebody sees it who believes in another epoch.
    pub fn at_epoch(&mut self, epoch: u64) {
        self.place = Place::new(Keys::new(self.schedule, epoch), &self.run_id);
    }

    /// The line as the product sees it.
    pub fn line(&self) -> Line {
        Line { redis: self.redis.clone(), place: self.place.clone().into() }
    }

    /// Puts settings in force, these over the usual ones.
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
        self.say(Script::Configure, &args).await.is("OK", &[]);
    }

    /// The names of a script's keys, as its header tells them.
    pub fn keys(&self, script: Script) -> Vec<String> {
        let (keys, text) = (&self.place.keys, header::read(script));
        match text.keys.as_str() {
            "as lib/line" => keys.line().to_vec(),
            all if all.contains("every other key") => keys.all(),
            names => keys.several(&names.split_whitespace().collect::<Vec<_>>()),
        }
    }

    /// Runs a script, the epoch before `args`, and notes the word that it says.
    pub async fn say(&self, script: Script, args: &[&str]) -> Said {
        let mut all = vec![self.place.keys.epoch().to_string()];
        all.extend(args.iter().map(ToString::to_string));
        let said = match self.place.run(&self.redis, script, &self.keys(script), &all).await {
            Ok(reply) => Said { word: reply.word.clone(), reply: Some(reply) },
            Err(ScriptError::Lost) => Said { word: "LOST".to_owned(), reply: None },
            Err(ScriptError::Stale) => Said { word: "STALE".to_owned(), reply: None },
            Err(ScriptError::Loading) => Said { word: "LOADING".to_owned(), reply: None },
            Err(ScriptError::Store(error)) => panic!("{script:?} {args:?}: {error}"),
        };
        self.said.lock().expect("what was said").insert((script.path(), said.word.clone()));
        said
    }

    /// As [`Stage::say`], with numbers.
    pub async fn tell(&self, script: Script, args: &[i64]) -> Said {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        self.say(script, &args.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// Every word that a script has said on this stage.
    pub fn has_said(&self) -> BTreeSet<(&'static str, String)> {
        self.said.lock().expect("what was said").clone()
    }

    /// Runs one command on one of the schedule's keys, past all scripts.
    pub async fn touch<T: redis::FromRedisValue>(
        &self,
        command: &str,
        key: &str,
        args: &[&str],
    ) -> T {
        let mut all = redis::cmd(command);
        all.arg(self.place.keys.named(key)).arg(args);
        all.query_async(&mut self.raw.clone()).await.expect("Redis answers")
    }
}
