//! The fast path: a request that is answered ahead of the router gets the same answer.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// Members that differ between two answers.
const CHANGING: [&str; 2] = ["server_time", "poll_after_ms"];

fn names(answer: &Answer) -> Vec<String> {
    let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    names.sort();
    names
}

fn lasting(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    for name in CHANGING {
        body[name].take();
    }
    body
}

/// Polls as a page of another origin does, which the router answers.
async fn poll_routed(person: &Client) -> Answer {
    let request = person.request(Method::GET, "/v1/queue/ticket");
    person.send(request.header("origin", "https://elsewhere.example")).await
}

#[tokio::test]
async fn the_fast_path_and_the_router_give_the_same_answer_and_both_are_counted() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let queue = json!({"capacity": 0, "message": "Soon"});
    let sale = sale::open(&admin, 1, 5, queue).await;
    let mut person = process.buyer().await;
    person.join(sale.schedule).await.ok(201);
    until("the board shows the entry", async || {
        (person.poll().await.body["waiting"] == 1).then_some(())
    })
    .await;
    let (fast, routed) = (person.poll().await, poll_routed(&person).await);
    assert_eq!((fast.status, routed.status), (200, 200));
    assert_eq!(names(&fast), names(&routed));
    for name in ["content-type", "cache-control", "vary"] {
        assert_eq!(fast.header(name), routed.header(name));
    }
    assert_ne!(fast.header("x-request-id"), routed.header("x-request-id"));
    assert_eq!(lasting(&fast), lasting(&routed));
    assert_eq!(fast.body["message"], "Soon");

    let counted = async || {
        let metrics = process.anonymous().get("/metrics").await.text;
        let line =
            r#"onsale_http_requests_total{route="/v1/queue/ticket",method="GET",status="200"} "#;
        let found = metrics.lines().find_map(|text| text.strip_prefix(line)).map(str::to_owned);
        found.expect("polls are counted").parse::<u64>().expect("a count")
    };
    let before = counted().await;
    person.poll().await.ok(200);
    poll_routed(&person).await.ok(200);
    assert_eq!(counted().await, before + 2);

    // The router answers everything that is not a poll of a waiting buyer.
    let forged = person.with_ticket("forged").poll().await;
    forged.refused(401, "ticket_invalid");
    let twice = person.request(Method::GET, "/v1/queue/ticket").header("queue-token", "another");
    person.send(twice).await.refused(401, "ticket_invalid");
    person.leave().await;
    assert_eq!(person.poll().await.ok(200)["status"], "LEFT");
}

/// A map from the fast path and from the router, without the router's headers for other origins.
async fn both(anybody: &Client, path: &str, headers: &[(&str, &str)]) -> [Answer; 2] {
    let with = |mut request: reqwest::RequestBuilder| {
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    };
    // The first request renders the map, which the fast path does not do.
    anybody.send(with(anybody.request(Method::GET, path))).await;
    let fast = anybody.send(with(anybody.request(Method::GET, path))).await;
    let elsewhere =
        anybody.request(Method::GET, path).header("origin", "https://elsewhere.example");
    let mut routed = anybody.send(with(elsewhere)).await;
    for name in ["access-control-allow-origin", "access-control-expose-headers"] {
        assert!(routed.headers.remove(name).is_some(), "{name}");
    }
    [fast, routed]
}

#[tokio::test]
async fn a_seat_map_is_the_same_by_the_fast_path() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 5, json!({})).await;
    let anybody = process.anonymous();
    let path = format!("/v1/schedules/{}/seats", sale.schedule);
    let old = anybody.get(&path).await.ok(200)["version"].as_str().unwrap().to_owned();
    let block = json!({"seat_ids": [sale.seats[0]], "blocked": true});
    admin.patch(&format!("/v1/admin/schedules/{}/seats", sale.schedule), block).await.ok(200);
    let changes = format!("{path}?since={old}");
    let now = until("the map shows the change", async || {
        let answer = anybody.get(&changes).await;
        (answer.body["seats"].as_array()?.len() == 1).then_some(answer)
    })
    .await;
    let status = format!("{path}/status");
    let lost = format!("{path}?since=0.0-9");
    let nobody = "/v1/schedules/999999/seats";
    let tag = anybody.get(&path).await.header("etag").to_owned();
    let known = [("if-none-match", tag.as_str())];
    let gzip = [("accept-encoding", "gzip")];
    for (path, headers, expected) in [
        (path.as_str(), &[][..], 200),
        (path.as_str(), &known[..], 304),
        (path.as_str(), &gzip[..], 200),
        (changes.as_str(), &[][..], 200),
        (changes.as_str(), &known[..], 200),
        (status.as_str(), &[][..], 200),
        (lost.as_str(), &[][..], 200),
        (nobody, &[][..], 404),
    ] {
        let [fast, routed] = both(&anybody, path, headers).await;
        assert_eq!((fast.status, routed.status), (expected, expected), "{path}");
        assert_eq!(names(&fast), names(&routed), "{path}");
        for name in ["etag", "vary", "cache-control", "content-type", "content-encoding"] {
            assert_eq!(fast.headers.get(name), routed.headers.get(name), "{path}: {name}");
        }
        if expected == 200 {
            assert_eq!(fast.text, routed.text, "{path}");
        }
    }
    assert_eq!(now.body["since"], old);
}
