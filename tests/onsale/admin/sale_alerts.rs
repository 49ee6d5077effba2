//! Alerts about sales: none in a healthy sale, and the right one when its cause is there.

use chrono::TimeDelta;
use onsale::admin::alerts::rules::AlertRules;
use onsale::admin::alerts::watch::AlertWatch;
use onsale::store::redis::Redis;
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::crowd::{create_users, join_at_once};
use crate::support::faults::key;
use crate::support::receiver::Receiver;
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::World;
use crate::webhooks::{LOCAL, create, wait_for};

const ALERT: &str = "id:int kind:text schedule_id:int? begun_at:time ended_at:time? detail:object";

/// Times of seconds, so that a test need not wait for minutes.
pub fn quick() -> AlertRules {
    let seconds = TimeDelta::seconds;
    AlertRules {
        // Also if another process has just checked.
        every: -TimeDelta::days(1),
        nobody_admitted: seconds(4),
        recovering: seconds(2),
        refusals: seconds(4),
        // This machine may be slow for seconds.
        slow: seconds(60),
        sold_out: seconds(2),
        unavailable: seconds(2),
        repaired: seconds(5),
        consequences: seconds(3),
        clear: seconds(3),
    }
}

pub fn watch(world: &World) -> AlertWatch {
    AlertWatch::new(world.pg.clone(), Redis::lazy(&world.redis_url).expect("an address"), quick())
}

/// Checks with quick rules. The processes of the test leave it to them.
pub async fn check(world: &World, watch: &AlertWatch) {
    let mine = "update sale_alert_check set checked_at = clock_timestamp() + interval '1 h'";
    sqlx::query(mine).execute(&world.pool).await.expect("PostgreSQL");
    watch.step().await.expect("a check");
    sqlx::query(mine).execute(&world.pool).await.expect("PostgreSQL");
}

pub async fn alerts(admin: &Client, sale: &Sale, query: &str) -> Vec<Value> {
    let path = format!("/v1/admin/schedules/{}/alerts{query}", sale.schedule);
    shape::check_page(&admin.get(&path).await.ok(200), ALERT)
}

/// Checks until an alert of a kind lasts, or has ended; fails if there is one of another kind.
pub async fn wait_for_alert(
    (world, watch): (&World, &AlertWatch),
    (admin, sale): (&Client, &Sale),
    kind: &str,
    open: bool,
) -> Value {
    until(&format!("{kind}, open: {open}"), async || {
        check(world, watch).await;
        let all = alerts(admin, sale, "").await;
        assert!(all.iter().all(|it| it["kind"] == kind), "not only {kind}: {all:?}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let last = all.into_iter().next()?;
        (last["ended_at"].is_null() == open).then_some(last)
    })
    .await
}

#[tokio::test]
async fn a_healthy_sale_has_no_alert() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 5, 20, json!({"capacity": 5, "admit_per_second": 5})).await;
    let watch = watch(&world);
    let crowd = create_users(&world, &[process.addr], 12, 1000).await;
    let mut crowd = join_at_once(crowd, sale.schedule).await;
    for _ in 0..40 {
        for buyer in &mut crowd {
            let ticket = buyer.poll().await;
            if ticket.body["status"] == "ACTIVE" {
                let held = buyer.hold(sale.schedule, json!({"quantity": 1})).await;
                if held.status == 201 {
                    buyer.pay(&held.body).await;
                }
            }
        }
        check(&world, &watch).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(alerts(&admin, &sale, "").await, Vec::<Value>::new());
    let readings = world.number("select count(*) from sale_sample where step = 1").await;
    assert!(readings >= 3, "there were {readings} readings to look at");
}

#[tokio::test]
async fn a_sale_that_is_sold_out_has_an_alert_until_a_seat_is_back_and_webhooks_send_both() {
    let world = World::new().await;
    let process = world.start_with(&LOCAL).await;
    let admin = process.admin().await;
    let receiver = Receiver::willing().await;
    create(&admin, &receiver, &["alert.begun", "alert.ended"]).await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let (buyer, watch) = (active_buyer(&process, &sale).await, watch(&world));
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": sale.seats})).await.ok(201);
    let paid = buyer.pay(&hold).await.ok(201);
    let (on, of) = ((&world, &watch), (&admin, &sale));
    let begun = wait_for_alert(on, of, "SOLD_OUT", true).await;
    assert_eq!(
        (&begun["schedule_id"], &begun["detail"]),
        (&json!(sale.schedule), &json!({"sold": 2}))
    );
    assert_eq!(alerts(&admin, &sale, "?open=true").await.len(), 1);
    assert_eq!(alerts(&admin, &sale, "?open=false").await.len(), 0);
    // More checks do not begin it again.
    for _ in 0..3 {
        check(&world, &watch).await;
    }
    let path = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    buyer.keyed().post(&path, json!({})).await.ok(200);
    let ended = wait_for_alert(on, of, "SOLD_OUT", false).await;
    assert_eq!(ended["id"], begun["id"], "one alert");
    assert!(alerts(&admin, &sale, "?open=true").await.is_empty());
    let sent = wait_for(&receiver, &["alert.begun", "alert.ended"]).await;
    let data = |at: usize| sent[at].body["data"].clone();
    let shape = "alert_id:int kind:text schedule_id:int? concert_id:int? begun_at:time \
                 ended_at:time? detail:object";
    for at in [0, 1] {
        shape::check(&data(at), shape);
        assert_eq!(
            (&data(at)["alert_id"], &data(at)["concert_id"]),
            (&begun["id"], &json!(sale.concert))
        );
    }
    assert_eq!((data(0)["ended_at"].is_null(), data(1)["ended_at"].is_null()), (true, false));
    let unknown = "/v1/admin/schedules/999999/alerts";
    admin.get(unknown).await.refused(404, "schedule_not_found");
}

#[tokio::test]
async fn admission_that_stands_still_has_an_alert_until_somebody_is_admitted() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({"capacity": 5})).await;
    let _first = active_buyer(&process, &sale).await;
    // The rate in Redis is broken, so the token bucket stays empty.
    let mut redis = world.raw_redis().await;
    let meta = key(sale.schedule, "meta");
    let settings: String = redis.hget(&meta, "settings").await.expect("Redis");
    let mut broken: Value = serde_json::from_str(&settings).expect("settings");
    broken["rate"] = json!(0);
    let broken = [("settings", broken.to_string()), ("tokens", "0".to_owned())];
    let _: () = redis.hset_multiple(&meta, &broken).await.expect("Redis");
    let mut waiting = process.buyer().await;
    assert_eq!(waiting.join(sale.schedule).await.ok(201)["status"], "WAITING");
    let watch = watch(&world);
    let (on, of) = ((&world, &watch), (&admin, &sale));
    let begun = wait_for_alert(on, of, "NOBODY_ADMITTED", true).await;
    assert_eq!(begun["detail"], json!({"waiting": 1, "free_slots": 4}));
    let _: () = redis.hset(&meta, "settings", &settings).await.expect("Redis");
    waiting.wait_for_status("ACTIVE").await;
    wait_for_alert(on, of, "NOBODY_ADMITTED", false).await;
}

#[tokio::test]
async fn refusals_that_a_healthy_sale_does_not_have_are_an_alert_while_they_rise() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({})).await;
    let _active = active_buyer(&process, &sale).await;
    let (watch, rows) = (watch(&world), "select count(*) from sale_sample where step = 1");
    let refuse = async |reason: &str| {
        sqlx::query(
            "insert into rejection_count (concert_schedule_id, wanted, reason, since, times)
             values ($1, 'join', $2, clock_timestamp(), 500)",
        )
        .bind(sale.schedule)
        .bind(reason)
        .execute(&world.pool)
        .await
        .expect("rejections");
    };
    until("readings", async || (world.number(rows).await >= 6).then_some(())).await;
    refuse("seat_taken").await;
    let refused = "select count(*) from sale_sample where refused >= 500";
    until("they are counted", async || (world.number(refused).await > 2).then_some(())).await;
    check(&world, &watch).await;
    assert!(alerts(&admin, &sale, "").await.is_empty(), "a seat that is taken is no fault");
    refuse("store_unavailable").await;
    let (on, of) = ((&world, &watch), (&admin, &sale));
    let begun = wait_for_alert(on, of, "REFUSALS_RISE", true).await;
    assert!(
        begun["detail"]["refusals_per_second"].as_f64().is_some_and(|rise| rise > 1.0),
        "{begun}"
    );
    wait_for_alert(on, of, "REFUSALS_RISE", false).await;
}

#[tokio::test]
async fn a_repair_of_the_reconciler_is_recorded_and_an_alert() {
    let world = World::new().await;
    let process = world.start_with(&["--reconcile-every=300ms"]).await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({})).await;
    let _active = active_buyer(&process, &sale).await;
    world.wait_for_empty_outbox().await;
    let mut redis = world.raw_redis().await;
    let _: bool = redis.setbit(key(sale.schedule, "sold"), 4, true).await.expect("Redis");
    let watch = watch(&world);
    let (on, of) = ((&world, &watch), (&admin, &sale));
    let begun = wait_for_alert(on, of, "STORES_DIFFER", true).await;
    assert_eq!(begun["schedule_id"], sale.schedule);
    let seats = "select sum(times)::bigint from store_repair where what = 'seat'";
    assert_eq!(world.number(seats).await, 1);
    let path = format!("/v1/admin/schedules/{}/history", sale.schedule);
    let history = admin.get(&path).await.ok(200);
    let markers = history["markers"].as_array().expect("markers");
    let marker = markers.iter().find(|it| it["kind"] == "REPAIRED").expect("a marker");
    assert_eq!(marker["after"], json!({"what": "seat", "times": 1}));
    wait_for_alert(on, of, "STORES_DIFFER", false).await;
}
