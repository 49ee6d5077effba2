//! Clients that send too many joins or requests, or send them too slowly.

use std::net::SocketAddr;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::state;
use crate::support::wait::until;
use crate::support::world::World;

/// Trusts a proxy on this machine.
pub const PROXY: &str = "--trusted-proxies=127.0.0.1";

/// Sends a request as a proxy that forwards it for `address`.
pub async fn send_forwarded(person: &Client, method: Method, path: &str, address: &str) -> Answer {
    let request = person.request(method.clone(), path).header("x-forwarded-for", address);
    let request =
        if method == Method::POST { request.json(&json!({"name": "Kim"})) } else { request };
    person.send(request).await
}

/// Fails unless the answer is refused by the rate limit of `policy`, with the time to wait.
#[track_caller]
pub fn assert_rate_limited(answer: &Answer, policy: &str) {
    answer.refused(429, "rate_limited");
    assert!(answer.header("retry-after").parse::<u64>().expect("seconds") >= 1);
    assert_eq!(answer.header("ratelimit-policy"), policy);
    let name = policy.split(';').next().expect("a name");
    assert!(answer.header("ratelimit").starts_with(&format!("{name};r=0;t=")));
}

#[tokio::test]
async fn joins_are_limited_per_address_and_only_trusted_proxies_may_name_the_address() {
    let world = World::new().await;
    let open = world.start().await;
    let sale = sale::open(&open.admin().await, 1, 9, json!({"capacity": 0})).await;
    let path = format!("/v1/schedules/{}/queue", sale.schedule);
    let guarded = world.start_with(&[PROXY, "--address-joins=3"]).await;
    let join = async |addr: SocketAddr, address: &str| {
        let person = open.buyer().await.at(addr);
        send_forwarded(&person, Method::POST, &path, address).await
    };
    for left in [2, 1, 0] {
        let joined = join(guarded.addr, "203.0.113.9").await;
        assert_eq!(joined.status, 201, "{}", joined.text);
        let policy = joined.header("ratelimit-policy");
        assert!(policy.starts_with("\"joins\";q=3;w=60"), "{policy}");
        assert!(joined.header("ratelimit").starts_with(&format!("\"joins\";r={left};t=")));
    }
    let before = state::snapshot(&world, &[sale.schedule]).await;
    let person = open.buyer().await.at(guarded.addr);
    for address in ["203.0.113.9", "198.51.100.1, 203.0.113.9", "203.0.113.9:4711"] {
        let refused = send_forwarded(&person, Method::POST, &path, address).await;
        assert_rate_limited(&refused, "\"joins\";q=3;w=60");
    }
    let after = state::snapshot(&world, &[sale.schedule]).await;
    assert_eq!(
        before.lines().skip(1).collect::<Vec<_>>(),
        after.lines().skip(1).collect::<Vec<_>>()
    );
    assert_eq!(join(guarded.addr, "198.51.100.1").await.status, 201, "another address");

    // Without a limit, and behind a proxy that is not trusted.
    let lifted = world.start_with(&[PROXY, "--address-joins=0"]).await;
    let unnamed = world.start_with(&["--address-joins=1"]).await;
    for addr in [lifted.addr, unnamed.addr] {
        for _ in 0..5 {
            assert_eq!(join(addr, "203.0.113.9").await.status, 201);
        }
    }
}

#[tokio::test]
async fn sign_ups_are_limited_per_address() {
    let world = World::new().await;
    let process = world.start_with(&[PROXY, "--address-joins=2"]).await;
    let client = process.anonymous();
    let sign_up = async |from: &str| send_forwarded(&client, Method::POST, "/v1/users", from).await;
    for _ in 0..2 {
        sign_up("2001:db8:0:7::1").await.ok(201);
    }
    assert_rate_limited(&sign_up("2001:db8:0:7:ffff::2").await, "\"sign-ups\";q=2;w=60");
    sign_up("2001:db8:0:8::1").await.ok(201);
}

#[tokio::test]
async fn recovery_attempts_are_limited_per_address() {
    let world = World::new().await;
    let process = world.start_with(&[PROXY, "--address-joins=2"]).await;
    let client = process.anonymous();
    let attempt =
        async |from: &str| send_forwarded(&client, Method::POST, "/v1/users/recover", from).await;
    for _ in 0..2 {
        assert_ne!(attempt("2001:db8:0:7::1").await.status, 429);
    }
    assert_rate_limited(&attempt("2001:db8:0:7:ffff::2").await, "\"recoveries\";q=2;w=60");
    assert_ne!(attempt("2001:db8:0:8::1").await.status, 429);
}

#[tokio::test]
async fn requests_are_limited_per_address_except_polls_of_waiting_buyers() {
    let world = World::new().await;
    let (open, process) =
        (world.start().await, world.start_with(&[PROXY, "--address-requests=1"]).await);
    let sale = sale::open(&open.admin().await, 1, 9, json!({"capacity": 0})).await;
    let mut waiting = open.buyer().await;
    waiting.join(sale.schedule).await.ok(201);
    let mut waiting = waiting.at(process.addr);
    until("the board shows the entry", async || {
        (waiting.poll().await.body["waiting"] == 1).then_some(())
    })
    .await;
    let refused = until("the rate limit is used up", async || {
        let answer = send_forwarded(&waiting, Method::GET, "/v1/concerts", "203.0.113.9").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_rate_limited(&refused, "\"requests\";q=5;w=5");
    for _ in 0..20 {
        let polled = send_forwarded(&waiting, Method::GET, "/v1/queue/ticket", "203.0.113.9").await;
        assert_eq!(polled.ok(200)["status"], "WAITING");
    }
    send_forwarded(&waiting, Method::GET, "/v1/concerts", "203.0.113.8").await.ok(200);
}

#[tokio::test]
async fn requests_are_limited_per_user_on_every_route() {
    let world = World::new().await;
    let process = world.start_with(&["--user-requests=1"]).await;
    let (greedy, other) = (process.buyer().await, process.buyer().await);
    let first = greedy.get("/v1/points").await;
    assert_eq!(first.header("ratelimit-policy"), "\"user\";q=5;w=5");
    assert_eq!(first.header("ratelimit"), "\"user\";r=4;t=1");
    let refused = until("the rate limit is used up", async || {
        let answer = greedy.get("/v1/reservations").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_rate_limited(&refused, "\"user\";q=5;w=5");
    other.get("/v1/points").await.ok(200);
    process.anonymous().get("/v1/concerts").await.ok(200);
}

/// Sends raw bytes; returns the answer, read until the server closes the connection.
pub async fn send_bytes(addr: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(addr).await.expect("a connection");
    // A connection that the server closes with unread bytes is reset after the answer.
    let _ = stream.write_all(bytes).await;
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    let text = String::from_utf8(read).expect("a text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let (first, lines) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.split("\r\n").filter_map(|line| line.split_once(": ")) {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    let json = serde_json::from_str(body).unwrap_or_default();
    Answer { status: status.expect("a status"), headers, text: body.to_owned(), body: json }
}

/// The head of a sign-up whose body has 14 bytes.
const HEAD: &str = "POST /v1/users HTTP/1.1\r\nhost: onsale\r\ncontent-type: application/json\r\n\
                    content-length: 14\r\n\r\n";

#[tokio::test]
async fn a_slow_request_body_gets_408_and_blocks_no_other_request() {
    let world = World::new().await;
    let process = world.start_with(&["--max-in-flight=1", "--request-timeout=2s"]).await;
    let slow = format!("{HEAD}{{\"name\"");
    let mut senders = Vec::new();
    for _ in 0..5 {
        let (addr, slow) = (process.addr, slow.clone());
        senders.push(tokio::spawn(async move { send_bytes(addr, slow.as_bytes()).await }));
    }
    // The limit is one request in progress, and requests without a complete body do not count.
    for _ in 0..20 {
        process.anonymous().get("/v1/concerts").await.ok(200);
    }
    for sender in senders {
        let answer = sender.await.expect("no panic");
        answer.refused(408, "body_timeout");
        assert_eq!(answer.header("connection"), "close");
    }
    assert_eq!(world.number(r#"select count(*) from "user""#).await, 0);
}

#[tokio::test]
async fn a_request_head_that_is_too_large_is_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let large = format!("GET /v1/concerts HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(512 * 1024));
    assert_eq!(send_bytes(process.addr, large.as_bytes()).await.status, 431);
    let many = "x: 1\r\n".repeat(200);
    let many = format!("GET /v1/concerts HTTP/1.1\r\n{many}\r\n");
    assert_eq!(send_bytes(process.addr, many.as_bytes()).await.status, 431);
}
