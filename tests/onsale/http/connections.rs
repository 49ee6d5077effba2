//! Connections after an answer that came before the request's body: the next request works, or the
//! answer announced that the connection closes.

use serde_json::json;

use crate::http::hostile::PROXY;
use crate::support::client::Answer;
use crate::support::wait::until;
use crate::support::wire::Wire;
use crate::support::world::{Process, World};

/// A request that is answered before its body is read, and the status of the answer.
struct Early {
    status: u16,
    target: &'static str,
    headers: String,
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length,
    Chunked,
}

fn framed(framing: Framing, body: &str) -> (String, String) {
    match framing {
        Framing::Length => (format!("content-length: {}", body.len()), body.to_owned()),
        Framing::Chunked => (
            "transfer-encoding: chunked".to_owned(),
            format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        ),
    }
}

fn head(early: &Early, framing: &str) -> String {
    let Early { target, headers, .. } = early;
    format!("{target} HTTP/1.1\r\nhost: onsale\r\n{framing}\r\n{headers}\r\n")
}

/// Every kind of early answer. The address and the user of the 429s have used up their rate limits.
async fn early_answers(process: &Process) -> Vec<Early> {
    let json = "content-type: application/json\r\n";
    let greedy = process.buyer().await;
    until("the user's limit is used up", async || {
        (greedy.get("/v1/points").await.status == 429).then_some(())
    })
    .await;
    let forwarded = "x-forwarded-for: 203.0.113.9\r\n";
    let token = greedy.token.as_deref().expect("a token");
    [
        (404, "POST /nowhere", json.to_owned()),
        (405, "POST /livez", json.to_owned()),
        (405, "POST /v1/concerts", json.to_owned()),
        (415, "POST /v1/users", "content-type: text/plain\r\n".to_owned()),
        (401, "POST /v1/admin/concerts", json.to_owned()),
        (401, "GET /v1/points", json.to_owned()),
        (200, "GET /livez", json.to_owned()),
        (429, "POST /v1/users", format!("{json}{forwarded}")),
        (429, "POST /v1/points/charges", format!("{json}authorization: Bearer {token}\r\n")),
    ]
    .map(|(status, target, headers)| Early { status, target, headers })
    .into()
}

/// A process behind a trusted proxy, with low rate limits.
async fn process_with_limits(world: &World) -> Process {
    world
        .start_with(&[
            PROXY,
            "--address-requests=100000",
            "--address-joins=40",
            "--user-requests=1",
        ])
        .await
}

async fn exhaust_sign_ups(process: &Process) {
    until("the sign-ups of an address are used up", async || {
        let anybody = process.anonymous();
        let request = anybody.request(reqwest::Method::POST, "/v1/users");
        let request = request.header("x-forwarded-for", "203.0.113.9");
        (anybody.send(request.json(&json!({"name": "Kim"}))).await.status == 429).then_some(())
    })
    .await;
}

/// Sends a request until it gets the expected answer: a rate limit that is used up allows a request
/// again after a moment.
async fn answered(process: &Process, early: &Early, bytes: &str) -> (Wire, Answer) {
    until(&format!("{} gets {}", early.target, early.status), async || {
        let mut wire = Wire::open(process.addr).await;
        // The rest of a large body may find the connection closed.
        wire.send(bytes).await;
        let answer = wire.answer().await;
        (early.status != 429 || answer.status == 429).then_some((wire, answer))
    })
    .await
}

/// Checks that the connection serves a second request, or closes if the first answer announced it.
async fn check_next_request(wire: &mut Wire, closes: bool, what: &str) {
    if closes {
        assert!(wire.is_closed().await, "{what}: the answer announced that the connection closes");
    } else {
        assert!(wire.send("GET /livez HTTP/1.1\r\nhost: onsale\r\n\r\n").await, "{what}");
        assert_eq!(wire.answer().await.status, 200, "{what}: the second request");
    }
}

#[tokio::test]
async fn after_an_early_answer_the_next_request_works_or_the_answer_closes_the_connection() {
    let world = World::new().await;
    let process = process_with_limits(&world).await;
    exhaust_sign_ups(&process).await;
    for early in early_answers(&process).await {
        for framing in [Framing::Length, Framing::Chunked] {
            for (body, stays) in
                [(r#"{"name":"Kim"}"#.to_owned(), true), ("x".repeat(300_000), false)]
            {
                let what = format!("{} {} {framing:?} {}", early.status, early.target, body.len());
                let (line, bytes) = framed(framing, &body);
                let request = head(&early, &line) + &bytes;
                let (mut wire, answer) = answered(&process, &early, &request).await;
                let closes = answer.header("connection") == "close";
                // The gate reads a body up to its limit before it calls the route.
                if body.len() > 64 * 1024 && answer.status == 413 {
                    assert!(closes, "{what}");
                } else {
                    assert_eq!((answer.status, closes), (early.status, !stays), "{what}");
                }
                check_next_request(&mut wire, closes, &what).await;
            }
        }
    }
}

#[tokio::test]
async fn with_expect_100_continue_an_early_answer_comes_at_once_and_the_connection_closes() {
    let world = World::new().await;
    let process = process_with_limits(&world).await;
    exhaust_sign_ups(&process).await;
    let expects = "expect: 100-continue\r\n";
    for early in early_answers(&process).await {
        for framing in [Framing::Length, Framing::Chunked] {
            let what = format!("{} {} {framing:?}", early.status, early.target);
            let (line, _) = framed(framing, r#"{"name":"Kim"}"#);
            let early = Early { headers: format!("{}{expects}", early.headers), ..early };
            let request = head(&early, &line);
            let (mut wire, mut answer) = answered(&process, &early, &request).await;
            if answer.status == 100 {
                // The gate reads the body first; then the route decides.
                let by_route = ["POST /v1/users", "GET /v1/points"];
                assert!(by_route.contains(&early.target), "{what}");
                wire.send(framed(framing, r#"{"name":"Kim"}"#).1).await;
                answer = wire.answer().await;
                assert_eq!(answer.header("connection"), "", "{what}");
            } else {
                assert_eq!(answer.header("connection"), "close", "{what}");
            }
            assert_eq!(answer.status, early.status, "{what}");
            let closes = answer.header("connection") == "close";
            check_next_request(&mut wire, closes, &what).await;
        }
    }
}

#[tokio::test]
async fn a_body_requested_with_100_continue_is_read_and_the_connection_stays_open() {
    let world = World::new().await;
    let process = world.start().await;
    for framing in [Framing::Length, Framing::Chunked] {
        let (line, body) = framed(framing, r#"{"name":"Kim"}"#);
        let mut wire = Wire::open(process.addr).await;
        let headers = "content-type: application/json\r\nexpect: 100-continue\r\n".to_owned();
        let sign_up = Early { status: 201, target: "POST /v1/users", headers };
        wire.send(head(&sign_up, &line)).await;
        assert_eq!(wire.answer().await.status, 100);
        wire.send(body).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (201, ""), "{}", answer.text);
        check_next_request(&mut wire, false, "a sign-up").await;
    }
}

#[tokio::test]
async fn a_user_beyond_the_rate_limit_is_refused_before_the_body_arrives() {
    let world = World::new().await;
    let process = process_with_limits(&world).await;
    let early = early_answers(&process).await.pop().expect("the user's");
    let request = head(&early, "content-length: 14");
    let (mut wire, answer) = answered(&process, &early, &request).await;
    answer.refused(429, "rate_limited");
    assert_eq!(answer.header("ratelimit-policy"), "\"user\";q=5;w=5");
    check_next_request(&mut wire, answer.header("connection") == "close", "without its body").await;
}

#[tokio::test]
async fn bytes_that_are_not_a_request_get_400_and_the_connection_closes() {
    let world = World::new().await;
    let process = world.start().await;
    for bytes in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET /livez HTTP/1.1\r\nhost: onsale\r\nbad name: 1\r\n\r\n",
        "POST /v1/users HTTP/1.1\r\nhost: onsale\r\ncontent-length: x\r\n\r\n",
    ] {
        let mut wire = Wire::open(process.addr).await;
        wire.send(bytes).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (400, "close"), "{bytes:?}");
        assert!(wire.is_closed().await, "{bytes:?}");
    }
}
