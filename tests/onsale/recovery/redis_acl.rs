//! Redis users with few rights, and a Redis that is full.

use onsale_dev::redis::RedisServer;
use serde_json::json;

use super::redis_tls::{sell, until_ready};
use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order};
use crate::support::draw::{PublishedDraw, create_sale};
use crate::support::faults::{assert_consistent, wipe};
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::World;

/// Creates the user of docs/REDIS.md on a server, by the words of the document.
async fn create_user(server: &RedisServer) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/REDIS.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let line = text.lines().find(|line| line.starts_with("ACL SETUSER onsale on ")).expect("it");
    let line = line.replace("PASSWORD", "not-secret");
    let words: Vec<&str> = line.split(' ').collect();
    server.call::<()>(&words).await.expect("the user");
}

/// A world whose processes are the user of the document.
async fn world_of_the_user() -> World {
    let mut world = World::on(Servers::single().await).await;
    create_user(&world.redis.all()[0]).await;
    world.redis_url = world.redis_url.replace("redis://", "redis://onsale:not-secret@");
    world
}

/// The commands that the server refused, as `ACL LOG` has them.
async fn refused_commands(world: &World) -> Vec<String> {
    let log: Vec<redis::Value> = world.redis.all()[0].call(&["ACL", "LOG"]).await.expect("a log");
    log.iter().map(|entry| format!("{entry:?}")).filter(|it| !it.contains("setinfo")).collect()
}

/// Everything that reaches Redis: a sale, a draw, an entry that leaves, a hand-off, a loss with its
/// rebuild, the reconciler, the archive and the records of processes.
#[tokio::test]
async fn a_sale_runs_as_the_redis_user_of_the_document() {
    let world = world_of_the_user().await;
    let process = world.start_with(&["--reconcile-every=200ms"]).await;
    let anybody = process.anonymous();
    let sale = sell(&anybody).await;
    let mut redis = world.raw_redis().await;
    wipe(&mut redis).await;
    let crowd = create_users(&world, &[process.addr], 3, 0).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    crowd[0].leave().await;
    let code = crowd[1].post("/v1/queue/ticket/handoff", json!({})).await.ok(201);
    anybody.post("/v1/handoffs", json!({"code": code["code"]})).await.ok(201);
    let admin = process.admin().await;
    let stats = format!("/v1/admin/schedules/{}/stats", sale.schedule);
    admin.get(&stats).await.ok(200);
    admin.get(&format!("/v1/admin/schedules/{}/next", sale.schedule)).await.ok(200);
    let (schedule, ..) = create_sale(&world, &admin, &[process.addr], 4).await;
    PublishedDraw::open_sale(&admin, schedule).await.wait_until_moved(&world).await;
    until("the reconciler has compared the sale", async || {
        let metrics = anybody.get("/metrics").await.text;
        let count = "onsale_reconciler_duration_seconds_count ";
        let count = metrics.lines().find_map(|line| line.strip_prefix(count)?.parse::<f64>().ok());
        count.filter(|count| *count > 4.0)
    })
    .await;
    until_ready(&anybody).await;
    assert_eq!(refused_commands(&world).await, Vec::<String>::new());
    assert_consistent(&world).await;
    process.stop().await;
}

/// The reason that `/readyz` gives once it fails.
async fn until_not_ready(anybody: &Client) -> String {
    let answer = until("the process is not ready", async || {
        let answer = anybody.get("/readyz").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(answer.body["failing"], json!(["redis"]));
    answer.body["detail"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_command_that_is_not_permitted_makes_a_process_unready_and_stops_a_start() {
    let world = world_of_the_user().await;
    let process = world.start().await;
    let anybody = process.anonymous();
    until_ready(&anybody).await;
    let server = &world.redis.all()[0];
    let set = async |rules: &[&str]| {
        let words = [&["ACL", "SETUSER", "onsale"], rules].concat();
        server.call::<()>(&words).await.expect("the rules");
    };
    for (denied, granted, named) in [
        (&["-hset"][..], &["+hset"][..], "hset"),
        (
            &["-bitfield", "-zrangebyscore"],
            &["+bitfield", "+zrangebyscore"],
            "bitfield, zrangebyscore",
        ),
        (&["-eval"], &["+eval"], "eval"),
        // Every command with a key; the first of them is named.
        (&["resetkeys", "~other:*"], &["~onsale:*"], "bitcount"),
    ] {
        set(denied).await;
        let reason = until_not_ready(&anybody).await;
        assert!(reason.contains(&format!("may not run {named}")), "{reason}");
        let error = onsale::app::start(world.settings(&[])).await.err().expect("it does not start");
        assert!(error.to_string().contains(named), "{error}");
        set(granted).await;
        until_ready(&anybody).await;
    }
}

#[tokio::test]
async fn a_full_redis_makes_a_process_unready_until_it_has_room() {
    let world = World::on(Servers::single().await).await;
    let process = world.start().await;
    let anybody = process.anonymous();
    until_ready(&anybody).await;
    let server = &world.redis.all()[0];
    let limit = async |bytes: &str| {
        server.call::<()>(&["CONFIG", "SET", "maxmemory", bytes]).await.expect("a limit");
    };
    limit("1").await;
    let reason = until_not_ready(&anybody).await;
    assert_eq!(reason, "Redis is full: its memory has reached maxmemory");
    // A process starts, since the others free memory meanwhile; it is not ready either.
    let second = world.start().await;
    assert!(until_not_ready(&second.anonymous()).await.contains("full"));
    limit("0").await;
    for process in [&process, &second] {
        until_ready(&process.anonymous()).await;
    }
}

#[tokio::test]
async fn a_replica_in_place_of_the_primary_makes_a_process_unready() {
    let world = World::on(Servers::single().await).await;
    let process = world.start().await;
    let anybody = process.anonymous();
    until_ready(&anybody).await;
    let server = &world.redis.all()[0];
    server.call::<()>(&["REPLICAOF", "127.0.0.1", "1"]).await.expect("a replica");
    let reason = until_not_ready(&anybody).await;
    assert!(reason.starts_with("Redis refuses writes"), "{reason}");
    server.call::<()>(&["REPLICAOF", "NO", "ONE"]).await.expect("a primary");
    until_ready(&anybody).await;
}
