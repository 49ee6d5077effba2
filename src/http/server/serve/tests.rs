use std::time::Instant;

use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::config::limits::ForwardedHeader;
use crate::http::limit::address_limits::{AddressLimits, AddressPolicies};
use crate::http::limit::client_address::Proxies;

/// More bytes than the kernel buffers for a client that does not read.
const MUCH: usize = 64 << 20;

async fn slow(millis: u64) -> &'static str {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    "done"
}

/// At most `most` connections, and client timeouts of 200 ms.
fn policy(most: usize) -> ConnectionPolicy {
    let proxies = Proxies::new(Vec::new(), ForwardedHeader::XForwardedFor);
    let connections = Arc::new(ConnectionLimiter::new(most, 0, proxies));
    let brief = Duration::from_millis(200);
    ConnectionPolicy {
        connections,
        timeouts: ClientTimeouts { head: brief, write: brief },
        metrics: Metrics::new(),
        drain: Drain::default(),
    }
}

async fn start(
    policy: ConnectionPolicy,
    drain: Duration,
) -> (SocketAddr, CancellationToken, TaskTracker) {
    let router = Router::new()
        .route("/soon", get(|| slow(300)))
        .route("/early", post(async || StatusCode::SERVICE_UNAVAILABLE))
        .route("/never", get(|| slow(3_600_000)))
        .route("/much", get(|| async { vec![0_u8; MUCH] }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let tasks = TaskTracker::new();
    let proxies = Proxies::new(Vec::new(), ForwardedHeader::XForwardedFor);
    let policies = AddressPolicies { requests: 0, scarce_calls: 0, scarce: &[] };
    let addresses = Arc::new(AddressLimits::new(proxies, policies, Metrics::new()));
    let fast_paths = FastPaths::new(Vec::new(), Vec::new(), addresses, Metrics::new());
    let routes = Routes { router, fast_paths };
    tasks.spawn(serve(listener, policy, routes, stop.clone(), drain));
    tasks.close();
    (addr, stop, tasks)
}

async fn ask(addr: SocketAddr, path: &str) -> TcpStream {
    let mut client = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

async fn read_answer(mut client: TcpStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap_or_default();
    text
}

#[tokio::test]
async fn a_stopping_server_answers_running_requests_and_accepts_no_connection() {
    let (addr, stop, tasks) = start(policy(64), Duration::from_secs(10)).await;
    let client = ask(addr, "/soon").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.cancel();
    assert!(read_answer(client).await.ends_with("done"));
    tasks.wait().await;
    assert!(TcpStream::connect(addr).await.is_err());
}

/// A proxy opens a connection for each request while the process drains, so it has often just opened
/// one when the listener closes.
#[tokio::test]
async fn connections_that_were_opened_before_the_stop_get_their_answer() {
    for is_accepted in [true, false] {
        let (addr, stop, tasks) = start(policy(64), Duration::from_secs(10)).await;
        let client = std::net::TcpStream::connect(addr).unwrap();
        if is_accepted {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        stop.cancel();
        tokio::time::sleep(Duration::from_millis(30)).await;
        client.set_nonblocking(true).unwrap();
        let mut client = TcpStream::from_std(client).unwrap();
        client.write_all(b"GET /soon HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(read_answer(client).await.ends_with("done"), "accepted: {is_accepted}");
        tasks.wait().await;
    }
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_is_cut_off() {
    let (addr, stop, tasks) = start(policy(64), Duration::from_millis(200)).await;
    let client = ask(addr, "/never").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopped = Instant::now();
    stop.cancel();
    tasks.wait().await;
    assert!(stopped.elapsed() < Duration::from_secs(5));
    assert_eq!(read_answer(client).await, "");
}

/// Waits until no connection is open.
async fn all_are_closed(connections: &ConnectionLimiter) {
    while connections.open() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_finish_a_head_or_read_an_answer_is_disconnected() {
    let policy = policy(64);
    let (addr, _stop, _tasks) = start(policy.clone(), Duration::from_secs(1)).await;
    let mut silent = TcpStream::connect(addr).await.unwrap();
    let mut trickles = TcpStream::connect(addr).await.unwrap();
    trickles.write_all(b"GET /soon HTTP/1.1\r\nhos").await.unwrap();
    let reads_nothing = ask(addr, "/much").await;
    let mut text = Vec::new();
    assert_eq!(silent.read_to_end(&mut text).await.unwrap_or(0), 0);
    assert_eq!(trickles.read_to_end(&mut text).await.unwrap_or(0), 0);
    all_are_closed(&policy.connections).await;
    drop(reads_nothing);
}

#[tokio::test]
async fn an_idle_client_keeps_its_connection() {
    let (addr, _stop, _tasks) = start(policy(64), Duration::from_secs(1)).await;
    let mut client = TcpStream::connect(addr).await.unwrap();
    for _ in 0..2 {
        client.write_all(b"GET /soon HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 15];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 200 OK");
        // Idle for longer than the time limit of a head: the next request is still answered.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut rest = vec![0; 1024];
        assert!(client.read(&mut rest).await.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_full_server_refuses_at_once_and_a_crowded_one_closes_after_each_answer() {
    let policy = policy(2);
    let (addr, stop, tasks) = start(policy.clone(), Duration::from_millis(100)).await;
    let (first, second) = (ask(addr, "/never").await, ask(addr, "/soon").await);
    while policy.connections.open() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let refused = read_answer(TcpStream::connect(addr).await.unwrap()).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("\"code\":\"overloaded\""), "{refused}");
    assert!(refused.contains("retry-after: "), "{refused}");
    // Answered in full, and closed, although the client did not ask for that.
    let answered = read_answer(second).await;
    assert!(answered.contains("connection: close") && answered.ends_with("done"), "{answered}");
    stop.cancel();
    tasks.wait().await;
    drop(first);
}

#[tokio::test]
async fn a_draining_server_closes_after_each_answer() {
    let policy = policy(64);
    let (addr, stop, tasks) = start(policy.clone(), Duration::from_millis(100)).await;
    policy.drain.begin(Duration::from_mins(1));
    // Answered in full, and closed, although the client did not ask for that.
    let answered = read_answer(ask(addr, "/soon").await).await;
    assert!(answered.contains("connection: close") && answered.ends_with("done"), "{answered}");
    stop.cancel();
    tasks.wait().await;
}

/// The answer to a request whose body is missing, and whether the connection closes after it.
async fn answer_before_body(addr: SocketAddr, request: &str) -> (String, bool) {
    let mut client = TcpStream::connect(addr).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    while !text.contains("\r\n\r\n") {
        let mut read = [0; 1024];
        let length = client.read(&mut read).await.unwrap();
        assert!(length > 0, "closed without an answer: {text}");
        text.push_str(std::str::from_utf8(&read[..length]).unwrap());
    }
    let closes = text.contains("connection: close");
    if closes {
        assert_eq!(client.read(&mut [0; 16]).await.unwrap(), 0, "closes as announced");
    } else {
        client
            .write_all(b"GET /soon HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        text.push_str(&read_answer(client).await);
    }
    (text, closes)
}

#[tokio::test]
async fn an_early_answer_closes_its_connection_unless_the_body_is_small_and_has_arrived() {
    let (addr, _stop, _tasks) = start(policy(64), Duration::from_secs(1)).await;
    for (rest, stays) in [
        ("content-length: 4\r\n\r\nbody", true),
        ("transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", true),
        ("content-length: 4\r\nexpect: 100-continue\r\n\r\n", false),
        ("content-length: 4\r\n\r\nbo", false),
        ("content-length: 65537\r\n\r\nbody", false),
        ("transfer-encoding: chunked\r\n\r\nnot a chunk", false),
    ] {
        let request = format!("POST /early HTTP/1.1\r\nhost: x\r\n{rest}");
        let (text, closes) = answer_before_body(addr, &request).await;
        assert!(text.starts_with("HTTP/1.1 503"), "{rest:?}: {text}");
        assert_eq!(closes, !stays, "{rest:?}: {text}");
        assert_eq!(text.ends_with("done"), stays, "{rest:?}: {text}");
    }
}

#[tokio::test]
async fn a_client_that_is_still_sending_gets_the_answer_that_closes_its_connection() {
    let (addr, _stop, _tasks) = start(policy(64), Duration::from_secs(1)).await;
    let mut client = TcpStream::connect(addr).await.unwrap();
    let body = vec![b'x'; 4 << 20];
    let head = format!("POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    client.write_all(head.as_bytes()).await.unwrap();
    // The body is larger than the kernel's buffers: the server reads it after its answer.
    client.write_all(&body).await.unwrap();
    let text = read_answer(client).await;
    assert!(text.starts_with("HTTP/1.1 503") && text.contains("connection: close"), "{text}");
}
