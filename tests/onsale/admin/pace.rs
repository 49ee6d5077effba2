//! Why admission goes as it goes, as the service says it of real sales.

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::{Process, World};

const PACE: &str = "reason:text since:time? by:text? until:time? set_per_second:int \
     measured_per_second:number? next_seconds:int? sell_out:object? faster:object? auto:object?";

async fn stats(admin: &Client, sale: &Sale) -> Value {
    let stats = admin.get(&format!("/v1/admin/schedules/{}/stats", sale.schedule)).await.ok(200);
    shape::check(&stats["pace"], PACE);
    stats
}

/// Waits until the pace of a sale has this reason; returns it.
async fn wait_for_reason(admin: &Client, sale: &Sale, reason: &str) -> Value {
    until(&format!("the reason {reason}"), async || {
        let pace = stats(admin, sale).await["pace"].clone();
        (pace["reason"] == reason).then_some(pace)
    })
    .await
}

async fn change(admin: &Client, sale: &Sale, change: Value) {
    admin.patch(&format!("/v1/admin/schedules/{}/queue", sale.schedule), change).await.ok(200);
}

/// Users who wait in a sale.
async fn join_all(process: &Process, sale: &Sale, count: u32) -> Vec<Client> {
    let mut all = Vec::new();
    for _ in 0..count {
        let mut buyer = process.buyer().await;
        buyer.join(sale.schedule).await.ok(201);
        all.push(buyer);
    }
    all
}

#[tokio::test]
async fn the_pace_names_the_limit_and_who_paused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 2, 9, json!({"capacity": 2, "admit_per_second": 100})).await;
    assert_eq!(wait_for_reason(&admin, &sale, "EMPTY").await["faster"], Value::Null);
    let _active = [active_buyer(&process, &sale).await, active_buyer(&process, &sale).await];
    let mut waiting = join_all(&process, &sale, 4).await;
    let pace = wait_for_reason(&admin, &sale, "CAPACITY").await;
    assert_eq!((&pace["set_per_second"], &pace["by"]), (&json!(100), &Value::Null));

    let before = chrono::Utc::now();
    change(&admin, &sale, json!({"paused": true})).await;
    let pace = wait_for_reason(&admin, &sale, "PAUSED").await;
    assert_eq!(pace["by"], "Kim", "the administrator's name");
    let since: chrono::DateTime<chrono::Utc> = pace["since"].as_str().unwrap().parse().unwrap();
    let age = (since - before).num_seconds().abs();
    assert!(age <= 5, "paused {age} s from when it was");
    change(&admin, &sale, json!({"paused": false, "capacity": 0})).await;
    assert_eq!(wait_for_reason(&admin, &sale, "NO_CAPACITY").await["since"], Value::Null);

    // One estimate: of the first who waits, and of a user who joins now.
    change(&admin, &sale, json!({"capacity": 1000, "admit_per_second": 1})).await;
    let measured = until("a measured rate", async || {
        for buyer in &mut waiting {
            buyer.poll().await;
        }
        let stats = stats(&admin, &sale).await;
        (stats["waiting"].as_u64()? > 0 && stats["pace"]["next_seconds"].is_u64()).then_some(stats)
    })
    .await;
    let rate = measured["pace"]["measured_per_second"].as_f64().expect("a rate");
    let seconds = |ahead: u64| {
        let seconds = (f64::from(u32::try_from(ahead).expect("few")) + 1.0) / rate;
        seconds.ceil()
    };
    assert_eq!(measured["pace"]["next_seconds"].as_f64(), Some(seconds(0)));
    let ahead = measured["waiting"].as_u64().expect("a count");
    assert_eq!(measured["eta_seconds"].as_f64(), Some(seconds(ahead)), "{measured}");
}

#[tokio::test]
async fn the_sell_out_is_predicted_from_the_seats_sold_lately() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 10, 10, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    assert_eq!(stats(&admin, &sale).await["pace"]["sell_out"], Value::Null, "nothing was sold");
    // A minute ago, nothing was sold.
    sqlx::query(
        "insert into sale_sample (concert_schedule_id, step, at, counted_at, stands, phase, recovering,
                                  drawing, sold)
         values ($1, 1, now() - interval '60 s', now() - interval '60 s', 2, 'OPEN', false, false, 0)",
    )
    .bind(sale.schedule)
    .execute(&world.pool)
    .await
    .expect("a reading");
    let hold = buyer.hold(sale.schedule, json!({"quantity": 4})).await.ok(201);
    buyer.pay(&hold).await.ok(201);
    let stats = until("a prediction", async || {
        // Without anybody who joins, nothing more would be sold.
        process.buyer().await.join(sale.schedule).await.ok(201);
        let stats = stats(&admin, &sale).await;
        (!stats["pace"]["sell_out"].is_null() && stats["sold"] == 4).then_some(stats)
    })
    .await;
    let sell_out = &stats["pace"]["sell_out"];
    let shape = "seats_per_second:number measured_seconds:int at:time before_deadline:bool";
    shape::check(sell_out, shape);
    let rate = sell_out["seats_per_second"].as_f64().expect("a rate");
    assert!((4.0 / 90.0..=4.0 / 59.0).contains(&rate), "{sell_out}");
    let time = |of: &Value| of.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let left = (time(&sell_out["at"]) - time(&stats["server_time"])).as_seconds_f64();
    assert!((left * rate / 96.0 - 1.0).abs() < 0.01, "96 seats at {rate} a second, not {left} s");
    assert_eq!(sell_out["before_deadline"], true);
}

#[tokio::test]
async fn the_answers_of_all_processes_are_added_up() {
    let world = World::new().await;
    let (one, two) = (world.start().await, world.start().await);
    let admin = one.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({})).await;
    active_buyer(&one, &sale).await;
    until("both processes are counted", async || {
        for process in [&one, &two] {
            process.anonymous().get(&format!("/v1/schedules/{}", sale.schedule)).await.ok(200);
        }
        let stats = stats(&admin, &sale).await;
        let rate = |of: &str| stats[of][5]["per_second"].as_f64();
        (stats["processes"] == 2 && rate("all_answers")? > rate("answers")?).then_some(())
    })
    .await;
    two.stop().await;
    until("the figures of a process that has ended are gone", async || {
        (stats(&admin, &sale).await["processes"] == 1).then_some(())
    })
    .await;
}
