//! Observes both stores during a run, without the service, and checks the rules that hold at any
//! time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::history::{History, Moment};
use crate::stage::{SEATS_PER_USER, Stage};
use crate::support::faults::key;
use crate::support::kept::{self, Kept};

/// How long a server may take to answer before the next one is tried.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The result of all observations.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    /// The largest number of active slots of one sale, and when.
    pub most_active: (i64, Moment),
    /// The largest number of seats that one buyer had claimed in one sale, and when.
    pub most_claimed: (usize, Moment),
    /// The largest number of seats that one buyer kept from others in Redis: claimed, held and
    /// bought.
    pub most_kept: usize,
    /// How often Redis answered, and how often PostgreSQL did.
    pub reads: (u64, u64),
    /// Rules that were broken, and when.
    pub broken: Vec<(&'static str, Moment)>,
}

pub struct Watch {
    stop: CancellationToken,
    redis: JoinHandle<Observations>,
    postgres: JoinHandle<Observations>,
}

impl Watch {
    pub fn begin(stage: &Stage, history: &Arc<History>) -> Self {
        let stop = CancellationToken::new();
        let observers =
            stage.sales.iter().map(|sale| SaleObserver::new(stage, sale.schedule)).collect();
        let redis = tokio::spawn(observe_redis(observers, Arc::clone(history), stop.clone()));
        let postgres =
            tokio::spawn(observe_postgres(stage.pool.clone(), Arc::clone(history), stop.clone()));
        Self { stop, redis, postgres }
    }

    pub async fn end(self) -> Observations {
        self.stop.cancel();
        let redis = self.redis.await.expect("no panic");
        let postgres = self.postgres.await.expect("no panic");
        Observations { reads: (redis.reads.0, postgres.reads.1), broken: postgres.broken, ..redis }
    }
}

/// Reads the number of active slots of one sale and the seats that each user keeps, from the server
/// that has the sale's keys now.
struct SaleObserver {
    schedule: i64,
    servers: Vec<redis::Client>,
    /// Index of the server that answered last.
    at: usize,
    connection: Option<MultiplexedConnection>,
}

impl SaleObserver {
    fn new(stage: &Stage, schedule: i64) -> Self {
        let servers = stage.redis.all().iter();
        let servers = servers.map(|it| redis::Client::open(it.url()).expect("a URL")).collect();
        Self { schedule, servers, at: 0, connection: None }
    }

    async fn observe(&mut self) -> Option<(i64, BTreeMap<i64, Kept>)> {
        let observed = timeout(TIMEOUT, self.read()).await.ok().flatten();
        if observed.is_none() {
            // The server is down, silent, or does not have the keys: the next one may have them.
            self.connection = None;
            self.at = (self.at + 1) % self.servers.len();
        }
        observed
    }

    async fn read(&mut self) -> Option<(i64, BTreeMap<i64, Kept>)> {
        if self.connection.is_none() {
            let client = &self.servers[self.at];
            self.connection = client.get_multiplexed_async_connection().await.ok();
        }
        let open = self.connection.as_mut()?;
        let kept = kept::read(open, self.schedule).await.ok()?;
        let active = key(self.schedule, "active");
        Some((redis::cmd("ZCARD").arg(active).query_async(open).await.ok()?, kept))
    }
}

async fn observe_redis(
    mut observers: Vec<SaleObserver>,
    history: Arc<History>,
    stop: CancellationToken,
) -> Observations {
    let mut observed = Observations::default();
    while !stop.is_cancelled() {
        for observer in &mut observers {
            if let Some((active, kept)) = observer.observe().await {
                observed.reads.0 += 1;
                observed.most_active = observed.most_active.max((active, history.now()));
                for kept in kept.values() {
                    observed.most_claimed =
                        observed.most_claimed.max((kept.claimed, history.now()));
                    observed.most_kept = observed.most_kept.max(kept.claimed + kept.owned);
                }
            }
        }
        sleep(Duration::from_millis(15)).await;
    }
    observed
}

/// Rules that hold after every transaction, each with a query that counts violations.
const RULES: [(&str, &str); 3] = [
    (
        "a seat has one live row",
        "select count(*) from (select 1 from reservation where status in ('PAYMENT_WAITING',
           'COMPLETE') group by seat_id having count(*) > 1) x",
    ),
    ("a balance is not negative", "select count(*) from point where amount < 0 and $1 > 0"),
    (
        "a user has no more seats than the limit",
        "select count(*) from (select 1 from reservation where status = 'COMPLETE'
           or status = 'PAYMENT_WAITING' and expires_at + interval '5 s' > clock_timestamp()
           group by user_id, concert_schedule_id having count(*) > $1) x",
    ),
];

async fn observe_postgres(
    pool: PgPool,
    history: Arc<History>,
    stop: CancellationToken,
) -> Observations {
    let mut observed = Observations::default();
    while !stop.is_cancelled() {
        for (rule, count) in RULES {
            let mut query = sqlx::query_scalar::<_, i64>(count);
            if count.contains("$1") {
                query = query.bind(SEATS_PER_USER);
            }
            if let Ok(broken) = query.fetch_one(&pool).await {
                observed.reads.1 += 1;
                if broken > 0 && !observed.broken.iter().any(|(known, _)| *known == rule) {
                    observed.broken.push((rule, history.now()));
                }
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    observed
}
