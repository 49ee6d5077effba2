//! The reconciler: drift in Redis is repaired and counted; changes in flight are not touched.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::sale::refusals::{active_buyer, hold_path};
use crate::support::client::Client;
use crate::support::crowd::{create_users, join_at_once, run_all};
use crate::support::faults::{assert_consistent, holder, key, wipe};
use crate::support::sale::{self, Sale};
use crate::support::servers::Raw;
use crate::support::wait::until;
use crate::support::world::{Process, World};

const OFTEN: [&str; 1] = ["--reconcile-every=300ms"];

/// The value of a metric of a process.
async fn metric(process: &Process, name: &str) -> u64 {
    let text = process.anonymous().get("/metrics").await.text;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} is not in\n{text}"))
}

/// The number of repairs of this kind.
pub async fn repair_count(process: &Process, what: &str) -> u64 {
    metric(process, &format!(r#"onsale_reconciler_repairs_total{{what="{what}"}}"#)).await
}

/// Waits until a process has compared its schedules `rounds` more times.
pub async fn wait_for_rounds(process: &Process, rounds: u64) {
    let count = "onsale_reconciler_duration_seconds_count";
    let before = metric(process, count).await;
    until("rounds of the reconciler", async || {
        (metric(process, count).await >= before + rounds).then_some(())
    })
    .await;
}

/// What Redis has of a seat: its state, whether it is gone, and whether it is held.
async fn shown(redis: &mut Raw, sale: &Sale, number: u32) -> (String, bool, bool) {
    let owner = holder(redis, sale.schedule, number).await;
    let state = owner.split(' ').nth(1).unwrap_or("FREE").to_owned();
    let bit = usize::try_from(number).expect("a number");
    let gone: bool = redis.getbit(key(sale.schedule, "sold"), bit).await.expect("Redis");
    let held: Option<f64> = redis.zscore(key(sale.schedule, "held"), number).await.expect("Redis");
    (state, gone, held.is_some())
}

/// A sale with one seat of each kind: 1 held, 2 sold, 3 blocked, 4 released; 5 to 9 never used.
async fn seats(process: &Process, world: &World) -> (Sale, Client) {
    let admin = process.admin().await;
    let queue = json!({"max_seats_per_user": 100});
    let sale = sale::open(&admin, 1, 9, queue).await;
    let mut buyer = active_buyer(process, &sale).await;
    let hold = async |buyer: &Client, seat: usize| {
        buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[seat]]})).await.ok(201)
    };
    let back = hold(&buyer, 3).await;
    assert_eq!(buyer.delete(&hold_path(&back)).await.status, 204);
    let sold = hold(&buyer, 1).await;
    buyer.pay(&sold).await.ok(201);
    buyer.join(sale.schedule).await.ok(201);
    hold(&buyer, 0).await;
    let path = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    admin.patch(&path, json!({"seat_ids": [sale.seats[2]], "blocked": true})).await.ok(200);
    world.wait_for_empty_outbox().await;
    (sale, buyer)
}

#[tokio::test]
async fn seats_that_are_wrong_in_redis_are_repaired_and_counted() {
    let world = World::new().await;
    let process = world.start_with(&OFTEN).await;
    let (sale, _owner) = seats(&process, &world).await;
    let mut redis = world.raw_redis().await;
    wait_for_rounds(&process, 3).await;
    assert_eq!(repair_count(&process, "seat").await, 0, "no drift so far");
    let mut right = Vec::new();
    for number in 1..=9 {
        right.push(shown(&mut redis, &sale, number).await);
    }
    assert_eq!(right[0], ("KEEP".to_owned(), false, true));
    assert_eq!(right[1], ("SELL".to_owned(), true, false));

    let named = |name: &str| key(sale.schedule, name);
    let stuck = "77 SELL 0192d0a4-5a4c-5c3e-9d3f-0123456789ab";
    let mut plant = redis::pipe();
    plant
        .zrem(named("held"), 1) // wrongly free
        .setbit(named("sold"), 2, false) // wrongly free
        .hset(named("holder"), 3, "0 FREE -") // wrongly free, as before it was blocked
        .setbit(named("sold"), 3, false)
        .setbit(named("sold"), 4, true) // wrongly sold
        .zadd(named("held"), 5, 32_503_680_000_000_i64) // wrongly held, for a thousand years
        .hset(named("holder"), 6, stuck) // sold, by a change that PostgreSQL does not have
        .setbit(named("sold"), 6, true)
        .hset(named("claim"), 7, "0192d0a4-5a4c-5c3e-9d3f-0123456789ab 32503680000000")
        .zadd(named("held"), 7, 32_503_680_000_000_i64); // claimed, for a thousand years
    plant.exec_async(&mut redis).await.expect("Redis");
    until("seven seats are repaired", async || {
        (repair_count(&process, "seat").await >= 7).then_some(())
    })
    .await;
    world.wait_for_empty_outbox().await;
    wait_for_rounds(&process, 3).await;
    // Its sale may be one that PostgreSQL lost: it is not sold again before an operator looks.
    right[5] = ("BLOCK".to_owned(), true, false);
    for (number, right) in (1..=9).zip(&right) {
        assert_eq!(&shown(&mut redis, &sale, number).await, right, "seat {number}");
    }
    assert_eq!(repair_count(&process, "seat").await, 7, "each once");
    let counts: (i64, i64) = redis.hmget(named("meta"), &["gone", "blocked"]).await.expect("Redis");
    assert_eq!(counts, (3, 2), "sold and blocked; blocked");
    let lost = "select fence from lost_sale where seat_number = 6 and hold_id is not null";
    assert_eq!(world.number(lost).await, 77);

    // Buyers see the repaired seats.
    let buyer = active_buyer(&process, &sale).await;
    for (number, seat) in (1..=9).zip(&sale.seats) {
        let answer = buyer.hold(sale.schedule, json!({"seat_ids": [seat]})).await;
        let status = if number <= 3 || number == 6 { 409 } else { 201 };
        assert_eq!(answer.status, status, "seat {number}: {}", answer.text);
    }
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_wrong_seat_count_is_repaired_and_the_sale_reopens() {
    let world = World::new().await;
    let process = world.start_with(&OFTEN).await;
    let (sale, _owner) = seats(&process, &world).await;
    let mut redis = world.raw_redis().await;
    redis.hset::<_, _, _, ()>(key(sale.schedule, "meta"), "gone", 9).await.expect("Redis");
    until("it is recounted", async || (repair_count(&process, "count").await == 1).then_some(()))
        .await;
    let gone: i64 = redis.hget(key(sale.schedule, "meta"), "gone").await.expect("Redis");
    assert_eq!(gone, 2);
    let mut buyer = process.buyer().await;
    assert_eq!(buyer.join(sale.schedule).await.ok(201)["status"], "ACTIVE");
}

#[tokio::test]
async fn settings_missing_in_redis_are_applied_and_counted() {
    let world = World::new().await;
    let process = world.start_with(&OFTEN).await;
    let sale = sale::open(&process.admin().await, 1, 2, json!({"capacity": 7})).await;
    active_buyer(&process, &sale).await;
    world.wait_for_empty_outbox().await;
    let mut redis = world.raw_redis().await;
    let meta = key(sale.schedule, "meta");
    let old = [("version", 1), ("capacity", 0)];
    redis.hset_multiple::<_, _, _, ()>(&meta, &old).await.expect("Redis");
    until("they are in force", async || {
        let capacity: i64 = redis.hget(&meta, "capacity").await.expect("Redis");
        (capacity == 7).then_some(())
    })
    .await;
    until("it is counted", async || (repair_count(&process, "settings").await == 1).then_some(()))
        .await;
}

#[tokio::test]
async fn a_wiped_redis_is_rebuilt_and_counts_no_repair() {
    let world = World::new().await;
    let process = world.start_with(&["--reconcile-every=100ms"]).await;
    let (sale, _owner) = seats(&process, &world).await;
    let mut redis = world.raw_redis().await;
    for epoch in 2..=5 {
        wipe(&mut redis).await;
        until("the keys are rebuilt", async || {
            let fields = ["epoch", "loading_until"];
            let found: (Option<u64>, Option<u64>) =
                redis.hmget(key(sale.schedule, "meta"), &fields).await.expect("Redis");
            (found == (Some(epoch), None)).then_some(())
        })
        .await;
    }
    wait_for_rounds(&process, 3).await;
    for what in ["seat", "count", "settings", "place"] {
        assert_eq!(repair_count(&process, what).await, 0, "{what}");
    }
}

#[tokio::test]
async fn an_entry_used_for_a_payment_releases_its_slot() {
    let world = World::new().await;
    let process = world.start_with(&OFTEN).await;
    let sale = sale::open(&process.admin().await, 1, 2, json!({"capacity": 1})).await;
    let buyer = active_buyer(&process, &sale).await;
    let sequence = buyer.clone().poll().await.ok(200)["sequence"].as_u64().expect("a sequence");
    let held = buyer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    buyer.pay(&held).await.ok(201);
    world.wait_for_empty_outbox().await;
    let mut redis = world.raw_redis().await;
    // As after a loss, when the end of the entry had not been archived in time.
    let named = |name: &str| key(sale.schedule, name);
    let mut plant = redis::pipe();
    plant.cmd("BITFIELD").arg(named("done:1")).arg("SET").arg("u2");
    plant.arg(format!("#{}", sequence & ((1 << 40) - 1))).arg(0).ignore();
    plant.hset(named("place"), buyer.user, sequence);
    plant.zadd(named("active"), buyer.user, 32_503_680_000_000_i64);
    plant.exec_async(&mut redis).await.expect("Redis");
    until("it is completed", async || (repair_count(&process, "place").await == 1).then_some(()))
        .await;
    let mut next = process.buyer().await;
    until("the slot is free", async || {
        next.join(sale.schedule).await;
        (next.poll().await.body["status"] == "ACTIVE").then_some(())
    })
    .await;
}

#[tokio::test]
async fn changes_still_in_the_outbox_are_not_repaired() {
    let world = World::new().await;
    let process = world.start_with(&OFTEN).await;
    let (sale, _owner) = seats(&process, &world).await;
    let mut redis = world.raw_redis().await;
    // An event that is due in an hour: until then Redis has the state from before it.
    let kept = "insert into outbox (kind, payload, due_at) values ('seats_changed', $1,
                  clock_timestamp() + interval '1 hour') returning id";
    let payload: Value = json!({"schedule": sale.schedule, "state": "free",
        "seats": [{"number": 1, "fence": 1}]});
    let kept: i64 =
        sqlx::query_scalar(kept).bind(payload).fetch_one(&world.pool).await.expect("an event");
    redis.hset::<_, _, _, ()>(key(sale.schedule, "holder"), 1, "0 FREE -").await.expect("Redis");
    wait_for_rounds(&process, 5).await;
    assert_eq!(repair_count(&process, "seat").await, 0);
    assert_eq!(holder(&mut redis, sale.schedule, 1).await, "0 FREE -");
    // A parked event is no longer in flight.
    let park = "update outbox set parked_at = clock_timestamp(), reason = 'a test' where id = $1";
    sqlx::query(park).bind(kept).execute(&world.pool).await.expect("parked");
    until("the seat is repaired", async || {
        (repair_count(&process, "seat").await == 1).then_some(())
    })
    .await;
    until("Redis has it", async || shown(&mut redis, &sale, 1).await.0.eq("KEEP").then_some(()))
        .await;
}

/// Holds forty times; releases, pays and refunds, or lets expire what it gets.
async fn trade(mut buyer: Client, sale: (i64, Vec<i64>), done: Arc<AtomicUsize>) {
    let (schedule, seats) = sale;
    for call in 0..40usize {
        buyer.join(schedule).await;
        let seat = seats[(call * 7 + usize::try_from(buyer.user).unwrap() * 3) % seats.len()];
        let held = buyer.hold(schedule, json!({"seat_ids": [seat]})).await;
        assert!([201, 403, 409, 429].contains(&held.status), "{}", held.text);
        if held.status != 201 {
            continue;
        }
        done.fetch_add(1, Ordering::Relaxed);
        match call % 3 {
            0 => assert_eq!(buyer.delete(&hold_path(&held.body)).await.status, 204),
            1 => {
                let paid = buyer.pay(&held.body).await;
                if let Some(payment) = paid.body["payments"][0]["id"].as_i64() {
                    let refund = format!("/v1/payments/{payment}/refund");
                    buyer.keyed().post(&refund, json!({})).await.ok(200);
                }
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_under_load_leaves_nothing_to_repair() {
    let world = World::new().await;
    let often = ["--reconcile-every=100ms"];
    let processes = [world.start_with(&often).await, world.start_with(&often).await];
    let queue = json!({"max_seats_per_user": 100, "hold_ttl_seconds": 1});
    let sale = sale::open(&processes[0].admin().await, 10, 10, queue).await;
    let crowd = create_users(&world, &[processes[0].addr, processes[1].addr], 16, 100_000).await;
    let crowd = join_at_once(crowd, sale.schedule).await;
    let done = Arc::new(AtomicUsize::new(0));
    let (schedule, seats) = (sale.schedule, sale.seats.clone());
    run_all(crowd, |buyer| trade(buyer, (schedule, seats.clone()), done.clone())).await;
    let done = done.load(Ordering::Relaxed);
    assert!(done >= 100, "only {done} holds");
    world.wait_for_empty_outbox().await;
    until("every unpaid hold has ended", async || {
        let waiting = "select count(*) from reservation where status = 'PAYMENT_WAITING'";
        (world.number(waiting).await == 0).then_some(())
    })
    .await;
    let mut compared = 0;
    for process in &processes {
        compared += metric(process, "onsale_reconciler_duration_seconds_count").await;
        for what in ["seat", "count", "settings", "place"] {
            assert_eq!(repair_count(process, what).await, 0, "{what}");
        }
    }
    assert!(compared >= 10, "compared only {compared} times");
    assert_consistent(&world).await;
}
