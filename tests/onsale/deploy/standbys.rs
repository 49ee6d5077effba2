//! Two standbys of which one must confirm each commit: `synchronous_standby_names = 'ANY 1 (a, b)'`,
//! as docs/DEPLOYMENT.md recommends.

use std::time::Duration;

use futures_util::future::join_all;
use onsale::store::StoreError;
use onsale::store::id::UserId;
use onsale::store::pg::Pg;
use onsale_dev::pg::PostgresServer;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::timeout;

use crate::money::stored_forms::sale_of_two;
use crate::sale::refusals::{active_buyer, hold_path};
use crate::support::answer::Answer;
use crate::support::client::Client;
use crate::support::faults::assert_consistent;
use crate::support::sale;
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::{Process, World};

async fn connect(server: &PostgresServer) -> PgConnection {
    PgConnection::connect(&server.url("postgres")).await.expect("PostgreSQL")
}

async fn set(server: &PostgresServer, setting: &str, value: &str) {
    let mut conn = connect(server).await;
    let statement = format!("alter system set {setting} = '{}'", value.replace('\'', "''"));
    sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await.expect(setting);
    sqlx::query("select pg_reload_conf()").execute(&mut conn).await.expect("read again");
}

/// A standby that the primary knows under this name.
async fn standby(primary: &PostgresServer, name: &str) -> PostgresServer {
    let standby = PostgresServer::standby(primary).await.expect("a standby");
    let ask = "select current_setting('primary_conninfo')";
    let conninfo: String =
        sqlx::query_scalar(ask).fetch_one(&mut connect(&standby).await).await.expect("it");
    set(&standby, "primary_conninfo", &format!("{conninfo} application_name={name}")).await;
    standby
}

async fn until_confirming(primary: &PostgresServer, count: i64) {
    let mut conn = connect(primary).await;
    until("the standbys confirm commits", async || {
        let ask = "select count(*) from pg_stat_replication
                   where sync_state = 'quorum' and state = 'streaming'";
        let found: i64 = sqlx::query_scalar(ask).fetch_one(&mut conn).await.expect("a count");
        (found == count).then_some(())
    })
    .await;
}

/// With one standby, sales go on. With none, nothing is confirmed and everything that is only read
/// goes on; afterwards each request under its key has had one effect.
#[tokio::test]
async fn one_of_two_synchronous_standbys_may_die_and_without_both_nothing_is_confirmed() {
    let primary = PostgresServer::throwaway().await.expect("PostgreSQL");
    let mut a = standby(&primary, "a").await;
    let mut b = standby(&primary, "b").await;
    set(&primary, "synchronous_standby_names", "ANY 1 (a, b)").await;
    until_confirming(&primary, 2).await;

    let world = World::beside(&primary.url("postgres"), Servers::new().await).await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 10, json!({"max_seats_per_user": 10})).await;
    let buyer = active_buyer(&process, &sale).await;
    let other = active_buyer(&process, &sale).await;
    let wish = |seat: usize| json!({"seat_ids": [sale.seats[seat]]});

    a.kill().await.expect("it ends");
    until_confirming(&primary, 1).await;
    let held = buyer.hold(sale.schedule, wish(0)).await.ok(201);
    let unpaid = other.hold(sale.schedule, wish(1)).await.ok(201);

    b.kill().await.expect("it ends");
    until_confirming(&primary, 0).await;
    let payment = json!({"hold_id": held["hold_id"]});
    let paying = buyer.keyed();
    let refused = paying.post("/v1/payments", payment.clone()).await;
    // The first try of the call waits for its commit, and keeps the key from the second.
    refused.refused(409, "request_in_progress");
    // Reads and polls are answered.
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 1_000_000);
    let mut late = other.clone();
    late.poll().await.ok(200);

    b.restart().await.expect("it starts");
    until_confirming(&primary, 1).await;
    let paid = until("the payment is answered", async || {
        let answer = paying.post("/v1/payments", payment.clone()).await;
        (answer.status == 201).then_some(answer.body)
    })
    .await;
    assert_eq!(paid["total_amount"], 100);
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 999_900, "paid once");
    other.pay(&unpaid).await.ok(201);
    assert_consistent(&world).await;
}

/// Number of connections of the process to PostgreSQL. Three of them may write.
const POOL: usize = 4;

/// Buyers with a hold each, who pay under one key.
struct Payers {
    buyers: Vec<Client>,
    holds: Vec<Value>,
}

impl Payers {
    async fn pay(&self) -> Vec<Answer> {
        let payments =
            self.buyers.iter().zip(&self.holds).map(|(buyer, hold)| {
                buyer.post("/v1/payments", json!({"hold_id": hold["hold_id"]}))
            });
        join_all(payments).await
    }
}

/// The sessions whose commits wait for a standby.
async fn waiting_commits(world: &World) -> i64 {
    world.number("select count(*) from pg_stat_activity where wait_event = 'SyncRep'").await
}

/// Checks that requests that only read are answered.
async fn reads_are_answered(process: &Process, schedule: i64, buyers: &[Client]) {
    for buyer in buyers {
        assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 1_000_000);
        buyer.get("/v1/reservations").await.ok(200);
        buyer.clone().poll().await.ok(200);
    }
    let layout = format!("/v1/schedules/{schedule}/seats/layout");
    process.anonymous().get(&layout).await.ok(200);
}

/// With no standby, each commit gives its caller up after 4 s, and keeps its connection. Writes have
/// only a part of the pool, so reads go on, and PostgreSQL has no more sessions than the pool.
#[tokio::test]
async fn commits_that_no_standby_confirms_keep_a_part_of_the_pool_until_one_is_back() {
    let primary = PostgresServer::throwaway().await.expect("PostgreSQL");
    let mut standby = standby(&primary, "a").await;
    set(&primary, "synchronous_standby_names", "ANY 1 (a, b)").await;
    until_confirming(&primary, 1).await;
    let world = World::beside(&primary.url("postgres"), Servers::new().await).await;
    let process = world.start_with(&[&format!("--db-pool={POOL}")]).await;
    let queue = json!({"max_seats_per_user": 10, "capacity": 20});
    let sale = sale::open(&process.admin().await, 1, 20, queue).await;
    let mut payers = Payers { buyers: Vec::new(), holds: Vec::new() };
    for seat in 0..=2 * POOL {
        let buyer = active_buyer(&process, &sale).await.keyed();
        let wish = json!({"seat_ids": [sale.seats[seat]]});
        payers.holds.push(buyer.keyed().hold(sale.schedule, wish).await.ok(201));
        payers.buyers.push(buyer);
    }
    let (releasing, unpaid) = (payers.buyers.pop().unwrap(), payers.holds.pop().unwrap());

    standby.kill().await.expect("it ends");
    until_confirming(&primary, 0).await;
    // A transaction of several statements, whose outcome is unknown.
    releasing.delete(&hold_path(&unpaid)).await.refused(503, "store_unavailable");
    assert!(waiting_commits(&world).await > 0);
    for _ in 0..2 {
        for answer in payers.pay().await {
            match answer.status {
                409 => answer.refused(409, "request_in_progress"),
                // No permit to write, or too many requests for answers that are this slow.
                503 => assert!(["store_unavailable", "overloaded"].contains(&answer.code())),
                _ => panic!("{}", answer.text),
            }
        }
        assert_eq!(waiting_commits(&world).await, 3, "of a pool of {POOL}");
        reads_are_answered(&process, sale.schedule, &payers.buyers).await;
    }
    let ready = process.anonymous().get("/readyz").await;
    assert_eq!((ready.status, &ready.body["failing"]), (503, &json!(["postgresql"])));

    standby.restart().await.expect("it starts");
    until_confirming(&primary, 1).await;
    until("each payment is answered", async || {
        payers.pay().await.iter().all(|answer| answer.status == 201).then_some(())
    })
    .await;
    for buyer in &payers.buyers {
        assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 999_900, "paid once");
    }
    let released = world.number("select count(*) from reservation where status = 'CANCELLED'");
    assert_eq!(released.await, 1);
    assert_eq!(waiting_commits(&world).await, 0);
    assert_eq!(process.anonymous().get("/readyz").await.status, 200);
    assert_consistent(&world).await;
}

const ENTRY: &str =
    "insert into audit (admin, action, subject, after) values ($1, 'test', 'commit', '{}')";

/// Writes an entry of the audit, in a transaction or with one statement.
async fn write(pg: &Pg, user: UserId, in_transaction: bool) -> Result<(), StoreError> {
    let entry = sqlx::query(ENTRY).bind(user.0);
    if !in_transaction {
        entry.execute(pg.writes()).await?;
        return Ok(());
    }
    let mut tx = pg.begin("write_entry").await?;
    entry.execute(tx.conn()).await?;
    tx.commit().await
}

/// Requests of clients who hang up are dropped while their commits wait for a standby.
#[tokio::test]
async fn callers_who_are_gone_during_a_commit_leave_connections_for_reads() {
    let primary = PostgresServer::throwaway().await.expect("PostgreSQL");
    let world = World::beside(&primary.url("postgres"), Servers::new().await).await;
    let (_, _, [user, _]) = sale_of_two(&world).await;
    let pg = Pg::lazy(&world.database_url, 4).expect("a pool");
    set(&primary, "synchronous_standby_names", "nobody").await;
    let (mut in_transaction, mut answered) = (false, 0);
    let mut hang_up = async || {
        in_transaction = !in_transaction;
        timeout(Duration::from_millis(300), write(&pg, user, in_transaction)).await.is_err()
    };
    until("commits wait on all connections that may write", async || {
        // The setting takes a moment.
        answered += i64::from(!hang_up().await);
        (waiting_commits(&world).await == 3).then_some(())
    })
    .await;
    for _ in 0..8 {
        assert!(hang_up().await, "no commit is answered");
        assert_eq!(waiting_commits(&world).await, 3);
        sqlx::query("select 1").execute(pg.pool()).await.expect("a read");
    }

    set(&primary, "synchronous_standby_names", "").await;
    until("a write is answered", async || write(&pg, user, true).await.ok()).await;
    let entries = "select count(*) from audit where subject = 'commit'";
    assert_eq!(world.number(entries).await, answered + 3 + 1, "of those who hung up: three");
}
