//! temporary
use crate::support::faults::wipe;
use crate::support::sale;
use crate::support::world::World;
use redis::AsyncCommands;
use serde_json::json;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zz_cost() {
    let world = World::new().await;
    let process = world.start_with(&["--reconcile-every=500ms"]).await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 100, 500, json!({})).await;
    let n = sale.seats.len();
    let mut buyer = process.buyer().await;
    buyer.join(sale.schedule).await.ok(201);
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let pr = async |what: &str| {
        let t = process.anonymous().get("/metrics").await.text;
        println!("== {what} {n}");
        for l in t.lines().filter(|l| l.starts_with("onsale_reconciler")) {
            println!("{l}");
        }
        let info: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut world.raw_redis().await)
            .await
            .unwrap();
        for l in info.lines().filter(|l| {
            l.contains("exec:")
                || l.contains("hmget")
                || l.contains("zmscore")
                || l.contains("evalsha")
        }) {
            println!("{l}");
        }
        redis::cmd("CONFIG")
            .arg("RESETSTAT")
            .query_async::<()>(&mut world.raw_redis().await)
            .await
            .unwrap();
    };
    pr("untouched").await;
    sqlx::query("update seat set fence = 1, blocked = (id % 3 = 0)")
        .execute(&world.pool)
        .await
        .unwrap();
    wipe(&mut world.raw_redis().await).await;
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    let h: i64 = world
        .raw_redis()
        .await
        .hlen(crate::support::faults::key(sale.schedule, "holder"))
        .await
        .unwrap();
    println!("holder {h}");
    pr("after rebuild").await;
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    pr("all changed").await;
    let e: Vec<String> = sqlx::query_scalar("explain analyze select id, seat_number, fence, blocked, sold, hold_id, expires_at, pending from seat_now where concert_schedule_id = $1 and fence > 0 order by seat_number").bind(sale.schedule).fetch_all(&world.pool).await.unwrap();
    for l in e {
        println!("{l}");
    }
}
