//! A database and a Redis of one test, and the onsale processes that share them.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use onsale::app::{self, Running};
use onsale::caller::{Lifetime, Role};
use onsale::config::Settings;
use onsale::dev::pg::create_database;
use onsale::store::id::UserId;
use onsale::store::pg::{Pg, migrations};
use onsale::user::token::Tokens;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::client::Client;
use super::servers::{Raw, Servers};

/// The migrated database that each test's own is a copy of.
const TEMPLATE: &str = "onsale_template";

pub const JWT_SECRET: &str = "a secret for access tokens in tests";
pub const QUEUE_SECRET: &str = "a secret for queue tickets in tests";

/// The stores of one test.
pub struct World {
    pub redis: Servers,
    pub database_url: String,
    pub redis_url: String,
    pub pool: PgPool,
    pub pg: Pg,
}

/// One onsale process, in this one.
pub struct Process {
    pub addr: SocketAddr,
    running: Option<Running>,
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
}

impl World {
    /// A fresh database and a fresh Redis, of the kind that the run asks for.
    pub async fn new() -> Self {
        Self::on(Servers::new().await).await
    }

    /// A fresh database beside this Redis.
    pub async fn on(redis: Servers) -> Self {
        let given = std::env::var("DATABASE_URL").expect("DATABASE_URL: run `make test`");
        Self::beside(&given, redis).await
    }

    /// A fresh database of the server that this one is of, and this Redis.
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

    /// The settings of a process in this world; `extra` are further flags, or others instead.
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
        Line::parse_from(line.chain(extra.iter().map(ToString::to_string))).settings
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

    /// Runs a query that gives one number.
    pub async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.expect("a number")
    }

    /// A raw connection to the Redis of this world.
    pub async fn raw_redis(&self) -> Raw {
        self.redis.raw().await
    }
}

impl Process {
    /// Somebody who calls it without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.addr)
    }

    /// A new user.
    pub async fn buyer(&self) -> Client {
        let made = self.anonymous().post("/v1/users", serde_json::json!({"name": "Kim"})).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let mut client = self.anonymous();
        client.user = made.body["id"].as_i64().expect("an id");
        client.token = made.body["access_token"].as_str().map(str::to_owned);
        client
    }

    /// A new user with points.
    pub async fn rich_buyer(&self) -> Client {
        let buyer = self.buyer().await;
        let charged = buyer
            .keyed()
            .post("/v1/points/charges", serde_json::json!({"amount": 1_000_000}))
            .await;
        assert_eq!(charged.status, 201, "{}", charged.body);
        buyer
    }

    /// A new user who administers.
    pub async fn admin(&self) -> Client {
        let mut client = self.buyer().await;
        client.token = Some(token(client.user, Role::Admin));
        client
    }

    /// Drains it, as SIGTERM does.
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

/// Makes the migrated database that each test's own is a copy of; whoever comes first does.
async fn template(server: &str) {
    let mut lock = PgConnection::connect(&format!("{server}/postgres")).await.expect("PostgreSQL");
    sqlx::query("select pg_advisory_lock(74)").execute(&mut lock).await.unwrap();
    // A statement of its own: it must see what the last holder of the lock made.
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
        pg.pool().close().await;
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

/// An access token of a buyer, with this lifetime.
pub fn token_within(user: i64, lifetime: Lifetime) -> String {
    let tokens = Tokens::own("onsale", JWT_SECRET.as_bytes());
    tokens.mint_within(UserId(user), Role::User, lifetime).expect("a token").access_token
}
