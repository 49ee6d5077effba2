//! The database and the Redis of one test, and the onsale processes that share them.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use onsale::app::{self, Running};
use onsale::caller::{Lifetime, Role};
use onsale::config::Settings;
use onsale::store::id::UserId;
use onsale::store::pg::{Pg, migrations};
use onsale::user::token::Tokens;
use onsale_dev::pg::create_database;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::client::Client;
use super::servers::{Raw, Servers};
use super::wait::until;

/// The migrated database that every test database is copied from.
const TEMPLATE: &str = "onsale_template";

pub const JWT_SECRET: &str = "34b89e2fe9af38bc6b6be8df2c9bec5fecec3062d607b4d79bf2fd4bc95ab187";
pub const QUEUE_SECRET: &str = "7c9051d727e3e59e32f00b8d1761b15de2615d57320a2d6397c2ea7bedf3792b";

/// The stores of one test.
pub struct World {
    pub redis: Servers,
    pub database_url: String,
    pub redis_url: String,
    pub pool: PgPool,
    pub pg: Pg,
}

/// One onsale process, which runs inside the test process.
pub struct Process {
    pub addr: SocketAddr,
    running: Option<Running>,
}

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    settings: Settings,
}

impl World {
    /// A new database and a new Redis of the kind that the run requests.
    pub async fn new() -> Self {
        Self::on(Servers::new().await).await
    }

    /// A new database, and this Redis.
    pub async fn on(redis: Servers) -> Self {
        let given = std::env::var("DATABASE_URL").expect("DATABASE_URL: run `make test`");
        Self::beside(&given, redis).await
    }

    /// A new database on the server of `database_url`, and this Redis.
    pub async fn beside(database_url: &str, redis: Servers) -> Self {
        let (server, _) = database_url.rsplit_once('/').expect("a database's URL");
        template(server).await;
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        let maintenance = format!("{server}/postgres");
        create_database(&maintenance, &name, TEMPLATE).await.expect("a database");
        let database_url = format!("{server}/{name}");
        let pool = PgPool::connect(&database_url).await.expect("PostgreSQL");
        let pg = Pg::lazy(&database_url, 4).expect("a pool");
        let redis_url = redis.url();
        Self { redis, database_url, redis_url, pool, pg }
    }

    /// The settings of a process on these stores. Flags in `extra` are added, or replace others.
    pub fn settings(&self, extra: &[&str]) -> Settings {
        let own = [
            "onsale",
            "--listen=127.0.0.1:0",
            "--open-signup=true",
            "--unsafe-postgres=true",
            "--db-pool=8",
        ];
        let stores = [
            format!("--database-url={}", self.database_url),
            format!("--redis-url={}", self.redis_url),
            format!("--jwt-secret={JWT_SECRET}"),
            format!("--queue-secrets={QUEUE_SECRET}"),
        ];
        let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
        let given: Vec<String> = extra.iter().map(|flag| name(flag)).collect();
        let line = own.iter().map(ToString::to_string).chain(stores);
        let line = line.filter(|flag| !given.contains(&name(flag)));
        CommandLine::parse_from(line.chain(extra.iter().map(ToString::to_string))).settings
    }

    /// Starts a process.
    pub async fn start(&self) -> Process {
        self.start_with(&[]).await
    }

    /// Starts a process with further flags.
    pub async fn start_with(&self, extra: &[&str]) -> Process {
        let running = app::start(self.settings(extra)).await.expect("onsale starts");
        Process { addr: running.addr, running: Some(running) }
    }

    /// Runs a query whose result is one number.
    pub async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.expect("a number")
    }

    /// The highest epoch of any schedule: 1 unless keys were rebuilt.
    pub async fn epoch(&self) -> i64 {
        self.number("select max(queue_epoch)::bigint from concert_schedule").await
    }

    /// Waits until the relay has delivered every event of the outbox.
    pub async fn wait_for_empty_outbox(&self) {
        until("the outbox is empty", async || {
            (self.number("select count(*) from outbox").await == 0).then_some(())
        })
        .await;
    }

    /// A connection to Redis that bypasses the service.
    pub async fn raw_redis(&self) -> Raw {
        self.redis.raw().await
    }
}

impl Process {
    /// A client without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.addr)
    }

    /// A new user.
    pub async fn buyer(&self) -> Client {
        let name = serde_json::json!({"name": "Kim"});
        let made = self.anonymous().post_with_retries("/v1/users", name).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let mut client = self.anonymous();
        client.user = made.body["id"].as_i64().expect("an id");
        client.token = made.body["access_token"].as_str().map(str::to_owned);
        client
    }

    /// A new user with 1,000,000 points.
    pub async fn rich_buyer(&self) -> Client {
        let buyer = self.buyer().await;
        let charged = buyer
            .keyed()
            .post_with_retries("/v1/points/charges", serde_json::json!({"amount": 1_000_000}))
            .await;
        assert_eq!(charged.status, 201, "{}", charged.body);
        buyer
    }

    /// A new user with the role of an administrator.
    pub async fn admin(&self) -> Client {
        let mut client = self.buyer().await;
        client.token = Some(token(client.user, Role::Admin));
        client
    }

    /// Drains the process, as SIGTERM does, and waits for its end.
    pub async fn stop(mut self) {
        let running = self.running.take().expect("it runs");
        running.stop().cancel();
        running.stopped().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.stop().cancel();
        }
    }
}

/// Creates the database that test databases are copied from, unless another test has done so.
async fn template(server: &str) {
    let mut lock = PgConnection::connect(&format!("{server}/postgres")).await.expect("PostgreSQL");
    sqlx::query("select pg_advisory_lock(74)").execute(&mut lock).await.unwrap();
    // A separate statement: it must see what the previous holder of the lock created.
    let ask = "select exists (select from pg_database where datname = $1)";
    let there: bool = sqlx::query_scalar(ask).bind(TEMPLATE).fetch_one(&mut lock).await.unwrap();
    if !there {
        let making = format!("{TEMPLATE}_in_making");
        sqlx::query(AssertSqlSafe(format!("drop database if exists {making}")))
            .execute(&mut lock)
            .await
            .unwrap();
        sqlx::query(AssertSqlSafe(format!("create database {making}")))
            .execute(&mut lock)
            .await
            .unwrap();
        let pg = Pg::lazy(&format!("{server}/{making}"), 2).expect("a pool");
        migrations::apply(&pg).await.expect("the migrations apply");
        pg.close().await;
        sqlx::query(AssertSqlSafe(format!("alter database {making} rename to {TEMPLATE}")))
            .execute(&mut lock)
            .await
            .unwrap();
    }
    lock.close().await.expect("unlocked");
}

/// An access token for a user.
pub fn token(user: i64, role: Role) -> String {
    let tokens = Tokens::own("onsale", JWT_SECRET.as_bytes());
    let minted = tokens.mint(UserId(user), role, Duration::from_hours(1));
    minted.expect("a token").access_token
}

/// An access token for a buyer, with this lifetime.
pub fn token_within(user: i64, lifetime: Lifetime) -> String {
    let tokens = Tokens::own("onsale", JWT_SECRET.as_bytes());
    tokens.mint_within(UserId(user), Role::User, lifetime).expect("a token").access_token
}
