//! Pushed positions: what a poll tells, when it changes, until there is no more.

use onsale::queue::ticket::jwt::TicketKeys;
use onsale::queue::ticket::short_code::{CodeKeys, Purpose};
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{join_in_turn, people};
use crate::support::events::{Event, Events};
use crate::support::faults::key;
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::{Process, QUEUE_SECRET, World};

/// One slot, and people who joined in order; the first is inside, and the board knows who waits.
pub async fn line(world: &World, process: &Process, count: u32) -> (Sale, Vec<Client>) {
    let sale = sale::open(&process.admin().await, 1, 5, json!({"capacity": 1})).await;
    let crowd = people(world, &[process.addr], count, 0).await;
    let crowd = join_in_turn(crowd, sale.schedule).await;
    let path = format!("/v1/schedules/{}/queue", sale.schedule);
    until("all are on the board", async || {
        let board = process.anonymous().get(&path).await.ok(200);
        (board["waiting"] == count - 1).then_some(())
    })
    .await;
    (sale, crowd)
}

async fn leave(person: &Client) {
    assert_eq!(person.delete("/v1/queue/ticket").await.status, 204);
}

/// What does not change by itself.
fn lasting(view: &Value) -> Value {
    let mut view = view.clone();
    for passing in
        ["server_time", "poll_after_ms", "eta_seconds", "eta_low_seconds", "eta_high_seconds"]
    {
        view.as_object_mut().expect("a view").remove(passing);
    }
    view
}

fn status(event: &Event) -> &str {
    event.data["status"].as_str().expect("a status")
}

#[tokio::test]
async fn a_stream_tells_what_a_poll_tells_until_the_end_and_then_there_is_no_more() {
    let world = World::new().await;
    let process = world.start().await;
    let (_sale, mut crowd) = line(&world, &process, 3).await;
    let mut events = Events::of_ticket(process.addr, &crowd[2], None).await;
    assert_eq!(events.status, 200);
    for header in ["content-type: text/event-stream\r\n", "cache-control: no-store\r\n"] {
        assert!(events.head.contains(header), "{}", events.head);
    }
    assert!(events.head.contains("x-request-id: ") && events.head.contains("date: "));
    let first = events.expect("ticket").await;
    let poll = crowd[2].poll().await.ok(200);
    assert_eq!(lasting(&first.data), lasting(&poll));
    assert_eq!(first.data["position"], 2);

    leave(&crowd[1]).await;
    let moved = events.expect("ticket").await;
    assert_eq!((status(&moved), &moved.data["position"]), ("WAITING", &json!(1)));
    assert_ne!(moved.id, first.id);

    leave(&crowd[0]).await;
    let inside = events.until("ticket", |view| view["status"] == "ACTIVE").await;
    let swapped = inside.data["queue_token"].as_str().expect("a new ticket");
    crowd[2].ticket = Some(swapped.to_owned());
    let poll = crowd[2].poll().await.ok(200);
    assert!(poll.get("queue_token").is_none(), "the new one is told once");
    assert_eq!(inside.data["active_expires_at"], poll["active_expires_at"]);

    leave(&crowd[2]).await;
    let left = events.until("ticket", |view| view["status"] != "ACTIVE").await;
    assert_eq!(status(&left), "LEFT");
    let end = events.expect("end").await;
    assert_eq!(events.next().await, None, "and the stream is closed");

    for last in [None, Some(end.id.as_str())] {
        let again = Events::of_ticket(process.addr, &crowd[2], last).await;
        assert_eq!(again.status, 204, "after {last:?}");
    }
    let mut missed = Events::of_ticket(process.addr, &crowd[2], Some(&inside.id)).await;
    assert_eq!(status(&missed.expect("ticket").await), "LEFT", "who had not heard is told");
    missed.expect("end").await;
}

#[tokio::test]
async fn whoever_comes_back_is_not_told_what_they_know() {
    let world = World::new().await;
    let (process, other) = (world.start().await, world.start().await);
    let (_sale, crowd) = line(&world, &process, 4).await;
    let mut events = Events::of_ticket(process.addr, &crowd[3], None).await;
    let first = events.expect("ticket").await;
    let mut again = Events::of_ticket(process.addr, &crowd[3], None).await;
    assert_eq!(again.expect("ticket").await.id, first.id, "the same view has the same id");
    let mut resumed = Vec::new();
    for addr in [process.addr, other.addr] {
        resumed.push(Events::of_ticket(addr, &crowd[3], Some(&first.id)).await);
    }
    leave(&crowd[1]).await;
    for mut events in resumed {
        let told = events.expect("ticket").await;
        assert_eq!(told.data["position"], 2, "the first that is told is what has changed");
    }
}

#[tokio::test]
async fn a_code_opens_one_tickets_stream_for_a_minute_and_nothing_else() {
    let world = World::new().await;
    let (process, other) = (world.start().await, world.start().await);
    let (_sale, crowd) = line(&world, &process, 3).await;
    let made = crowd[1].without_token().post("/v1/queue/ticket/stream-code", json!({})).await;
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.ok(201);
    let code = made["code"].as_str().expect("a code");
    let path = format!("/v1/queue/ticket/stream?code={code}");
    for addr in [process.addr, other.addr] {
        let mut events = Events::open(addr, &path, &[]).await;
        let told = events.expect("ticket").await.data;
        assert_eq!(told["ticket_id"], crowd[1].clone().poll().await.ok(200)["ticket_id"]);
        assert!(told.get("queue_token").is_none());
    }

    process
        .anonymous()
        .with_ticket(code)
        .get("/v1/queue/ticket")
        .await
        .refused(401, "ticket_invalid");
    let bearer = process.anonymous().with_token(code).get("/v1/points").await;
    bearer.refused(401, "unauthenticated");
    let ticket = crowd[1].ticket.as_deref().expect("a ticket");
    let token = crowd[1].token.as_deref().expect("a token");
    let secrets = vec![QUEUE_SECRET.to_owned()];
    let read = TicketKeys::new(&secrets, "onsale").verify(ticket).expect("a ticket");
    let codes = CodeKeys::new(Purpose::Stream, &secrets, "onsale");
    let signed = |age| codes.sign(&read, 1, chrono::Utc::now() - chrono::TimeDelta::seconds(age));
    let expired = signed(62).expect("a code").0;
    for wrong in ["", "x", ticket, token, &expired, &format!("{code}x")] {
        let path = format!("/v1/queue/ticket/stream?code={wrong}");
        process.anonymous().get(&path).await.refused(401, "ticket_invalid");
    }
    let path = "/v1/queue/ticket/stream";
    process.anonymous().get(path).await.refused(401, "ticket_invalid");
    process
        .anonymous()
        .post("/v1/queue/ticket/stream-code", json!({}))
        .await
        .refused(401, "ticket_invalid");
    let young = signed(50).expect("a code").0;
    let path = format!("/v1/queue/ticket/stream?code={young}");
    assert_eq!(Events::open(process.addr, &path, &[]).await.status, 200);
}

#[tokio::test]
async fn a_store_that_is_away_is_told_once_and_so_is_its_return() {
    let world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.redis_url).await;
    let process = world.start_with(&[&format!("--redis-url={through}")]).await;
    let (sale, crowd) = line(&world, &process, 3).await;
    let mut waiting = Events::of_ticket(process.addr, &crowd[1], None).await;
    let first = waiting.expect("ticket").await;
    let mut inside = Events::of_ticket(process.addr, &crowd[0], None).await;
    assert_eq!(status(&inside.expect("ticket").await), "ACTIVE");
    let path = format!("/v1/schedules/{}/seats/stream", sale.schedule);
    let mut seats = Events::open(process.addr, &path, &[]).await;
    seats.expect("seats").await;

    proxy.set(Mode::Refuse);
    for events in [&mut waiting, &mut inside, &mut seats] {
        events.expect("stale").await;
    }
    proxy.set(Mode::Pass);
    let back = waiting.expect("ticket").await;
    assert_eq!(lasting(&back.data), lasting(&first.data));
    assert_eq!(status(&inside.expect("ticket").await), "ACTIVE");
    seats.expect("seats").await;
}

#[tokio::test]
async fn whoever_only_follows_a_stream_is_heard_from() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, crowd) = line(&world, &process, 3).await;
    // Shorter than the API allows, so that the test is.
    let window = "update concert_schedule set presence_window_seconds = 1";
    sqlx::query(window).execute(&world.pool).await.expect("a window");
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    process.admin().await.patch(&path, json!({"paused": false})).await.ok(200);
    let mut follows = Events::of_ticket(process.addr, &crowd[1], None).await;
    let keys = TicketKeys::new(&[QUEUE_SECRET.to_owned()], "onsale");
    let sequences: Vec<u64> = crowd
        .iter()
        .map(|person| keys.verify(person.ticket.as_deref().unwrap()).unwrap().sequence.0)
        .collect();
    let mut redis = world.raw_redis().await;
    let mut heard = async |number: usize| {
        // A bit is 2 n + the epoch's parity; see lua/lib/presence.
        let sequence = sequences[number];
        let bit = 2 * (sequence & ((1 << 40) - 1)) + (sequence >> 40) % 2;
        let mut ring = 0;
        for slot in 0..3 {
            let name = key(sale.schedule, &format!("here:{slot}"));
            let bit: u8 = redis.getbit(name, usize::try_from(bit).unwrap()).await.expect("Redis");
            ring += bit;
        }
        ring > 0
    };
    until("whoever is silent is heard from no more", async || (!heard(2).await).then_some(()))
        .await;
    until("and who follows is", async || heard(1).await.then_some(())).await;
    leave(&crowd[0]).await;
    follows.until("ticket", |view| view["status"] == "ACTIVE").await;
}

#[tokio::test]
async fn asking_for_the_head_of_a_stream_opens_none() {
    let world = World::new().await;
    let process = world.start().await;
    let (_sale, crowd) = line(&world, &process, 2).await;
    let head = crowd[1].request(reqwest::Method::HEAD, "/v1/queue/ticket/stream");
    let head = crowd[1].send(head).await;
    assert_eq!((head.status, head.header("content-type")), (200, "text/event-stream"));
    let metrics = process.anonymous().get("/metrics").await.text;
    assert!(metrics.lines().any(|line| line == r#"onsale_streams{kind="ticket"} 0"#), "{metrics}");
}
