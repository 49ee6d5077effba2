//! Traces: what the spans of a request are, and whose parent counts.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Method;
use serde_json::{Value, json};

use super::otlp::{Receiver, SPAN, Span, TRACE, ask, id, names, parent, start};
use crate::support::client::Client;
use crate::support::crowd::{create_users, run_all};
use crate::support::program::Program;
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::World;

/// A sale, and a buyer with points whose requests go to `program`.
async fn open(world: &World, program: &Program) -> (Sale, Client) {
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({})).await;
    let buyer = process.rich_buyer().await.at(program.addr);
    process.stop().await;
    (sale, buyer)
}

/// Sells a seat to another user. The first calls of a process also load the layout and the scripts.
async fn sell(world: &World, program: &Program, sale: &Sale, seat: usize) {
    let mut buyer = create_users(world, &[program.addr], 1, 1_000_000).await.remove(0);
    buyer.join_with_retries(sale.schedule).await.ok(201);
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[seat]]})).await.ok(201);
    buyer.pay(&hold).await.ok(201);
}

/// Each span below `server` belongs to it, and lies within its time.
#[track_caller]
fn assert_nested(server: &Span, below: &[Span]) {
    assert_eq!(server.kind, SpanKind::Server);
    for span in below {
        assert_eq!((&span.trace, &span.parent), (&server.trace, &server.id), "{span:?}");
        let is_within = server.time.0 <= span.time.0 && span.time.1 <= server.time.1;
        assert!(is_within && span.time.0 <= span.time.1, "{span:?} of {server:?}");
        let system = span.attributes["db.system.name"].as_str();
        assert!(["redis", "postgresql"].contains(&system), "{span:?}");
    }
}

#[tokio::test]
async fn a_hold_and_a_payment_are_traced_below_the_span_of_a_trusted_proxy() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let program = start(&world, &receiver, &[]).await;
    let (sale, mut buyer) = open(&world, &program).await;
    sell(&world, &program, &sale, 1).await;
    buyer.join_with_retries(sale.schedule).await.ok(201);

    let path = format!("/v1/schedules/{}/reservations?secret=query", sale.schedule);
    let keyed = buyer.with_key("the-key-of-a-hold");
    let request = keyed.request(Method::POST, &path).json(&json!({"seat_ids": [sale.seats[0]]}));
    let state = ("tracestate", "vendor=1");
    let hold =
        keyed.send(request.header("traceparent", parent(true)).header(state.0, state.1)).await;
    let (server, below) = receiver.of_request(&id(&hold)).await;
    let hold = hold.ok(201);
    assert_eq!((server.trace.as_str(), server.parent.as_str()), (TRACE, SPAN));
    assert_eq!((server.state.as_str(), server.is_error), ("vendor=1", false));
    assert_eq!(server.name, "POST /v1/schedules/{id}/reservations");
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/schedules/{id}/reservations"),
        ("http.response.status_code", "201"),
        ("url.scheme", "http"),
        ("network.protocol.version", "1.1"),
    ] {
        assert!(server.has(name, value), "{name}: {server:?}");
    }
    assert!(!server.attributes.contains_key("error.type"));
    assert_nested(&server, &below);
    let steps = ["EVALSHA seats/claim", "wait for connection", "EXECUTE write_hold"];
    assert_eq!(names(&below)[..3], steps, "{below:?}");
    assert_eq!(names(&below)[3..], ["EVALSHA seats/apply"]);
    assert_is_documented(&server, &below);
    let (claim, write) = (&below[0], &below[2]);
    assert_eq!((claim.kind, write.kind), (SpanKind::Client, SpanKind::Client));
    assert!(
        claim.has("db.stored_procedure.name", "seats/claim") && claim.has("onsale.outcome", "OK")
    );
    assert!(write.has("db.operation.name", "EXECUTE"));

    let paid = buyer.keyed();
    let request =
        paid.request(Method::POST, "/v1/payments").json(&json!({"hold_id": hold["hold_id"]}));
    let paid = paid.send(request.header("x-forwarded-proto", "https")).await;
    let (server, below) = receiver.of_request(&id(&paid)).await;
    paid.ok(201);
    assert!(server.parent.is_empty() && server.trace != TRACE, "a trace of its own");
    assert!(server.has("url.scheme", "https"));
    assert_nested(&server, &below);
    assert_eq!(names(&below)[..2], ["wait for connection", "EXECUTE settle_payment"]);
    assert_eq!(names(&below)[2..], ["EVALSHA seats/apply", "EVALSHA queue/complete"]);
    assert_holds_nothing_secret(&receiver, &buyer, &hold["hold_id"]);
}

/// The seats of a hold are released, and those of a hold that there is not.
#[tokio::test]
async fn a_transaction_has_its_name_and_shows_how_it_ended() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let program = start(&world, &receiver, &[]).await;
    let (sale, mut buyer) = open(&world, &program).await;
    buyer.join_with_retries(sale.schedule).await.ok(201);
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    let held = hold["hold_id"].as_str().expect("an id");
    let unknown = uuid::Uuid::nil().to_string();
    for (hold, status, outcome) in [(held, 204, "COMMIT"), (&unknown, 404, "ROLLBACK")] {
        let released = buyer.delete(&format!("/v1/holds/{hold}")).await;
        assert_eq!(released.status, status, "{}", released.text);
        let (server, below) = receiver.of_request(&id(&released)).await;
        assert_nested(&server, &below);
        assert_eq!(names(&below)[..2], ["wait for connection", "TRANSACTION release_hold"]);
        let transaction = &below[1];
        assert!(transaction.has("onsale.outcome", outcome), "{transaction:?}");
        assert!(!transaction.is_error && transaction.kind == SpanKind::Client, "{transaction:?}");
    }
}

/// docs/OPERATIONS.md shows the trace of a hold with these spans. The output of this test has the
/// lines for it.
#[track_caller]
fn assert_is_documented(server: &Span, below: &[Span]) {
    let mut lines = vec![server.line(server.time.0, "")];
    lines.extend(below.iter().map(|span| span.line(server.time.0, "  ")));
    println!("{}", lines.join("\n"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATIONS.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let block = text.split("on a busy machine:\n\n```text\n").nth(1).expect("a trace");
    let block = block.split("```").next().expect("its end");
    let names = |lines: &mut dyn Iterator<Item = &str>| {
        lines.map(|line| line.split(" at ").next().unwrap().trim_end().to_owned()).collect()
    };
    let shown: Vec<String> = names(&mut block.lines());
    let measured: Vec<String> = names(&mut lines.iter().map(String::as_str));
    assert_eq!(shown, measured);
}

/// No span has a token, a ticket, a key, a query, a hold's id or a user's id.
#[track_caller]
fn assert_holds_nothing_secret(receiver: &Receiver, buyer: &Client, hold: &Value) {
    let text = format!("{:?}", receiver.spans());
    let (token, ticket) = (buyer.token.as_deref(), buyer.ticket.as_deref());
    let secrets = [token, ticket, hold.as_str(), Some("the-key-of-a-hold"), Some("secret=query")];
    for secret in secrets {
        let secret = secret.expect("a text");
        assert!(text.contains("seats/claim") && !text.contains(secret), "{secret}");
    }
}

/// The headers of a caller with this span.
fn one(value: &str) -> Vec<(&str, &str)> {
    vec![("traceparent", value)]
}

/// Otherwise any client could have its requests recorded, or join the traces of others.
#[tokio::test]
async fn the_parent_of_an_untrusted_caller_and_a_parent_that_is_not_valid_are_ignored() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let trusting = start(&world, &receiver, &[]).await;
    let other = start(&world, &receiver, &[("ONSALE_TRUSTED_PROXIES", "192.0.2.1")]).await;
    let (valid, upper, long) =
        (parent(true), parent(true).to_uppercase(), format!("{}-1", parent(true)));
    let (ff, zero) =
        (parent(true).replacen("00", "ff", 1), format!("00-{TRACE}-{}-01", "0".repeat(16)));
    let twice = [one(&valid), one(&valid)].concat();
    let cases = [
        (&trusting, one(&valid), true),
        (&trusting, twice, false),
        (&trusting, one(&upper), false),
        (&trusting, one(&long), false),
        (&trusting, one(&ff), false),
        (&trusting, one(&zero), false),
        (&other, one(&valid), false),
        (&other, [one(&valid), vec![("x-forwarded-for", "192.0.2.1")]].concat(), false),
    ];
    for (program, headers, counts) in cases {
        let answer = ask(&program.anonymous(), "/v1/concerts", &headers).await;
        let (server, _) = receiver.of_request(&id(&answer)).await;
        assert_eq!(server.trace == TRACE, counts, "{headers:?}");
        assert_eq!(server.parent, if counts { SPAN } else { "" }, "{headers:?}");
    }
}

/// Joins that arrive together share a script call. It is in the trace of the first one, with links
/// to the others, which have the span of their wait.
#[tokio::test]
async fn joins_in_a_batch_share_a_call_with_links_to_all_of_them() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    // A trusted proxy has a limit of joins; other calls over loopback have none.
    let program = start(&world, &receiver, &[("ONSALE_TRUSTED_PROXIES", "192.0.2.1")]).await;
    let process = world.start().await;
    let schedule = sale::open(&process.admin().await, 1, 5, json!({})).await.schedule;
    let batch = until("a batch", async || {
        let users = create_users(&world, &[program.addr], 20, 0).await;
        run_all(users, |mut user| async move { user.join_with_retries(schedule).await.ok(201) })
            .await;
        receiver.spans().into_iter().find(|span| span.name == "batch")
    })
    .await;
    let size: usize = batch.attributes["onsale.batch.size"].parse().expect("a number");
    assert_eq!((batch.links.len(), batch.kind), (size - 1, SpanKind::Internal));
    let wanted = "EVALSHA queue/join_many";
    let (first, call) = until("the call of the batch", async || {
        let spans = receiver.spans();
        let find = |is_it: &dyn Fn(&Span) -> bool| spans.iter().find(|it| is_it(it)).cloned();
        Some((
            find(&|it| it.id == batch.parent)?,
            find(&|it| it.parent == batch.id && it.name == wanted)?,
        ))
    })
    .await;
    assert_eq!((call.trace.as_str(), call.kind), (batch.trace.as_str(), SpanKind::Client));
    assert_eq!((first.trace.as_str(), first.kind), (batch.trace.as_str(), SpanKind::Server));
    for linked in &batch.links {
        let wait = until("the wait of another request", async || {
            let spans = receiver.spans();
            spans.into_iter().find(|it| it.parent == *linked && it.name == "wait for batch")
        })
        .await;
        assert_ne!(wait.trace, batch.trace);
    }
}

#[tokio::test]
async fn errors_of_the_service_and_of_its_stores_are_marked_and_refusals_are_not() {
    let (mut world, receiver) = (World::new().await, Receiver::start().await);
    let program = start(&world, &receiver, &[]).await;
    let (sale, mut buyer) = open(&world, &program).await;
    buyer.join_with_retries(sale.schedule).await.ok(201);
    let refused = buyer.hold(sale.schedule, json!({"seat_ids": [0]})).await;
    let (server, _) = receiver.of_request(&id(&refused)).await;
    assert!((400..500).contains(&refused.status) && !server.is_error, "{server:?}");
    assert!(server.has("onsale.problem.code", refused.code()), "{server:?}");
    assert!(!server.attributes.contains_key("error.type"));

    world.redis.kill().await.expect("Redis ends");
    let path = format!("/v1/schedules/{}/queue", sale.schedule);
    let failed = buyer.post(&path, json!(null)).await;
    assert_eq!(failed.status, 503, "{}", failed.text);
    let (server, below) = receiver.of_request(&id(&failed)).await;
    assert!(server.is_error && server.has("error.type", "503"), "{server:?}");
    let call = below.iter().find(|span| span.name == "EVALSHA queue/join");
    let call = call.unwrap_or_else(|| panic!("{below:?}"));
    assert!(call.is_error && call.has("error.type", "unavailable"), "{call:?}");
}
