//! Joins that arrive while Redis works on another join share one script call.

use std::collections::HashMap;
use std::time::Duration;

use onsale::store::id::ScheduleId;
use onsale::store::keys::ScheduleKeys;
use redis::Value;
use serde_json::json;

use crate::support::client::{Answer, Client};
use crate::support::crowd::{create_users, run_all};
use crate::support::sale;
use crate::support::world::World;

/// How long Redis does not answer: time for the requests to arrive, less than the limit of a call.
const PAUSE: Duration = Duration::from_millis(250);

/// Number of script calls that wrote to the queue's log.
async fn log_entries(world: &World, schedule: i64) -> i64 {
    let mut info = redis::cmd("XINFO");
    info.arg("STREAM").arg(ScheduleKeys::new(ScheduleId(schedule), 1).named("log"));
    let found: HashMap<String, Value> =
        info.query_async(&mut world.raw_redis().await).await.expect("a stream");
    redis::from_redis_value_ref(&found["entries-added"]).expect("a number")
}

/// All `buyers` join while Redis does not answer.
async fn join_during_a_pause(world: &World, buyers: Vec<Client>, schedule: i64) -> Vec<Answer> {
    world.redis.pause();
    let path = format!("/v1/schedules/{schedule}/queue");
    let joining = tokio::spawn(run_all(buyers, move |buyer: Client| {
        let path = path.clone();
        async move { buyer.send(buyer.request(reqwest::Method::POST, &path)).await }
    }));
    tokio::time::sleep(PAUSE).await;
    world.redis.resume();
    joining.await.expect("the joins end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_during_a_call_share_the_next_one() {
    const PEOPLE: u32 = 60;
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 10, json!({"capacity": 0})).await;
    let crowd = create_users(&world, &[process.addr], PEOPLE, 0).await;
    let mut first = crowd[0].clone();
    let ticket = first.join(sale.schedule).await.ok(201);
    let before = log_entries(&world, sale.schedule).await;

    // One of them has an entry, one joins twice, one has no valid token.
    let mut arriving = crowd.clone();
    arriving.push(crowd[1].clone());
    arriving.push(crowd[2].with_token("not a token"));
    let answers = join_during_a_pause(&world, arriving, sale.schedule).await;
    let calls = log_entries(&world, sale.schedule).await - before;
    assert!(calls < i64::from(PEOPLE) / 4, "{calls} calls for {PEOPLE} joins");

    assert_eq!(answers[0].status, 200, "{}", answers[0].text);
    assert_eq!(answers[0].body["ticket_id"], ticket["ticket_id"]);
    let people = PEOPLE as usize;
    let mut twice = [answers[1].status, answers[people].status];
    twice.sort_unstable();
    assert_eq!(twice, [200, 201], "one of two joins creates the entry");
    assert_eq!(answers[1].body["ticket_id"], answers[people].body["ticket_id"]);
    answers[people + 1].refused(401, "unauthenticated");
    let mut places = vec![ticket["sequence"].as_i64().expect("a sequence")];
    for answer in answers[1..people].iter().filter(|answer| answer.status == 201) {
        assert_eq!(answer.body["status"], "WAITING");
        places.push(answer.body["sequence"].as_i64().expect("a sequence"));
    }
    if answers[1].status == 200 {
        places.push(answers[1].body["sequence"].as_i64().expect("a sequence"));
    }
    places.sort_unstable();
    let expected: Vec<i64> = (0..i64::from(PEOPLE)).map(|n| places[0] + n).collect();
    assert_eq!(places, expected, "one entry each, with consecutive sequences");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_admitted_as_far_as_slots_are_free() {
    let world = World::new().await;
    let process = world.start().await;
    let queue = json!({"capacity": 5, "admit_per_second": 100});
    let sale = sale::open(&process.admin().await, 1, 10, queue).await;
    let crowd = create_users(&world, &[process.addr], 30, 0).await;
    // The board is read, and the script is known to Redis.
    crowd[0].clone().join(sale.schedule).await.ok(201);
    let answers = join_during_a_pause(&world, crowd[1..].to_vec(), sale.schedule).await;
    let mut entries: Vec<(i64, bool)> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 201, "{}", answer.text);
            let sequence = answer.body["sequence"].as_i64().expect("a sequence");
            (sequence, answer.body["status"] == "ACTIVE")
        })
        .collect();
    entries.sort_unstable();
    let active = entries.iter().filter(|(_, active)| *active).count();
    assert_eq!(active, 4, "the fifth slot belongs to the first user");
    assert!(entries[..4].iter().all(|(_, active)| *active), "in order: {entries:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_batch_creates_no_entry() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 10, json!({"capacity": 0})).await;
    let crowd = create_users(&world, &[process.addr], 20, 0).await;
    crowd[0].clone().join(sale.schedule).await.ok(201);
    let concert = format!("/v1/admin/concerts/{}", sale.concert);
    admin.patch(&concert, json!({"status": "UNAVAILABLE"})).await.ok(200);
    let answers = join_during_a_pause(&world, crowd.clone(), sale.schedule).await;
    assert_eq!(answers[0].status, 200, "an entry is kept in any phase");
    answers[1..].iter().for_each(|answer| answer.refused(409, "concert_unavailable"));
    assert_eq!(log_entries(&world, sale.schedule).await, 1);
}
