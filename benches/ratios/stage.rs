//! The test setup: private stores, onsale in its own process, sales and queues.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use onsale::caller::Role;
use onsale::queue::keyspaces::ScheduleScripts;
use onsale::queue::model::QueueEntry;
use onsale::queue::ticket::jwt::TicketKeys;
use onsale::store::id::{ScheduleId, UserId};
use onsale::store::keys::ScheduleKeys;
use onsale::store::pg::{Pg, migrations};
use onsale::store::redis::Redis;
use onsale::store::script::{Keyspace, inspect};
use onsale::user::token::Tokens;
use onsale_dev::Stores;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::cpu::Usage;
use crate::{Outcome, cpu};

const JWT_SECRET: &str = "34b89e2fe9af38bc6b6be8df2c9bec5fecec3062d607b4d79bf2fd4bc95ab187";
/// Secret for queue tickets.
pub const QUEUE_SECRET: &str = "7c9051d727e3e59e32f00b8d1761b15de2615d57320a2d6397c2ea7bedf3792b";

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
    pub pool: PgPool,
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
    /// Starts throwaway stores, applies the migrations, and starts onsale. PostgreSQL does not wait
    /// for the disk.
    pub async fn set() -> Outcome<Self> {
        Self::on(Stores::throwaway().await?, folder()?).await
    }

    /// Like [`Stage::set`], with commits that wait for the disk.
    pub async fn durable() -> Outcome<Self> {
        let folder = folder()?;
        Self::on(Stores::start(&folder.join("stores")).await?, folder).await
    }

    async fn on(stores: Stores, folder: PathBuf) -> Outcome<Self> {
        migrations::apply(&Pg::lazy(&stores.database_url(), 2)?).await?;
        let built = || env!("CARGO_BIN_EXE_onsale").to_owned();
        // Another build, to compare it with this one.
        let mut serve = Command::new(std::env::var("ONSALE_BIN").unwrap_or_else(|_| built()));
        serve
            .args(["serve", "--listen=127.0.0.1:0", "--open-signup=true", "--log=warn"])
            .arg("--unsafe-postgres=true")
            .env("DATABASE_URL", stores.database_url())
            .env("REDIS_URL", stores.redis_url())
            .env("ONSALE_JWT_SECRET", JWT_SECRET)
            .env("ONSALE_QUEUE_SECRETS", QUEUE_SECRET);
        let onsale = Server::start(serve).await?;
        let redis = Redis::lazy(&stores.redis_url())?;
        let pool = PgPool::connect(&stores.database_url()).await?;
        let mut stage = Self {
            stores,
            onsale,
            redis,
            pool,
            folder,
            admin: String::new(),
            http: reqwest::Client::new(),
        };
        let admin = stage.users(1).await?[0];
        stage.admin = token(admin, Role::Admin)?;
        Ok(stage)
    }

    /// Returns the CPU time of each part so far.
    pub fn used(&self) -> Outcome<Usage> {
        Ok(Usage {
            onsale: cpu::used(self.onsale.pid)?,
            redis: cpu::used(self.stores.redis.pid())?,
            postgres: cpu::used_with_children(self.stores.postgres.pid())?,
            client: cpu::used(std::process::id())?,
        })
    }

    /// Stops onsale for the time of `work`, so that its loops take no part in it.
    pub async fn without_onsale<T>(&self, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        let onsale = Pid::from_raw(self.onsale.pid.cast_signed());
        kill(onsale, Signal::SIGSTOP)?;
        let result = work.await;
        kill(onsale, Signal::SIGCONT)?;
        // Until calls that ran out of time meanwhile are over.
        tokio::time::sleep(Duration::from_millis(500)).await;
        result
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
        self.pool.close().await;
        self.stores.stop().await?;
        Ok(std::fs::remove_dir_all(&self.folder)?)
    }
}

/// Creates an access token.
pub fn token(user: UserId, role: Role) -> Outcome<String> {
    let tokens = Tokens::own("onsale", JWT_SECRET.as_bytes());
    Ok(tokens.mint(user, role, Duration::from_hours(24))?.access_token)
}

/// Creates the ticket of an entry.
pub fn ticket(
    schedule: ScheduleId,
    (user, entry): (UserId, QueueEntry),
    expires_at: DateTime<Utc>,
) -> Outcome<String> {
    Ok(ticket_keys().sign(schedule, user, entry, expires_at)?)
}

/// Returns the keys that sign the tickets of the stage.
pub fn ticket_keys() -> TicketKeys {
    TicketKeys::new(&[QUEUE_SECRET.to_owned()], "onsale")
}

/// Creates a folder for one stage.
fn folder() -> Outcome<PathBuf> {
    let name = format!("onsale-bench-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
