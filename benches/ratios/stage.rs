//! The test setup: private stores, onsale in its own process, sales and queues.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onsale::caller::Role;
use onsale::queue::keyspaces::ScheduleScripts;
use onsale::queue::model::{EntryState, QueueEntry, Sequence};
use onsale::queue::redis::JoinReply;
use onsale::queue::ticket::jwt::TicketKeys;
use onsale::store::id::{ScheduleId, UserId};
use onsale::store::keys::{SEQUENCE_BITS, ScheduleKeys};
use onsale::store::pg::{Pg, migrations};
use onsale::store::redis::Redis;
use onsale::store::script::{Keyspace, inspect};
use onsale::user::service::create_many;
use onsale::user::token::Tokens;
use onsale_dev::Stores;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::Outcome;

const JWT_SECRET: &str = "a secret for access tokens in benches";
/// Secret for queue tickets.
pub const QUEUE_SECRET: &str = "a secret for queue tickets in benches";
/// Concurrent joins while a queue is filled.
const JOINING: u64 = 128;

/// A process that serves HTTP. It is killed when dropped.
#[derive(Debug)]
pub struct Server {
    pub addr: SocketAddr,
    pub pid: u32,
    _child: Child,
}

/// Private stores, onsale on them, and an administrator.
#[derive(Debug)]
pub struct Stage {
    pub stores: Stores,
    pub onsale: Server,
    pub redis: Redis,
    pub folder: PathBuf,
    admin: String,
    http: reqwest::Client,
}

impl Server {
    /// Starts a program. When it is ready it prints a line that ends in its address.
    pub async fn start(mut command: Command) -> Outcome<Self> {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let pid = child.id().ok_or("it has ended")?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let line = BufReader::new(stdout).lines().next_line().await?.ok_or("it printed nothing")?;
        let (_, addr) = line.rsplit_once("http://").ok_or("it printed no address")?;
        Ok(Self { addr: addr.parse()?, pid, _child: child })
    }
}

impl Stage {
    /// Starts throwaway stores, applies the migrations, and starts onsale.
    pub async fn set() -> Outcome<Self> {
        let stores = Stores::throwaway().await?;
        migrations::apply(&Pg::lazy(&stores.database_url(), 2)?).await?;
        let mut serve = Command::new(env!("CARGO_BIN_EXE_onsale"));
        serve
            .args(["serve", "--listen=127.0.0.1:0", "--open-signup=true", "--log=warn"])
            .arg("--unsafe-postgres=true")
            .env("DATABASE_URL", stores.database_url())
            .env("REDIS_URL", stores.redis_url())
            .env("ONSALE_JWT_SECRET", JWT_SECRET)
            .env("ONSALE_QUEUE_SECRETS", QUEUE_SECRET);
        let onsale = Server::start(serve).await?;
        let redis = Redis::lazy(&stores.redis_url())?;
        let folder = std::env::temp_dir().join(format!("onsale-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let mut stage = Self {
            stores,
            onsale,
            redis,
            folder,
            admin: String::new(),
            http: reqwest::Client::new(),
        };
        let admin = stage.users(1).await?[0];
        stage.admin = token(admin, Role::Admin)?;
        Ok(stage)
    }

    /// Creates `count` users.
    pub async fn users(&self, count: u32) -> Outcome<Vec<UserId>> {
        Ok(create_many(&Pg::lazy(&self.stores.database_url(), 2)?, count).await?)
    }

    /// Sends a request as the administrator.
    pub async fn admin(&self, method: reqwest::Method, path: &str, body: &Value) -> Outcome<Value> {
        let url = format!("http://{}{path}", self.onsale.addr);
        let request = self.http.request(method, url).bearer_auth(&self.admin).json(body);
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{path}: {status} {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// Creates an open sale with `rows` rows of 100 seats and these queue settings.
    pub async fn sale(&self, rows: u32, queue: Value) -> Outcome<ScheduleId> {
        self.sale_that_opens(TimeDelta::hours(-1), rows, queue).await
    }

    /// Creates a sale that opens after `opens`.
    pub async fn sale_that_opens(
        &self,
        opens: TimeDelta,
        rows: u32,
        queue: Value,
    ) -> Outcome<ScheduleId> {
        let post = reqwest::Method::POST;
        let at = |hours| Utc::now() + TimeDelta::hours(hours);
        let concert = json!({"title": "Bench", "description": "", "status": "AVAILABLE"});
        let concert = self.admin(post.clone(), "/v1/admin/concerts", &concert).await?;
        let schedule = json!({
            "reservation_available_at": Utc::now() + opens, "deadline_at": at(24), "concert_at": at(48),
            "queue": queue,
        });
        let path = format!("/v1/admin/concerts/{}/schedules", concert["id"]);
        let schedule = self.admin(post.clone(), &path, &schedule).await?["id"].clone();
        let section = json!({"name": "A", "rows": rows, "seats_per_row": 100, "seat_price": 100});
        let path = format!("/v1/admin/schedules/{schedule}/seats");
        self.admin(post, &path, &json!({"sections": [section]})).await?;
        Ok(ScheduleId(schedule.as_i64().ok_or("no id")?))
    }

    /// Returns the scripts of a schedule's queue, once its keys are built.
    pub async fn line(&self, schedule: ScheduleId) -> Outcome<ScheduleScripts> {
        loop {
            let found = inspect(&self.redis, &ScheduleKeys::new(schedule, 1)).await?;
            if found.epoch > 0 && found.loading_until_ms == 0 {
                let place = Keyspace::new(ScheduleKeys::new(schedule, found.epoch), &found.server);
                return Ok(ScheduleScripts {
                    redis: self.redis.clone(),
                    keyspace: Arc::new(place),
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets users 1 to `people` join, through the script that the service uses. Returns their
    /// sequences.
    pub async fn fill(
        &self,
        schedule: ScheduleId,
        people: u64,
    ) -> Outcome<Vec<(UserId, Sequence)>> {
        let line = self.line(schedule).await?;
        let mut joining = JoinSet::new();
        for first in 0..JOINING.min(people) {
            let line = line.clone();
            joining.spawn(async move {
                let mut joined = Vec::new();
                for user in (first + 1..=people).step_by(usize::try_from(JOINING).unwrap_or(1)) {
                    let user = UserId(user.cast_signed());
                    match line.join(user, false).await {
                        Ok(JoinReply::Joined(place)) => {
                            let stand = place.entry;
                            if matches!(stand.state, EntryState::Waiting { .. }) {
                                joined.push((user, stand.sequence));
                            }
                        }
                        other => return Err(format!("a join failed: {other:?}")),
                    }
                }
                Ok(joined)
            });
        }
        let mut all = Vec::new();
        while let Some(joined) = joining.join_next().await {
            all.extend(joined??);
        }
        all.sort_by_key(|(_, sequence)| *sequence);
        Ok(all)
    }

    /// Writes users 1 to `people` into the queue's keys, like joins, but without log and presence.
    pub async fn lay(&self, schedule: ScheduleId, people: u64) -> Outcome<Vec<(UserId, Sequence)>> {
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
        pipe.cmd("SETRANGE")
            .arg(&bits)
            .arg(0)
            .arg(vec![0xff_u8; usize::try_from(people / 8)?])
            .ignore();
        pipe.cmd("SETBIT").arg(&bits).arg(0).arg(0).ignore();
        for user in people / 8 * 8..=people {
            pipe.cmd("SETBIT").arg(&bits).arg(user).arg(1).ignore();
        }
        self.redis.bulk_pipe::<()>(&pipe).await?;
        Ok(all.iter().map(|user| (UserId(user.cast_signed()), Sequence(first + user))).collect())
    }

    /// Returns when a sale closes and its tickets expire.
    pub async fn deadline(&self, schedule: ScheduleId) -> Outcome<DateTime<Utc>> {
        let answer = self.answer(&format!("/v1/schedules/{schedule}"), &[]).await?;
        let body: Value = serde_json::from_str(answer["body"].as_str().ok_or("no body")?)?;
        Ok(serde_json::from_value(body["deadline_at"].clone())?)
    }

    /// Returns the ids of the first seats of a sale.
    pub async fn seats(&self, schedule: ScheduleId, count: usize) -> Outcome<Vec<i64>> {
        let answer = self.answer(&format!("/v1/schedules/{schedule}/seats/layout"), &[]).await?;
        let body: Value = serde_json::from_str(answer["body"].as_str().ok_or("no body")?)?;
        let seats = body["seats"].as_array().ok_or("no seats")?;
        Ok(seats.iter().take(count).filter_map(|seat| seat["id"].as_i64()).collect())
    }

    /// Waits until the queue's log is written to PostgreSQL, because that work must not be
    /// measured.
    pub async fn settled(&self, schedule: ScheduleId) -> Outcome<()> {
        let mut length = redis::cmd("XLEN");
        length.arg(ScheduleKeys::new(schedule, 1).named("log"));
        while self.redis.hot::<u64>(&length).await? > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Returns the memory that Redis uses, in bytes.
    pub async fn redis_memory(&self) -> Outcome<u64> {
        let info: String = self.redis.hot(redis::cmd("INFO").arg("memory")).await?;
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        Ok(used.ok_or("no used_memory")?.trim().parse()?)
    }

    /// Returns one answer of onsale: its status, its body, and the headers that onsale sets.
    pub async fn answer(&self, path: &str, headers: &[(&str, &str)]) -> Outcome<Value> {
        let mut request = self.http.get(format!("http://{}{path}", self.onsale.addr));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await?.error_for_status()?;
        let status = answer.status().as_u16();
        let own = ["content-length", "date"];
        let headers: Vec<(String, String)> = (answer.headers().iter())
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned())))
            .collect::<Outcome<_>>()?;
        Ok(json!({"status": status, "headers": headers, "body": answer.text().await?}))
    }

    /// Stops everything, and removes the folder.
    pub async fn strike(self) -> Outcome<()> {
        drop(self.onsale);
        self.stores.stop().await?;
        Ok(std::fs::remove_dir_all(&self.folder)?)
    }
}

/// Creates an access token.
pub fn token(user: UserId, role: Role) -> Outcome<String> {
    let tokens = Tokens::own("onsale", JWT_SECRET.as_bytes());
    Ok(tokens.mint(user, role, Duration::from_hours(24))?.access_token)
}

/// Creates a ticket for a waiting entry.
pub fn ticket(
    schedule: ScheduleId,
    user: UserId,
    place: Sequence,
    expires_at: DateTime<Utc>,
) -> Outcome<String> {
    let keys = TicketKeys::new(&[QUEUE_SECRET.to_owned()], "onsale");
    Ok(keys.sign(schedule, user, QueueEntry::waiting(place, place), expires_at)?)
}
