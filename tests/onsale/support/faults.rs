//! Faults that tests make on purpose: killed processes, locks that are kept, a wiped Redis; and the
//! check of the rules that must hold after every fault.

use std::net::SocketAddr;
use std::process::Stdio;

use redis::AsyncCommands;
use sqlx::{PgPool, Postgres, Transaction};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::servers::Raw;
use super::wait::until;
use super::world::{JWT_SECRET, QUEUE_SECRET, World};

/// `onsale serve` as a separate operating-system process; killed when dropped.
pub struct Served {
    pub addr: SocketAddr,
    child: Child,
}

/// The command `onsale serve` for these stores.
pub fn serve(database_url: &str, redis_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onsale"));
    command
        .args(["serve", "--open-signup=true", "--db-pool=8"])
        .args(["--unsafe-postgres=true", "--drain-delay=0s"])
        .env("ONSALE_LOG", "warn")
        .env("ONSALE_LISTEN", "127.0.0.1:0")
        .env("DATABASE_URL", database_url)
        .env("REDIS_URL", redis_url)
        .env("ONSALE_JWT_SECRET", JWT_SECRET)
        .env("ONSALE_QUEUE_SECRETS", QUEUE_SECRET)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Served {
    /// Starts a process on the stores of `world`.
    pub async fn start(world: &World) -> Self {
        Self::start_on(&world.database_url, &world.redis_url).await
    }

    /// Starts a process on the stores with these URLs, and waits until it listens.
    pub async fn start_on(database_url: &str, redis_url: &str) -> Self {
        let mut command = serve(database_url, redis_url);
        command.stderr(Stdio::null());
        let mut child = command.spawn().expect("onsale");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = lines.next_line().await.expect("its output").expect("a line that it is ready");
        let (_, addr) = line.rsplit_once("http://").expect("its address");
        Self { addr: addr.parse().expect("an address"), child }
    }

    /// Ends it with SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it ends");
    }
}

/// A transaction that keeps rows locked until it is released.
pub struct Blocker {
    tx: Transaction<'static, Postgres>,
    pid: i32,
}

impl Blocker {
    /// Locks a user's balance.
    pub async fn of_balance(pool: &PgPool, user: i64) -> Self {
        let mut tx = pool.begin().await.expect("a transaction");
        let lock = sqlx::query("select from point where user_id = $1 for update").bind(user);
        assert_eq!(lock.execute(&mut *tx).await.expect("a lock").rows_affected(), 1);
        Self::new(tx).await
    }

    /// Marks a seat as blocked when it is released, without a change in Redis.
    pub async fn that_blocks_a_seat(pool: &PgPool, seat: i64) -> Self {
        let mut tx = pool.begin().await.expect("a transaction");
        let block = sqlx::query("update seat set blocked = true where id = $1").bind(seat);
        assert_eq!(block.execute(&mut *tx).await.expect("a lock").rows_affected(), 1);
        Self::new(tx).await
    }

    async fn new(mut tx: Transaction<'static, Postgres>) -> Self {
        let pid = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *tx).await;
        Self { tx, pid: pid.expect("a pid") }
    }

    /// Locks a seat and its reservations.
    pub async fn of_seat(pool: &PgPool, seat: i64) -> Self {
        let mut tx = pool.begin().await.expect("a transaction");
        for lock in [
            "select id from seat where id = $1 for update",
            "select id from reservation where seat_id = $1 for update",
        ] {
            sqlx::query(lock).bind(seat).execute(&mut *tx).await.expect("a lock");
        }
        Self::new(tx).await
    }

    /// Waits until another session waits for these locks.
    pub async fn wait_for_waiter(&self, pool: &PgPool) {
        let waiting = "select count(*) from pg_stat_activity
                       where $1 = any(pg_blocking_pids(pid))";
        until("a session waits for the lock", async || {
            let count: i64 =
                sqlx::query_scalar(waiting).bind(self.pid).fetch_one(pool).await.expect("a count");
            (count > 0).then_some(())
        })
        .await;
    }

    /// Commits, which releases the locks.
    pub async fn release(self) {
        self.tx.commit().await.expect("a commit");
    }
}

/// The Redis key of a schedule with this name.
pub fn key(schedule: i64, name: &str) -> String {
    format!("onsale:{{{schedule}}}:{name}")
}

/// A seat's entry in `holder`: fence, state, hold and user; empty if there is none.
pub async fn holder(redis: &mut Raw, schedule: i64, number: u32) -> String {
    let found: Option<String> = redis.hget(key(schedule, "holder"), number).await.expect("Redis");
    found.unwrap_or_default()
}

/// Deletes every key.
pub async fn wipe(redis: &mut Raw) {
    redis::cmd("FLUSHALL").query_async::<()>(redis).await.expect("Redis");
}

/// Rules that must hold in PostgreSQL at any time, each with a query that counts violations.
const RULES: [(&str, &str); 7] = [
    (
        "a seat has one live reservation at most",
        "select count(*) from (select 1 from reservation
           where status in ('PAYMENT_WAITING', 'COMPLETE') group by seat_id having count(*) > 1) x",
    ),
    (
        "all seats of a hold are paid or none is",
        "select count(*) from (select 1 from reservation where status in ('PAYMENT_WAITING',
           'COMPLETE') group by hold_id having count(distinct status) > 1) x",
    ),
    (
        "a sold seat has one payment of the amount that was held",
        "select count(*) from reservation r left join payment p on p.reservation_id = r.id
         where (r.status in ('COMPLETE', 'REFUNDED')) <> (p.id is not null)
            or p.amount <> r.amount or (p.status = 'REFUNDED') <> (r.status = 'REFUNDED')",
    ),
    (
        "a seat is unavailable when it is sold",
        "select count(*) from seat s where (s.status = 'UNAVAILABLE') <> exists
           (select 1 from reservation r where r.seat_id = s.id and r.status = 'COMPLETE')",
    ),
    (
        "a balance is the sum of its history",
        "select count(*) from point p where p.amount <> coalesce(
           (select sum(h.amount) from point_history h where h.user_id = p.user_id), 0)",
    ),
    (
        "every row of a history has the sum so far, which is never below zero",
        "select count(*) from (select balance_after, sum(amount) over (partition by user_id
           order by id) as sum from point_history) h where balance_after <> sum or sum < 0",
    ),
    (
        "no hold was taken over before its end or within 5 s after it, except by its own buyer or after
         its own buyer held something else",
        "select count(*) from reservation a join reservation b on b.seat_id = a.seat_id
           and b.id > a.id and b.reservation_at < a.expires_at
             + case when b.user_id = a.user_id or exists (select from reservation c
                      where c.user_id = a.user_id and c.concert_schedule_id = a.concert_schedule_id
                        and c.reservation_at between a.expires_at and b.reservation_at)
                    then interval '0' else interval '5 s' end
         where a.status = 'EXPIRED'",
    ),
];

/// The rules that are broken, each with the number of violations.
pub async fn broken_rules(pool: &PgPool) -> Vec<String> {
    let mut found = Vec::new();
    for (rule, count) in RULES {
        let count: i64 = sqlx::query_scalar(count).fetch_one(pool).await.expect("a count");
        if count > 0 {
            found.push(format!("{rule}: broken {count} times"));
        }
    }
    found
}

/// Fails if a rule is broken.
pub async fn assert_consistent(world: &World) {
    assert_eq!(broken_rules(&world.pool).await, [""; 0]);
}
