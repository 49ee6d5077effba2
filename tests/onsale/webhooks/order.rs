//! Two processes deliver to a receiver that fails half of the attempts: each event is delivered, none
//! is lost, and each entity's are in order.
//!
//! `ONSALE_WEBHOOK_EVENTS` sets another number of events.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::{LOCAL, create};
use crate::support::receiver::{Received, Receiver, Reply};
use crate::support::wait::until_within;
use crate::support::world::World;

/// Events of one entity.
const PER_ENTITY: i64 = 4;

/// Fails about half of all attempts, in different ways. Accepts every message in the end: among
/// thousands, one would fail so often that its pauses are longer than this test.
fn unreliable(message: &Received) -> Reply {
    if message.times > 10 {
        return Reply::status(200);
    }
    let random = uuid::Uuid::now_v7().as_bytes()[15];
    match random % 8 {
        0 => Reply::Drop,
        1 | 2 => Reply::status(500),
        3 => Reply::Status(503, "connection: close\r\n".to_owned()),
        4 => Reply::Late(Duration::from_millis(u64::from(random) / 8)),
        _ => Reply::status(204),
    }
}

/// Checks what the receiver accepted: every event, and each entity's in order.
fn check(receiver: &Receiver, events: i64) {
    let (mut ids, mut last) = (HashSet::new(), HashMap::new());
    for message in receiver.accepted() {
        let data = &message.body["data"];
        let number = data["number"].as_i64().expect("a number");
        let entity = data["entity"].as_str().expect("an entity").to_owned();
        // An accepted message may arrive again, if its answer was lost. The order holds for the first.
        if ids.insert(message.id.clone()) {
            let before = last.insert(entity.clone(), number).unwrap_or(0);
            assert_eq!(before + 1, number, "{entity}");
        }
    }
    assert_eq!(ids.len(), usize::try_from(events).unwrap());
    let attempts = receiver.all().len();
    assert!(attempts * 2 > ids.len() * 3, "the receiver failed often: {attempts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_reaches_a_receiver_that_fails_half_in_the_order_of_its_entity() {
    let events: i64 =
        std::env::var("ONSALE_WEBHOOK_EVENTS").map_or(400, |text| text.parse().expect("a number"));
    let world = World::new().await;
    let processes = [world.start_with(&LOCAL).await, world.start_with(&LOCAL).await];
    let admin = processes[0].admin().await;
    let receiver = Receiver::start(unreliable).await;
    create(&admin, &receiver, &[]).await;
    let begun = Instant::now();
    // Several transactions write at the same time; each entity's events come one after the other.
    let entities = events / PER_ENTITY;
    let written = sqlx::query(
        "insert into sale_event (type, entity, data)
         select 'reservation.held', 'hold:' || e, jsonb_build_object('entity', 'hold:' || e, 'number', n)
           from generate_series(1, $1) e, generate_series(1, $2) n order by n, e",
    )
    .bind(entities)
    .bind(PER_ENTITY)
    .execute(&world.pool);
    assert_eq!(written.await.expect("events").rows_affected().cast_signed(), events);
    until_within(Duration::from_mins(10), "all are delivered", async || {
        let left =
            "select count(*) from sale_event e where not exists (select from webhook_delivery d
                    where d.event_id = e.id and d.status = 'DELIVERED')";
        (world.number(left).await == 0).then_some(())
    })
    .await;
    let attempts = receiver.all().len();
    println!("{events} events, {attempts} attempts, {:?}", begun.elapsed());
    check(&receiver, events);
    assert_eq!(world.number("select count(*) from webhook_delivery").await, events);
}
