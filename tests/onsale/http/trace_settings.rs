//! Which requests are traced, and where their spans go: the settings, and the collector.

use serde_json::json;
use tokio::net::TcpListener;

use super::otlp::{COMMON, Receiver, ask, id, names, parent, start};
use crate::support::client::Client;
use crate::support::program::{Program, command};
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// The requests of a program that are recorded: without a parent, with one that is not sampled, and
/// with one that is.
async fn recorded(world: &World, more: &[(&str, &str)]) -> [bool; 3] {
    let receiver = Receiver::start().await;
    let mut program = start(world, &receiver, more).await;
    let (client, parents) = (program.anonymous(), [parent(false), parent(true)]);
    let mut ids = vec![id(&ask(&client, "/v1/concerts", &[]).await)];
    for parent in &parents {
        ids.push(id(&ask(&client, "/v1/concerts", &[("traceparent", parent.as_str())]).await));
    }
    // The last spans are sent before it ends.
    program.terminate();
    assert_eq!(program.wait().await, Some(0), "{}", program.output());
    let spans = receiver.spans();
    let found = |id: &String| spans.iter().any(|span| span.has("onsale.request.id", id));
    [found(&ids[0]), found(&ids[1]), found(&ids[2])]
}

#[tokio::test]
async fn the_sampler_is_the_one_that_the_variables_name() {
    let world = World::new().await;
    for (sampler, argument, wanted) in [
        ("", "", [true, false, true]),
        ("always_on", "", [true, true, true]),
        ("always_off", "", [false, false, false]),
        ("traceidratio", "0", [false, false, false]),
        ("traceidratio", "1", [true, true, true]),
        ("parentbased_always_on", "", [true, false, true]),
        ("parentbased_always_off", "", [false, false, true]),
        ("parentbased_traceidratio", "0", [false, false, true]),
    ] {
        let variables = [("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", argument)];
        assert_eq!(recorded(&world, &variables).await, wanted, "{sampler} {argument}");
    }
    let disabled = [("OTEL_SDK_DISABLED", "true")];
    assert_eq!(recorded(&world, &disabled).await, [false, false, false]);
}

/// The variables of OpenTelemetry name the process and the collector. The level of the log cuts no
/// span.
#[tokio::test]
async fn the_variables_of_opentelemetry_count_and_the_log_level_cuts_nothing() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let endpoint = receiver.endpoint();
    let (base, other) = (format!("{endpoint}/base"), format!("{endpoint}/other/path"));
    let variables = [
        ("OTEL_SERVICE_NAME", "box-office"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.version=7"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=hunter2"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", base.as_str()),
        ("ONSALE_LOG", "error"),
    ];
    for (more, path) in [
        (vec![], "/base/v1/traces"),
        (vec![("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", other.as_str())], "/other/path"),
    ] {
        let all: Vec<_> = COMMON.iter().chain(&variables).chain(&more).copied().collect();
        let program = Program::start(&world, &all).await;
        let answer = ask(&program.anonymous(), "/v1/concerts", &[]).await;
        let (server, below) = receiver.of_request(&id(&answer)).await;
        assert_eq!(server.resource["service.name"], "box-office");
        assert_eq!(server.resource["service.version"], "7");
        assert_eq!(server.resource["deployment.environment.name"], "test");
        assert!(!server.resource["service.instance.id"].is_empty());
        assert_eq!(names(&below), ["wait for connection", "statement"]);
        let file = &below[1].attributes["code.file.path"];
        assert!(file.starts_with("src/concert/"), "{file}");
        let exports = receiver.exports();
        let export = exports.last().expect("an export");
        assert_eq!(export.path, path);
        assert_eq!(export.headers["x-api-key"], "hunter2");
        assert_eq!(export.headers["content-encoding"], "gzip");
        assert!(!program.output().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_setting_with_which_no_span_can_be_sent_is_refused_at_the_start() {
    let world = World::new().await;
    for (variable, value) in [
        ("ONSALE_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces"),
        ("ONSALE_TRACE_POLL_RATIO", "1.5"),
    ] {
        let output = command(&world, &["serve"]).env(variable, value).output().expect("it ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{variable}={value}: {errors}");
        let flag = variable.trim_start_matches("ONSALE_").to_ascii_lowercase().replace('_', "-");
        assert!(errors.contains(variable) || errors.contains(&format!("--{flag}")), "{errors}");
    }
}

/// The fast path and the router answer polls; both have a share of their own.
#[tokio::test]
async fn polls_have_a_share_of_their_own() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let [none, all] = ["0", "1"].map(|share| [("ONSALE_TRACE_POLL_RATIO", share)]);
    let (without, with) =
        (start(&world, &receiver, &none).await, start(&world, &receiver, &all).await);
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({"capacity": 0})).await;
    let mut buyer = process.buyer().await;
    buyer.join_with_retries(sale.schedule).await.ok(201);
    for (program, is_recorded) in [(&without, false), (&with, true)] {
        let mut buyer = buyer.at(program.addr);
        until("the board shows the entry", async || {
            (buyer.poll().await.body["waiting"] == 1).then_some(())
        })
        .await;
        let sampled = parent(true);
        let fast = ask(&buyer, "/v1/queue/ticket", &[("traceparent", sampled.as_str())]).await;
        let origin = ("origin", "https://elsewhere.example");
        let routed = ask(&buyer, "/v1/queue/ticket", &[origin]).await;
        let last = ask(&buyer, "/v1/concerts", &[]).await;
        receiver.of_request(&id(&last)).await;
        for answer in [fast, routed] {
            let spans = receiver.spans();
            let span = spans.iter().find(|span| span.has("onsale.request.id", &id(&answer)));
            assert_eq!(span.is_some(), is_recorded, "{span:?}");
            assert!(span.is_none_or(|span| span.name == "GET /v1/queue/ticket"));
        }
    }
    let described = process.anonymous().get("/openapi.json").await.ok(200);
    for route in onsale::http::server::traced_request::POLLED {
        assert!(described["paths"][route]["get"].is_object(), "{route} is no route");
    }
}

/// The counts of spans in the metrics: exported, dropped and failed.
async fn counted(client: &Client) -> [u64; 3] {
    let text = client.get("/metrics").await.text;
    ["exported", "dropped", "failed"].map(|outcome| {
        let name = format!("onsale_trace_spans_total{{outcome=\"{outcome}\"}} ");
        let count = text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok());
        count.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
    })
}

/// One collector refuses connections; one takes them and never answers. The queue has room for one
/// span, and the process ends while an export is waiting.
#[tokio::test]
async fn a_collector_that_is_away_or_silent_delays_no_request_and_no_end_of_the_process() {
    let world = World::new().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let [silent_addr, gone_addr] =
        [&silent, &gone].map(|it| format!("http://{}", it.local_addr().expect("an address")));
    drop(gone);
    for (endpoint, is_silent) in [(silent_addr, true), (gone_addr, false)] {
        let timeout = if is_silent { "3600000" } else { "1000" };
        let more = [
            ("ONSALE_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "1"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", timeout),
        ];
        let all: Vec<_> = COMMON.iter().chain(&more).copied().collect();
        let mut program = Program::start(&world, &all).await;
        let client = program.anonymous();
        until("spans are dropped or fail", async || {
            client.get("/v1/concerts").await.ok(200);
            let [exported, dropped, failed] = counted(&client).await;
            assert_eq!(exported, 0);
            (dropped > 0 && (is_silent || failed > 0)).then_some(())
        })
        .await;
        program.terminate();
        assert_eq!(program.wait().await, Some(0), "{}", program.output());
    }
}
