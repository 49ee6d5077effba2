//! What a run takes place on: two processes, a proxy on each of their ways to a store and to
//! clients, two private stores, two sales.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use onsale::dev::Stores;
use onsale::http::auth::Role;
use onsale::store::pg::{Pg, migrations};
use onsale::user::service::create_many;
use redis::aio::MultiplexedConnection;
use serde_json::json;
use sqlx::PgPool;

use crate::dice::Dice;
use crate::node::{Node, has_faketime};
use crate::support::client::Client;
use crate::support::proxy::Proxy;
use crate::support::sale::{self, Sale};
use crate::support::world::token;

/// The most that may be inside of one line at once; the office moves it below this.
pub const CAPACITY: i64 = 24;
/// The most seats of one sale that a buyer may hold or own.
pub const SEATS_PER_USER: i64 = 4;
/// How long a hold lasts, in seconds.
pub const HOLD_SECONDS: i64 = 2;
/// Seats of one sale.
const SEATS: u32 = 24;
/// People who may come.
const PEOPLE: u32 = 6000;

/// A process with the proxies around it.
pub struct Surrounded {
    pub node: Node,
    pub redis: Proxy,
    pub postgres: Proxy,
    /// Clients come through here.
    pub gate: Proxy,
}

/// Everything that can be broken.
pub struct Stage {
    pub stores: Stores,
    pub processes: Vec<Surrounded>,
    pub pool: PgPool,
    pub sales: Vec<Sale>,
    pub admin: Client,
    pub people: Vec<i64>,
    /// Whether the second process has a wrong clock.
    pub skewed: bool,
}

impl Stage {
    /// Sets it up. `name` is for the processes' logs.
    pub async fn set(seed: u64, name: &str) -> Self {
        let stores = Stores::throwaway().await.expect("the stores");
        let pg = Pg::lazy(&stores.database_url(), 4).expect("a pool");
        migrations::apply(&pg).await.expect("the migrations apply");
        let people = create_many(&pg, PEOPLE).await.expect("people");
        let mut people: Vec<i64> = people.iter().map(|user| user.0).collect();
        let skewed = has_faketime();
        let mut processes = Vec::new();
        for number in 0..2 {
            let clock = (skewed && number == 1).then(|| Dice::new(seed).fork(2));
            processes.push(surround(&stores, &log(name, number), clock).await);
        }
        let pool = PgPool::connect(&stores.database_url()).await.expect("PostgreSQL");
        let mut admin = Client::new(processes[0].node.addr);
        admin.user = people.pop().expect("somebody");
        admin.token = Some(token(admin.user, Role::Admin));
        let mut sales = Vec::new();
        for _ in 0..2 {
            sales.push(open(&admin).await);
        }
        Self { stores, processes, pool, sales, admin, people, skewed }
    }

    /// Where clients call.
    pub fn gates(&self) -> [SocketAddr; 2] {
        [self.processes[0].gate.addr, self.processes[1].gate.addr]
    }

    /// A connection to Redis that no proxy is in the way of.
    pub async fn redis(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.stores.redis_url()).expect("a URL");
        client.get_multiplexed_async_connection().await.expect("Redis")
    }
}

async fn open(admin: &Client) -> Sale {
    let queue = json!({
        "capacity": CAPACITY, "admit_per_second": 20, "active_ttl_seconds": 40,
        "claim_window_seconds": 20, "presence_window_seconds": 20, "return_grace_seconds": 600,
        "hold_ttl_seconds": HOLD_SECONDS, "max_seats_per_user": SEATS_PER_USER,
    });
    sale::make(admin, (-1, 7200), 4, SEATS / 4, queue).await
}

async fn surround(stores: &Stores, log: &Path, clock: Option<Dice>) -> Surrounded {
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let redis = Proxy::before(local(stores.redis.port())).await;
    let postgres = Proxy::before(local(stores.postgres.port())).await;
    let database_url = stores.postgres.url_through(postgres.addr.port(), "onsale");
    let redis_url = stores.redis.url_through(redis.addr.port());
    let mut node = Node::new(database_url, redis_url, log.to_owned(), clock);
    node.start().await;
    let gate = Proxy::before(node.addr).await;
    Surrounded { node, redis, postgres, gate }
}

/// Where a process writes its log, beside the test's binary.
fn log(name: &str, number: usize) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chaos-{name}-{number}.log"));
    std::fs::write(&path, "").expect("a log");
    path
}
