//! PostgreSQL that refuses writes.

use onsale_dev::pg::PostgresServer;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::outage::{Scene, assert_unavailable};
use crate::support::faults::assert_consistent;
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::World;

/// As after a failover whose address still leads to a standby, or when an operator makes the server
/// read-only: the sessions stay open, and only writes are refused.
#[tokio::test]
async fn while_postgresql_is_read_only_holds_are_unavailable_and_work_again_after_it() {
    let postgres = PostgresServer::throwaway().await.expect("PostgreSQL");
    let world = World::beside(&postgres.url("postgres"), Servers::new().await).await;
    let mut scene = Scene::set(&world).await;
    scene.hold(0, 0).await.ok(201);
    set_read_only(&postgres, true).await;
    until("the process is not ready", async || {
        let ready = scene.process.anonymous().get("/readyz").await;
        (ready.status == 503).then(|| assert_eq!(ready.body["failing"], json!(["postgresql"])))
    })
    .await;
    for seat in 1..6 {
        assert_unavailable(&scene.hold(1, seat).await);
    }
    scene.polls_continue().await;
    set_read_only(&postgres, false).await;
    scene.everything_works().await;
    assert_eq!(scene.process.anonymous().get("/readyz").await.status, 200);
    assert_consistent(&world).await;
}

/// Makes every session read-only, or ends that.
pub async fn set_read_only(postgres: &PostgresServer, read_only: bool) {
    let mut conn = PgConnection::connect(&postgres.url("postgres")).await.expect("PostgreSQL");
    let value = if read_only { "on" } else { "off" };
    let own = "set default_transaction_read_only = off";
    let all = format!("alter system set default_transaction_read_only = {value}");
    for statement in [own, &all, "select pg_reload_conf()"] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut conn).await.expect("a setting");
    }
}
