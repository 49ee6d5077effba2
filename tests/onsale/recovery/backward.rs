//! Redis goes back in time: it has older keys again, on the same server that they were built on.

use serde_json::json;

use crate::recovery::reconciler::{repair_count, wait_for_rounds};
use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order};
use crate::support::faults::{assert_consistent, key};
use crate::support::sale::{self, Sale};
use crate::support::servers::Raw;
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// Every key that this sale has.
const NAMES: [&str; 16] = [
    "meta",
    "waiting",
    "active",
    "place",
    "called",
    "present:0",
    "present:1",
    "present:2",
    "bits:1",
    "held",
    "claim",
    "holder",
    "sold",
    "seatlog",
    "log",
    "user_seats",
];

/// The values of the keys at an earlier time.
struct Past(Vec<(String, Option<Vec<u8>>)>);

impl Past {
    async fn of(redis: &mut Raw, schedule: i64) -> Self {
        let mut all = Vec::new();
        for name in NAMES.map(|name| key(schedule, name)) {
            let value = redis::cmd("DUMP").arg(&name).query_async(redis).await.expect("Redis");
            all.push((name, value));
        }
        Self(all)
    }

    /// Restores all keys in one transaction.
    async fn return_to(&self, redis: &mut Raw) {
        let mut pipe = redis::pipe();
        pipe.atomic();
        for (name, value) in &self.0 {
            pipe.cmd("DEL").arg(name).ignore();
            if let Some(value) = value {
                pipe.cmd("RESTORE").arg(name).arg(0).arg(value).ignore();
            }
        }
        pipe.query_async::<()>(redis).await.expect("Redis");
    }
}

/// A sale with one slot, and five buyers who joined in order.
async fn open_sale(world: &World, process: &Process) -> (Sale, Vec<Client>) {
    let sale = sale::open(&process.admin().await, 1, 10, json!({"capacity": 1})).await;
    let crowd = create_users(world, &[process.addr], 5, 1000).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    (sale, crowd)
}

async fn wait_for_rebuild(world: &World) {
    until("the keys are rebuilt", async || (world.epoch().await == 2).then_some(())).await;
}

/// The sequences of all buyers, by their tickets.
async fn sequences(crowd: &mut [Client]) -> Vec<u64> {
    let mut sequences = Vec::new();
    for person in crowd {
        let ticket = person.poll_with_retries().await.ok(200);
        sequences.push(ticket["sequence"].as_u64().expect("a sequence"));
    }
    sequences
}

/// The first `count` sequences of epoch 1.
fn first(count: u64) -> Vec<u64> {
    (1..=count).map(|number| (1 << 40) + number).collect()
}

#[tokio::test]
async fn redis_older_than_the_last_sequence_a_process_saw_is_rebuilt() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, mut crowd) = open_sale(&world, &process).await;
    let mut redis = world.raw_redis().await;
    let past = Past::of(&mut redis, sale.schedule).await;
    let late = create_users(&world, &[process.addr], 5, 0).await;
    crowd.extend(join_in_order(late, sale.schedule).await);
    past.return_to(&mut redis).await;
    wait_for_rebuild(&world).await;
    let mut newcomer = process.buyer().await;
    let ticket = until("joining works", async || {
        let answer = newcomer.join(sale.schedule).await;
        (answer.status == 201).then_some(answer.body)
    })
    .await;
    assert_eq!(ticket["sequence"].as_u64(), Some((2 << 40) + 1));
    assert_eq!(sequences(&mut crowd).await, first(10));
}

#[tokio::test]
async fn redis_older_than_the_last_seat_change_a_process_saw_is_rebuilt() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, crowd) = open_sale(&world, &process).await;
    let mut redis = world.raw_redis().await;
    let past = Past::of(&mut redis, sale.schedule).await;
    let held = crowd[0].hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    world.wait_for_empty_outbox().await;
    past.return_to(&mut redis).await;
    wait_for_rebuild(&world).await;
    until("the seat is shown as held again", async || {
        let path = format!("/v1/schedules/{}", sale.schedule);
        let seats = process.anonymous().get(&path).await.ok(200)["seats"].clone();
        (seats["held"] == 1).then_some(())
    })
    .await;
    crowd[0].pay(&held).await.ok(201);
    assert_consistent(&world).await;
}

#[tokio::test]
async fn redis_older_than_postgresql_is_rebuilt_by_a_new_process() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, mut crowd) = open_sale(&world, &process).await;
    let mut redis = world.raw_redis().await;
    let past = Past::of(&mut redis, sale.schedule).await;
    let late = create_users(&world, &[process.addr], 5, 0).await;
    crowd.extend(join_in_order(late, sale.schedule).await);
    until("the queue is archived", async || {
        (world.number("select count(*) from queue").await == 10).then_some(())
    })
    .await;
    process.stop().await;
    past.return_to(&mut redis).await;
    let process = world.start().await;
    wait_for_rebuild(&world).await;
    let mut crowd: Vec<Client> = crowd.iter().map(|person| person.at(process.addr)).collect();
    assert_eq!(sequences(&mut crowd).await, first(10));
}

#[tokio::test]
async fn an_older_redis_is_rebuilt_and_counts_no_repair() {
    let world = World::new().await;
    let process = world.start_with(&["--reconcile-every=100ms"]).await;
    let (sale, crowd) = open_sale(&world, &process).await;
    let mut redis = world.raw_redis().await;
    let past = Past::of(&mut redis, sale.schedule).await;
    let queue = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    process.admin().await.patch(&queue, json!({"max_seats_per_user": 3})).await.ok(200);
    let held = crowd[0].hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    crowd[0].pay(&held).await.ok(201);
    world.wait_for_empty_outbox().await;
    past.return_to(&mut redis).await;
    wait_for_rebuild(&world).await;
    wait_for_rounds(&process, 3).await;
    for what in ["seat", "count", "settings", "place"] {
        assert_eq!(repair_count(&process, what).await, 0, "{what}");
    }
    assert_consistent(&world).await;
}
