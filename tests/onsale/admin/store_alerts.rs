//! Alerts about stores that do not answer, or are slow.

use chrono::TimeDelta;
use onsale::admin::alerts::watch::AlertWatch;
use onsale::store::pg::Pg;
use onsale::store::redis::Redis;
use serde_json::{Value, json};

use super::sale_alerts::{alerts, check, quick, wait_for_alert, watch};
use crate::sale::refusals::active_buyer;
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::World;

#[tokio::test]
async fn redis_that_does_not_answer_is_one_alert_without_its_consequences() {
    let mut world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({})).await;
    let _active = active_buyer(&process, &sale).await;
    let watch = watch(&world);
    check(&world, &watch).await;
    world.redis.kill().await.expect("it dies");
    let of = (&admin, &sale);
    let begun = wait_for_alert((&world, &watch), of, "REDIS_UNAVAILABLE", true).await;
    assert_eq!(begun["schedule_id"], Value::Null, "it is about every sale");
    world.redis.restart().await.expect("it lives");
    wait_for_alert((&world, &watch), of, "REDIS_UNAVAILABLE", false).await;
}

#[tokio::test]
async fn an_outage_of_postgresql_is_recorded_once_it_is_back() {
    let world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let process = world.start_with(&[&format!("--database-url={through}")]).await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({})).await;
    let _active = active_buyer(&process, &sale).await;
    let redis = Redis::lazy(&world.redis_url).expect("an address");
    let pg = Pg::lazy(&through, 2).expect("a pool");
    // Two processes see it, and it is recorded once.
    let watches =
        [AlertWatch::new(pg.clone(), redis.clone(), quick()), AlertWatch::new(pg, redis, quick())];
    for watch in &watches {
        watch.step().await.expect("a check");
    }
    proxy.set(Mode::Refuse);
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_secs(4) {
        for watch in &watches {
            watch.step().await.expect_err("PostgreSQL is away");
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    proxy.set(Mode::Pass);
    until("it is recorded", async || {
        for watch in &watches {
            let _ = watch.step().await;
        }
        let all = alerts(&admin, &sale, "").await;
        (!all.is_empty()).then_some(())
    })
    .await;
    for watch in &watches {
        watch.step().await.expect("a check");
    }
    let all = alerts(&admin, &sale, "").await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["kind"], "POSTGRES_UNAVAILABLE");
    let time = |name: &str| {
        all[0][name].as_str().expect("a time").parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    };
    assert!(time("ended_at") - time("begun_at") >= TimeDelta::seconds(3), "{all:?}");
}

/// The kinds of alerts that last.
async fn open_kinds(world: &World) -> Vec<String> {
    let kinds = "select kind from sale_alert where ended_at is null order by kind";
    sqlx::query_scalar(kinds).fetch_all(&world.pool).await.expect("alerts")
}

/// Writes a reading of each of the last 80 seconds, with these times of the stores in ms.
async fn write_readings(world: &World, sale: &Sale, [redis, pool]: [f32; 2]) {
    sqlx::query("delete from sale_sample").execute(&world.pool).await.expect("PostgreSQL");
    sqlx::query(
        "insert into sale_sample (concert_schedule_id, step, at, counted_at, stands, phase, recovering,
                                  drawing, redis_ms, pool_ms)
         select $1, 1, clock_timestamp() - n * interval '1 s', now(), 2, 'OPEN', false, false, $2, $3
         from generate_series(0, 80) n",
    )
    .bind(sale.schedule)
    .bind(redis)
    .bind(pool)
    .execute(&world.pool)
    .await
    .expect("readings");
}

#[tokio::test]
async fn a_store_that_is_slow_for_a_minute_is_an_alert_until_it_is_quick_again() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 9, json!({})).await;
    process.stop().await;
    let watch = watch(&world);
    for (times, open) in [
        ([240.0, 20.0], &[][..]),
        ([260.0, 20.0], &["REDIS_SLOW"]),
        // Neither slow nor quick: it stays as it is.
        ([230.0, 220.0], &["REDIS_SLOW"]),
        ([20.0, 300.0], &["POSTGRES_POOL_EXHAUSTED"]),
        ([20.0, 20.0], &[]),
    ] {
        write_readings(&world, &sale, times).await;
        check(&world, &watch).await;
        assert_eq!(open_kinds(&world).await, open, "{times:?}");
    }
}
