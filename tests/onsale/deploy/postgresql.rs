//! `HAProxy` by `deploy/haproxy/postgresql.cfg`, before a primary and a standby.

use onsale_dev::pg::PostgresServer;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::recovery::outage::Scene;
use crate::support::faults::assert_consistent;
use crate::support::servers::Servers;
use crate::support::tools::{Tool, command, folder, free_port};
use crate::support::wait::until;
use crate::support::world::World;

async fn haproxy(servers: [&PostgresServer; 2]) -> Tool {
    let (folder, port) = (folder("haproxy"), free_port());
    let mut text = include_str!("../../../deploy/haproxy/postgresql.cfg").to_owned();
    let replaced = [
        ("bind :5432", format!("bind 127.0.0.1:{port}")),
        ("postgres-a:5432", format!("127.0.0.1:{}", servers[0].port())),
        ("postgres-b:5432", format!("127.0.0.1:{}", servers[1].port())),
    ];
    for (old, new) in replaced {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, &new);
    }
    let config = folder.join("haproxy.cfg");
    std::fs::write(&config, text).expect("its configuration");
    let mut command = command("haproxy");
    command.arg("-f").arg(&config);
    Tool::start(command, folder, port).await
}

async fn run(server: &PostgresServer, statement: &str) {
    let mut conn = PgConnection::connect(&server.url("postgres")).await.expect("PostgreSQL");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await.expect(statement);
}

/// Waits until a connection through the proxy reaches a server that accepts writes.
async fn reaches_primary(url: &str) -> bool {
    let Ok(mut conn) = PgConnection::connect(url).await else { return false };
    let standby: Result<bool, _> =
        sqlx::query_scalar("select pg_is_in_recovery()").fetch_one(&mut conn).await;
    assert!(!standby.unwrap_or(false), "a standby was reached");
    true
}

async fn until_reached(url: &str) {
    until("the primary is reached", async || reaches_primary(url).await.then_some(())).await;
}

async fn until_refused(url: &str) {
    until("no server is reached", async || (!reaches_primary(url).await).then_some(())).await;
}

/// The primary dies, the standby is promoted, and sales go on. Then the old primary comes back as it
/// was, and the two must not both be used.
#[tokio::test]
async fn haproxy_follows_the_primary_and_refuses_two() {
    let mut primary = PostgresServer::throwaway().await.expect("PostgreSQL");
    run(&primary, "create role onsale_check login connection limit 20").await;
    let standby = PostgresServer::standby(&primary).await.expect("a standby");
    // The standby comes first: an order must not decide.
    let proxy = haproxy([&standby, &primary]).await;
    let url = primary.url_through(proxy.port, "postgres");
    until_reached(&url).await;

    let world = World::beside(&url, Servers::new().await).await;
    let mut scene = Scene::set(&world).await;
    scene.hold(0, 0).await.ok(201);
    standby.wait_for(&primary).await.expect("it has everything");
    primary.kill().await.expect("it ends");
    until_refused(&url).await;
    standby.promote().await.expect("it is promoted");
    until_reached(&url).await;
    scene.everything_works().await;
    assert_consistent(&world).await;

    primary.restart().await.expect("it starts");
    until_refused(&url).await;
    primary.kill().await.expect("it ends");
    until_reached(&url).await;
}

/// `default_transaction_read_only`, as an operator or a host sets it.
#[tokio::test]
async fn haproxy_uses_no_read_only_server() {
    let primary = PostgresServer::throwaway().await.expect("PostgreSQL");
    run(&primary, "create role onsale_check login connection limit 20").await;
    let standby = PostgresServer::standby(&primary).await.expect("a standby");
    let proxy = haproxy([&primary, &standby]).await;
    let url = primary.url_through(proxy.port, "postgres");
    until_reached(&url).await;
    for (value, reached) in [("on", false), ("off", true)] {
        run(&primary, &format!("alter system set default_transaction_read_only = {value}")).await;
        run(&primary, "select pg_reload_conf()").await;
        if reached {
            until_reached(&url).await;
        } else {
            until_refused(&url).await;
        }
    }
}
