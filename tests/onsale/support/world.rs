//! A database and a Redis of one test, and the onsale processes that share them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Parser;
use onsale::app::{self, Running};
use onsale::config::Settings;
use onsale::dev::pg::create_database;
use onsale::dev::redis::RedisServer;
use onsale::http::auth::Role;
use onsale::store::id::UserId;
use onsale::store::pg::Pg;
use onsale::user::token::Tokens;
use sqlx::PgPool;

use super::client::Client;

pub const JWT_SECRET: &str = "a secret for access tokens in tests";
pub const QUEUE_SECRET: &str = "a secret for queue tickets in tests";

/// The stores of one test.
pub struct World {
    pub redis: RedisServer,
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
    /// A fresh database and a fresh Redis.
    pub async fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let migrated = std::env::var("DATABASE_URL").expect("DATABASE_URL: run `make test`");
        let (server, template) = migrated.rsplit_once('/').expect("a database's URL");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        create_database(&format!("{server}/postgres"), &name, template).await.expect("a database");
        let database_url = format!("{server}/{name}");
        let redis = RedisServer::throwaway().await.expect("a Redis");
        let pool = PgPool::connect(&database_url).await.expect("PostgreSQL");
        let pg = Pg::lazy(&database_url, 4).expect("a pool");
        let redis_url = redis.url();
        Self { redis, database_url, redis_url, pool, pg }
    }

    /// The settings of a process in this world; `extra` are further flags.
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
        let line = own.iter().map(ToString::to_string).chain(stores);
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
    pub async fn raw_redis(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.redis_url.as_str()).expect("a URL");
        client.get_multiplexed_async_connection().await.expect("Redis")
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

/// An access token for a user.
pub fn token(user: i64, role: Role) -> String {
    let tokens = Tokens::own("onsale", JWT_SECRET.as_bytes());
    let minted = tokens.mint(UserId(user), role, Duration::from_secs(3600));
    minted.expect("a token").access_token
}
