//! Streams through nginx.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::streams::tickets::one_slot;
use crate::support::nginx::Nginx;
use crate::support::wait::until;
use crate::support::world::World;

/// A stream that curl reads over HTTP/2.
struct Stream {
    lines: Lines<BufReader<ChildStdout>>,
    _curl: Child,
}

impl Stream {
    fn open(nginx: &Nginx, path: &str, more: &[&str]) -> Self {
        let mut curl = nginx.curl_command(path, more).stdout(Stdio::piped()).spawn().expect("curl");
        let lines = BufReader::new(curl.stdout.take().expect("its output")).lines();
        Self { lines, _curl: curl }
    }

    /// Reads until a line contains `text`; returns the line.
    async fn until(&mut self, text: &str) -> String {
        let reading = async {
            loop {
                let line = self.lines.next_line().await.expect("its output");
                let line = line.unwrap_or_else(|| panic!("it ended before {text}"));
                if line.contains(text) {
                    return line;
                }
            }
        };
        let limit = std::time::Duration::from_secs(30);
        tokio::time::timeout(limit, reading).await.unwrap_or_else(|_| panic!("no {text}"))
    }
}

#[tokio::test]
async fn events_pass_nginx_as_they_come() {
    let world = World::new().await;
    let process = world.start().await;
    let (_sale, crowd) = one_slot(&world, &process, 3).await;
    let nginx = Nginx::before(&[process.addr]).await;
    let ticket = format!("queue-token: {}", crowd[2].ticket.as_ref().expect("a ticket"));
    let mut stream = Stream::open(&nginx, "/v1/queue/ticket/stream", &["--header", &ticket]);
    stream.until("HTTP/2 200").await;
    stream.until("\"position\":2").await;
    // Each event is far smaller than a buffer of nginx.
    crowd[1].leave().await;
    stream.until("\"position\":1").await;
    crowd[0].leave().await;
    stream.until("\"status\":\"ACTIVE\"").await;
    crowd[2].leave().await;
    stream.until("event: end").await;
}

/// onsale counts the streams of all clients of a proxy together.
#[tokio::test]
async fn one_address_has_a_limited_number_of_streams() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, _crowd) = one_slot(&world, &process, 2).await;
    let nginx = Nginx::before(&[process.addr]).await;
    let path = format!("/v1/schedules/{}/seats/stream", sale.schedule);
    nginx.edit("onsale.conf", "limit_conn onsale_streams 2000", "limit_conn onsale_streams 2");
    let mut open = Vec::new();
    until("the limit is in force", async || {
        let mut stream = Stream::open(&nginx, &path, &[]);
        let status = stream.until("HTTP/2 ").await;
        open.push(stream);
        (status.trim() == "HTTP/2 429").then_some(())
    })
    .await;
    assert!(open.len() > 2);
    let other = nginx.curl(&format!("/v1/schedules/{}", sale.schedule), &[]).await;
    assert_eq!(other.status, 200, "only streams are limited");
}
