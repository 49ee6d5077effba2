//! The ticket stream: it sends what a poll returns whenever that changes, until the ticket ends.

use onsale::queue::ticket::jwt::TicketKeys;
use onsale::queue::ticket::short_code::{CodeKeys, Purpose};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order};
use crate::support::events::{Event, Events};
use crate::support::proxy::{Mode, Proxy};
use crate::support::queue::is_present;
use crate::support::sale::shorten_presence_window;
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::{Process, QUEUE_SECRET, World};

/// A sale with one slot, and users who joined in order. The first is active, and the board shows
/// the others.
pub async fn one_slot(world: &World, process: &Process, count: u32) -> (Sale, Vec<Client>) {
    let sale = sale::open(&process.admin().await, 1, 5, json!({"capacity": 1})).await;
    let crowd = create_users(world, &[process.addr], count, 0).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    let path = format!("/v1/schedules/{}/queue", sale.schedule);
    until("all are on the board", async || {
        let board = process.anonymous().get(&path).await.ok(200);
        (board["waiting"] == count - 1).then_some(())
    })
    .await;
    (sale, crowd)
}

/// The view of a ticket without the members that change with time.
fn lasting(view: &Value) -> Value {
    let mut view = view.clone();
    for name in
        ["server_time", "poll_after_ms", "eta_seconds", "eta_low_seconds", "eta_high_seconds"]
    {
        view.as_object_mut().expect("a view").remove(name);
    }
    view
}

fn status(event: &Event) -> &str {
    event.data["status"].as_str().expect("a status")
}

#[tokio::test]
async fn a_stream_sends_what_a_poll_returns_and_closes_when_the_ticket_ends() {
    let world = World::new().await;
    let process = world.start().await;
    let (_sale, mut crowd) = one_slot(&world, &process, 3).await;
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

    crowd[1].leave().await;
    let moved = events.expect("ticket").await;
    assert_eq!((status(&moved), &moved.data["position"]), ("WAITING", &json!(1)));
    assert_ne!(moved.id, first.id);

    crowd[0].leave().await;
    let active = events.until("ticket", |view| view["status"] == "ACTIVE").await;
    let token = active.data["queue_token"].as_str().expect("a new ticket");
    crowd[2].ticket = Some(token.to_owned());
    let poll = crowd[2].poll().await.ok(200);
    assert!(poll.get("queue_token").is_none(), "the new ticket is sent once");
    assert_eq!(active.data["active_expires_at"], poll["active_expires_at"]);

    crowd[2].leave().await;
    let left = events.until("ticket", |view| view["status"] != "ACTIVE").await;
    assert_eq!(status(&left), "LEFT");
    let end = events.expect("end").await;
    assert_eq!(events.next().await, None, "the stream is closed");

    for last in [None, Some(end.id.as_str())] {
        let again = Events::of_ticket(process.addr, &crowd[2], last).await;
        assert_eq!(again.status, 204, "after {last:?}");
    }
    let mut missed = Events::of_ticket(process.addr, &crowd[2], Some(&active.id)).await;
    assert_eq!(status(&missed.expect("ticket").await), "LEFT", "the missed view is sent");
    missed.expect("end").await;
}

#[tokio::test]
async fn a_resumed_stream_does_not_repeat_a_known_view() {
    let world = World::new().await;
    let (process, other) = (world.start().await, world.start().await);
    let (_sale, crowd) = one_slot(&world, &process, 4).await;
    let mut events = Events::of_ticket(process.addr, &crowd[3], None).await;
    let first = events.expect("ticket").await;
    let mut again = Events::of_ticket(process.addr, &crowd[3], None).await;
    assert_eq!(again.expect("ticket").await.id, first.id, "the same view has the same id");
    let mut resumed = Vec::new();
    for addr in [process.addr, other.addr] {
        resumed.push(Events::of_ticket(addr, &crowd[3], Some(&first.id)).await);
    }
    crowd[1].leave().await;
    for mut events in resumed {
        let event = events.expect("ticket").await;
        assert_eq!(event.data["position"], 2, "the first event is the change");
    }
}

#[tokio::test]
async fn a_stream_code_opens_one_tickets_stream_for_a_minute_and_nothing_else() {
    let world = World::new().await;
    let (process, other) = (world.start().await, world.start().await);
    let (_sale, crowd) = one_slot(&world, &process, 3).await;
    let made = crowd[1].without_token().post("/v1/queue/ticket/stream-code", json!({})).await;
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.ok(201);
    let code = made["code"].as_str().expect("a code");
    let path = format!("/v1/queue/ticket/stream?code={code}");
    for addr in [process.addr, other.addr] {
        let mut events = Events::open(addr, &path, &[]).await;
        let view = events.expect("ticket").await.data;
        assert_eq!(view["ticket_id"], crowd[1].clone().poll().await.ok(200)["ticket_id"]);
        assert!(view.get("queue_token").is_none());
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
async fn streams_report_a_lost_redis_once_and_its_return_once() {
    let world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.redis_url).await;
    let process = world.start_with(&[&format!("--redis-url={through}")]).await;
    let (sale, crowd) = one_slot(&world, &process, 3).await;
    let mut waiting = Events::of_ticket(process.addr, &crowd[1], None).await;
    let first = waiting.expect("ticket").await;
    let mut active = Events::of_ticket(process.addr, &crowd[0], None).await;
    assert_eq!(status(&active.expect("ticket").await), "ACTIVE");
    let path = format!("/v1/schedules/{}/seats/stream", sale.schedule);
    let mut seats = Events::open(process.addr, &path, &[]).await;
    seats.expect("seats").await;

    proxy.set(Mode::Refuse);
    for events in [&mut waiting, &mut active, &mut seats] {
        events.expect("stale").await;
    }
    proxy.set(Mode::Pass);
    let back = waiting.expect("ticket").await;
    assert_eq!(lasting(&back.data), lasting(&first.data));
    assert_eq!(status(&active.expect("ticket").await), "ACTIVE");
    seats.expect("seats").await;
}

#[tokio::test]
async fn following_a_stream_counts_as_presence() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, crowd) = one_slot(&world, &process, 3).await;
    shorten_presence_window(&world).await;
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    process.admin().await.patch(&path, json!({"paused": false})).await.ok(200);
    let mut follows = Events::of_ticket(process.addr, &crowd[1], None).await;
    let keys = TicketKeys::new(&[QUEUE_SECRET.to_owned()], "onsale");
    let sequences: Vec<u64> = crowd
        .iter()
        .map(|person| keys.verify(person.ticket.as_deref().unwrap()).unwrap().sequence.0)
        .collect();
    let mut redis = world.raw_redis().await;
    let mut present =
        async |number: usize| is_present(&mut redis, sale.schedule, sequences[number]).await;
    until("the silent buyer is absent", async || (!present(2).await).then_some(())).await;
    until("the follower is present", async || present(1).await.then_some(())).await;
    crowd[0].leave().await;
    follows.until("ticket", |view| view["status"] == "ACTIVE").await;
}

#[tokio::test]
async fn a_head_request_opens_no_stream() {
    let world = World::new().await;
    let process = world.start().await;
    let (_sale, crowd) = one_slot(&world, &process, 2).await;
    let head = crowd[1].request(reqwest::Method::HEAD, "/v1/queue/ticket/stream");
    let head = crowd[1].send(head).await;
    assert_eq!((head.status, head.header("content-type")), (200, "text/event-stream"));
    let metrics = process.anonymous().get("/metrics").await.text;
    assert!(metrics.lines().any(|line| line == r#"onsale_streams{kind="ticket"} 0"#), "{metrics}");
}
