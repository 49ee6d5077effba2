//! Redis goes back in time without being another server: the keys of a while ago, on the very server
//! that they were built on.

use serde_json::json;

use crate::reconciler::{repaired, rounds, until_told};
use crate::support::client::Client;
use crate::support::crowd::{join_in_turn, people};
use crate::support::faults::{key, sound};
use crate::support::sale::{self, Sale};
use crate::support::servers::Raw;
use crate::support::wait::until;
use crate::support::world::{Process, World};

const EPOCH: &str = "select max(queue_epoch)::bigint from concert_schedule";
/// Every key that this sale has.
const NAMES: [&str; 16] = [
    "meta",
    "waiting",
    "active",
    "place",
    "called",
    "here:0",
    "here:1",
    "here:2",
    "bits:1",
    "held",
    "claim",
    "holder",
    "sold",
    "seatlog",
    "log",
    "user_seats",
];

/// Keys as they were.
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

    /// Puts them back in one step.
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

async fn opened(world: &World, process: &Process) -> (Sale, Vec<Client>) {
    let sale = sale::open(&process.admin().await, 1, 10, json!({"capacity": 1})).await;
    let crowd = people(world, &[process.addr], 5, 1000).await;
    let crowd = join_in_turn(crowd, sale.schedule).await;
    (sale, crowd)
}

async fn is_rebuilt(world: &World) {
    until("it is found out", async || (world.number(EPOCH).await == 2).then_some(())).await;
}

/// The places of all of them, by their tickets.
async fn places(crowd: &mut [Client]) -> Vec<u64> {
    let mut places = Vec::new();
    for person in crowd {
        let ticket = until("an answer", async || {
            let answer = person.poll().await;
            (answer.status != 503).then_some(answer)
        })
        .await;
        places.push(ticket.ok(200)["sequence"].as_u64().expect("a place"));
    }
    places
}

fn first(count: u64) -> Vec<u64> {
    (1..=count).map(|number| (1 << 40) + number).collect()
}

#[tokio::test]
async fn a_process_that_has_seen_more_places_given_out_has_them_rebuilt() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, mut crowd) = opened(&world, &process).await;
    let mut redis = world.raw_redis().await;
    let past = Past::of(&mut redis, sale.schedule).await;
    let late = people(&world, &[process.addr], 5, 0).await;
    crowd.extend(join_in_turn(late, sale.schedule).await);
    past.return_to(&mut redis).await;
    is_rebuilt(&world).await;
    let mut newcomer = process.buyer().await;
    let ticket = until("joining works", async || {
        let answer = newcomer.join(sale.schedule).await;
        (answer.status == 201).then_some(answer.body)
    })
    .await;
    assert_eq!(ticket["sequence"].as_u64(), Some((2 << 40) + 1));
    assert_eq!(places(&mut crowd).await, first(10));
}

#[tokio::test]
async fn a_process_that_has_seen_more_seats_change_has_them_rebuilt() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, crowd) = opened(&world, &process).await;
    let mut redis = world.raw_redis().await;
    let past = Past::of(&mut redis, sale.schedule).await;
    let held = crowd[0].hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    until("Redis has heard of the hold", async || {
        (world.number("select count(*) from outbox").await == 0).then_some(())
    })
    .await;
    past.return_to(&mut redis).await;
    is_rebuilt(&world).await;
    until("the map says so again", async || {
        let path = format!("/v1/schedules/{}", sale.schedule);
        let seats = process.anonymous().get(&path).await.ok(200)["seats"].clone();
        (seats["held"] == 1).then_some(())
    })
    .await;
    crowd[0].pay(&held).await.ok(201);
    sound(&world).await;
}

#[tokio::test]
async fn a_process_that_has_seen_nothing_believes_postgresql() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, mut crowd) = opened(&world, &process).await;
    let mut redis = world.raw_redis().await;
    let past = Past::of(&mut redis, sale.schedule).await;
    let late = people(&world, &[process.addr], 5, 0).await;
    crowd.extend(join_in_turn(late, sale.schedule).await);
    until("the line is written down", async || {
        (world.number("select count(*) from queue").await == 10).then_some(())
    })
    .await;
    process.stop().await;
    past.return_to(&mut redis).await;
    let process = world.start().await;
    is_rebuilt(&world).await;
    let mut crowd: Vec<Client> = crowd.iter().map(|person| person.at(process.addr)).collect();
    assert_eq!(places(&mut crowd).await, first(10));
}

#[tokio::test]
async fn what_a_redis_of_before_lacks_is_rebuilt_and_counted_as_no_repair() {
    let world = World::new().await;
    let process = world.start_with(&["--reconcile-every=100ms"]).await;
    let (sale, crowd) = opened(&world, &process).await;
    let mut redis = world.raw_redis().await;
    let past = Past::of(&mut redis, sale.schedule).await;
    let queue = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    process.admin().await.patch(&queue, json!({"max_seats_per_user": 3})).await.ok(200);
    let held = crowd[0].hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    crowd[0].pay(&held).await.ok(201);
    until_told(&world).await;
    past.return_to(&mut redis).await;
    is_rebuilt(&world).await;
    rounds(&process, 3).await;
    for what in ["seat", "count", "settings", "place"] {
        assert_eq!(repaired(&process, what).await, 0, "{what}");
    }
    sound(&world).await;
}
