//! What is measured on: private stores, onsale in a process of its own, a sale, a line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onsale::caller::Role;
use onsale::dev::Stores;
use onsale::queue::keyspaces::Line;
use onsale::queue::model::{Sequence, Standing};
use onsale::queue::redis::JoinReply;
use onsale::queue::ticket::jwt::TicketKeys;
use onsale::store::id::{ScheduleId, UserId};
use onsale::store::keys::{Keys, SEQUENCE_BITS};
use onsale::store::pg::{Pg, migrations};
use onsale::store::redis::Redis;
use onsale::store::script::{Place, inspect};
use onsale::user::service::create_many;
use onsale::user::token::Tokens;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::Outcome;

const JWT_SECRET: &str = "a secret for access tokens in benches";
/// What tickets are signed with.
pub const QUEUE_SECRET: &str = "a secret for queue tickets in benches";
/// Joins under way at a time while a line is filled.
const JOINING: u64 = 128;

/// A process that serves HTTP; killed when dropped.
#[derive(Debug)]
pub struct Server {
    pub addr: SocketAddr,
    pub pid: u32,
    _child: Child,
}

/// Stores, an onsale on them, and somebody who administers it.
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
    /// Starts a program that prints a line that ends in its address when it is ready.
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
    /// Throwaway stores, migrated, and an onsale that serves on them.
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

    /// So many new users.
    pub async fn users(&self, count: u32) -> Outcome<Vec<UserId>> {
        Ok(create_many(&Pg::lazy(&self.stores.database_url(), 2)?, count).await?)
    }

    /// Calls as the administrator.
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

    /// A sale that is open, of `rows` rows of 100 seats, with these queue settings.
    pub async fn sale(&self, rows: u32, queue: Value) -> Outcome<ScheduleId> {
        self.sale_that_opens(TimeDelta::hours(-1), rows, queue).await
    }

    /// The same, open from so long from now.
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

    /// The scripts of a schedule's line, as onsale runs them.
    pub async fn line(&self, schedule: ScheduleId) -> Outcome<Line> {
        loop {
            let found = inspect(&self.redis, &Keys::new(schedule, 1)).await?;
            if found.epoch > 0 && found.loading_until_ms == 0 {
                let place = Place::new(Keys::new(schedule, found.epoch), &found.server);
                return Ok(Line { redis: self.redis.clone(), place: Arc::new(place) });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Has users 1 to `people` join through the script that buyers join by; their sequences.
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
                            let stand = place.stand;
                            if matches!(stand.standing, Standing::Waiting { .. }) {
                                joined.push((user, stand.sequence));
                            }
                        }
                        other => return Err(format!("somebody could not join: {other:?}")),
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

    /// Puts users 1 to `people` in line as joining would, but for the log and their presence.
    pub async fn lay(&self, schedule: ScheduleId, people: u64) -> Outcome<Vec<(UserId, Sequence)>> {
        let keys = self.line(schedule).await?.place.keys.clone();
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
        // The first bit belongs to nobody; what is beyond the last whole byte follows one by one.
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

    /// When a sale closes, and its tickets expire.
    pub async fn deadline(&self, schedule: ScheduleId) -> Outcome<DateTime<Utc>> {
        let answer = self.answer(&format!("/v1/schedules/{schedule}"), &[]).await?;
        let body: Value = serde_json::from_str(answer["body"].as_str().ok_or("no body")?)?;
        Ok(serde_json::from_value(body["deadline_at"].clone())?)
    }

    /// The ids of the first seats of a sale.
    pub async fn seats(&self, schedule: ScheduleId, count: usize) -> Outcome<Vec<i64>> {
        let answer = self.answer(&format!("/v1/schedules/{schedule}/seats/layout"), &[]).await?;
        let body: Value = serde_json::from_str(answer["body"].as_str().ok_or("no body")?)?;
        let seats = body["seats"].as_array().ok_or("no seats")?;
        Ok(seats.iter().take(count).filter_map(|seat| seat["id"].as_i64()).collect())
    }

    /// Waits until the line's log is written to PostgreSQL: that work is not what is measured.
    pub async fn settled(&self, schedule: ScheduleId) -> Outcome<()> {
        let mut length = redis::cmd("XLEN");
        length.arg(Keys::new(schedule, 1).named("log"));
        while self.redis.hot::<u64>(&length).await? > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// What Redis uses in memory, in bytes.
    pub async fn redis_memory(&self) -> Outcome<u64> {
        let info: String = self.redis.hot(redis::cmd("INFO").arg("memory")).await?;
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        Ok(used.ok_or("no used_memory")?.trim().parse()?)
    }

    /// One answer of onsale as it came: the body, and the headers that its layers and routes set.
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

    /// Ends everything.
    pub async fn strike(self) -> Outcome<()> {
        drop(self.onsale);
        self.stores.stop().await?;
        Ok(std::fs::remove_dir_all(&self.folder)?)
    }
}

/// An access token.
pub fn token(user: UserId, role: Role) -> Outcome<String> {
    let tokens = Tokens::own("onsale", JWT_SECRET.as_bytes());
    Ok(tokens.mint(user, role, Duration::from_hours(24))?.access_token)
}

/// A ticket for a place that waits.
pub fn ticket(
    schedule: ScheduleId,
    user: UserId,
    place: Sequence,
    expires_at: DateTime<Utc>,
) -> Outcome<String> {
    let keys = TicketKeys::new(&[QUEUE_SECRET.to_owned()], "onsale");
    Ok(keys.sign(schedule, user, (place, place), None, expires_at)?)
}
