//! The set-up of a run: two processes, with a proxy in front of each of them and in front of their
//! stores; two private stores; two sales that users buy from, and one with a mostly silent queue.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use onsale::caller::Role;
use onsale::store::pg::{Pg, migrations};
use onsale::user::service::create_many;
use onsale_dev::pg::PostgresServer;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::dice::Dice;
use crate::node::{Node, has_faketime};
use crate::support::client::Client;
use crate::support::proxy::Proxy;
use crate::support::sale::{self, Sale};
use crate::support::servers::Servers;
use crate::support::world::token;

/// The highest capacity of a sale; the administrator sets it to this or lower.
pub const CAPACITY: i64 = 24;
/// The largest number of seats of one sale that a buyer may hold or own.
pub const SEATS_PER_USER: i64 = 4;
/// How long a hold lasts, in seconds.
pub const HOLD_SECONDS: i64 = 2;
/// Number of seats of one sale.
const SEATS: u32 = 24;
/// Number of users.
const USERS: u32 = 9000;

/// A process with the proxies around it.
pub struct ProxiedProcess {
    pub node: Node,
    /// `None` with a cluster.
    pub redis: Option<Proxy>,
    pub postgres: Proxy,
    /// Clients connect to this proxy.
    pub client_proxy: Proxy,
}

/// Everything that faults can hit, and the sales.
pub struct Stage {
    pub postgres: PostgresServer,
    pub redis: Servers,
    pub processes: Vec<ProxiedProcess>,
    pub pool: PgPool,
    pub sales: Vec<Sale>,
    /// A sale with a long and mostly silent queue, where nobody buys.
    pub silent: Sale,
    pub admin: Client,
    pub users: Vec<i64>,
    /// Whether the second process has a wrong clock.
    pub skewed: bool,
}

impl Stage {
    /// Sets everything up, with one Redis or a cluster. `name` is part of the names of the log
    /// files.
    pub async fn set(seed: u64, name: &str, cluster: bool) -> Self {
        let postgres = PostgresServer::throwaway().await.expect("PostgreSQL");
        let redis = if cluster { Servers::cluster(true).await } else { Servers::single().await };
        let database_url = postgres.url("onsale");
        let pg = Pg::lazy(&database_url, 4).expect("a pool");
        migrations::apply(&pg).await.expect("the migrations apply");
        let users = create_many(&pg, USERS).await.expect("people");
        let mut users: Vec<i64> = users.iter().map(|user| user.0).collect();
        let skewed = has_faketime();
        let mut processes = Vec::new();
        for number in 0..2 {
            let clock = (skewed && number == 1).then(|| Dice::new(seed).fork(2));
            processes.push(surround(&postgres, &redis, &log(name, number), clock).await);
        }
        let pool = PgPool::connect(&database_url).await.expect("PostgreSQL");
        let mut admin = Client::new(processes[0].node.addr);
        admin.user = users.pop().expect("a user");
        admin.token = Some(token(admin.user, Role::Admin));
        let mut sales = Vec::new();
        while sales.len() < 2 {
            sales.push(open(&admin).await);
            if cluster {
                // Each sale on another node.
                sales.dedup_by_key(|sale| redis.primary_of(sale.schedule));
            }
        }
        let silent = sale::create(&admin, (-1, 7200), 1, 4, queue(5)).await;
        Self { postgres, redis, processes, pool, sales, silent, admin, users, skewed }
    }

    /// The addresses that clients call.
    pub fn client_addresses(&self) -> [SocketAddr; 2] {
        [self.processes[0].client_proxy.addr, self.processes[1].client_proxy.addr]
    }
}

async fn open(admin: &Client) -> Sale {
    sale::create(admin, (-1, 7200), 4, SEATS / 4, queue(20)).await
}

fn queue(claim_window_seconds: u32) -> Value {
    json!({
        "capacity": CAPACITY, "admit_per_second": 20, "active_ttl_seconds": 40,
        "claim_window_seconds": claim_window_seconds, "presence_window_seconds": 20, "return_grace_seconds": 600,
        "hold_ttl_seconds": HOLD_SECONDS, "max_seats_per_user": SEATS_PER_USER,
    })
}

async fn surround(
    postgres: &PostgresServer,
    redis: &Servers,
    log: &Path,
    clock: Option<Dice>,
) -> ProxiedProcess {
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let (before_redis, redis_url) = match redis {
        Servers::Single(server) => {
            let proxy = Proxy::before(local(server.port())).await;
            let url = server.url_through(proxy.addr.port());
            (Some(proxy), url)
        }
        many => (None, many.url()),
    };
    let before_postgres = Proxy::before(local(postgres.port())).await;
    let database_url = postgres.url_through(before_postgres.addr.port(), "onsale");
    let mut node = Node::new(database_url, redis_url, log.to_owned(), clock);
    node.start().await;
    let client_proxy = Proxy::before(node.addr).await;
    ProxiedProcess { node, redis: before_redis, postgres: before_postgres, client_proxy }
}

/// The log file of a process, in the target folder.
fn log(name: &str, number: usize) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chaos-{name}-{number}.log"));
    std::fs::write(&path, "").expect("a log");
    path
}
