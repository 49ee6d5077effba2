//! Admission: who is admitted, when, and in what order, with any number of processes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_at_once, join_in_order, run_all};
use crate::support::faults::key;
use crate::support::sale::{self, in_seconds};
use crate::support::sampler::{Sampler, most_active, too_fast};
use crate::support::wait::until;
use crate::support::world::World;

/// Polls until active; fails if the position rises.
async fn wait_for_slot(person: &mut Client) -> Value {
    let mut best = i64::MAX;
    loop {
        let ticket = person.poll_with_retries().await.ok(200);
        if ticket["status"] == "ACTIVE" {
            return ticket;
        }
        assert_eq!(ticket["status"], "WAITING", "{ticket}");
        let position = ticket["position"].as_i64().expect("a position");
        assert!(position <= best, "from {best} back to {position}");
        best = position;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// Waits until `count` entries of the `queue` table have ended; returns the sequences of those that
/// were admitted, in order of admission.
async fn admitted_in_order(world: &World, count: i64) -> Vec<(i64, DateTime<Utc>)> {
    until("the queue is archived", async || {
        let ended = "select count(*) from queue where status in ('LEFT', 'COMPLETED', 'EXPIRED')";
        (world.number(ended).await == count).then_some(())
    })
    .await;
    let rows = "select sequence, entered_at from queue where entered_at is not null
                order by entered_at, sequence";
    sqlx::query_as(rows).fetch_all(&world.pool).await.expect("rows")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_together_keep_the_capacity_and_the_order() {
    const PEOPLE: u32 = 200;
    let world = World::new().await;
    let processes = [world.start().await, world.start().await, world.start().await];
    let sale = sale::open(&processes[0].admin().await, 1, 10, json!({"capacity": 20})).await;
    let sampler = Sampler::start(&world, sale.schedule);
    let at = [processes[0].addr, processes[1].addr, processes[2].addr];
    let crowd = create_users(&world, &at, PEOPLE, 0).await;
    let schedule = sale.schedule;
    run_all(crowd, move |mut person: Client| async move {
        person.join(schedule).await.ok(201);
        wait_for_slot(&mut person).await;
        person.leave().await;
    })
    .await;
    let seen = sampler.stop().await;
    assert_eq!(most_active(&seen), 20, "the capacity is used, and never exceeded");
    assert_eq!(seen.last().map(|sample| sample.admitted), Some(i64::from(PEOPLE)));

    let admitted = admitted_in_order(&world, i64::from(PEOPLE)).await;
    assert_eq!(admitted.len(), PEOPLE as usize);
    assert!(admitted.is_sorted_by_key(|(sequence, _)| *sequence), "in order of sequence");
    assert_eq!(world.number("select count(distinct user_id) from queue").await, i64::from(PEOPLE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_together_keep_the_admission_rate() {
    let world = World::new().await;
    let processes = [world.start().await, world.start().await, world.start().await];
    let queue = json!({"capacity": 1000, "admit_per_second": 40});
    let sale = sale::open(&processes[0].admin().await, 1, 10, queue).await;
    let sampler = Sampler::start(&world, sale.schedule);
    let at = [processes[0].addr, processes[1].addr, processes[2].addr];
    join_at_once(create_users(&world, &at, 200, 0).await, sale.schedule).await;
    let mut redis = world.raw_redis().await;
    until("all are active", async || {
        let active: i64 = redis.zcard(key(sale.schedule, "active")).await.expect("Redis");
        (active == 200).then_some(())
    })
    .await;
    let seen = sampler.stop().await;
    assert_eq!(too_fast(&seen, 40), None);
    assert!(too_fast(&seen, 25).is_some(), "the check finds a rate above 25");
}

#[tokio::test]
async fn the_queue_table_records_how_every_entry_ended() {
    let world = World::new().await;
    let process = world.start().await;
    let queue = json!({"capacity": 3, "active_ttl_seconds": 4});
    let sale = sale::open(&process.admin().await, 1, 5, queue).await;
    let crowd = create_users(&world, &[process.addr], 5, 100).await;
    let mut crowd = join_in_order(crowd, sale.schedule).await;
    let held = crowd[0].hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    crowd[0].pay(&held).await.ok(201);
    crowd[4].leave().await;
    wait_for_slot(&mut crowd[3]).await;
    crowd[3].leave().await;
    let rows = until("every entry has ended in the table", async || {
        let rows: Vec<(i64, String, bool, bool)> = sqlx::query_as(
            "select user_id, status, entered_at is not null, expired_at is not null
             from queue order by sequence",
        )
        .fetch_all(&world.pool)
        .await
        .expect("rows");
        (rows.iter().filter(|row| row.3).count() == 5).then_some(rows)
    })
    .await;
    let expected = [
        ("COMPLETED", true),
        ("EXPIRED", true),
        ("EXPIRED", true),
        ("LEFT", true),
        ("LEFT", false),
    ];
    for ((row, person), (status, entered)) in rows.iter().zip(&crowd).zip(expected) {
        assert_eq!((row.0, row.1.as_str(), row.2), (person.user, status, entered));
        assert_eq!(ticket_status(person).await, status, "the ticket shows the same");
    }
}

async fn ticket_status(person: &Client) -> String {
    let ticket = person.clone().poll().await.ok(200);
    ticket["status"].as_str().expect("a status").to_owned()
}

#[tokio::test]
async fn a_join_is_admitted_at_once_only_with_free_capacity_and_an_empty_queue() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 5, json!({"capacity": 2})).await;
    let mut crowd = create_users(&world, &[process.addr], 5, 0).await;
    let mut first = Vec::new();
    for person in &mut crowd[..4] {
        let ticket = person.join(sale.schedule).await.ok(201);
        first.push((ticket["status"].clone(), ticket["position"].clone()));
    }
    let active = (json!("ACTIVE"), Value::Null);
    let waiting = |position: i64| (json!("WAITING"), json!(position));
    assert_eq!(first, [active.clone(), active, waiting(1), waiting(2)]);

    // The capacity is higher now, but admission is paused and two wait: a newcomer is third.
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&path, json!({"paused": true, "capacity": 10})).await.ok(200);
    let fifth = crowd[4].join(sale.schedule).await.ok(201);
    assert_eq!((&fifth["status"], &fifth["position"]), (&json!("WAITING"), &json!(3)));
    admin.patch(&path, json!({"paused": false, "capacity": 3})).await.ok(200);
    wait_for_slot(&mut crowd[2]).await;
    // Leaving frees the slot at once for the next in the queue.
    crowd[0].leave().await;
    wait_for_slot(&mut crowd[3]).await;
    let last = crowd[4].poll().await.ok(200);
    assert_eq!((&last["status"], &last["position"]), (&json!("WAITING"), &json!(1)));
}

#[tokio::test]
async fn before_the_opening_everybody_waits_and_is_then_admitted_in_order() {
    let world = World::new().await;
    let (one, two) = (world.start().await, world.start().await);
    let admin = one.admin().await;
    let queue = json!({"capacity": 100, "admit_per_second": 8, "queue_opens_at": in_seconds(-10)});
    let sale = sale::create(&admin, (3, 3600), 1, 30, queue).await;
    let sampler = Sampler::start(&world, sale.schedule);
    let crowd = create_users(&world, &[one.addr, two.addr], 20, 0).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    let early = crowd[0].hold(sale.schedule, json!({"quantity": 1})).await;
    early.refused(409, "schedule_not_open");
    for (number, person) in crowd.iter().enumerate() {
        let ticket = person.clone().poll().await.ok(200);
        assert_eq!((&ticket["status"], &ticket["phase"]), (&json!("WAITING"), &json!("UPCOMING")));
        assert_eq!(ticket["position"], number + 1);
    }
    run_all(crowd, |mut person: Client| async move {
        wait_for_slot(&mut person).await;
        person.delete("/v1/queue/ticket").await;
    })
    .await;
    let seen = sampler.stop().await;
    let path = format!("/v1/schedules/{}", sale.schedule);
    let opens = admin.get(&path).await.ok(200)["reservation_available_at"].clone();
    let opens: DateTime<Utc> = opens.as_str().expect("a time").parse().expect("a time");
    let before = seen.iter().filter(|sample| sample.at_ms < opens.timestamp_millis());
    assert!(before.clone().count() > 10, "there are samples from before the opening");
    assert!(before.into_iter().all(|sample| (sample.active, sample.admitted) == (0, 0)));
    assert_eq!(too_fast(&seen, 8), None);
    let admitted = admitted_in_order(&world, 20).await;
    assert_eq!(admitted.len(), 20);
    assert!(admitted.iter().all(|(_, at)| *at >= opens), "nobody before the opening");
    assert!(admitted.is_sorted_by_key(|(sequence, _)| *sequence));
}

#[tokio::test]
async fn nobody_can_join_before_the_queue_opens() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let opens = in_seconds(2);
    let sale = sale::create(&admin, (60, 3600), 1, 5, json!({"queue_opens_at": opens})).await;
    let mut buyer = process.buyer().await;
    let refused = buyer.join(sale.schedule).await;
    refused.refused(409, "queue_not_open");
    let opens_at: DateTime<Utc> = refused.body["opens_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(opens_at, opens.parse::<DateTime<Utc>>().unwrap());
    until("the queue opens", async || {
        let answer = buyer.clone().join(sale.schedule).await;
        (answer.status == 201).then_some(())
    })
    .await;
    assert!(Utc::now() >= opens_at);
}

#[tokio::test]
async fn a_pause_stops_admission_in_every_process_and_nothing_else() {
    let world = World::new().await;
    let (one, two) = (world.start().await, world.start().await);
    let admin = two.admin().await;
    let sale = sale::open(&one.admin().await, 1, 5, json!({"capacity": 2})).await;
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    let mut active = one.rich_buyer().await;
    active.join(sale.schedule).await.ok(201);
    let change = json!({"paused": true, "message": "Back in a minute"});
    admin.patch(&path, change).await.ok(200);
    let crowd =
        join_at_once(create_users(&world, &[one.addr, two.addr], 4, 0).await, sale.schedule).await;
    // After twenty rounds of admission nobody is admitted, although the capacity is not used.
    let mut redis = world.raw_redis().await;
    let mut rounds = std::collections::BTreeSet::new();
    until("rounds of admission", async || {
        let meta = key(sale.schedule, "meta");
        let (at, admitted): (i64, i64) =
            redis.clone().hmget(meta, &["tokens_at", "admitted"]).await.expect("Redis");
        assert_eq!(admitted, 1);
        rounds.insert(at);
        (rounds.len() >= 20).then_some(())
    })
    .await;
    until("the tickets show the reason", async || {
        let ticket = crowd[0].clone().poll().await.ok(200);
        let shown = (&ticket["phase"], &ticket["message"]);
        (shown == (&json!("PAUSED"), &json!("Back in a minute"))).then_some(())
    })
    .await;
    let held = active.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    active.pay(&held).await.ok(201);
    admin.patch(&path, json!({"paused": false})).await.ok(200);
    until("two are admitted", async || {
        let active: i64 = redis.zcard(key(sale.schedule, "active")).await.expect("Redis");
        (active == 2).then_some(())
    })
    .await;
}
