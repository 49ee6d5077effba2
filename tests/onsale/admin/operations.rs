//! What operators rely on: health checks, metrics, request ids, limits and draining.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::program::{Program, command};
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

#[tokio::test]
async fn every_answer_has_a_unique_request_id() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 1, json!({})).await;
    let (mut seen, mut answers) = (HashSet::new(), Vec::new());
    let seats = format!("/v1/schedules/{}/seats", sale.schedule);
    for path in [
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs/",
        "/v1/concerts",
        "/nowhere",
        &seats,
    ] {
        answers.push(admin.get(path).await);
        let forced = admin.request(Method::GET, path).header("x-request-id", "mine");
        answers.push(admin.send(forced).await);
    }
    let etag = admin.get(&seats).await.header("etag").to_owned();
    answers
        .push(admin.send(admin.request(Method::GET, &seats).header("if-none-match", etag)).await);
    answers.push(admin.post("/v1/users", json!({})).await);
    answers.push(admin.delete("/v1/users").await);
    answers.push(process.anonymous().get("/v1/points").await);
    answers.push(process.anonymous().send(admin.request(Method::OPTIONS, "/v1/points")).await);
    for answer in answers {
        let id = answer.header("x-request-id");
        assert!(id.len() == 36 && seen.insert(id.to_owned()), "{id}: {}", answer.text);
        if answer.status >= 400 {
            assert_eq!(answer.body["instance"], id);
        }
    }
}

#[tokio::test]
async fn readiness_names_the_store_that_is_down_and_liveness_stays_ok() {
    let mut world = World::new().await;
    let process = world.start().await;
    let ready = async |client: &Client| {
        let answer = client.get("/readyz").await;
        assert_eq!(client.get("/livez").await.status, 200);
        if answer.status == 200 {
            return Value::Null;
        }
        answer.refused(503, "not_ready");
        assert!(!answer.header("retry-after").is_empty());
        answer.body["failing"].clone()
    };
    let anybody = process.anonymous();
    assert_eq!(ready(&anybody).await, Value::Null);
    world.redis.kill().await.expect("it dies");
    assert_eq!(ready(&anybody).await, json!(["redis"]));
    world.redis.restart().await.expect("it lives");
    until("readiness", async || (ready(&anybody).await == Value::Null).then_some(())).await;

    let lost = world.start_with(&["--database-url=postgres://nobody@127.0.0.1:1/none"]).await;
    assert_eq!(ready(&lost.anonymous()).await, json!(["postgresql"]));
    let last =
        "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)";
    sqlx::query(last).execute(&world.pool).await.expect("a row");
    assert_eq!(ready(&anybody).await, json!(["migrations"]));
}

/// Fails unless every metric is ours, and Prometheus can parse the text.
#[track_caller]
fn check_syntax(text: &str) {
    // Comments, then `name{labels} value`.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let name = series.split('{').next().expect("a name");
        assert!(name.starts_with("onsale_") || name.starts_with("process_"), "{line}");
        assert_eq!(series.contains('{'), series.ends_with('}'), "{line}");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{line}");
    }
}

#[tokio::test]
async fn metrics_count_a_sale_and_can_be_parsed() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 4, json!({"capacity": 1})).await;
    let mut buyer = active_buyer(&process, &sale).await;
    let mut waiting = process.buyer().await;
    waiting.join(sale.schedule).await.ok(201);
    let hold = buyer.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    buyer.hold(sale.schedule, json!({"quantity": 9})).await.refused(422, "seat_limit_exceeded");
    let paid = buyer.pay(&hold).await.ok(201);
    let refund = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    buyer.keyed().post(&refund, json!({})).await.ok(200);
    buyer.poll().await.ok(200);

    let schedule = sale.schedule;
    let line = |name: &str| format!(r#"onsale_schedule_{name}{{schedule="{schedule}"}}"#);
    let text = until("the metrics of the queue", async || {
        let answer = process.anonymous().get("/metrics").await;
        let active = format!("{} 1\n", line("active_slots"));
        (answer.text.contains(&active)
            && answer.text.contains(&format!("{} 0\n", line("waiting_entries"))))
        .then_some(answer)
    })
    .await;
    check_metrics_of_sale(&text.text);
    check_syntax(&text.text);
}

/// Checks the metrics of what [`metrics_count_a_sale_and_can_be_parsed`] did.
fn check_metrics_of_sale(text: &str) {
    for series in [
        r#"onsale_http_requests_total{route="/v1/payments",method="POST",status="201"} 1"#,
        "onsale_joins_total 2",
        "onsale_holds_total 1",
        r#"onsale_holds_refused_total{reason="seat_limit_exceeded"} 1"#,
        r#"onsale_reservations_total{status="PAYMENT_WAITING"} 2"#,
        r#"onsale_reservations_total{status="COMPLETE"} 2"#,
        r#"onsale_reservations_total{status="REFUNDED"} 1"#,
        "onsale_payments_total 2",
        "onsale_refunds_total 1",
        r#"onsale_points_total{kind="PAYMENT"} 200"#,
        r#"onsale_points_total{kind="REFUND"} 100"#,
        r#"onsale_points_total{kind="CHARGE"} 1000000"#,
    ] {
        assert!(text.lines().any(|line| line == series), "{series} is not in\n{text}");
    }
    for name in [
        "onsale_http_request_duration_seconds_bucket",
        "onsale_postgres_pool_connections",
        "onsale_redis_bulk_connections{state=\"idle\"}",
        "onsale_redis_bulk_connections{state=\"in_use\"}",
        "onsale_redis_bulk_waiting",
        "onsale_redis_bulk_wait_timeouts_total",
        "onsale_loop_last_run_timestamp_seconds",
        "onsale_loop_last_success_timestamp_seconds",
        "onsale_loop_failures_total",
        "onsale_log_lines_dropped_total",
        "onsale_trace_spans_total{outcome=\"dropped\"}",
        "onsale_loop_lag_seconds",
        "onsale_outbox_backlog",
        "onsale_outbox_parked",
        "onsale_reconciler_repairs_total",
        "onsale_admissions_total",
    ] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is not in\n{text}");
    }
}

const SIGN_UP: &str = "{\"name\":\"Kim\"}";

/// Sends a sign-up with this part of its body.
async fn begin_sign_up(addr: std::net::SocketAddr, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.expect("a connection");
    let head = "POST /v1/users HTTP/1.1\r\nhost: onsale\r\ncontent-type: application/json\r\n\
                content-length: 14\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("a head");
    stream.write_all(body.as_bytes()).await.expect("a part of a body");
    stream
}

/// A lock that makes every sign-up wait until it is dropped.
async fn block_sign_ups(world: &World) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut blocker = world.pool.begin().await.expect("a transaction");
    let lock = sqlx::query("lock table \"user\" in exclusive mode").execute(&mut *blocker).await;
    lock.expect("the lock");
    blocker
}

async fn read_answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    text
}

#[tokio::test]
async fn requests_beyond_the_concurrency_limit_are_refused_at_once_and_slow_ones_time_out() {
    let world = World::new().await;
    let process = world.start_with(&["--max-in-flight=1"]).await;
    let blocker = block_sign_ups(&world).await;
    let slow = begin_sign_up(process.addr, SIGN_UP).await;
    let refused = until("the only permit is taken", async || {
        let answer = process.anonymous().get("/v1/concerts").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    refused.refused(503, "overloaded");
    assert!(!refused.header("retry-after").is_empty());
    for path in ["/livez", "/readyz", "/metrics"] {
        process.anonymous().get(path).await.ok(200);
    }
    blocker.rollback().await.expect("nothing was changed");
    assert!(read_answer(slow).await.starts_with("HTTP/1.1 201"));
    process.anonymous().get("/v1/concerts").await.ok(200);

    let impatient = world.start_with(&["--request-timeout=200ms"]).await;
    let _blocker = block_sign_ups(&world).await;
    let text = read_answer(begin_sign_up(impatient.addr, SIGN_UP).await).await;
    assert!(text.starts_with("HTTP/1.1 503") && text.contains(r#""code":"overloaded""#), "{text}");
}

#[tokio::test]
async fn requests_in_progress_at_sigterm_are_finished_and_the_process_exits_with_0() {
    let world = World::new().await;
    let mut program = Program::start(&world, &[]).await;
    let mut slow = begin_sign_up(program.addr, &SIGN_UP[..7]).await;
    let waits = TcpStream::connect(program.addr).await.expect("a connection");
    program.anonymous().get("/v1/concerts").await.ok(200);
    program.terminate();
    until("the port is closed", async || TcpStream::connect(program.addr).await.err()).await;
    slow.write_all(&SIGN_UP.as_bytes()[7..]).await.expect("the rest");
    let answer = read_answer(slow).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    drop(waits);
    assert_eq!(program.wait().await, Some(0), "{}", program.output());
    assert_eq!(world.number(r#"select count(*) from "user""#).await, 1);
}

/// In a new database nobody is there to make an administrator of.
#[tokio::test]
async fn the_command_line_creates_an_administrator_and_checks_a_process() {
    let world = World::new().await;
    let program = Program::start(&world, &[]).await;
    let run = |arguments: &[&str]| command(&world, arguments).output().expect("onsale");
    let created = run(&["admin", "create", "--name", "Operator"]);
    let token = String::from_utf8(created.stdout).expect("a token");
    let admin = program.anonymous().with_token(token.trim());
    let concert = json!({"title": "A concert", "description": ""});
    admin.post("/v1/admin/concerts", concert).await.ok(201);
    let refused = run(&["admin", "create", "--name", "\u{200b}"]);
    assert_eq!(refused.status.code(), Some(2), "a name without a visible character");
    assert_eq!(world.number(r#"select count(*) from "user""#).await, 1);

    let listen = program.addr.to_string();
    for arguments in
        [&["health", "--listen", &listen][..], &["health", "--ready", "--listen", &listen]]
    {
        let health = run(arguments);
        assert_eq!(health.status.code(), Some(0), "{health:?}");
    }
    drop(program);
    assert_eq!(run(&["health", "--listen", &listen]).status.code(), Some(1));

    let check = run(&["migrate", "--check"]);
    assert_eq!(check.status.code(), Some(0), "{check:?}");
    let undo = "delete from _sqlx_migrations where version = 1";
    sqlx::query(undo).execute(&world.pool).await.expect("a database that lacks a migration");
    assert_eq!(run(&["migrate", "--check"]).status.code(), Some(1));
}

/// While Redis is down nobody is admitted, although the loop runs.
#[tokio::test]
async fn a_loop_that_fails_has_runs_and_failures_and_no_success() {
    let mut world = World::new().await;
    let process = world.start().await;
    sale::open(&process.admin().await, 1, 1, json!({})).await;
    let metric = async |name: &str| {
        let text = process.anonymous().get("/metrics").await.text;
        let line = format!("{name}{{name=\"admission\"}} ");
        let value = text.lines().find_map(|it| it.strip_prefix(&line)?.parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("{line}"))
    };
    world.redis.kill().await.expect("Redis ends");
    until("admission fails", async || {
        (metric("onsale_loop_failures_total").await > 0.0).then_some(())
    })
    .await;
    let success = metric("onsale_loop_last_success_timestamp_seconds").await;
    let run = metric("onsale_loop_last_run_timestamp_seconds").await;
    until("it runs again and again", async || {
        (metric("onsale_loop_last_run_timestamp_seconds").await > run + 2.0).then_some(())
    })
    .await;
    assert_eq!(
        metric("onsale_loop_last_success_timestamp_seconds").await.to_bits(),
        success.to_bits()
    );
}
