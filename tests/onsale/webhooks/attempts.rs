//! Attempts: receivers that drop, delay, redirect, and answer 410, 500 and slowly.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LOCAL, create, deliveries, path, write_event};
use crate::support::receiver::{Receiver, Reply};
use crate::support::world::World;

#[tokio::test]
async fn a_receiver_that_drops_delays_and_answers_500_gets_the_message_in_the_end() {
    let world = World::new().await;
    let process = world.start_with(&LOCAL).await;
    let admin = process.admin().await;
    let receiver = Receiver::start(|message| match message.times {
        1 => Reply::Drop,
        2 => Reply::Late(Duration::from_secs(30)),
        3 => Reply::status(500),
        4 => Reply::Status(429, "retry-after: 1\r\n".to_owned()),
        5 => Reply::status(404),
        _ => Reply::Late(Duration::from_millis(100)),
    })
    .await;
    let webhook = create(&admin, &receiver, &[]).await;
    admin.post(&path(&webhook, "/test"), json!({})).await.ok(202);
    let delivered = deliveries(&admin, &webhook, "DELIVERED", 1).await;
    assert_eq!((&delivered[0]["attempts"], &delivered[0]["last_status"]), (&json!(6), &json!(200)));
    assert!(delivered[0]["last_error"].is_null() && delivered[0]["due_at"].is_null());
    let all = receiver.all();
    assert_eq!(all.len(), 6);
    let secret = webhook["secret"].as_str().unwrap();
    for message in &all {
        assert_eq!((&message.id, &message.raw), (&all[0].id, &all[0].raw));
        assert_eq!(json!(message.id), delivered[0]["event_id"]);
        assert!(message.is_signed_with(secret));
    }
    assert!(all[5].timestamp > all[0].timestamp, "each attempt has its own time");
}

#[tokio::test]
async fn a_redirection_is_not_followed_and_an_endless_answer_is_not_read() {
    let world = World::new().await;
    let process = world.start_with(&LOCAL).await;
    let admin = process.admin().await;
    let other = Receiver::willing().await;
    let location = format!("location: {}\r\n", other.url());
    let redirecting = Receiver::start(move |message| match message.times {
        1 => Reply::Status(302, location.clone()),
        2 => Reply::Status(307, location.clone()),
        _ => Reply::Endless,
    })
    .await;
    let webhook = create(&admin, &redirecting, &[]).await;
    admin.post(&path(&webhook, "/test"), json!({})).await.ok(202);
    let delivered = deliveries(&admin, &webhook, "DELIVERED", 1).await;
    assert_eq!(delivered[0]["attempts"], 3);
    assert!(other.all().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_answers_410_gets_nothing_more_until_it_is_enabled_and_replayed() {
    let world = World::new().await;
    let process = world.start_with(&LOCAL).await;
    let admin = process.admin().await;
    let receiver = Receiver::start(|_| Reply::status(410)).await;
    let webhook = create(&admin, &receiver, &[]).await;
    let other = Receiver::willing().await;
    create(&admin, &other, &[]).await;
    write_event(&world.pool, "hold:a", 1).await;
    deliveries(&admin, &webhook, "DEAD", 1).await;
    let disabled = admin.get(&path(&webhook, "")).await.ok(200);
    assert_eq!(
        (&disabled["enabled"], &disabled["disabled_reason"]),
        (&json!(false), &json!("GONE"))
    );
    // It gets no deliveries while it is disabled; the other endpoint does.
    write_event(&world.pool, "hold:a", 2).await;
    crate::support::wait::until("both events", async || {
        (other.accepted().len() == 2).then_some(())
    })
    .await;
    assert_eq!(receiver.all().len(), 1);
    let replay = json!({"from": "2020-01-01T00:00:00Z"});
    let answer = admin.post(&path(&webhook, "/replay"), replay.clone()).await;
    answer.refused(409, "webhook_disabled");

    receiver.behave(|_| Reply::status(200));
    admin.patch(&path(&webhook, ""), json!({"enabled": true})).await.ok(200);
    let replayed = admin.post(&path(&webhook, "/replay"), replay.clone()).await.ok(202);
    assert_eq!(replayed, json!({"deliveries": 2, "more": false}));
    deliveries(&admin, &webhook, "DELIVERED", 2).await;
    let numbers: Vec<Value> =
        receiver.accepted().iter().map(|it| it.body["data"]["number"].clone()).collect();
    assert_eq!(numbers, [1, 2]);
    // Nothing is missing any more. By id, an event is sent again.
    let replayed = admin.post(&path(&webhook, "/replay"), replay).await.ok(202);
    assert_eq!(replayed["deliveries"], 0);
    let id = receiver.accepted()[0].id.clone();
    let by_id = json!({"event_ids": [id]});
    assert_eq!(admin.post(&path(&webhook, "/replay"), by_id).await.ok(202)["deliveries"], 1);
    deliveries(&admin, &webhook, "DELIVERED", 3).await;
    assert_eq!(receiver.accepted()[2].id, id);
    let unknown = json!({"event_ids": ["evt_00000000000000000000000000000000"]});
    admin.post(&path(&webhook, "/replay"), unknown).await.refused(404, "event_not_found");
    for neither in [json!({}), json!({"event_ids": [id], "from": "2020-01-01T00:00:00Z"})] {
        admin.post(&path(&webhook, "/replay"), neither).await.refused(422, "invalid_request");
    }
}

#[tokio::test]
async fn a_message_is_given_up_in_the_end_and_then_the_next_of_its_entity_is_sent() {
    let world = World::new().await;
    let mut flags = LOCAL.to_vec();
    flags.push("--webhook-retry-for=1s");
    let process = world.start_with(&flags).await;
    let admin = process.admin().await;
    let receiver = Receiver::start(|message| match message.body["data"]["number"].as_i64() {
        Some(1) => Reply::status(503),
        _ => Reply::status(200),
    })
    .await;
    let webhook = create(&admin, &receiver, &[]).await;
    for number in [1, 2] {
        write_event(&world.pool, "hold:a", number).await;
    }
    write_event(&world.pool, "hold:b", 3).await;
    let dead = deliveries(&admin, &webhook, "DEAD", 1).await;
    assert_eq!(dead[0]["last_status"], 503);
    assert!(dead[0]["attempts"].as_i64().unwrap() > 1 && dead[0]["ended_at"].is_string());
    deliveries(&admin, &webhook, "DELIVERED", 2).await;
    let numbers: Vec<i64> =
        receiver.all().iter().filter_map(|it| it.body["data"]["number"].as_i64()).collect();
    let second = numbers.iter().position(|number| *number == 2).expect("it was sent");
    assert!(numbers[second..].iter().all(|number| *number != 1), "{numbers:?}");
    let third = numbers.iter().position(|number| *number == 3).expect("it was sent");
    assert!(third < second, "another entity does not wait: {numbers:?}");
    let metrics = admin.get("/metrics").await.text;
    assert!(metrics.contains(r#"onsale_webhook_deliveries_total{outcome="dead"} 1"#));
    assert!(metrics.contains(r#"onsale_webhook_deliveries_total{outcome="delivered"} 2"#));
}
