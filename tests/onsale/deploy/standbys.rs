//! Two standbys of which one must confirm each commit: `synchronous_standby_names = 'ANY 1 (a, b)'`,
//! as docs/DEPLOYMENT.md recommends.

use onsale_dev::pg::PostgresServer;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::sale::refusals::active_buyer;
use crate::support::faults::assert_consistent;
use crate::support::sale;
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::World;

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
    // Who only reads and waits notices nothing.
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 1_000_000);
    assert_eq!(process.anonymous().get("/readyz").await.status, 200);
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
