//! Active slots and tickets: duration, number, owner and signature.

use chrono::{DateTime, Utc};
use onsale::app;
use onsale::config::Secret;
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{count, create_users, join_at_once, join_in_order, run_all};
use crate::support::faults::{assert_consistent, key};
use crate::support::sale;
use crate::support::sampler::{Sampler, most_active};
use crate::support::wait::until;
use crate::support::world::{QUEUE_SECRET, World};

/// The number of active slots.
async fn active_slots(world: &World, schedule: i64) -> i64 {
    world.raw_redis().await.zcard(key(schedule, "active")).await.expect("Redis")
}

#[tokio::test]
async fn the_end_of_a_slot_is_set_at_admission_and_never_moves() {
    let world = World::new().await;
    let (one, two) = (world.start().await, world.start().await);
    let admin = one.admin().await;
    let queue = json!({"capacity": 1, "active_ttl_seconds": 3});
    let sale = sale::open(&admin, 1, 5, queue).await;
    let mut buyer = one.buyer().await;
    let first = buyer.join(sale.schedule).await.ok(201);
    let ends = first["active_expires_at"].clone();
    let mut next = two.buyer().await;
    next.join(sale.schedule).await.ok(201);
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&path, json!({"active_ttl_seconds": 600})).await.ok(200);
    assert_eq!(buyer.at(two.addr).poll().await.ok(200)["active_expires_at"], ends);
    assert_eq!(buyer.join(sale.schedule).await.ok(200)["active_expires_at"], ends);
    buyer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    let last = until("the slot ends", async || {
        let ticket = buyer.clone().poll().await.ok(200);
        if ticket["status"] == "ACTIVE" {
            assert_eq!(ticket["active_expires_at"], ends);
            return None;
        }
        Some(ticket)
    })
    .await;
    assert_eq!(last["status"], "EXPIRED");
    assert!(Utc::now() >= ends.as_str().unwrap().parse::<DateTime<Utc>>().unwrap());
    let late = buyer.hold(sale.schedule, json!({"quantity": 1})).await;
    late.refused(403, "ticket_not_active");
    let ticket = next.wait_for_status("ACTIVE").await;
    let ends: DateTime<Utc> = ticket["active_expires_at"].as_str().unwrap().parse().unwrap();
    assert!((ends - Utc::now()).num_seconds() > 500, "admitted under the new setting");
}

#[tokio::test]
async fn settings_changed_through_one_process_are_in_force_in_all() {
    let world = World::new().await;
    let (one, two) = (world.start().await, world.start().await);
    let admin = two.admin().await;
    let queue = json!({"capacity": 2, "admit_per_second": 1000});
    let sale = sale::open(&one.admin().await, 1, 50, queue).await;
    let crowd = create_users(&world, &[one.addr, two.addr], 30, 0).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    assert_eq!(active_slots(&world, sale.schedule).await, 2);
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);

    admin.patch(&path, json!({"capacity": 6})).await.ok(200);
    until("six are active", async || {
        (active_slots(&world, sale.schedule).await == 6).then_some(())
    })
    .await;
    // A lower capacity ends no slot, and nobody is admitted until fewer slots are active than that.
    admin.patch(&path, json!({"capacity": 3})).await.ok(200);
    let sampler = Sampler::start(&world, sale.schedule);
    for person in &crowd[..4] {
        person.leave().await;
    }
    until("the seventh is active", async || {
        let ticket = crowd[6].clone().poll().await.ok(200);
        (ticket["status"] == "ACTIVE").then_some(())
    })
    .await;
    let seen = sampler.stop().await;
    let later = seen.iter().position(|sample| sample.active <= 3).expect("it came down");
    assert_eq!((most_active(&seen[..later]), most_active(&seen[later..])), (6, 3));

    let limit = json!({"capacity": 100, "max_seats_per_user": 1});
    admin.patch(&path, limit).await.ok(200);
    until("all are active", async || {
        (active_slots(&world, sale.schedule).await == 26).then_some(())
    })
    .await;
    for person in &crowd[8..12] {
        let mut person = person.clone();
        person.wait_for_status("ACTIVE").await;
        let over = until("the new limit applies in both processes", async || {
            let wish = json!({"seat_ids": sale.seats[..2]});
            let answer = person.hold(sale.schedule, wish).await;
            (answer.status == 422).then_some(answer)
        })
        .await;
        over.refused(422, "seat_limit_exceeded");
        assert_eq!(over.body["limit"], 1);
    }
    assert_consistent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_who_joins_fifty_times_at_once_has_one_queue_entry() {
    let world = World::new().await;
    let processes = [world.start().await, world.start().await, world.start().await];
    let sale = sale::open(&processes[0].admin().await, 1, 5, json!({"capacity": 0})).await;
    for capacity in [0, 5] {
        let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
        let change = json!({"capacity": capacity});
        processes[0].admin().await.patch(&path, change).await.ok(200);
        let buyer = processes[0].buyer().await;
        let tries = (0..50).map(|number| buyer.at(processes[number % 3].addr));
        let schedule = sale.schedule;
        let answers =
            run_all(tries, move |mut one: Client| async move { one.join(schedule).await }).await;
        assert_eq!(count(&answers, 201), 1);
        let ids: std::collections::BTreeSet<&str> = (answers.iter())
            .filter(|answer| matches!(answer.status, 200 | 201))
            .filter_map(|answer| answer.body["ticket_id"].as_str())
            .collect();
        assert_eq!(ids.len(), 1);
        assert!(count(&answers, 200) >= 10);
        answers.iter().filter(|a| a.status > 201).for_each(|a| a.refused(429, "rate_limited"));
        let mut redis = world.raw_redis().await;
        let mut entries = redis::pipe();
        entries.zscore(key(schedule, "waiting"), buyer.user);
        entries.zscore(key(schedule, "active"), buyer.user);
        let found: Vec<Option<f64>> = entries.query_async(&mut redis).await.expect("Redis");
        assert_eq!(found.iter().flatten().count(), 1);
    }
    let given: i64 =
        world.raw_redis().await.hget(key(sale.schedule, "meta"), "next_n").await.unwrap();
    assert_eq!(given, 2, "one sequence for each user");
}

#[tokio::test]
async fn the_first_payment_completes_the_ticket_and_other_holds_stay_payable() {
    let world = World::new().await;
    let process = world.start().await;
    let queue = json!({"capacity": 1, "max_seats_per_user": 4});
    let sale = sale::open(&process.admin().await, 1, 5, queue).await;
    let mut crowd =
        join_in_order(create_users(&world, &[process.addr], 2, 500).await, sale.schedule).await;
    let mut buyer = crowd.remove(0);
    let one = buyer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    let two = buyer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    buyer.pay(&one).await.ok(201);
    assert_eq!(buyer.poll().await.ok(200)["status"], "COMPLETED");
    crowd[0].wait_for_status("ACTIVE").await;
    let old = buyer.clone();
    let third = old.hold(sale.schedule, json!({"quantity": 1})).await;
    third.refused(403, "ticket_not_active");

    let again = buyer.join(sale.schedule).await.ok(201);
    assert_eq!((&again["status"], &again["position"]), (&json!("WAITING"), &json!(1)));
    // Paying a hold of the old entry does not change the new entry, also when repeated.
    let pay = old.with_key("pay-two");
    for _ in 0..2 {
        pay.post("/v1/payments", json!({"hold_id": two["hold_id"]})).await.ok(201);
    }
    assert_eq!(buyer.poll().await.ok(200)["status"], "WAITING");
    assert_eq!(old.clone().poll().await.ok(200)["status"], "COMPLETED");
    assert_eq!(old.delete("/v1/queue/ticket").await.status, 204, "and it changes nothing");
    crowd[0].leave().await;
    buyer.wait_for_status("ACTIVE").await;
    buyer.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    assert_consistent(&world).await;
}

#[tokio::test]
async fn tickets_survive_a_secret_rotation_and_are_signed_again() {
    const NEW: &str = "24zNirqr0MvQUMsFj06FMiw_yDHHr3xiCljSgISUlD8H";
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({"capacity": 1})).await;
    let crowd = create_users(&world, &[process.addr], 2, 0).await;
    let crowd = join_at_once(crowd, sale.schedule).await;
    let before = [crowd[0].clone().poll().await.ok(200), crowd[1].clone().poll().await.ok(200)];
    process.stop().await;

    let with = async |secrets: &[&str]| {
        let mut settings = world.settings(&[]);
        settings.queue.queue_secrets = secrets.iter().map(|secret| Secret::from(*secret)).collect();
        app::start(settings).await.expect("onsale starts")
    };
    let rotating = with(&[NEW, QUEUE_SECRET]).await;
    let rotated = with(&[NEW]).await;
    for (person, before) in crowd.iter().zip(before) {
        person.at(rotated.addr).poll().await.refused(401, "ticket_invalid");
        let mut person = person.at(rotating.addr);
        let old = person.ticket.clone();
        let ticket = person.poll().await.ok(200);
        assert_eq!(ticket["status"], before["status"]);
        assert_eq!(ticket["ticket_id"], before["ticket_id"]);
        assert!(person.ticket.is_some() && person.ticket != old, "signed with the new secret");
        let signed = person.at(rotated.addr).poll().await.ok(200);
        assert_eq!(signed["sequence"], before["sequence"]);
        assert_eq!(signed["queue_token"], Value::Null, "not signed again");
    }
}
