//! The outbox: an event that Redis refuses is parked with the reason, and blocks no other event.

use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::sale::refusals::active_buyer;
use crate::support::faults::{assert_consistent, holder, key};
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::World;

/// Puts an event into the outbox that was due an hour ago.
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

/// The parked events: id, number of refusals, reason.
async fn parked(pool: &PgPool) -> Vec<(i64, i32, String)> {
    let rows = "select id, refusals, reason from outbox where parked_at is not null order by id";
    sqlx::query_as(rows).fetch_all(pool).await.expect("rows")
}

#[tokio::test]
async fn an_event_refused_repeatedly_is_parked_and_blocks_no_other() {
    let world = World::new().await;
    // The reconciler would repair the seat that gets an invalid value below.
    let process = world.start_with(&["--reconcile-every=1h"]).await;
    let sale = sale::open(&process.admin().await, 1, 8, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let mut redis = world.raw_redis().await;
    // Scripts always fail on this value.
    redis.hset::<_, _, _, ()>(key(sale.schedule, "holder"), 7, "nonsense").await.expect("Redis");
    let poison = [
        overdue(&world.pool, "nonsense", json!({})).await,
        overdue(&world.pool, "seats_changed", json!({"schedule": sale.schedule, "seats": 7})).await,
        overdue(&world.pool, "settings_changed", json!({"schedule": "none"})).await,
        overdue(&world.pool, "seats_changed", blocked(&sale, 7, 900)).await,
    ];
    overdue(&world.pool, "seats_changed", blocked(&sale, 8, 900)).await;
    until("the event behind them is applied", async || {
        (holder(&mut redis, sale.schedule, 8).await == "900 BLOCK -").then_some(())
    })
    .await;
    let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    buyer.pay(&held).await.ok(201);
    let rows = until("the four are parked, and nothing else is left", async || {
        let left = world.number("select count(*) from outbox").await;
        let rows = parked(&world.pool).await;
        (left == 4 && rows.len() == 4).then_some(rows)
    })
    .await;
    for ((id, refusals, reason), poison) in rows.iter().zip(poison) {
        assert_eq!((*id, *refusals), (poison, 4), "{reason}");
        assert!(!reason.is_empty());
    }
    assert!(rows[0].2.contains("unknown outbox entry kind nonsense"), "{}", rows[0].2);
    until("the metrics count them", async || {
        let text = process.anonymous().get("/metrics").await.text;
        let expected = ["onsale_outbox_parked 4", "onsale_outbox_backlog 0"];
        expected.iter().all(|line| text.lines().any(|found| found == *line)).then_some(())
    })
    .await;

    // The cause is fixed, and an operator releases the event.
    redis.hdel::<_, _, ()>(key(sale.schedule, "holder"), 7).await.expect("Redis");
    let release = "update outbox set parked_at = null, refusals = 0 where id = $1";
    sqlx::query(release).bind(poison[3]).execute(&world.pool).await.expect("a release");
    until("it is released", async || (parked(&world.pool).await.len() == 3).then_some(())).await;
    until("it is delivered", async || {
        (world.number("select count(*) from outbox").await == 3).then_some(())
    })
    .await;
    assert_eq!(holder(&mut redis, sale.schedule, 7).await, "900 BLOCK -");
    assert_consistent(&world).await;
}

#[tokio::test]
async fn events_of_an_unavailable_schedule_block_no_other_schedule() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let stuck = sale::open(&admin, 1, 2, json!({})).await;
    let other = sale::open(&admin, 1, 2, json!({})).await;
    for sale in [&stuck, &other] {
        active_buyer(&process, sale).await;
    }
    // The keys are marked as being rebuilt, so that they serve no requests.
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
    until("the event behind them is applied", async || {
        (holder(&mut redis, other.schedule, 1).await == "1 BLOCK -").then_some(())
    })
    .await;
    assert!(parked(&world.pool).await.is_empty(), "unavailable keys are not a refusal");
}
