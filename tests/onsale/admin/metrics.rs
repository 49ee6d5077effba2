//! `/metrics`: its formats, its series, and the names that alerts and dashboards use.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::sale;
use crate::support::servers::Servers;
use crate::support::tools::ALERTS;
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// Runs promtool with this text as its input; fails if it finds a fault.
fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("promtool; run scripts/test-tools.sh");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("its input");
    let output = child.wait_with_output().expect("its output");
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "promtool {arguments:?}: {}", String::from_utf8_lossy(&text));
}

/// The value of a series, if it is in the text.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

async fn read(client: &Client) -> String {
    client.get("/metrics").await.text
}

/// Counters whose first increase would be missed if they appeared with it.
const FROM_THE_START: [&str; 18] = [
    r#"onsale_http_refused_total{reason="address"}"#,
    r#"onsale_http_refused_total{reason="concurrency"}"#,
    "onsale_http_internal_errors_total",
    "onsale_http_untrusted_forwarding_total",
    "onsale_one_address_warnings_total",
    r#"onsale_joins_refused_total{reason="sold_out"}"#,
    r#"onsale_holds_refused_total{reason="seat_taken"}"#,
    r#"onsale_reservations_total{status="EXPIRED"}"#,
    r#"onsale_points_total{kind="REFUND"}"#,
    r#"onsale_stream_events_total{kind="ticket"}"#,
    r#"onsale_streams_dropped_total{kind="seats"}"#,
    r#"onsale_store_errors_total{store="redis"}"#,
    r#"onsale_store_errors_total{store="postgresql"}"#,
    r#"onsale_loop_failures_total{name="purge"}"#,
    r#"onsale_reconciler_repairs_total{what="seat"}"#,
    r#"onsale_redis_call_duration_seconds_count{connection="bulk"}"#,
    "onsale_redis_bulk_wait_timeouts_total",
    "onsale_outbox_parked",
];

#[tokio::test]
async fn metrics_pass_promtool_and_have_their_series_from_the_start() {
    let world = World::new().await;
    let process = world.start().await;
    let client = process.anonymous();
    let text = read(&client).await;
    for series in FROM_THE_START {
        assert!(value(&text, series).is_some(), "{series} is not in\n{text}");
    }
    let version = concat!(r#"onsale_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""}"#);
    assert_eq!(value(&text, version), Some(1.0));
    promtool(&["check", "metrics"], &text);

    let sale = sale::open(&process.admin().await, 1, 4, json!({"capacity": 1})).await;
    active_buyer(&process, &sale).await;
    process.buyer().await.join(sale.schedule).await.ok(201);
    let waiting = format!(r#"onsale_schedule_waiting_entries{{schedule="{}"}}"#, sale.schedule);
    let text = until("the series of the schedule", async || {
        let text = read(&client).await;
        (value(&text, &waiting) == Some(1.0)).then_some(text)
    })
    .await;
    promtool(&["check", "metrics"], &text);
}

#[tokio::test]
async fn the_format_of_metrics_is_the_one_that_the_client_names() {
    let world = World::new().await;
    let process = world.start().await;
    let client = process.anonymous();
    let plain = client.get("/metrics").await;
    assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(plain.text.contains("\n# TYPE onsale_joins_total counter\n"), "{}", plain.text);
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    let request = client.request(Method::GET, "/metrics").header("accept", accept);
    let open = client.send(request).await;
    assert!(open.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(open.text.contains("\n# TYPE onsale_joins counter\n"), "{}", open.text);
    assert!(open.text.ends_with("# EOF\n"));
}

/// A paused sale of five seats: one buyer is active and owns two seats and holds one, one buyer waits,
/// and a seat is blocked. Returns the id of the schedule.
async fn make_sale(process: &Process) -> i64 {
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 5, json!({"capacity": 1})).await;
    let buyer = active_buyer(process, &sale).await;
    let path = format!("/v1/admin/schedules/{}", sale.schedule);
    admin.patch(&format!("{path}/queue"), json!({"paused": true})).await.ok(200);
    let seats = |seats: &[i64]| json!({"seat_ids": seats});
    let hold = buyer.hold(sale.schedule, seats(&sale.seats[..2])).await.ok(201);
    buyer.hold(sale.schedule, seats(&sale.seats[2..3])).await.ok(201);
    buyer.pay(&hold).await.ok(201);
    let block = json!({"seat_ids": [sale.seats[4]], "blocked": true});
    admin.patch(&format!("{path}/seats"), block).await.ok(200);
    process.buyer().await.join(sale.schedule).await.ok(201);
    sale.schedule
}

#[tokio::test]
async fn metrics_show_the_figures_of_a_sale() {
    let world = World::new().await;
    let process = world.start().await;
    let schedule = make_sale(&process).await;
    let seats = |state: &str| format!(r#"seats{{schedule="{schedule}",state="{state}"}}"#);
    let of_schedule = |name: &str| format!(r#"{name}{{schedule="{schedule}"}}"#);
    let expected = [
        // The payment ended the active slot.
        (of_schedule("waiting_entries"), 1.0),
        (of_schedule("active_slots"), 0.0),
        (of_schedule("capacity_slots"), 1.0),
        (of_schedule("epoch"), 1.0),
        (of_schedule("paused"), 1.0),
        (of_schedule("recovering"), 0.0),
        (of_schedule("admits"), 0.0),
        (of_schedule("admissions_total"), 1.0),
        (of_schedule("holds_total"), 2.0),
        (seats("available"), 1.0),
        (seats("held"), 1.0),
        (seats("sold"), 2.0),
        (seats("blocked"), 1.0),
    ];
    let text = until("the figures of the sale", async || {
        let text = read(&process.anonymous()).await;
        let differs = |(name, figure): &&(String, f64)| {
            value(&text, &format!("onsale_schedule_{name}")) != Some(*figure)
        };
        let differing: Vec<_> = expected.iter().filter(differs).collect();
        println!("{differing:?}");
        differing.is_empty().then_some(text)
    })
    .await;
    // The former name, for one release.
    let former = format!(r#"onsale_line_waiting{{schedule="{schedule}"}}"#);
    assert_eq!(value(&text, &former), Some(1.0));
}

#[tokio::test]
async fn metrics_show_the_connections_and_the_process() {
    let world = World::new().await;
    let process = world.start().await;
    process.buyer().await;
    let client = process.anonymous();
    client.get("/readyz").await.ok(200);
    let text = read(&client).await;
    let mut above_zero = vec![
        "onsale_http_connections",
        "onsale_http_max_connections",
        "onsale_postgres_pool_wait_seconds_count",
        r#"onsale_redis_call_duration_seconds_count{connection="shared"}"#,
        r#"onsale_postgres_connections{state="size"}"#,
        r#"onsale_loop_period_seconds{name="live"}"#,
    ];
    if cfg!(target_os = "linux") {
        above_zero.extend([
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_max_fds",
            "process_start_time_seconds",
        ]);
    }
    for series in above_zero {
        assert!(value(&text, series).is_some_and(|it| it > 0.0), "{series} is not in\n{text}");
    }
    assert_eq!(value(&text, "onsale_postgres_pool_max_connections"), Some(8.0));
}

#[tokio::test]
async fn metrics_show_which_part_is_ready_and_the_memory_of_redis() {
    let mut world = World::on(Servers::single().await).await;
    let mut redis = world.raw_redis().await;
    let limit = ["SET", "maxmemory", "64mb"];
    redis::cmd("CONFIG").arg(&limit).query_async::<()>(&mut redis).await.expect("a limit");
    let process = world.start().await;
    let client = process.anonymous();
    let ready = |text: &str| {
        ["redis", "postgresql", "migrations", "process"]
            .map(|part| value(text, &format!(r#"onsale_ready{{part="{part}"}}"#)))
    };
    let server = world.redis_url.strip_prefix("redis://").expect("a URL").trim_end_matches('/');
    let server = format!(r#"{{server="{server}"}}"#);
    let limit = format!("onsale_redis_memory_max_bytes{server}");
    let text = until("everything is ready", async || {
        let text = read(&client).await;
        let is_ready = ready(&text) == [Some(1.0); 4] && value(&text, &limit).is_some();
        is_ready.then_some(text)
    })
    .await;
    assert_eq!(value(&text, &limit), Some(64.0 * 1024.0 * 1024.0));
    let used = value(&text, &format!("onsale_redis_memory_used_bytes{server}"));
    assert!(used.is_some_and(|used| used > 100_000.0), "{used:?}");
    let errors = r#"onsale_store_errors_total{store="redis"}"#;
    let before = value(&text, errors);
    world.redis.kill().await.expect("it ends");
    until("Redis is not ready", async || {
        let text = read(&client).await;
        let is_down = ready(&text) == [Some(0.0), Some(1.0), Some(1.0), Some(1.0)];
        (is_down && value(&text, errors) > before).then_some(())
    })
    .await;
}

/// Names of metrics in an expression. Names with a colon are recorded by a rule.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = expression.split(move |c| !is_name(c));
    words.filter(|word| {
        (word.starts_with("onsale_") || word.starts_with("process_")) && !word.contains(':')
    })
}

/// The expressions of all panels and variables of a dashboard.
fn expressions(dashboard: &Value) -> Vec<String> {
    match dashboard {
        Value::Object(members) => {
            let own = ["expr", "definition"].into_iter().filter_map(|name| members.get(name));
            let own = own.filter_map(Value::as_str).map(str::to_owned);
            own.chain(members.values().flat_map(expressions)).collect()
        }
        Value::Array(items) => items.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn every_metric_in_the_alerts_and_the_dashboard_exists() {
    let alerts = std::fs::read_to_string(ALERTS).expect("the alerts");
    let dashboard = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/grafana/onsale.json");
    let dashboard = std::fs::read_to_string(dashboard).expect("the dashboard");
    let dashboard = expressions(&serde_json::from_str(&dashboard).expect("JSON"));
    assert!(dashboard.len() > 30, "the expressions were not found");
    let used: BTreeSet<&str> =
        names(&alerts).chain(dashboard.iter().flat_map(|text| names(text))).collect();
    assert!(used.len() > 40, "the names were not found");

    let world = World::new().await;
    let process = world.start().await;
    sale::open(&process.admin().await, 1, 1, json!({})).await;
    until("every metric exists", async || {
        let text = read(&process.anonymous()).await;
        let known: BTreeSet<&str> =
            text.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
        let missing: Vec<_> = used.difference(&known).collect();
        println!("{missing:?}");
        missing.is_empty().then_some(())
    })
    .await;
}

#[test]
fn the_tests_of_the_alerts_pass() {
    promtool(&["test", "rules", &ALERTS.replace("alerts.yml", "alerts_test.yml")], "");
    promtool(&["check", "config", &ALERTS.replace("alerts.yml", "prometheus.yml")], "");
}

#[test]
fn every_alert_has_a_section_in_the_runbook() {
    let alerts = std::fs::read_to_string(ALERTS).expect("the alerts");
    let runbook = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATIONS.md");
    let runbook = std::fs::read_to_string(runbook).expect("the runbook");
    let named = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let named: Vec<&str> = named.collect();
    assert!(named.len() > 20, "the alerts were not found");
    for alert in named {
        let heading = format!("### {alert}");
        assert!(runbook.lines().any(|line| line == heading), "no section {heading}");
        let link = format!("runbook: docs/OPERATIONS.md#{}", alert.to_lowercase());
        assert!(alerts.lines().any(|line| line.trim() == link), "{link}");
    }
}
