//! The automatic admission rate: lowered and raised by what is measured, by one process at a time,
//! and never in an operator's way.

use std::time::{Duration, Instant};

use onsale::admin::auto_admission::pg as auto_pg;
use onsale::admin::stats::answers::{Answers, Window};
use onsale::concert::model::Schedule;
use onsale::concert::pg as catalogue_pg;
use onsale::store::id::ScheduleId;
use onsale::store::process_figures;
use onsale::store::redis::Redis;
use onsale::telemetry::Metrics;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::faults::wipe;
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::{until, until_within};
use crate::support::world::World;

const AUTO: &str = "per_second:int min_per_second:int max_per_second:int fixed_per_second:int \
     reason:text change_reason:text changed_at:time? checked_at:time? p99_ms:number? \
     target_p99_ms:int error_percent:number? target_error_percent:int slots_percent:number? \
     target_slots_percent:int";

/// A sale whose readings and figures the test writes.
struct Scene {
    world: World,
    admin: Client,
    sale: Sale,
    redis: Redis,
}

impl Scene {
    /// A sale with an automatic rate from 40 on, between 5 and 200, and a process.
    async fn new(world: World, admin: Client) -> Self {
        let sale = sale::open(&admin, 1, 9, json!({"admit_per_second": 40})).await;
        // The process leaves the readings to the test.
        let mine = "update sale_sample_progress set done_until = clock_timestamp() + interval '1 h'
                     where step = 1";
        sqlx::query(mine).execute(&world.pool).await.expect("PostgreSQL");
        let redis = Redis::lazy(&world.redis_url).expect("an address");
        let scene = Self { world, admin, sale, redis };
        scene.change(json!({"admission_mode": "AUTO"})).await;
        scene
    }

    async fn change(&self, change: Value) -> Value {
        let path = format!("/v1/admin/schedules/{}/queue", self.sale.schedule);
        self.admin.patch(&path, change).await.ok(200)
    }

    /// As if a process had answered 100 payments in this time, in the last ten seconds.
    async fn pay(&self, ms: u64) {
        let window = payments(ms);
        let id = uuid::Uuid::nil();
        process_figures::write(&self.redis, id, &window).await.expect("Redis");
    }

    /// As if people waited, and this many were admitted each second.
    async fn admit(&self, per_second: i32) {
        sqlx::query("delete from sale_sample").execute(&self.world.pool).await.expect("PostgreSQL");
        sqlx::query(
            "insert into sale_sample (concert_schedule_id, step, at, counted_at, stands, phase,
                 recovering, drawing, epoch, waiting, active, parked, held, capacity, rate, joined,
                 admitted, expired, sold)
             select $1, 1, at, at, 2, 'OPEN', false, false, 1, 900, 100, 0, 0, 1000, 40, 5000,
                    1000 - n * $2, 0, 0
             from generate_series(0, 9) n,
                  lateral (select clock_timestamp() - n * interval '1 s') as t (at)",
        )
        .bind(self.sale.schedule)
        .bind(per_second)
        .execute(&self.world.pool)
        .await
        .expect("readings");
    }

    /// As if the last change was ten minutes ago.
    async fn settle(&self) {
        let ago = "update auto_admission set changed_at = changed_at - interval '10 min',
                          lowered_at = lowered_at - interval '10 min'";
        sqlx::query(ago).execute(&self.world.pool).await.expect("PostgreSQL");
    }

    async fn stats(&self) -> Value {
        let path = format!("/v1/admin/schedules/{}/stats", self.sale.schedule);
        self.admin.get(&path).await.ok(200)
    }

    /// The rate that Redis applies, and the automatic rate.
    async fn rates(&self) -> (u64, Value) {
        let stats = self.stats().await;
        let auto = stats["pace"]["auto"].clone();
        if !auto.is_null() {
            shape::check(&auto, AUTO);
        }
        (stats["in_force"]["admit_per_second"].as_u64().expect("a rate"), auto)
    }

    /// Waits, with these payments (ms) and admissions, until Redis applies a rate; returns the
    /// automatic rate.
    async fn wait_for_rate(&self, ms: u64, admissions: i32, rate: u64) -> Value {
        until(&format!("the rate {rate}"), async || {
            self.pay(ms).await;
            self.admit(admissions).await;
            let (in_force, auto) = self.rates().await;
            (in_force == rate && auto["per_second"].as_u64().is_none_or(|it| it == rate))
                .then_some(auto)
        })
        .await
    }

    async fn schedule(&self) -> Schedule {
        let id = ScheduleId(self.sale.schedule);
        catalogue_pg::schedule(&self.world.pg, id).await.expect("PostgreSQL").expect("a schedule")
    }
}

/// A window with a hundred payments.
fn payments(ms: u64) -> Window {
    let (metrics, begun) = (Metrics::new(), Instant::now());
    let answers = Answers::new(metrics.clone());
    assert_eq!(answers.recent(begun), None);
    for _ in 0..100 {
        metrics.request("/v1/payments", "POST", 201, Duration::from_millis(ms));
    }
    answers.recent(begun + Duration::from_secs(10)).expect("a window")
}

#[tokio::test]
async fn the_rate_falls_with_slow_payments_rises_with_quick_ones_and_is_fixed_at_once() {
    let world = World::new().await;
    let process = world.start().await;
    let scene = Scene::new(world, process.admin().await).await;
    let path = format!("/v1/admin/schedules/{}/queue", scene.sale.schedule);
    let tag = scene.admin.get(&path).await.header("etag").to_owned();
    let auto = scene.wait_for_rate(2_000, 40, 20).await;
    assert_eq!((&auto["change_reason"], &auto["fixed_per_second"]), (&json!("SLOW"), &json!(40)));
    assert!(auto["p99_ms"].as_f64().is_some_and(|ms| ms >= 2_000.0), "{auto}");
    let settings = scene.admin.get(&path).await;
    assert_eq!(settings.header("etag"), tag, "the settings of the operator have not changed");
    let changes = "select count(*) from audit where action = 'queue.change'";
    assert_eq!(scene.world.number(changes).await, 1);

    scene.settle().await;
    let auto = scene.wait_for_rate(20, 20, 22).await;
    assert_eq!((&auto["change_reason"], &auto["min_per_second"]), (&json!("RAISED"), &json!(5)));

    let changed = scene.change(json!({"admission_mode": "FIXED"})).await;
    assert_eq!(changed["admit_per_second"], 40);
    let auto = scene.wait_for_rate(20, 40, 40).await;
    assert_eq!(auto, Value::Null);
    assert_eq!(scene.stats().await["in_force"]["admission_mode"], "FIXED");
    scene.change(json!({"admission_mode": "AUTO"})).await;
    let auto = scene.wait_for_rate(360, 40, 40).await;
    assert_eq!(auto["per_second"], 40, "it starts with the fixed rate, not with the last one");
}

/// Waits until a check has this reason; fails if the rate changes.
async fn wait_for_reason(scene: &Scene, reason: &str, rate: u64, prepare: impl AsyncFn()) {
    until(&format!("the reason {reason}"), async || {
        prepare().await;
        let (in_force, auto) = scene.rates().await;
        assert_eq!(in_force, rate, "{auto}");
        (auto["reason"] == reason).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_rate_stays_without_measurements_and_where_it_limits_nothing() {
    let world = World::new().await;
    let process = world.start().await;
    let scene = Scene::new(world, process.admin().await).await;
    until("the first check", async || {
        (scene.rates().await.1["checked_at"].is_string()).then_some(())
    })
    .await;
    scene.settle().await;
    wait_for_reason(&scene, "FEW_ANSWERS", 40, async || scene.admit(40).await).await;
    wait_for_reason(&scene, "NOT_LIMITING", 40, async || {
        scene.admit(3).await;
        scene.pay(20).await;
    })
    .await;
    wait_for_reason(&scene, "ON_TARGET", 40, async || {
        scene.pay(360).await;
        scene.admit(40).await;
    })
    .await;
    sqlx::query("delete from sale_sample").execute(&scene.world.pool).await.expect("PostgreSQL");
    wait_for_reason(&scene, "NO_READING", 40, async || scene.pay(20).await).await;
}

#[tokio::test]
async fn one_of_several_processes_changes_the_rate_and_it_survives_a_loss_of_redis() {
    let world = World::new().await;
    let (process, _other) = (world.start().await, world.start().await);
    let scene = Scene::new(world, process.admin().await).await;
    scene.wait_for_rate(2_000, 40, 20).await;
    // Both processes look every two seconds: further checks await the effect of the first decrease.
    let mut checks = std::collections::BTreeSet::new();
    until("four more checks", async || {
        // A slot is in use for 100 s.
        scene.pay(2_000).await;
        scene.admit(1).await;
        let (rate, auto) = scene.rates().await;
        assert_eq!(rate, 20, "{auto}");
        checks.insert(auto["checked_at"].to_string());
        (checks.len() > 4).then_some(())
    })
    .await;

    wipe(&mut scene.world.raw_redis().await).await;
    until_within(Duration::from_mins(1), "the rate is back", async || {
        let path = format!("/v1/admin/schedules/{}/stats", scene.sale.schedule);
        let stats = scene.admin.get(&path).await.body;
        let is_rebuilt = scene.world.epoch().await > 1;
        (is_rebuilt && stats["in_force"]["admit_per_second"] == 20).then_some(())
    })
    .await;
}

#[tokio::test]
async fn of_two_that_decide_at_once_one_writes_and_a_change_by_an_operator_is_never_lost() {
    let world = World::new().await;
    let process = world.start().await;
    let scene = Scene::new(world, process.admin().await).await;
    process.stop().await;
    let (pg, pool) = (&scene.world.pg, &scene.world.pool);
    let due = "update auto_admission_turn set taken_at = '-infinity'";
    sqlx::query(due).execute(pool).await.expect("PostgreSQL");
    let lease = Duration::from_mins(1);
    let (one, two) = tokio::join!(auto_pg::take_turn(pg, lease), auto_pg::take_turn(pg, lease));
    assert!(one.expect("a turn") != two.expect("a turn"), "one process takes the turn");

    let read = scene.schedule().await;
    let raise = async || {
        let mut tx = pg.begin("test").await.expect("a transaction");
        let raised = auto_pg::raise_version(&mut tx, &read).await.expect("PostgreSQL");
        tx.commit().await.expect("a commit");
        raised
    };
    let (one, two) = tokio::join!(raise(), raise());
    assert!(one.is_some() != two.is_some(), "{one:?} {two:?}");

    let process = scene.world.start().await;
    let admin = scene.admin.at(process.addr);
    let path = format!("/v1/admin/schedules/{}/queue", scene.sale.schedule);
    admin.patch(&path, json!({"message": "soon"})).await.ok(200);
    assert_eq!(raise().await, None, "what was decided before the operator's change is not written");
    let now = scene.schedule().await;
    assert_eq!(now.settings.message.as_deref(), Some("soon"));
}
