//! The log must not stop a process, nor be filled by repetitions.

use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::support::client::Client;
use crate::support::program::{Program, command};
use crate::support::sale;
use crate::support::wait::{until, until_within};
use crate::support::world::World;

const LONG: Duration = Duration::from_mins(1);

/// A program whose standard error is a pipe that nobody reads, and its address.
async fn start(world: &World, level: &str) -> (tokio::process::Child, Client) {
    let mut serve = Command::from(command(world, &["serve"]));
    serve.env("ONSALE_LOG", level).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = serve.kill_on_drop(true).spawn().expect("onsale");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = lines.next_line().await.expect("its output").expect("a line that it is ready");
    let (_, addr) = line.rsplit_once("http://").expect("its address");
    (child, Client::new(addr.parse().expect("an address")))
}

/// Nobody reads standard error, so its pipe is soon full.
#[tokio::test]
async fn a_process_whose_log_nobody_reads_goes_on_answering_and_counts_dropped_lines() {
    let world = World::new().await;
    let (_child, client) = start(&world, "trace").await;
    until_within(LONG, "lines are dropped", async || {
        // Whether the stores answer in time does not matter: these requests write log lines.
        let asked = (0..100).map(|_| client.get("/readyz"));
        futures_util::future::join_all(asked).await;
        let metrics = client.get("/metrics").await.text;
        let dropped = metrics.lines().find_map(|line| {
            line.strip_prefix("onsale_log_lines_dropped_total ")?.parse::<u64>().ok()
        });
        (dropped.expect("the metric") > 0).then_some(())
    })
    .await;
    assert_eq!(client.get("/livez").await.status, 200);
}

/// With Redis down, each request for a board fails and is logged.
#[tokio::test]
async fn repeated_warnings_are_limited_and_summarized() {
    let mut world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({})).await;
    process.stop().await;
    let (mut child, client) = start(&world, "warn").await;
    let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
    world.redis.kill().await.expect("Redis ends");
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (client, path) = (client.clone(), format!("/v1/schedules/{}/queue", sale.schedule));
        requests.spawn(async move { assert_eq!(client.get(&path).await.status, 503) });
    }
    requests.join_all().await;
    let mut written = 0;
    let mut summaries = 0;
    until_within(LONG, "a summary", async || {
        let line = lines.next_line().await.expect("its log").expect("a line");
        written += usize::from(line.contains("a store did not serve it"));
        summaries += usize::from(line.contains("left out repeated log lines"));
        (summaries > 0 && written > 0).then_some(())
    })
    .await;
    assert!((20..60).contains(&written), "{written} of 100 lines");
}

/// Load balancers learn that a process will end before it stops to serve.
#[tokio::test]
async fn a_process_that_drains_is_not_ready_and_still_serves() {
    let world = World::new().await;
    let mut serve = Command::from(command(&world, &["serve"]));
    serve.env("ONSALE_DRAIN_DELAY", "1h").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = serve.kill_on_drop(true).spawn().expect("onsale");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = lines.next_line().await.expect("its output").expect("a line that it is ready");
    let (_, addr) = line.rsplit_once("http://").expect("its address");
    let client = Client::new(addr.parse().expect("an address"));
    client.get("/readyz").await.ok(200);
    let signal = || {
        let id = i32::try_from(child.id().expect("it runs")).expect("a process id");
        let pid = nix::unistd::Pid::from_raw(id);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it runs");
    };
    signal();
    let refused = until("it is not ready", async || {
        let ready = client.get("/readyz").await;
        (ready.status == 503).then_some(ready)
    })
    .await;
    assert_eq!(refused.body["failing"], json!(["draining"]));
    client.get("/v1/concerts").await.ok(200);
    signal();
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0), "a second signal ends it");
}

const WARNING_OF_FORWARDING: &str = "does not name sends a forwarding header";
const WARNING_OF_ADDRESS: &str = "one address makes most of the joins";

/// The value of a counter without labels.
async fn counted(client: &Client, name: &str) -> u64 {
    let text = client.get("/metrics").await.text;
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    found.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
}

/// A proxy that the settings do not name makes all its clients count as one address.
#[tokio::test]
async fn a_forwarding_header_of_an_untrusted_peer_is_counted_and_logged_once() {
    let world = World::new().await;
    let name = "onsale_http_untrusted_forwarding_total";
    let trusting = Program::start(&world, &[("ONSALE_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let program = Program::start(&world, &[]).await;
    for (client, counts) in [(program.anonymous(), 3), (trusting.anonymous(), 0)] {
        for header in ["x-forwarded-for", "forwarded", "x-forwarded-for"] {
            let request = client.request(Method::GET, "/v1/concerts");
            client.send(request.header(header, "for=192.0.2.7")).await.ok(200);
        }
        client.get("/v1/concerts").await.ok(200);
        assert_eq!(counted(&client, name).await, counts);
    }
    until("the warning", async || program.output().contains(WARNING_OF_FORWARDING).then_some(()))
        .await;
    assert_eq!(program.output().matches(WARNING_OF_FORWARDING).count(), 1);
    assert!(!trusting.output().contains(WARNING_OF_FORWARDING));
}

#[tokio::test]
async fn an_address_that_makes_most_of_the_joins_is_counted_and_logged_once() {
    let world = World::new().await;
    let name = "onsale_one_address_warnings_total";
    let trusted = [("ONSALE_TRUSTED_PROXIES", "127.0.0.1"), ("ONSALE_ADDRESS_JOINS", "40")];
    let (one, many) =
        (Program::start(&world, &trusted).await, Program::start(&world, &trusted).await);
    for (program, addresses) in [(&one, 1), (&many, 100)] {
        let client = program.anonymous();
        for join in 0..120 {
            let request = client.request(Method::POST, "/v1/schedules/1/queue");
            let address = format!("192.0.2.{}", join % addresses);
            let answer = client.send(request.header("x-forwarded-for", address)).await;
            assert!([401, 429].contains(&answer.status), "{}", answer.text);
        }
    }
    until("the warning", async || one.output().contains(WARNING_OF_ADDRESS).then_some(())).await;
    assert_eq!(one.output().matches(WARNING_OF_ADDRESS).count(), 1);
    // Two, if a minute ended between the joins.
    assert!([1, 2].contains(&counted(&one.anonymous(), name).await));
    assert_eq!(counted(&many.anonymous(), name).await, 0);
    assert!(!many.output().contains(WARNING_OF_ADDRESS));
}
