//! The alerts of `deploy/prometheus`, unchanged, in a real Prometheus that reads real processes: a
//! failure fires its alert within 30 s, and no other.

use std::collections::BTreeSet;

use onsale_dev::pg::PostgresServer;
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::faults::key;
use crate::support::program::Program;
use crate::support::sale;
use crate::support::servers::Servers;
use crate::support::tools::Tool;
use crate::support::wait::{until, until_within};
use crate::support::world::World;

/// Evaluations, one a second, in which no other alert may fire.
const EVALUATIONS: f64 = 20.0;

/// A Prometheus that reads processes.
struct Watch {
    tool: Tool,
}

impl Watch {
    /// Starts Prometheus, and waits until it has read every process and no alert fires.
    async fn over(processes: &[std::net::SocketAddr]) -> Self {
        let watch = Self { tool: Tool::prometheus(processes).await };
        until("Prometheus has read every process", async || {
            let up = watch.ask("query?query=sum(onsale_ready)").await;
            let sum = up["data"]["result"][0]["value"][1].as_str()?.parse::<usize>().ok()?;
            (sum == 4 * processes.len()).then_some(())
        })
        .await;
        watch.is_quiet_for(5.0).await;
        watch
    }

    async fn ask(&self, path: &str) -> Value {
        let url = format!("http://127.0.0.1:{}/api/v1/{path}", self.tool.port);
        reqwest::get(url).await.expect("an answer").json().await.expect("JSON")
    }

    /// The names of the alerts that fire.
    async fn firing(&self) -> BTreeSet<String> {
        let alerts = self.ask("alerts").await;
        let alerts = alerts["data"]["alerts"].as_array().expect("alerts").iter();
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        firing.map(|it| it["labels"]["alertname"].as_str().expect("a name").to_owned()).collect()
    }

    /// How often the rules were evaluated.
    async fn evaluations(&self) -> f64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.tool.port);
        let text = reqwest::get(url).await.expect("an answer").text().await.expect("text");
        let line = text
            .lines()
            .find(|line| line.starts_with("prometheus_rule_group_iterations_total{"))
            .expect("the count");
        line.rsplit(' ').next().expect("a number").parse().expect("a number")
    }

    /// Watches evaluations; fails if an alert other than `allowed` fires. Returns those that fired.
    async fn watch(&self, evaluations: f64, allowed: &[&str]) -> BTreeSet<String> {
        let (until_count, mut seen) = (self.evaluations().await + evaluations, BTreeSet::new());
        let minutes = std::time::Duration::from_mins(2);
        until_within(minutes, "the rules are evaluated", async || {
            seen.extend(self.firing().await);
            assert!(
                seen.iter().all(|it| allowed.contains(&it.as_str())),
                "{seen:?}, not {allowed:?}"
            );
            (self.evaluations().await >= until_count).then_some(())
        })
        .await;
        seen
    }

    /// Fails if an alert fires.
    async fn is_quiet_for(&self, evaluations: f64) {
        self.watch(evaluations, &[]).await;
    }

    /// Waits until this alert fires. Fails if another one does, then or in the next evaluations.
    async fn only(&self, expected: &str) {
        let begun = std::time::Instant::now();
        until(expected, async || {
            let firing = self.firing().await;
            assert!(firing.iter().all(|name| name == expected), "{firing:?}, not {expected}");
            (!firing.is_empty()).then_some(())
        })
        .await;
        println!("{expected} fired after {:.1} s", begun.elapsed().as_secs_f64());
        self.watch(EVALUATIONS, &[expected]).await;
    }

    /// Waits until no alert fires any more.
    async fn resolves(&self) {
        until("the alert resolves", async || self.firing().await.is_empty().then_some(())).await;
    }
}

/// A sale with an active buyer and one who waits. Returns the schedule, and an administrator.
async fn sale_with_queue(world: &World) -> (i64, Client) {
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 10, json!({"capacity": 1})).await;
    active_buyer(&process, &sale).await;
    let mut waits = process.buyer().await;
    assert_eq!(waits.join(sale.schedule).await.ok(201)["status"], "WAITING");
    process.stop().await;
    (sale.schedule, admin)
}

async fn kill_redis() {
    let mut world = World::on(Servers::single().await).await;
    sale_with_queue(&world).await;
    let (first, second) = (Program::start(&world, &[]).await, Program::start(&world, &[]).await);
    let watch = Watch::over(&[first.addr, second.addr]).await;
    world.redis.kill().await.expect("it ends");
    watch.only("OnsaleRedisUnavailable").await;
    world.redis.restart().await.expect("it starts");
    watch.resolves().await;
    watch.is_quiet_for(10.0).await;
}

async fn silence_redis() {
    let world = World::on(Servers::single().await).await;
    sale_with_queue(&world).await;
    let program = Program::start(&world, &[]).await;
    let watch = Watch::over(&[program.addr]).await;
    world.redis.pause();
    watch.only("OnsaleRedisUnavailable").await;
    world.redis.resume();
    watch.resolves().await;
}

async fn kill_postgresql() {
    let mut postgres = PostgresServer::throwaway().await.expect("PostgreSQL");
    let world = World::beside(&postgres.url("postgres"), Servers::single().await).await;
    sale_with_queue(&world).await;
    let program = Program::start(&world, &[]).await;
    let watch = Watch::over(&[program.addr]).await;
    postgres.kill().await.expect("it ends");
    watch.only("OnsalePostgresUnavailable").await;
    postgres.restart().await.expect("it starts");
    watch.resolves().await;
    watch.is_quiet_for(10.0).await;
}

async fn kill_process() {
    let world = World::on(Servers::single().await).await;
    sale_with_queue(&world).await;
    let (first, second) = (Program::start(&world, &[]).await, Program::start(&world, &[]).await);
    let watch = Watch::over(&[first.addr, second.addr]).await;
    drop(second);
    watch.only("OnsaleDown").await;
}

async fn pause_admission() {
    let world = World::on(Servers::single().await).await;
    let (schedule, admin) = sale_with_queue(&world).await;
    let program = Program::start(&world, &[]).await;
    let watch = Watch::over(&[program.addr]).await;
    let (admin, path) = (admin.at(program.addr), format!("/v1/admin/schedules/{schedule}/queue"));
    admin.patch(&path, json!({"paused": true})).await.ok(200);
    watch.only("OnsaleAdmissionPaused").await;
    admin.patch(&path, json!({"paused": false})).await.ok(200);
    watch.resolves().await;
}

/// Redis refuses the script of admission, because the settings in it are damaged.
async fn break_admission() {
    let world = World::on(Servers::single().await).await;
    let (schedule, _) = sale_with_queue(&world).await;
    let program = Program::start(&world, &[("ONSALE_RECONCILE_EVERY", "1h")]).await;
    let watch = Watch::over(&[program.addr]).await;
    let mut redis = world.raw_redis().await;
    let damaged = redis.hset(key(schedule, "meta"), "settings", "{").await;
    damaged.map(|_: u32| ()).expect("damaged settings");
    watch.only("OnsaleAdmissionFailing").await;
}

/// A lock on the outbox stops the relay; all else goes on.
async fn stop_loop() {
    let world = World::on(Servers::single().await).await;
    sale_with_queue(&world).await;
    let program = Program::start(&world, &[]).await;
    let watch = Watch::over(&[program.addr]).await;
    let mut lock = world.pool.begin().await.expect("a transaction");
    let statement = "lock table outbox in access exclusive mode";
    sqlx::query(statement).execute(&mut *lock).await.expect("the lock");
    watch.only("OnsaleLoopStalled").await;
    lock.rollback().await.expect("nothing was changed");
    watch.resolves().await;
}

/// At the same time, since each mostly waits.
#[tokio::test]
async fn a_store_or_a_process_that_is_away_fires_its_alert_alone() {
    tokio::join!(kill_redis(), silence_redis(), kill_postgresql(), kill_process());
}

#[tokio::test]
async fn admission_and_loops_that_stop_fire_their_alert_alone() {
    tokio::join!(pause_admission(), break_admission(), stop_loop());
}
