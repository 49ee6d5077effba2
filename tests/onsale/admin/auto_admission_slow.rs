//! The automatic admission rate while PostgreSQL is slow, behind a proxy that delays it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::sale::refusals::{active_buyer, hold_path};
use crate::support::client::Client;
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale::{self, Sale};
use crate::support::wait::until_within;
use crate::support::world::{Process, World};

/// The delay in each direction.
const SLOW: Mode = Mode::Delay(Duration::from_millis(100));
const LIMIT: Duration = Duration::from_secs(90);

async fn stats(admin: &Client, schedule: i64) -> Value {
    admin.get(&format!("/v1/admin/schedules/{schedule}/stats")).await.body
}

/// Holds one seat after the other, and gives each back.
async fn hold_again_and_again(buyer: Client, schedule: i64, seats: Vec<i64>) {
    for seat in seats.into_iter().cycle() {
        let hold = buyer.hold(schedule, json!({"seat_ids": [seat]})).await;
        if hold.status == 201 {
            buyer.delete(&hold_path(&hold.body)).await;
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// Lets this many people join, who then wait silently.
async fn let_wait(process: &Process, sale: &Sale, people: u32) {
    for _ in 0..people {
        process.buyer().await.join(sale.schedule).await.ok(201);
    }
}

/// Waits until the rate in force fulfils a condition; returns the automatic rate.
async fn wait_for_rate(
    (world, admin, sale): (&World, &Client, &Sale),
    what: &str,
    is_wanted: impl Fn(u64) -> bool,
) -> Value {
    until_within(LIMIT, what, async || {
        // Changes need not show their effect: the buyers of this test do not depend on the rate.
        let ago = "update auto_admission set changed_at = changed_at - interval '10 min',
                          lowered_at = lowered_at - interval '10 min'";
        sqlx::query(ago).execute(&world.pool).await.expect("PostgreSQL");
        sleep(Duration::from_millis(200)).await;
        let stats = stats(admin, sale.schedule).await;
        let rate = stats["in_force"]["admit_per_second"].as_u64()?;
        is_wanted(rate).then(|| stats["pace"]["auto"].clone())
    })
    .await
}

#[tokio::test]
async fn the_rate_falls_while_postgresql_is_slow_and_rises_when_it_is_quick_again() {
    let world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let process = world.start_with(&[&format!("--database-url={through}")]).await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 40, 50, json!({})).await;
    let mut buying = JoinSet::new();
    for seats in sale.seats.chunks(250) {
        let buyer = active_buyer(&process, &sale).await;
        buying.spawn(hold_again_and_again(buyer, sale.schedule, seats.to_vec()));
    }
    let auto = json!({"admission_mode": "AUTO", "admit_per_second": 4, "auto_min_per_second": 2,
                      "auto_max_per_second": 6, "auto_p99_ms": 150,
                      "presence_window_seconds": 600});
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&path, auto).await.ok(200);
    let_wait(&process, &sale, 400).await;
    let of = (&world, &admin, &sale);
    wait_for_rate(of, "it is automatic", |rate| (2..=6).contains(&rate)).await;
    proxy.set(SLOW);
    let slow = wait_for_rate(of, "the lowest rate", |rate| rate == 2).await;
    assert_eq!(slow["change_reason"], "SLOW", "{slow}");
    proxy.set(Mode::Pass);
    wait_for_rate(of, "a higher rate", |rate| rate > 2).await;
    buying.shutdown().await;
}

/// A person who waits, holds a seat, pays and is gone.
async fn buy(mut buyer: Client, schedule: i64) {
    while buyer.poll().await.body["status"] == "WAITING" {
        sleep(Duration::from_secs(10)).await;
    }
    let hold = buyer.hold(schedule, json!({"quantity": 1})).await;
    if hold.status == 201 {
        sleep(Duration::from_secs(2)).await;
        buyer.pay(&hold.body).await;
    }
}

/// The course of a sale in which PostgreSQL is slow for 90 s, as CSV: for docs/OPERATIONS.md.
#[tokio::test]
#[ignore = "takes eight minutes, and prints a course instead of judging it"]
async fn the_course_of_the_rate_under_a_slow_postgresql_is_printed() {
    let world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let process = world.start_with(&[&format!("--database-url={through}")]).await;
    let admin = process.admin().await;
    let queue = json!({"admission_mode": "AUTO", "admit_per_second": 6, "auto_min_per_second": 1,
                       "auto_max_per_second": 8, "auto_p99_ms": 500, "paused": true});
    let sale = sale::open(&admin, 50, 50, queue).await;
    let mut buying = JoinSet::new();
    for _ in 0..2_000 {
        let mut buyer = process.rich_buyer().await;
        buyer.join(sale.schedule).await.ok(201);
        buying.spawn(buy(buyer, sale.schedule));
    }
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&path, json!({"paused": false})).await.ok(200);
    println!("seconds,slow,rate,p99_ms,waiting,active,reason");
    for second in 0..360_u32 {
        let is_slow = (90..180).contains(&second);
        proxy.set(if is_slow { SLOW } else { Mode::Pass });
        let stats = stats(&admin, sale.schedule).await;
        let (auto, slow) = (&stats["pace"]["auto"], u8::from(is_slow));
        let rate = &stats["in_force"]["admit_per_second"];
        let (p99, waiting, active) = (&auto["p99_ms"], &stats["waiting"], &stats["active"]);
        println!("{second},{slow},{rate},{p99},{waiting},{active},{}", auto["reason"]);
        sleep(Duration::from_secs(1)).await;
    }
    buying.shutdown().await;
}
