//! Losing Redis or a process before, during and after a draw.

use std::net::SocketAddr;

use chrono::{TimeDelta, Utc};
use onsale::queue::model::{QueueEntry, Sequence};
use onsale::queue::ticket::jwt::TicketKeys;
use onsale::store::id::{ScheduleId, UserId};
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::draw::{PublishedDraw, create_sale, drawn_order};
use crate::support::faults::{Served, key, wipe};
use crate::support::sale::in_seconds;
use crate::support::wait::{until, until_within};
use crate::support::world::{QUEUE_SECRET, World};

const LONG: std::time::Duration = std::time::Duration::from_secs(90);

/// Polls each user's ticket until it has a position; returns the ticket ids in queue order.
async fn queue_order(crowd: &[Client]) -> Vec<String> {
    let mut found = Vec::new();
    for person in crowd {
        let one = until_within(LONG, "a position", async || {
            let ticket = person.clone().poll().await.body;
            assert_ne!(ticket["status"], "LEFT", "{ticket}");
            let has_position = ticket["position"].is_i64();
            has_position.then(|| (ticket["sequence"].as_i64(), ticket["ticket_id"].clone()))
        })
        .await;
        found.push(one);
    }
    found.sort_by_key(|(sequence, _)| *sequence);
    found.into_iter().map(|(_, id)| id.as_str().unwrap().to_owned()).collect()
}

async fn poll_all(crowd: &[Client]) {
    for person in crowd {
        until("a poll succeeds", async || {
            let answer = person.clone().poll().await;
            (answer.status == 200).then_some(())
        })
        .await;
    }
}

async fn wait_for_rows(world: &World, count: i64) {
    until("the queue is archived", async || {
        (world.number("select count(*) from queue").await == count).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn losing_redis_before_the_opening_loses_no_entrant() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let (schedule, crowd, mut ids) = create_sale(&world, &admin, &[process.addr], 12).await;
    wait_for_rows(&world, 12).await;
    wipe(&mut world.raw_redis().await).await;
    // Half of the users poll again before the opening, and two new users join.
    poll_all(&crowd[..6]).await;
    let mut crowd = crowd;
    for mut person in [process.buyer().await, process.buyer().await] {
        let ticket = person.join(schedule).await.ok(201);
        ids.insert(person.user, ticket["ticket_id"].as_str().unwrap().to_owned());
        crowd.push(person);
    }
    let draw = PublishedDraw::open_sale(&admin, schedule).await;
    assert_eq!(draw.proof["entrants"], 14);
    let mut listed = draw.entrants.clone();
    listed.sort();
    let mut expected: Vec<String> = ids.into_values().collect();
    expected.sort();
    assert_eq!(listed, expected, "all users, also those who did not poll again");
    draw.wait_until_moved(&world).await;
    assert_eq!(queue_order(&crowd).await, drawn_order(&draw));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_draw_losing_redis_keeps_every_drawn_position() {
    let world = World::new().await;
    let processes = [world.start().await, world.start().await];
    let at = [processes[0].addr, processes[1].addr];
    let admin = processes[0].admin().await;
    let (schedule, crowd, _) = create_sale(&world, &admin, &at, 12).await;
    let draw = PublishedDraw::open_sale(&admin, schedule).await;
    draw.wait_until_moved(&world).await;
    let drawn = queue_order(&crowd).await;
    assert_eq!(drawn, drawn_order(&draw));
    let mut redis = world.raw_redis().await;
    let before: Vec<i64> = redis.zrange(key(schedule, "waiting"), 0, -1).await.unwrap();
    wipe(&mut redis).await;
    until("the queue is back before anybody polls", async || {
        let now: Vec<i64> = redis.zrange(key(schedule, "waiting"), 0, -1).await.unwrap();
        (now == before).then_some(())
    })
    .await;
    poll_all(&crowd).await;
    let mut newcomer = processes[1].buyer().await;
    let late = newcomer.join(schedule).await.ok(201);
    assert_eq!(queue_order(&crowd).await, drawn, "with the tickets from before the draw");
    let last: i64 = redis.zscore(key(schedule, "waiting"), newcomer.user).await.unwrap();
    assert_eq!(late["sequence"], last);
    let order: Vec<i64> = redis.zrange(key(schedule, "waiting"), 0, -1).await.unwrap();
    assert_eq!(order.last(), Some(&newcomer.user));
}

/// A ticket from before the draw whose entry was lost before it was archived.
fn unlisted_ticket(user: i64, schedule: i64) -> String {
    let keys = TicketKeys::new(&[QUEUE_SECRET.to_owned()], "onsale");
    // Number 0 is never given to an entry.
    let sequence = Sequence(1 << 40);
    let entry = QueueEntry::waiting(sequence, sequence);
    let expires_at = Utc::now() + TimeDelta::hours(1);
    keys.sign(ScheduleId(schedule), UserId(user), entry, expires_at).expect("a ticket")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_is_not_on_the_list_gets_the_last_position_once() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let (schedule, crowd, _) = create_sale(&world, &admin, &[process.addr], 3).await;
    let draw = PublishedDraw::open_sale(&admin, schedule).await;
    draw.wait_until_moved(&world).await;
    // The process's snapshot may be from before the draw for up to a second.
    assert_eq!(queue_order(&crowd).await, drawn_order(&draw));

    let person = process.buyer().await;
    let unlisted = person.with_ticket(&unlisted_ticket(person.user, schedule));
    let (first, again) =
        (unlisted.clone().poll().await.ok(200), unlisted.clone().poll().await.ok(200));
    assert_eq!((&first["status"], &first["position"]), (&json!("WAITING"), &json!(4)), "{first}");
    assert_eq!(first["sequence"], again["sequence"], "{again}");

    let mut person = person;
    let joined = person.join(schedule).await.ok(200);
    assert_eq!(joined["sequence"], first["sequence"], "{joined}");
    person.leave().await;
    until("the entry is archived", async || {
        let left = "select count(*) from queue where status = 'LEFT'";
        (world.number(left).await == 1).then_some(())
    })
    .await;
    let shown = unlisted.clone().poll().await;
    assert_eq!(shown.body["status"], "EXPIRED", "{:?}", shown.body);
    assert_eq!(world.number("select count(*) from queue").await, 4, "no further entry");
}

/// The loss comes when the ranks are drawn and the queue is not moved yet, or only in part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn losing_redis_and_a_process_during_the_draw_changes_nothing() {
    let world = World::new().await;
    let first = Served::start(&world).await;
    let helper = world.start().await;
    let admin = helper.admin().await;
    let (schedule, crowd, _) = create_sale(&world, &admin, &[helper.addr], 12).await;
    wait_for_rows(&world, 12).await;
    helper.stop().await;
    // The process is killed while it cannot publish the draw: the list is frozen, the queue
    // unchanged.
    let mut tx = world.pool.begin().await.unwrap();
    let block = "create function hold_on() returns trigger language plpgsql as
                 $$ begin perform pg_sleep(0.05); raise exception 'not yet'; end $$";
    sqlx::query(block).execute(&mut *tx).await.unwrap();
    let block = "create trigger hold_on before update of opened_at on draw
                 for each row when (new.opened_at is not null) execute function hold_on()";
    sqlx::query(block).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let steer = admin.at(first.addr);
    let times = json!({"reservation_available_at": in_seconds(0)});
    steer.patch(&format!("/v1/admin/schedules/{schedule}"), times).await.ok(200);
    until("every user has a rank that is not public", async || {
        let placed = "select count(*) from draw_entrant where place is not null";
        (world.number(placed).await == 12).then_some(())
    })
    .await;
    first.kill().await;
    let mut redis = world.raw_redis().await;
    wipe(&mut redis).await;
    sqlx::query("drop trigger hold_on on draw").execute(&world.pool).await.unwrap();

    let processes = [world.start().await, world.start().await];
    let admin = admin.at(processes[0].addr);
    let crowd: Vec<Client> =
        crowd.iter().zip((0..2).cycle()).map(|(one, n)| one.at(processes[n].addr)).collect();
    let draw = PublishedDraw::wait_for(&admin, schedule).await;
    draw.wait_until_moved(&world).await;
    let order_now: Vec<i64> = redis.zrange(key(schedule, "waiting"), 0, -1).await.unwrap();
    assert_eq!(order_now.len(), 12, "users who have not polled again are in the queue too");
    assert_eq!(queue_order(&crowd).await, drawn_order(&draw));
}

/// Keeps the secret from becoming public, so that the draw does not end.
async fn forbid_publishing(world: &World) {
    for block in [
        "create function hold_on() returns trigger language plpgsql as
         $$ begin raise exception 'not yet'; end $$",
        "create trigger hold_on before update of opened_at on draw
         for each row when (new.opened_at is not null) execute function hold_on()",
    ] {
        sqlx::query(block).execute(&world.pool).await.unwrap();
    }
}

/// Who is active, and until when.
async fn active_slots(crowd: &[Client], addr: SocketAddr) -> Vec<(i64, Value)> {
    let mut active = Vec::new();
    for person in crowd {
        let ticket = until("a poll succeeds", async || {
            let answer = person.at(addr).poll().await;
            (answer.status == 200).then_some(answer.body)
        })
        .await;
        if ticket["status"] == "ACTIVE" {
            active.push((person.user, ticket["active_expires_at"].clone()));
        }
    }
    active
}

/// While the queue is moved, the first are admitted. Then Redis and the process are lost: who was
/// admitted keeps the slot, who paid stays out, and the order of the others does not change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_admitted_during_the_move_keep_their_slots_after_a_loss() {
    let world = World::new().await;
    let first = Served::start(&world).await;
    let helper = world.start().await;
    let admin = helper.admin().await;
    let (schedule, crowd, ids) = create_sale(&world, &admin, &[helper.addr], 12).await;
    wait_for_rows(&world, 12).await;
    helper.stop().await;
    forbid_publishing(&world).await;
    let steer = admin.at(first.addr);
    let queue = format!("/v1/admin/schedules/{schedule}/queue");
    steer.patch(&queue, json!({"capacity": 3})).await.ok(200);
    let times = json!({"reservation_available_at": in_seconds(0)});
    steer.patch(&format!("/v1/admin/schedules/{schedule}"), times).await.ok(200);
    until("three slots are archived", async || {
        let active = "select count(*) from queue where status = 'ACTIVE'";
        (world.number(active).await == 3).then_some(())
    })
    .await;
    let secret = steer.get(&format!("/v1/schedules/{schedule}/queue/draw")).await.ok(200);
    assert!(secret.get("secret").is_none(), "{secret}");
    let active = active_slots(&crowd, first.addr).await;
    assert_eq!(active.len(), 3);
    first.kill().await;
    wipe(&mut world.raw_redis().await).await;
    sqlx::query("drop trigger hold_on on draw").execute(&world.pool).await.unwrap();

    let process = world.start().await;
    let admin = admin.at(process.addr);
    let draw = PublishedDraw::wait_for(&admin, schedule).await;
    draw.wait_until_moved(&world).await;
    let order = drawn_order(&draw);
    for (user, until_before) in &active {
        assert!(order[..3].contains(&ids[user]), "the first three were admitted");
        // With the ticket from before the draw.
        let person = crowd.iter().find(|person| person.user == *user).unwrap().at(process.addr);
        let ticket = until_within(LONG, "the slot", async || {
            let ticket = person.clone().poll().await.body;
            (ticket["status"] == "ACTIVE").then_some(ticket)
        })
        .await;
        assert_eq!(&ticket["active_expires_at"], until_before, "the slot ends when it did before");
    }
    let others: Vec<Client> = crowd
        .iter()
        .filter(|person| active.iter().all(|(user, _)| *user != person.user))
        .map(|person| person.at(process.addr))
        .collect();
    assert_eq!(queue_order(&others).await, order[3..]);
}
