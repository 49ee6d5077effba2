//! The feed: no cursor ever skips an event, whenever its transaction commits.

use std::collections::HashSet;
use std::time::Duration;

use onsale::webhook::pg::purge;
use serde_json::{Value, json};

use super::write_event;
use crate::support::client::Client;
use crate::support::wait::until;
use crate::support::world::World;

async fn turn_on(admin: &Client) {
    let state = admin.patch("/v1/admin/event-feed", json!({"enabled": true})).await.ok(200);
    assert!(state["enabled"] == true && state["recorded_since"].is_string(), "{state}");
}

/// The numbers in the items of an answer.
fn numbers(page: &Value) -> Vec<i64> {
    let items = page["items"].as_array().expect("items").iter();
    items.filter_map(|item| item["data"]["number"].as_i64()).collect()
}

/// The next answer after a cursor that has an event.
async fn next(admin: &Client, after: &Value) -> Value {
    until("an event in the feed", async || {
        let after = after.as_str().map_or_else(String::new, |after| format!("?after={after}"));
        let page = admin.get(&format!("/v1/events{after}")).await.ok(200);
        (!numbers(&page).is_empty()).then_some(page)
    })
    .await
}

#[tokio::test]
async fn the_feed_is_off_until_it_is_turned_on() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    admin.get("/v1/events").await.refused(409, "event_feed_off");
    let state = admin.get("/v1/admin/event-feed").await.ok(200);
    assert_eq!(state, json!({"enabled": false, "recorded_since": null}));
    turn_on(&admin).await;
    let page = admin.get("/v1/events").await.ok(200);
    assert_eq!((&page["items"], &page["has_more"]), (&json!([]), &json!(false)));
    for wrong in ["after=x", "after=", "limit=0", "limit=1001"] {
        admin.get(&format!("/v1/events?{wrong}")).await.refused(422, "invalid_request");
    }
    let off = admin.patch("/v1/admin/event-feed", json!({"enabled": false})).await.ok(200);
    assert_eq!(off, json!({"enabled": false, "recorded_since": null}));
}

#[tokio::test]
async fn an_event_that_is_committed_late_comes_after_those_that_were_read() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    turn_on(&admin).await;
    let mut late = world.pool.begin().await.expect("a transaction");
    let early_id: i64 = sqlx::query_scalar(
        "insert into sale_event (type, entity, data)
         values ('reservation.held', 'hold:a', '{\"number\": 1}') returning id",
    )
    .fetch_one(&mut *late)
    .await
    .expect("an event");
    let late_id = write_event(&world.pool, "hold:b", 2).await;
    // The control: in the order of ids, a reader that has seen the second would skip the first.
    assert!(early_id < late_id);
    let page = next(&admin, &Value::Null).await;
    assert_eq!(numbers(&page), [2]);
    late.commit().await.expect("it commits");
    let page = next(&admin, &page["next_after"]).await;
    assert_eq!(numbers(&page), [1]);
    let all = admin.get("/v1/events?limit=1").await.ok(200);
    assert_eq!((numbers(&all), &all["has_more"]), (vec![2], &json!(true)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_gets_each_event_of_concurrent_transactions_once() {
    const WRITERS: i64 = 8;
    const EACH: i64 = 25;
    let world = World::new().await;
    let processes = [world.start().await, world.start().await];
    let admin = processes[0].admin().await;
    turn_on(&admin).await;
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let pool = world.pool.clone();
        writers.push(tokio::spawn(async move {
            for event in 0..EACH {
                let mut tx = pool.begin().await.expect("a transaction");
                sqlx::query(
                    "insert into sale_event (type, entity, data)
                     values ('reservation.held', 'hold:a', jsonb_build_object('number', $1))",
                )
                .bind(writer * EACH + event)
                .execute(&mut *tx)
                .await
                .expect("an event");
                let random = u64::from(uuid::Uuid::now_v7().as_bytes()[15]);
                tokio::time::sleep(Duration::from_millis(random / 8)).await;
                tx.commit().await.expect("it commits");
            }
        }));
    }
    let (mut seen, mut after) = (HashSet::new(), Value::Null);
    while seen.len() < usize::try_from(WRITERS * EACH).unwrap() {
        let page = next(&admin, &after).await;
        for number in numbers(&page) {
            assert!(seen.insert(number), "{number} came twice");
        }
        after = page["next_after"].clone();
    }
    for writer in writers {
        writer.await.expect("it wrote");
    }
}

#[tokio::test]
async fn a_cursor_before_purged_events_is_refused_with_one_to_go_on_from() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    turn_on(&admin).await;
    let start = admin.get("/v1/events").await.ok(200)["next_after"].clone();
    write_event(&world.pool, "hold:a", 1).await;
    let read = next(&admin, &start).await["next_after"].clone();
    write_event(&world.pool, "hold:a", 2).await;
    next(&admin, &read).await;
    purge::purge(&world.pg, Duration::from_hours(1)).await.expect("nothing is that old");
    assert_eq!(world.number("select count(*) from sale_event").await, 2);
    purge::purge(&world.pg, Duration::ZERO).await.expect("it purges");
    assert_eq!(world.number("select count(*) from sale_event").await, 0);
    for cursor in [&start, &read] {
        let path = format!("/v1/events?after={}", cursor.as_str().unwrap());
        let refused = admin.get(&path).await;
        let oldest = refused.body["oldest_after"].as_str().unwrap_or_default().to_owned();
        refused.refused(410, "events_expired");
        write_event(&world.pool, "hold:a", 3).await;
        assert_eq!(numbers(&next(&admin, &json!(oldest)).await)[0], 3);
    }
}

/// A failover to a standby that lacks the last events: their positions are given out again.
#[tokio::test]
async fn a_cursor_from_before_a_loss_of_events_is_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    turn_on(&admin).await;
    for number in 0..3 {
        write_event(&world.pool, "hold:1", number).await;
    }
    let page = until("all events", async || {
        let page = admin.get("/v1/events").await.ok(200);
        (numbers(&page).len() == 3).then_some(page)
    })
    .await;
    let after = page["next_after"].as_str().expect("a cursor");
    let lose = "delete from sale_event where position > 1";
    sqlx::query(lose).execute(&world.pool).await.expect("a loss");
    let back = "update event_position set position = 1";
    sqlx::query(back).execute(&world.pool).await.expect("a loss");
    admin.get(&format!("/v1/events?after={after}")).await.refused(410, "events_expired");
}
