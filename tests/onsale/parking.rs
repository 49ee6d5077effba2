//! The outbox: an event that Redis does not take is parked with its reason, and keeps nobody else.

use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::refusals::active;
use crate::support::faults::{holder, key, sound};
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::World;

/// Puts an event into the outbox that should have been told an hour ago.
async fn overdue(pool: &PgPool, kind: &str, payload: Value) -> i64 {
    let add = "insert into outbox (kind, payload, due_at)
               values ($1, $2, clock_timestamp() - interval '1 hour') returning id";
    let add = sqlx::query_scalar(add).bind(kind).bind(payload);
    add.fetch_one(pool).await.expect("an event")
}

fn blocked(sale: &Sale, number: u32, fence: i64) -> Value {
    let seats = [json!({"number": number, "fence": fence})];
    json!({"schedule": sale.schedule, "seats": seats, "state": "blocked"})
}

/// The events that are parked: each with how often it was refused, and why.
async fn parked(pool: &PgPool) -> Vec<(i64, i32, String)> {
    let rows = "select id, refusals, reason from outbox where parked_at is not null order by id";
    sqlx::query_as(rows).fetch_all(pool).await.expect("rows")
}

#[tokio::test]
async fn an_event_that_is_refused_again_and_again_is_parked_and_keeps_nobody() {
    let world = World::new().await;
    // The reconciler would state seats anew whose keys are nonsense.
    let process = world.start_with(&["--reconcile-every=1h"]).await;
    let sale = sale::open(&process.admin().await, 1, 8, json!({})).await;
    let buyer = active(&process, &sale).await;
    let mut redis = world.raw_redis().await;
    // A script fails over this, every time.
    redis.hset::<_, _, _, ()>(key(sale.schedule, "holder"), 7, "nonsense").await.expect("Redis");
    let poison = [
        overdue(&world.pool, "nonsense", json!({})).await,
        overdue(&world.pool, "seats_changed", json!({"schedule": sale.schedule, "seats": 7})).await,
        overdue(&world.pool, "settings_changed", json!({"schedule": 999_999})).await,
        overdue(&world.pool, "seats_changed", blocked(&sale, 7, 900)).await,
    ];
    overdue(&world.pool, "seats_changed", blocked(&sale, 8, 900)).await;
    until("what is behind them is told", async || {
        (holder(&mut redis, sale.schedule, 8).await == "900 BLOCK -").then_some(())
    })
    .await;
    let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    buyer.pay(&held).await.ok(201);
    let rows = until("all are parked, and nothing else is left", async || {
        let left = world.number("select count(*) from outbox").await;
        let rows = parked(&world.pool).await;
        (left == 4 && rows.len() == 4).then_some(rows)
    })
    .await;
    for ((id, refusals, reason), poison) in rows.iter().zip(poison) {
        assert_eq!((*id, *refusals), (poison, 4), "{reason}");
        assert!(!reason.is_empty());
    }
    assert!(rows[0].2.contains("of kind nonsense"), "{}", rows[0].2);
    until("it is counted", async || {
        let text = process.anonymous().get("/metrics").await.text;
        let counted = ["onsale_outbox_parked 4", "onsale_outbox_backlog 0"];
        counted.iter().all(|line| text.lines().any(|told| told == *line)).then_some(())
    })
    .await;

    // The cause is mended, and an operator lets it be tried again.
    redis.hdel::<_, _, ()>(key(sale.schedule, "holder"), 7).await.expect("Redis");
    let release = "update outbox set parked_at = null, refusals = 0 where id = $1";
    sqlx::query(release).bind(poison[3]).execute(&world.pool).await.expect("a release");
    until("it is told", async || (parked(&world.pool).await.len() == 3).then_some(())).await;
    until("it is gone", async || {
        (world.number("select count(*) from outbox").await == 3).then_some(())
    })
    .await;
    assert_eq!(holder(&mut redis, sale.schedule, 7).await, "900 BLOCK -");
    sound(&world).await;
}

#[tokio::test]
async fn a_schedule_whose_keys_can_not_be_had_keeps_no_other() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let stuck = sale::open(&admin, 1, 2, json!({})).await;
    let other = sale::open(&admin, 1, 2, json!({})).await;
    for sale in [&stuck, &other] {
        active(&process, sale).await;
    }
    // Rebuilt for an hour, so that nobody is served.
    let mut redis = world.raw_redis().await;
    let meta = key(stuck.schedule, "meta");
    redis.hset::<_, _, _, ()>(meta, "loading_until", 32_503_680_000_000_i64).await.expect("Redis");
    let many = "insert into outbox (kind, payload, due_at)
                select 'ticket_completed', $1, clock_timestamp() - interval '1 hour'
                from generate_series(1, 150)";
    let place = json!({"schedule": stuck.schedule, "user": 1, "sequence": (1_u64 << 40) + 1});
    let many = sqlx::query(many).bind(place).execute(&world.pool).await;
    assert_eq!(many.expect("events").rows_affected(), 150);
    let late = "insert into outbox (kind, payload) values ('seats_changed', $1)";
    let late = sqlx::query(late).bind(blocked(&other, 1, 1));
    late.execute(&world.pool).await.expect("an event");
    until("what is behind them is told", async || {
        (holder(&mut redis, other.schedule, 1).await == "1 BLOCK -").then_some(())
    })
    .await;
    assert!(parked(&world.pool).await.is_empty(), "being away is no refusal");
}
