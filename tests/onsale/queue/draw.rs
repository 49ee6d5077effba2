//! The draw: nobody is admitted before it is complete, and its order follows from a published
//! secret.

use std::collections::{BTreeMap, BTreeSet};

use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order};
use crate::support::draw::{PublishedDraw, create_sale, drawn_order, until_begun};
use crate::support::faults::key;
use crate::support::sale::{self, in_seconds};
use crate::support::wait::until;
use crate::support::world::World;

/// Polls each user's ticket until it has a position; returns user and ticket by position. All users
/// must wait.
async fn positions(users: &[Client]) -> BTreeMap<i64, (u64, Value)> {
    let mut found = BTreeMap::new();
    for person in users {
        let ticket = until("a board from after the draw", async || {
            let ticket = person.clone().poll().await.ok(200);
            assert_eq!(ticket["status"], "WAITING", "{ticket}");
            ticket["position"].is_i64().then_some(ticket)
        })
        .await;
        found.insert(ticket["position"].as_i64().unwrap(), (person.user.unsigned_abs(), ticket));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_drawn_order_follows_from_the_secret_and_later_joiners_come_after_it() {
    let world = World::new().await;
    let processes = [world.start().await, world.start().await];
    let at = [processes[0].addr, processes[1].addr];
    let admin = processes[0].admin().await;
    let (schedule, mut crowd, ids) = create_sale(&world, &admin, &at, 40).await;
    let proof = format!("/v1/schedules/{schedule}/queue/draw");
    let before = admin.get(&proof).await.ok(200);
    assert_eq!(before.as_object().unwrap().len(), 1, "{before}");
    let list = format!("{proof}/entrants");
    admin.get(&list).await.refused(409, "draw_not_frozen");

    // One user leaves; another leaves and joins again.
    let leaver = crowd.remove(7);
    leaver.leave().await;
    let mut back = crowd.remove(11);
    back.leave().await;
    let again = back.join(schedule).await.ok(201);
    assert!(again["position"].is_null() && again["ahead"].is_null(), "{again}");
    assert!(again["eta_seconds"].is_null());
    let board = admin.get(&format!("/v1/schedules/{schedule}/queue")).await.ok(200);
    assert_eq!((&board["ranks"], &board["now_serving"]), (&json!([]), &Value::Null));
    crowd.push(back);

    let draw = PublishedDraw::open_sale(&admin, schedule).await;
    let late = join_in_order(create_users(&world, &at, 3, 0).await, schedule).await;
    draw.wait_until_moved(&world).await;
    assert_eq!(draw.proof["commitment"], before["commitment"]);
    assert_eq!(draw.proof["entrants"], 39);
    let mut listed = draw.entrants.clone();
    listed.sort();
    let mut expected: Vec<String> = ids.into_values().collect();
    expected.retain(|id| listed.contains(id));
    assert_eq!((expected.len(), listed.len()), (38, 39), "all except the two tickets of leavers");

    // With the old tickets, at the other of the two processes.
    let crossed: Vec<Client> =
        crowd.iter().zip(at.iter().rev().cycle()).map(|(person, at)| person.at(*at)).collect();
    let found = positions(&crossed).await;
    let order = drawn_order(&draw);
    for (position, (_, ticket)) in &found {
        assert_eq!(ticket["ticket_id"], order[usize::try_from(*position).unwrap() - 1].as_str());
        assert!(ticket["queue_token"].is_string(), "a newly signed ticket");
    }
    assert_eq!(found.len(), 39, "each has a separate position");
    let behind = positions(&late).await;
    assert_eq!(behind.keys().copied().collect::<Vec<_>>(), [40, 41, 42]);
    assert_eq!(behind[&40].0, late[0].user.unsigned_abs(), "in order of arrival");
    let mut gone = leaver;
    assert_eq!(gone.poll().await.ok(200)["status"], "LEFT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_from_before_the_draw_can_hold_leave_and_be_found_by_joining() {
    let world = World::new().await;
    let processes = [world.start().await, world.start().await];
    let at = [processes[0].addr, processes[1].addr];
    let admin = processes[0].admin().await;
    let (schedule, crowd, ids) = create_sale(&world, &admin, &at, 6).await;
    let draw = PublishedDraw::open_sale(&admin, schedule).await;
    draw.wait_until_moved(&world).await;
    let order = drawn_order(&draw);
    // Joining again returns the same entry and the same id.
    for person in &crowd {
        let ticket = person.clone().join(schedule).await.ok(200);
        assert_eq!(ticket["ticket_id"], ids[&person.user].as_str());
        until("a board from after the draw", async || {
            let shown = person.clone().poll().await.ok(200);
            assert_eq!(shown["ticket_id"], ticket["ticket_id"]);
            (shown["sequence"] == ticket["sequence"]).then_some(())
        })
        .await;
    }
    let of = |rank: usize| crowd.iter().find(|person| ids[&person.user] == order[rank]).unwrap();
    // The third leaves with the ticket from before the draw; the other process shows it.
    of(2).leave().await;
    until("the third has left", async || {
        let ticket = of(2).at(at[0]).poll().await.ok(200);
        (ticket["status"] == "LEFT").then_some(())
    })
    .await;
    admin
        .patch(&format!("/v1/admin/schedules/{schedule}/queue"), json!({"capacity": 3}))
        .await
        .ok(200);
    // The capacity is three, and the third has left: the first, second and fourth are active.
    for rank in [0, 1, 3] {
        // A ticket from before the draw can hold too: it names the same entry.
        until("a board from after the draw", async || {
            let held = of(rank).hold(schedule, json!({"quantity": 1})).await;
            (held.status == 201).then_some(())
        })
        .await;
    }
    for rank in [4, 5] {
        of(rank).hold(schedule, json!({"quantity": 1})).await.refused(403, "ticket_not_active");
    }
    until("the table has the slots under the sequences from joining", async || {
        let count = "select count(*) from queue q join draw_entrant e using (sequence)
                     where q.status = 'ACTIVE' and q.token = e.ticket_id and e.place in (1, 2, 4)";
        (world.number(count).await == 3).then_some(())
    })
    .await;
    assert_eq!(world.number("select count(*) from queue").await, 6, "one row for each entry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_admitted_before_the_draw_is_complete() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let (schedule, crowd, _) = create_sale(&world, &admin, &[process.addr], 10).await;
    // This lock on the archive keeps the list of entrants from being frozen.
    let mut tx = world.pool.begin().await.unwrap();
    until("the archive has a row to lock", async || {
        let done = sqlx::query("select 1 from queue_archive for update").execute(&mut *tx).await;
        (done.unwrap().rows_affected() == 1).then_some(())
    })
    .await;
    let queue = format!("/v1/admin/schedules/{schedule}/queue");
    admin.patch(&queue, json!({"capacity": 100})).await.ok(200);
    let times = json!({"reservation_available_at": in_seconds(0)});
    admin.patch(&format!("/v1/admin/schedules/{schedule}"), times).await.ok(200);
    let mut redis = world.raw_redis().await;
    until_begun(&mut redis, schedule).await;
    let mut late = process.buyer().await;
    late.join(schedule).await.ok(201);
    let ticket = until("the sale is shown as open", async || {
        let ticket = late.poll().await.ok(200);
        (ticket["phase"] == "OPEN").then_some(ticket)
    })
    .await;
    assert_eq!((&ticket["status"], &ticket["position"]), (&json!("WAITING"), &Value::Null));
    // The admission loop has run several times since the sale opened.
    let mut rounds = BTreeSet::new();
    until("rounds of admission", async || {
        let at: i64 = redis.hget(key(schedule, "meta"), "looked_at").await.unwrap();
        rounds.insert(at);
        (rounds.len() > 3).then_some(())
    })
    .await;
    let admitted: i64 = redis.hget(key(schedule, "meta"), "admitted").await.unwrap();
    assert_eq!(admitted, 0);
    let secret = admin.get(&format!("/v1/schedules/{schedule}/queue/draw")).await.ok(200);
    assert!(secret.get("secret").is_none());
    tx.rollback().await.unwrap();
    for mut person in crowd.into_iter().chain([late]) {
        until("the user is admitted", async || {
            let ticket = person.poll().await;
            (ticket.body["status"] == "ACTIVE").then_some(())
        })
        .await;
    }
}

/// The ticket from before the draw names the sequence of joining. After the draw it leads to the
/// drawn one, where the entry has ended too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_left_while_the_draw_went_on_does_not_come_back() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let (schedule, crowd, _) = create_sale(&world, &admin, &[process.addr], 8).await;
    until("the list is complete", async || {
        (world.number("select count(*) from draw_entrant").await == 8).then_some(())
    })
    .await;
    // This lock on the archive keeps the list of entrants from being frozen.
    let mut tx = world.pool.begin().await.unwrap();
    sqlx::query("select 1 from queue_archive for update").execute(&mut *tx).await.unwrap();
    let times = json!({"reservation_available_at": in_seconds(0)});
    admin.patch(&format!("/v1/admin/schedules/{schedule}"), times).await.ok(200);
    let mut redis = world.raw_redis().await;
    until_begun(&mut redis, schedule).await;
    // Not archived before the freeze, so it is on the list.
    crowd[3].leave().await;
    let log = key(schedule, "log");
    let ended: Vec<(String, Vec<(String, String)>)> = redis.xrange_all(&log).await.unwrap();
    let (last, _) = ended.last().unwrap();
    let _: () = redis.xdel(&log, &[last]).await.unwrap();
    tx.rollback().await.unwrap();
    let draw = PublishedDraw::wait_for(&admin, schedule).await;
    draw.wait_until_moved(&world).await;
    assert_eq!(draw.entrants.len(), 8, "it is on the list");
    let mut gone = crowd[3].clone();
    assert_eq!(gone.poll().await.ok(200)["status"], "LEFT");
    let waiting: Vec<i64> = redis.zrange(key(schedule, "waiting"), 0, -1).await.unwrap();
    assert_eq!(waiting.len(), 7);
}

/// A process of an older release archives without the list: then the list is written again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_entrants_is_written_while_users_join() {
    for older_release in [false, true] {
        let world = World::new().await;
        let process = world.start().await;
        let admin = process.admin().await;
        let (schedule, crowd, ids) = create_sale(&world, &admin, &[process.addr], 6).await;
        crowd[2].leave().await;
        until("the list is as the queue", async || {
            let rows = "select count(*) from draw_entrant e join queue q using (sequence)
                        where e.ticket_id = q.token and q.status = 'WAITING'";
            let all = world.number("select count(*) from draw_entrant").await;
            (world.number(rows).await == 5 && all == 5).then_some(())
        })
        .await;
        if older_release {
            let row = "delete from draw_entrant where user_id = $1";
            sqlx::query(row).bind(crowd[0].user).execute(&world.pool).await.unwrap();
            let position = "update queue_archive set listed_position = '0-0'";
            sqlx::query(position).execute(&world.pool).await.unwrap();
        }
        let draw = PublishedDraw::open_sale(&admin, schedule).await;
        let listed: BTreeSet<String> = draw.entrants.iter().cloned().collect();
        let mut expected = ids;
        expected.remove(&crowd[2].user);
        assert_eq!(listed, expected.into_values().collect());
    }
}

#[tokio::test]
async fn a_draw_without_entrants_opens_the_sale() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let queue = json!({"entry_order": "DRAW"});
    let sale = sale::create(&admin, (-1, 3600), 1, 5, queue).await;
    let draw = PublishedDraw::wait_for(&admin, sale.schedule).await;
    draw.wait_until_moved(&world).await;
    assert_eq!((draw.proof["entrants"].as_i64(), draw.entrants.len()), (Some(0), 0));
    let mut buyer = process.buyer().await;
    until("the buyer is admitted", async || {
        buyer.join(sale.schedule).await;
        (buyer.poll().await.body["status"] == "ACTIVE").then_some(())
    })
    .await;
    let order = json!({"entry_order": "FIFO"});
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&path, order).await.refused(409, "line_is_open");
    let path = "/v1/schedules/999999/queue/draw";
    admin.get(path).await.refused(404, "schedule_not_found");
    admin.get(&format!("{path}/entrants")).await.refused(404, "schedule_not_found");
}

#[tokio::test]
async fn the_entry_order_can_be_changed_until_the_queue_opens() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let queue = json!({"queue_opens_at": in_seconds(1000)});
    let sale = sale::create(&admin, (2000, 3600), 1, 5, queue).await;
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    for order in ["DRAW", "FIFO", "DRAW"] {
        let changed = admin.patch(&path, json!({"entry_order": order})).await.ok(200);
        assert_eq!(changed["entry_order"], order);
    }
    admin.patch(&path, json!({"queue_opens_at": in_seconds(-1)})).await.ok(200);
    admin.patch(&path, json!({"entry_order": "FIFO"})).await.refused(409, "line_is_open");
}
