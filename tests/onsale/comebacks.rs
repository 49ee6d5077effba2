//! Coming back: a place is kept for who lost the ticket with Redis, and nothing is gained by old
//! tickets, by many, by leaving, or by silence.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{all, join_in_turn, people};
use crate::support::faults::{key, wipe};
use crate::support::sale::{self, Sale};
use crate::support::wait::{until, until_within};
use crate::support::world::{Process, World};

/// Two processes, one slot, and people who joined in order: the first is inside.
async fn line(world: &World, count: u32, queue: Value) -> ([Process; 2], Sale, Vec<Client>) {
    let processes = [world.start().await, world.start().await];
    let mut settings = json!({"capacity": 1});
    for (name, value) in queue.as_object().expect("settings") {
        settings[name] = value.clone();
    }
    let sale = sale::open(&processes[0].admin().await, 1, 9, settings).await;
    let crowd = people(world, &[processes[0].addr], count, 1000).await;
    let crowd = join_in_turn(crowd, sale.schedule).await;
    (processes, sale, crowd)
}

/// Returns once the `queue` table knows `count` places, so many of them ended.
async fn archived(world: &World, count: i64, ended: i64) {
    until("the table knows every place", async || {
        let over = "select count(*) from queue where status in ('LEFT', 'COMPLETED', 'EXPIRED')";
        let all = world.number("select count(*) from queue").await;
        (all == count && world.number(over).await == ended).then_some(())
    })
    .await;
}

/// Joins, once that works again.
async fn rejoin(person: &mut Client, schedule: i64) -> (u16, Value) {
    let answer = until("joining works", async || {
        let answer = person.join(schedule).await;
        ([200, 201].contains(&answer.status)).then_some(answer)
    })
    .await;
    (answer.status, answer.body)
}

/// Asks, once that works again.
async fn ask(person: &Client) -> Value {
    let mut person = person.clone();
    let answer = until("asking works", async || {
        let answer = person.poll().await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    answer.body
}

async fn leave(person: &Client) {
    assert_eq!(person.delete("/v1/queue/ticket").await.status, 204);
}

async fn is_in(world: &World, sale: &Sale, set: &str, person: &Client) -> bool {
    let set = key(sale.schedule, set);
    let score: Option<f64> = world.raw_redis().await.zscore(set, person.user).await.expect("Redis");
    score.is_some()
}

#[tokio::test]
async fn whoever_lost_redis_and_the_ticket_gets_the_same_place_back() {
    let world = World::new().await;
    let (processes, sale, crowd) = line(&world, 4, json!({})).await;
    let inside = ask(&crowd[0]).await;
    let places = [ask(&crowd[1]).await, ask(&crowd[2]).await, ask(&crowd[3]).await];
    archived(&world, 4, 0).await;
    wipe(&mut world.raw_redis().await).await;
    // Somebody new is there before them, and stays behind them.
    let mut newcomer = processes[1].buyer().await;
    let (status, new) = rejoin(&mut newcomer, sale.schedule).await;
    assert_eq!((status, &new["status"]), (201, &json!("WAITING")));
    for number in [3, 1, 2] {
        let mut person = crowd[number].without_ticket().at(processes[1].addr);
        let (status, back) = rejoin(&mut person, sale.schedule).await;
        let place = &places[number - 1];
        assert_eq!((status, &back["status"]), (200, &json!("WAITING")), "not a new place");
        assert_eq!(
            (&back["sequence"], &back["ticket_id"]),
            (&place["sequence"], &place["ticket_id"])
        );
        assert!(back["sequence"].as_u64() < new["sequence"].as_u64());
    }
    let (status, back) = rejoin(&mut crowd[0].without_ticket(), sale.schedule).await;
    assert_eq!((status, &back["status"]), (200, &json!("ACTIVE")));
    assert_eq!(back["active_expires_at"], inside["active_expires_at"], "the slot did not move");
    // And once they are known, the ticket that is shown after all is the same place.
    let shown = ask(&crowd[2]).await;
    assert_eq!(shown["sequence"], places[1]["sequence"]);
    let waiting: i64 =
        world.raw_redis().await.zcard(key(sale.schedule, "waiting")).await.expect("Redis");
    assert_eq!(waiting, 4, "three of before, one new");
}

/// One buys, one leaves, Redis is lost; and before it, in PostgreSQL, what this says.
async fn ended_places_stay_ended(lost: Option<&'static str>) {
    let world = World::new().await;
    let (processes, sale, crowd) = line(&world, 3, json!({})).await;
    let held = crowd[0].hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    crowd[0].pay(&held).await.ok(201);
    leave(&crowd[2]).await;
    archived(&world, 3, 2).await;
    if let Some(lost) = lost {
        sqlx::query(lost).execute(&world.pool).await.expect("as if it had not been written");
    }
    wipe(&mut world.raw_redis().await).await;
    let mut honest = crowd[1].without_ticket();
    let (status, _) = rejoin(&mut honest, sale.schedule).await;
    assert_eq!(status, 200);
    for number in [0, 2] {
        let mut person = crowd[number].without_ticket().at(processes[1].addr);
        let (status, ticket) = rejoin(&mut person, sale.schedule).await;
        assert_eq!(status, 201, "a new place");
        assert_eq!(ticket["sequence"].as_u64().expect("a sequence") >> 40, 2, "{ticket}");
    }
    for (number, status) in [(0, "COMPLETED"), (2, "LEFT")] {
        let old = crowd[number].at(processes[1].addr);
        assert_eq!(ask(&old).await["status"], status, "the old ticket is of no use");
    }
    let completed = "select count(entered_at) from queue where status = 'COMPLETED'";
    until("it is written", async || (world.number(completed).await == 1).then_some(())).await;
}

#[tokio::test]
async fn a_place_that_ended_is_not_found_again_by_joining_after_a_loss() {
    ended_places_stay_ended(None).await;
}

#[tokio::test]
async fn a_place_that_was_paid_from_stays_ended_where_its_log_was_lost_with_redis() {
    ended_places_stay_ended(Some("delete from queue where status = 'COMPLETED'")).await;
    let waits = "update queue set status = 'WAITING', entered_at = null, expired_at = null
                 where status = 'COMPLETED'";
    ended_places_stay_ended(Some(waits)).await;
}

#[tokio::test]
async fn leaving_and_coming_back_is_the_end_of_the_line_whatever_tickets_are_kept() {
    let world = World::new().await;
    let (processes, sale, mut crowd) = line(&world, 4, json!({})).await;
    let old = crowd[1].clone();
    let first = ask(&old).await;
    for round in 0..3 {
        leave(&crowd[1]).await;
        let again = crowd[1].join(sale.schedule).await.ok(201);
        assert!(again["sequence"].as_u64() > first["sequence"].as_u64());
        assert_eq!(again["ahead"], 2, "behind all others, in round {round}");
        assert_eq!(ask(&old).await["status"], "LEFT");
    }
    archived(&world, 7, 3).await;
    wipe(&mut world.raw_redis().await).await;
    // The old ticket first, as it would be worth more, where nobody has heard of it.
    assert_eq!(ask(&old.at(processes[1].addr)).await["status"], "LEFT");
    let place = ask(&crowd[1]).await;
    assert_eq!(place["status"], "WAITING");
    let (_, joined) = rejoin(&mut old.without_ticket(), sale.schedule).await;
    assert_eq!(joined["sequence"], place["sequence"], "the place of now, not the one of then");
}

#[tokio::test]
async fn two_tickets_of_one_user_are_one_place() {
    let world = World::new().await;
    let (processes, sale, crowd) = line(&world, 3, json!({})).await;
    let older = crowd[2].clone();
    // Too early for the table: what Redis knew of this one is lost, and so it is new.
    let mut latest = processes[0].buyer().await;
    latest.join(sale.schedule).await.ok(201);
    archived(&world, 4, 0).await;
    sqlx::query("delete from queue where user_id = $1")
        .bind(older.user)
        .execute(&world.pool)
        .await
        .expect("a row less");
    wipe(&mut world.raw_redis().await).await;
    let mut newer = older.without_ticket();
    let (status, second) = rejoin(&mut newer, sale.schedule).await;
    assert_eq!(status, 201, "a second ticket");
    // Shown in turn, and at once at two processes: one place, the lower one.
    let lower = ask(&older).await;
    assert!(lower["sequence"].as_u64() < second["sequence"].as_u64());
    until("every board knows that the other one is over", async || {
        for process in &processes {
            if ask(&newer.at(process.addr)).await["status"] != "LEFT" {
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
    let told = all(tickets, |mut person: Client| async move { person.poll().await.ok(200) }).await;
    for (number, ticket) in told.iter().enumerate() {
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
async fn a_ticket_polled_from_many_devices_has_one_place_and_one_slot() {
    let world = World::new().await;
    let (processes, sale, crowd) = line(&world, 3, json!({})).await;
    let devices: Vec<Client> =
        (0..20).map(|number| crowd[1].at(processes[number % 2].addr)).collect();
    let told =
        all(devices.clone(), |mut device: Client| async move { device.poll().await.ok(200) }).await;
    for ticket in told {
        assert_eq!((&ticket["status"], &ticket["position"]), (&json!("WAITING"), &json!(1)));
    }
    leave(&crowd[0]).await;
    let mut inside = Vec::new();
    for mut device in devices {
        let told = until("the device is told", async || {
            let answer = device.poll().await;
            (answer.body["status"] == "ACTIVE").then_some(answer.body)
        });
        inside.push(told.await);
    }
    let end = &inside[0]["active_expires_at"];
    assert!(inside.iter().all(|ticket| ticket["active_expires_at"] == *end), "one slot");
    let mut redis = world.raw_redis().await;
    let active: i64 = redis.zcard(key(sale.schedule, "active")).await.expect("Redis");
    assert_eq!(active, 1);
    let next = ask(&crowd[2]).await;
    assert_eq!((&next["status"], &next["position"]), (&json!("WAITING"), &json!(1)));
}

#[tokio::test]
async fn whoever_is_silent_at_the_front_again_and_again_is_out_when_the_grace_ends() {
    let world = World::new().await;
    let queue = json!({"claim_window_seconds": 1, "return_grace_seconds": 4});
    let (processes, sale, crowd) = line(&world, 2, queue).await;
    leave(&crowd[0]).await;
    // Back as soon as passed over, and silent as soon as let in: asked of Redis, not by polling.
    let mut rounds = 0;
    until_within(Duration::from_mins(1), "it has expired", async || {
        if is_in(&world, &sale, "parked", &crowd[1]).await {
            rounds += 1;
            let back = crowd[1].clone().poll().await.ok(200);
            if back["status"] == "EXPIRED" {
                return Some(());
            }
        }
        // In this order: from waiting a place moves on to the others.
        let waits = is_in(&world, &sale, "waiting", &crowd[1]).await;
        let mut redis = world.raw_redis().await;
        let place: Option<String> =
            redis.hget(key(sale.schedule, "place"), crowd[1].user).await.expect("Redis");
        (place.is_none() && !waits).then_some(())
    })
    .await;
    assert!(rounds >= 2, "let in and passed over {rounds} times");
    assert_eq!(ask(&crowd[1]).await["status"], "EXPIRED");
    // And stays so, also where Redis has forgotten it.
    archived(&world, 2, 2).await;
    wipe(&mut world.raw_redis().await).await;
    assert_eq!(ask(&crowd[1].at(processes[1].addr)).await["status"], "EXPIRED");
    let (status, again) = rejoin(&mut crowd[1].without_ticket(), sale.schedule).await;
    assert_eq!((status, again["sequence"].as_u64().expect("a sequence") >> 40), (201, 2));
}

#[tokio::test]
async fn whoever_was_inside_holds_after_a_loss_without_having_asked_and_whoever_had_left_does_not()
{
    let world = World::new().await;
    let (_processes, sale, mut crowd) = line(&world, 2, json!({"capacity": 2})).await;
    crowd[1].poll().await.ok(200);
    leave(&crowd[1]).await;
    archived(&world, 2, 1).await;
    wipe(&mut world.raw_redis().await).await;
    let hold = async |person: &Client, seat: usize| {
        let wish = json!({"seat_ids": [sale.seats[seat]]});
        until("an answer", async || {
            let answer = person.hold(sale.schedule, wish.clone()).await;
            (answer.status != 503).then_some(answer)
        })
        .await
    };
    hold(&crowd[0], 0).await.ok(201);
    hold(&crowd[1], 1).await.refused(403, "ticket_not_active");
}
