//! Rejoining: a buyer who lost the ticket together with Redis keeps the queue entry. Old tickets,
//! many tickets, leaving or silence gain nothing.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order, run_all};
use crate::support::faults::{key, wipe};
use crate::support::queue::is_in;
use crate::support::sale::{self, Sale, merged};
use crate::support::wait::{until, until_within};
use crate::support::world::{Process, World};

/// Two processes, a sale with one slot, and users who joined in order: the first is active.
async fn one_slot(world: &World, count: u32, queue: Value) -> ([Process; 2], Sale, Vec<Client>) {
    let processes = [world.start().await, world.start().await];
    let settings = merged(json!({"capacity": 1}), &queue);
    let sale = sale::open(&processes[0].admin().await, 1, 9, settings).await;
    let crowd = create_users(world, &[processes[0].addr], count, 1000).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    (processes, sale, crowd)
}

/// Waits until the `queue` table has `count` entries, `ended` of which have ended.
async fn archived(world: &World, count: i64, ended: i64) {
    until("the table has every entry", async || {
        let over = "select count(*) from queue where status in ('LEFT', 'COMPLETED', 'EXPIRED')";
        let all = world.number("select count(*) from queue").await;
        (all == count && world.number(over).await == ended).then_some(())
    })
    .await;
}

/// Joins as soon as joining works again.
async fn rejoin(person: &mut Client, schedule: i64) -> (u16, Value) {
    let answer = until("joining works", async || {
        let answer = person.join(schedule).await;
        ([200, 201].contains(&answer.status)).then_some(answer)
    })
    .await;
    (answer.status, answer.body)
}

/// Polls as soon as polling works again.
async fn poll(person: &Client) -> Value {
    let mut person = person.clone();
    until("polling works", async || {
        let answer = person.poll().await;
        (answer.status == 200).then_some(answer.body)
    })
    .await
}

#[tokio::test]
async fn a_buyer_without_a_ticket_gets_the_same_entry_back_after_redis_is_lost() {
    let world = World::new().await;
    let (processes, sale, crowd) = one_slot(&world, 4, json!({})).await;
    let active = poll(&crowd[0]).await;
    let entries = [poll(&crowd[1]).await, poll(&crowd[2]).await, poll(&crowd[3]).await];
    archived(&world, 4, 0).await;
    wipe(&mut world.raw_redis().await).await;
    // A new user joins before they return, and stays behind them.
    let mut newcomer = processes[1].buyer().await;
    let (status, new) = rejoin(&mut newcomer, sale.schedule).await;
    assert_eq!((status, &new["status"]), (201, &json!("WAITING")));
    for number in [3, 1, 2] {
        let mut person = crowd[number].without_ticket().at(processes[1].addr);
        let (status, back) = rejoin(&mut person, sale.schedule).await;
        let entry = &entries[number - 1];
        assert_eq!((status, &back["status"]), (200, &json!("WAITING")), "not a new entry");
        assert_eq!(
            (&back["sequence"], &back["ticket_id"]),
            (&entry["sequence"], &entry["ticket_id"])
        );
        assert!(back["sequence"].as_u64() < new["sequence"].as_u64());
    }
    let (status, back) = rejoin(&mut crowd[0].without_ticket(), sale.schedule).await;
    assert_eq!((status, &back["status"]), (200, &json!("ACTIVE")));
    assert_eq!(back["active_expires_at"], active["active_expires_at"], "the same end of the slot");
    // The old ticket, used after that, shows the same entry.
    let shown = poll(&crowd[2]).await;
    assert_eq!(shown["sequence"], entries[1]["sequence"]);
    let waiting: i64 =
        world.raw_redis().await.zcard(key(sale.schedule, "waiting")).await.expect("Redis");
    assert_eq!(waiting, 4, "three from before, one new");
}

/// One user buys, one leaves, and Redis is lost; `lost` first undoes what PostgreSQL has of it.
/// Checks that the ended entries stay ended.
async fn check_ended_entries(lost: Option<&'static str>) {
    let world = World::new().await;
    let (processes, sale, crowd) = one_slot(&world, 3, json!({})).await;
    let held = crowd[0].hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    crowd[0].pay(&held).await.ok(201);
    crowd[2].leave().await;
    archived(&world, 3, 2).await;
    if let Some(lost) = lost {
        sqlx::query(lost).execute(&world.pool).await.expect("a change");
    }
    wipe(&mut world.raw_redis().await).await;
    let mut honest = crowd[1].without_ticket();
    let (status, _) = rejoin(&mut honest, sale.schedule).await;
    assert_eq!(status, 200);
    for number in [0, 2] {
        let mut person = crowd[number].without_ticket().at(processes[1].addr);
        let (status, ticket) = rejoin(&mut person, sale.schedule).await;
        assert_eq!(status, 201, "a new entry");
        assert_eq!(ticket["sequence"].as_u64().expect("a sequence") >> 40, 2, "{ticket}");
    }
    for (number, status) in [(0, "COMPLETED"), (2, "LEFT")] {
        let old = crowd[number].at(processes[1].addr);
        assert_eq!(poll(&old).await["status"], status, "the old ticket shows that it ended");
    }
    let completed = "select count(entered_at) from queue where status = 'COMPLETED'";
    until("it is archived", async || (world.number(completed).await == 1).then_some(())).await;
}

#[tokio::test]
async fn an_ended_entry_is_not_restored_by_joining_after_redis_is_lost() {
    check_ended_entries(None).await;
}

#[tokio::test]
async fn an_entry_used_for_a_payment_stays_ended_when_its_log_is_lost_with_redis() {
    check_ended_entries(Some("delete from queue where status = 'COMPLETED'")).await;
    let waits = "update queue set status = 'WAITING', entered_at = null, expired_at = null
                 where status = 'COMPLETED'";
    check_ended_entries(Some(waits)).await;
}

#[tokio::test]
async fn leaving_and_joining_again_means_the_end_of_the_queue_even_with_old_tickets() {
    let world = World::new().await;
    let (processes, sale, mut crowd) = one_slot(&world, 4, json!({})).await;
    let old = crowd[1].clone();
    let first = poll(&old).await;
    for round in 0..3 {
        crowd[1].leave().await;
        let again = crowd[1].join(sale.schedule).await.ok(201);
        assert!(again["sequence"].as_u64() > first["sequence"].as_u64());
        assert_eq!(again["ahead"], 2, "behind all others, in round {round}");
        assert_eq!(poll(&old).await["status"], "LEFT");
    }
    archived(&world, 7, 3).await;
    wipe(&mut world.raw_redis().await).await;
    // The old ticket, with the lower sequence, comes first, at a process that has not seen it.
    assert_eq!(poll(&old.at(processes[1].addr)).await["status"], "LEFT");
    let entry = poll(&crowd[1]).await;
    assert_eq!(entry["status"], "WAITING");
    let (_, joined) = rejoin(&mut old.without_ticket(), sale.schedule).await;
    assert_eq!(joined["sequence"], entry["sequence"], "the current entry, not an old one");
}

#[tokio::test]
async fn two_tickets_of_one_user_share_one_queue_entry() {
    let world = World::new().await;
    let (processes, sale, crowd) = one_slot(&world, 3, json!({})).await;
    let older = crowd[2].clone();
    // The entry of `older` is in neither store after this, so that joining creates a second one.
    let mut latest = processes[0].buyer().await;
    latest.join(sale.schedule).await.ok(201);
    archived(&world, 4, 0).await;
    sqlx::query("delete from queue where user_id = $1")
        .bind(older.user)
        .execute(&world.pool)
        .await
        .expect("a deleted row");
    wipe(&mut world.raw_redis().await).await;
    let mut newer = older.without_ticket();
    let (status, second) = rejoin(&mut newer, sale.schedule).await;
    assert_eq!(status, 201, "a second ticket");
    // Both tickets, one after the other and at once at two processes: one entry, the lower
    // sequence.
    let lower = poll(&older).await;
    assert!(lower["sequence"].as_u64() < second["sequence"].as_u64());
    until("every board shows that the newer entry has ended", async || {
        for process in &processes {
            if poll(&newer.at(process.addr)).await["status"] != "LEFT" {
                return None;
            }
        }
        Some(())
    })
    .await;
    let tickets = (0..20).map(|number| {
        let ticket = if number % 2 == 0 { &older } else { &newer };
        ticket.at(processes[number % 2].addr)
    });
    let views =
        run_all(tickets, |mut person: Client| async move { person.poll().await.ok(200) }).await;
    for (number, ticket) in views.iter().enumerate() {
        let status = if number % 2 == 0 { "WAITING" } else { "LEFT" };
        assert_eq!(ticket["status"], status, "{ticket}");
    }
    let waiting: Option<f64> = world
        .raw_redis()
        .await
        .zscore(key(sale.schedule, "waiting"), older.user)
        .await
        .expect("Redis");
    assert_eq!(waiting.map(|at| at.to_string()), Some(lower["sequence"].to_string()));
}

#[tokio::test]
async fn a_ticket_polled_from_many_devices_has_one_queue_entry_and_one_slot() {
    let world = World::new().await;
    let (processes, sale, crowd) = one_slot(&world, 3, json!({})).await;
    let devices: Vec<Client> =
        (0..20).map(|number| crowd[1].at(processes[number % 2].addr)).collect();
    let views =
        run_all(devices.clone(), |mut device: Client| async move { device.poll().await.ok(200) })
            .await;
    for ticket in views {
        assert_eq!((&ticket["status"], &ticket["position"]), (&json!("WAITING"), &json!(1)));
    }
    crowd[0].leave().await;
    let mut active = Vec::new();
    for mut device in devices {
        let view = until("the device shows the slot", async || {
            let answer = device.poll().await;
            (answer.body["status"] == "ACTIVE").then_some(answer.body)
        });
        active.push(view.await);
    }
    let end = &active[0]["active_expires_at"];
    assert!(active.iter().all(|ticket| ticket["active_expires_at"] == *end), "one slot");
    let mut redis = world.raw_redis().await;
    let slots: i64 = redis.zcard(key(sale.schedule, "active")).await.expect("Redis");
    assert_eq!(slots, 1);
    let next = poll(&crowd[2]).await;
    assert_eq!((&next["status"], &next["position"]), (&json!("WAITING"), &json!(1)));
}

#[tokio::test]
async fn a_buyer_repeatedly_absent_at_admission_expires_when_the_grace_ends() {
    let world = World::new().await;
    let queue = json!({"claim_window_seconds": 1, "return_grace_seconds": 4});
    let (processes, sale, crowd) = one_slot(&world, 2, queue).await;
    crowd[0].leave().await;
    // The buyer polls only when parked, and is silent when active: Redis is read instead.
    let mut rounds = 0;
    let mut redis = world.raw_redis().await;
    until_within(Duration::from_mins(1), "the entry has expired", async || {
        if is_in(&mut redis, sale.schedule, "parked", crowd[1].user).await {
            rounds += 1;
            let back = crowd[1].clone().poll().await.ok(200);
            if back["status"] == "EXPIRED" {
                return Some(());
            }
        }
        // In this order: an entry moves from waiting to the other sets.
        let waits = is_in(&mut redis, sale.schedule, "waiting", crowd[1].user).await;
        let place: Option<String> =
            redis.hget(key(sale.schedule, "place"), crowd[1].user).await.expect("Redis");
        (place.is_none() && !waits).then_some(())
    })
    .await;
    assert!(rounds >= 2, "admitted and passed over {rounds} times");
    assert_eq!(poll(&crowd[1]).await["status"], "EXPIRED");
    // It stays expired after Redis is lost.
    archived(&world, 2, 2).await;
    wipe(&mut world.raw_redis().await).await;
    assert_eq!(poll(&crowd[1].at(processes[1].addr)).await["status"], "EXPIRED");
    let (status, again) = rejoin(&mut crowd[1].without_ticket(), sale.schedule).await;
    assert_eq!((status, again["sequence"].as_u64().expect("a sequence") >> 40), (201, 2));
}

#[tokio::test]
async fn after_redis_is_lost_an_active_buyer_can_hold_without_polling_and_one_who_left_cannot() {
    let world = World::new().await;
    let (_processes, sale, mut crowd) = one_slot(&world, 2, json!({"capacity": 2})).await;
    crowd[1].poll().await.ok(200);
    crowd[1].leave().await;
    archived(&world, 2, 1).await;
    wipe(&mut world.raw_redis().await).await;
    let hold = async |person: &Client, seat: usize| {
        let path = format!("/v1/schedules/{}/reservations", sale.schedule);
        let wish = json!({"seat_ids": [sale.seats[seat]]});
        person.keyed().post_with_retries(&path, wish).await
    };
    hold(&crowd[0], 0).await.ok(201);
    hold(&crowd[1], 1).await.refused(403, "ticket_not_active");
}
