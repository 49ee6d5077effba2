//! Many streams: the limits, the end of the process, and thousands at once.

use std::net::SocketAddr;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;

use crate::streams::line;
use crate::support::client::Client;
use crate::support::crowd::{all, join, people};
use crate::support::events::Events;
use crate::support::faults::Served;
use crate::support::sale;
use crate::support::wait::{until, until_within};
use crate::support::world::World;

#[tokio::test]
async fn streams_end_when_the_process_drains_and_none_begins_any_more() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, crowd) = line(&world, &process, 3).await;
    let mut events = Events::of_ticket(process.addr, &crowd[1], None).await;
    events.expect("ticket").await;
    let path = format!("/v1/schedules/{}/seats/stream", sale.schedule);
    let mut seats = Events::open(process.addr, &path, &[]).await;
    seats.expect("seats").await;
    process.stop().await;
    assert_eq!(events.next().await, None);
    assert_eq!(seats.next().await, None);
}

#[tokio::test]
async fn a_process_has_so_many_streams_and_no_more_and_a_closed_one_makes_room() {
    let world = World::new().await;
    let process = world.start_with(&["--max-streams=2"]).await;
    let (_sale, crowd) = line(&world, &process, 4).await;
    let mut first = Events::of_ticket(process.addr, &crowd[1], None).await;
    first.expect("ticket").await;
    let mut second = Events::of_ticket(process.addr, &crowd[2], None).await;
    second.expect("ticket").await;
    crowd[3].get("/v1/queue/ticket/stream").await.refused(503, "overloaded");
    assert_eq!(crowd[3].clone().poll().await.status, 200, "a poll is answered all the same");
    drop(first);
    let mut third = until("there is room again", async || {
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
    let (_sale, crowd) = line(&world, &process, 3).await;
    let mut open = Vec::new();
    for _ in 0..4 {
        let mut events = Events::of_ticket(process.addr, &crowd[2], None).await;
        events.expect("ticket").await;
        open.push(events);
    }
    assert_eq!(open.remove(0).next().await, None);
    assert_eq!(crowd[1].delete("/v1/queue/ticket").await.status, 204);
    for events in &mut open {
        assert_eq!(events.expect("ticket").await.data["position"], 1);
    }
}

/// Lets this process have as many files as it may.
fn many_files() -> usize {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("a higher limit");
    usize::try_from(most).expect("a number")
}

/// So many people in the line of a process, a hundred at a time.
async fn many_join(world: &World, addr: SocketAddr, schedule: i64, count: u32) -> Vec<Client> {
    let mut left = people(world, &[addr], count, 0).await;
    let mut crowd = Vec::new();
    while !left.is_empty() {
        let some = left.split_off(left.len().saturating_sub(100));
        crowd.extend(join(some, schedule).await);
    }
    crowd
}

/// Three streams for each of the crowd, and so many of the seat map; each has had its first event.
async fn follow(addr: SocketAddr, schedule: i64, crowd: &[Client], seats: usize) -> Vec<Events> {
    let tickets = crowd.iter().cycle().take(3 * crowd.len()).cloned().map(Some);
    let followers: Vec<Option<Client>> = tickets.chain((0..seats).map(|_| None)).collect();
    let mut open = Vec::new();
    for some in followers.chunks(200) {
        let opened = all(some.to_vec(), move |follower| async move {
            let path = format!("/v1/schedules/{schedule}/seats/stream");
            let (mut events, first) = match &follower {
                Some(person) => (Events::of_ticket(addr, person, None).await, "ticket"),
                None => (Events::open(addr, &path, &[]).await, "seats"),
            };
            events.expect(first).await;
            events
        });
        open.extend(opened.await);
    }
    open
}

/// How many streams of a kind a process says are open.
async fn counted(addr: SocketAddr, kind: &str) -> usize {
    let metrics = Client::new(addr).get("/metrics").await.text;
    let name = format!("onsale_streams{{kind=\"{kind}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_follow_while_others_join_and_poll() {
    let files = many_files();
    // Some files are the test's own.
    let streams = files.saturating_sub(500).min(10_000);
    assert!(streams >= 5000, "the limit of open files is too low: {files}");
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 20, json!({"capacity": 0})).await;
    let served = Served::start(&world).await;
    let (addr, schedule) = (served.addr, sale.schedule);
    let count = u32::try_from(streams / 6).expect("a number");
    let crowd = many_join(&world, addr, schedule, count).await;
    let tickets = 3 * crowd.len();
    let mut open = follow(addr, schedule, &crowd, streams - tickets).await;
    assert_eq!(counted(addr, "ticket").await, tickets);
    assert_eq!(counted(addr, "seats").await, streams - tickets);

    let late = many_join(&world, addr, schedule, 50).await;
    let path = format!("/v1/admin/schedules/{schedule}/queue");
    admin.patch(&path, json!({"message": "Thank you for waiting"})).await.ok(200);
    let seats = format!("/v1/admin/schedules/{schedule}/seats");
    admin.patch(&seats, json!({"seat_ids": &sale.seats[..1], "blocked": true})).await.ok(200);
    let heard = tokio::spawn(async move {
        for (number, events) in open.iter_mut().enumerate() {
            if number < tickets {
                events.until("ticket", |view| view["message"] == "Thank you for waiting").await;
            } else {
                events.until("seats", |event| event["seats"][0]["status"] == "UNAVAILABLE").await;
            }
        }
    });
    until_within(Duration::from_secs(90), "all have heard of it", async || {
        for person in &late {
            person.clone().poll().await.ok(200);
        }
        heard.is_finished().then_some(())
    })
    .await;
    heard.await.expect("everybody was told");
}
