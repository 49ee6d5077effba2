//! What is removed when a sale is over: open queue entries, and keys in Redis.

use onsale::store::pg::Pg;
use onsale::store::redis::Redis;
use onsale::upkeep::purge::PurgeLoop;
use redis::AsyncCommands;
use serde_json::json;

use super::rebuild::{end_sale, keys_of};
use crate::support::crowd::{create_users, join_in_order};
use crate::support::faults::key;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// More than the purge ends in one statement.
const OPEN: i64 = 25_000;

async fn purge(world: &World) {
    let pg = Pg::lazy(&world.database_url, 2).expect("a pool");
    let redis = Redis::lazy(&world.redis_url).expect("a Redis");
    PurgeLoop::new(pg.clone(), redis).step().await.expect("a step");
    // A session reports its statistics when it ends.
    pg.close().await;
}

#[tokio::test]
async fn the_keys_of_a_long_past_concert_are_purged() {
    let world = World::new().await;
    let process = world.start().await;
    let (old, new) = (
        sale::open(&process.admin().await, 1, 9, json!({})).await,
        sale::open(&process.admin().await, 1, 9, json!({})).await,
    );
    for sale in [&old, &new] {
        let mut buyer = process.buyer().await;
        buyer.join(sale.schedule).await.ok(201);
    }
    process.stop().await;
    end_sale(&world, &old, "-30 days").await;
    purge(&world).await;
    let mut redis = world.raw_redis().await;
    assert_eq!(keys_of(&mut redis, old.schedule).await, 0);
    assert!(keys_of(&mut redis, new.schedule).await > 0, "the other sale keeps its keys");
}

#[tokio::test]
async fn after_a_sale_its_entries_end_once_and_its_queue_leaves_redis_while_its_seats_stay() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 9, json!({"capacity": 1})).await;
    let crowd = create_users(&world, &[process.addr], 3, 1000).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    let held = crowd[0].hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    crowd[0].pay(&held).await.ok(201);
    crowd[2].leave().await;
    let ended = "select count(*) from queue where status in ('LEFT', 'COMPLETED')";
    until("it is archived", async || (world.number(ended).await == 2).then_some(())).await;
    process.stop().await;
    let more =
        "insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at)
        select $1, $2, gen_random_uuid(), 'WAITING', (1::bigint << 40) + n, now()
        from generate_series(100, 99 + $3) n";
    let more = sqlx::query(more).bind(crowd[1].user).bind(sale.schedule).bind(OPEN);
    more.execute(&world.pool).await.expect("entries");
    end_sale(&world, &sale, "10 days").await;
    purge(&world).await;
    assert_eq!(world.number(ended).await, 2, "these ended before");
    let expired = "select count(*) from queue where status = 'EXPIRED' and expired_at is not null";
    assert_eq!(world.number(expired).await, OPEN + 1);
    let settled = "select count(*) from queue_archive where settled_at is not null";
    assert_eq!(world.number(settled).await, 1);
    let mut redis = world.raw_redis().await;
    let (waiting, sold): (bool, bool) = (
        redis.exists(key(sale.schedule, "done:1")).await.expect("Redis"),
        redis.exists(key(sale.schedule, "sold")).await.expect("Redis"),
    );
    assert_eq!((waiting, sold), (false, true));
    // The next round does not look at the entries again.
    let reopen =
        "update queue set status = 'WAITING' where status = 'EXPIRED' and sequence % 2 = 0";
    sqlx::query(reopen).execute(&world.pool).await.expect("an update");
    let open = "select count(*) from queue where status = 'WAITING'";
    let before = world.number(open).await;
    purge(&world).await;
    assert_eq!(world.number(open).await, before);
    // The board of the sale is served from the keys that are left.
    let process = world.start().await;
    let seats = format!("/v1/schedules/{}", sale.schedule);
    assert_eq!(process.anonymous().get(&seats).await.ok(200)["seats"]["sold"], 1);
    assert_eq!(world.epoch().await, 1, "nothing was rebuilt");
}

/// The purge finds old rows by an index, however many rows there are.
#[tokio::test]
async fn the_purge_reads_no_whole_table() {
    let world = World::new().await;
    let fill = "insert into idempotency_key (user_id, key, fingerprint, outcome)
        select n, 'key', sha256(''), '{}' from generate_series(1, 20000) n";
    sqlx::query(fill).execute(&world.pool).await.expect("keys");
    sqlx::query("analyze").execute(&world.pool).await.expect("statistics");
    let scans = "select coalesce(sum(seq_tup_read), 0)::bigint from pg_stat_user_tables
                 where relname in ('idempotency_key', 'sign_up_form', 'queue')";
    let before = world.number(scans).await;
    purge(&world).await;
    assert_eq!(world.number(scans).await, before);
}
