//! Many streams: their limits, their end when the process drains, and thousands of them at once.

use std::net::SocketAddr;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use tokio::time::sleep;

use crate::streams::seats::console;
use crate::streams::tickets::one_slot;
use crate::support::client::{Client, RETRIES};
use crate::support::crowd::{create_users, join_at_once, run_all};
use crate::support::events::Events;
use crate::support::faults::Served;
use crate::support::sale;
use crate::support::wait::{until, until_within};
use crate::support::world::World;

#[tokio::test]
async fn streams_end_when_the_process_drains() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, crowd) = one_slot(&world, &process, 3).await;
    let mut events = Events::of_ticket(process.addr, &crowd[1], None).await;
    events.expect("ticket").await;
    let path = format!("/v1/schedules/{}/seats/stream", sale.schedule);
    let mut seats = Events::open(process.addr, &path, &[]).await;
    seats.expect("seats").await;
    let mut stats = console(&process, &process.admin().await, &sale).await;
    stats.expect("stats").await;
    process.stop().await;
    assert_eq!(events.next().await, None);
    assert_eq!(seats.next().await, None);
    while let Some(event) = stats.next().await {
        assert_eq!(event.name, "stats", "events that were on their way");
    }
}

#[tokio::test]
async fn a_process_limits_its_streams_and_a_closed_one_frees_a_slot() {
    let world = World::new().await;
    let process = world.start_with(&["--max-streams=2"]).await;
    let (_sale, crowd) = one_slot(&world, &process, 4).await;
    let mut first = Events::of_ticket(process.addr, &crowd[1], None).await;
    first.expect("ticket").await;
    let mut second = Events::of_ticket(process.addr, &crowd[2], None).await;
    second.expect("ticket").await;
    crowd[3].get("/v1/queue/ticket/stream").await.refused(503, "overloaded");
    assert_eq!(crowd[3].clone().poll().await.status, 200, "a poll is still answered");
    drop(first);
    let mut third = until("a stream is free again", async || {
        let events = Events::of_ticket(process.addr, &crowd[3], None).await;
        (events.status == 200).then_some(events)
    })
    .await;
    third.expect("ticket").await;
}

#[tokio::test]
async fn a_ticket_has_three_streams_and_a_fourth_closes_the_oldest() {
    let world = World::new().await;
    let process = world.start().await;
    let (_sale, crowd) = one_slot(&world, &process, 3).await;
    let mut open = Vec::new();
    for _ in 0..4 {
        let mut events = Events::of_ticket(process.addr, &crowd[2], None).await;
        events.expect("ticket").await;
        open.push(events);
    }
    assert_eq!(open.remove(0).next().await, None);
    crowd[1].leave().await;
    for events in &mut open {
        assert_eq!(events.expect("ticket").await.data["position"], 1);
    }
}

/// Raises the limit of open files of this process to its maximum; returns it.
fn raise_file_limit() -> usize {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("a higher limit");
    usize::try_from(most).expect("a number")
}

/// Creates `count` users who join at a process, a hundred at a time.
async fn join_many(world: &World, addr: SocketAddr, schedule: i64, count: u32) -> Vec<Client> {
    let mut left = create_users(world, &[addr], count, 0).await;
    let mut crowd = Vec::new();
    while !left.is_empty() {
        let some = left.split_off(left.len().saturating_sub(100));
        crowd.extend(join_at_once(some, schedule).await);
    }
    crowd
}

/// Opens the stream of a ticket, or of the seat map; after each `503` it waits as long as
/// `Retry-After` says and tries again.
async fn open_stream(addr: SocketAddr, schedule: i64, follower: Option<&Client>) -> Events {
    let path = format!("/v1/schedules/{schedule}/seats/stream");
    for _ in 0..RETRIES {
        let events = match follower {
            Some(person) => Events::of_ticket(addr, person, None).await,
            None => Events::open(addr, &path, &[]).await,
        };
        let Some(pause) = events.retry_after() else { return events };
        sleep(pause).await;
    }
    panic!("no stream after {RETRIES} tries")
}

/// Opens three streams for each user and `seats` streams of the seat map; waits for the first event
/// of each.
async fn follow(addr: SocketAddr, schedule: i64, crowd: &[Client], seats: usize) -> Vec<Events> {
    let tickets = crowd.iter().cycle().take(3 * crowd.len()).cloned().map(Some);
    let followers: Vec<Option<Client>> = tickets.chain((0..seats).map(|_| None)).collect();
    let mut open = Vec::new();
    for some in followers.chunks(200) {
        let opened = run_all(some.to_vec(), move |follower| async move {
            let mut events = open_stream(addr, schedule, follower.as_ref()).await;
            events.expect(if follower.is_some() { "ticket" } else { "seats" }).await;
            events
        });
        open.extend(opened.await);
    }
    open
}

/// The number of open streams of a kind, from the metrics of a process.
async fn open_streams(addr: SocketAddr, kind: &str) -> usize {
    let metrics = Client::new(addr).get("/metrics").await.text;
    let name = format!("onsale_streams{{kind=\"{kind}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_streams_are_served_while_others_join_and_poll() {
    let files = raise_file_limit();
    // The test itself needs some files.
    let streams = files.saturating_sub(500).min(10_000);
    assert!(streams >= 5000, "the limit of open files is too low: {files}");
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 20, json!({"capacity": 0})).await;
    let served = Served::start(&world).await;
    let (addr, schedule) = (served.addr, sale.schedule);
    let count = u32::try_from(streams / 6).expect("a number");
    let crowd = join_many(&world, addr, schedule, count).await;
    let tickets = 3 * crowd.len();
    let mut open = follow(addr, schedule, &crowd, streams - tickets).await;
    assert_eq!(open_streams(addr, "ticket").await, tickets);
    assert_eq!(open_streams(addr, "seats").await, streams - tickets);

    let late = join_many(&world, addr, schedule, 50).await;
    let path = format!("/v1/admin/schedules/{schedule}/queue");
    admin.patch(&path, json!({"message": "Thank you for waiting"})).await.ok(200);
    let seats = format!("/v1/admin/schedules/{schedule}/seats");
    admin.patch(&seats, json!({"seat_ids": &sale.seats[..1], "blocked": true})).await.ok(200);
    let followed = tokio::spawn(async move {
        for (number, events) in open.iter_mut().enumerate() {
            if number < tickets {
                events.until("ticket", |view| view["message"] == "Thank you for waiting").await;
            } else {
                events.until("seats", |event| event["seats"][0]["status"] == "UNAVAILABLE").await;
            }
        }
    });
    until_within(Duration::from_secs(90), "every stream has both changes", async || {
        for person in &late {
            person.clone().poll_with_retries().await.ok(200);
        }
        followed.is_finished().then_some(())
    })
    .await;
    followed.await.expect("every stream sent its change");
}
