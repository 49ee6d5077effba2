use std::net::SocketAddr;
use std::time::Instant;

use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::config::limits::ForwardedHeader;
use crate::http::limit::address_limits::{AddressLimits, AddressPolicies};
use crate::http::limit::client_address::Proxies;

/// More than the kernel takes for a client that does not read.
const MUCH: usize = 64 << 20;

async fn slow(millis: u64) -> &'static str {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    "done"
}

/// So many connections, and little patience.
fn house(most: usize) -> House {
    let proxies = Proxies::new(Vec::new(), ForwardedHeader::XForwardedFor);
    let door = Arc::new(Door::new(most, 0, proxies));
    let brief = Duration::from_millis(200);
    House { door, patience: Patience { head: brief, write: brief }, metrics: Metrics::new() }
}

async fn start(house: House, drain: Duration) -> (SocketAddr, CancellationToken, TaskTracker) {
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
    let addresses = Arc::new(AddressLimits::new(proxies, policies));
    let shortcuts = Shortcuts::new(Vec::new(), Vec::new(), addresses, Metrics::new());
    let routes = Routes { router, shortcuts };
    tasks.spawn(serve(listener, house, routes, stop.clone(), drain));
    tasks.close();
    (addr, stop, tasks)
}

async fn ask(addr: SocketAddr, path: &str) -> TcpStream {
    let mut client = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

async fn answer(mut client: TcpStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap_or_default();
    text
}

#[tokio::test]
async fn what_runs_at_the_stop_is_answered_and_nothing_new_is_accepted() {
    let (addr, stop, tasks) = start(house(64), Duration::from_secs(10)).await;
    let client = ask(addr, "/soon").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.cancel();
    assert!(answer(client).await.ends_with("done"));
    tasks.wait().await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn what_does_not_end_is_cut_off() {
    let (addr, stop, tasks) = start(house(64), Duration::from_millis(200)).await;
    let client = ask(addr, "/never").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopped = Instant::now();
    stop.cancel();
    tasks.wait().await;
    assert!(stopped.elapsed() < Duration::from_secs(5));
    assert_eq!(answer(client).await, "");
}

/// Waits until nobody is in.
async fn everybody_has_left(door: &Door) {
    while door.open() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn who_does_not_finish_a_head_or_take_an_answer_is_let_go() {
    let house = house(64);
    let (addr, _stop, _tasks) = start(house.clone(), Duration::from_secs(1)).await;
    let mut silent = TcpStream::connect(addr).await.unwrap();
    let mut trickles = TcpStream::connect(addr).await.unwrap();
    trickles.write_all(b"GET /soon HTTP/1.1\r\nhos").await.unwrap();
    let reads_nothing = ask(addr, "/much").await;
    let mut text = Vec::new();
    assert_eq!(silent.read_to_end(&mut text).await.unwrap_or(0), 0);
    assert_eq!(trickles.read_to_end(&mut text).await.unwrap_or(0), 0);
    everybody_has_left(&house.door).await;
    drop(reads_nothing);
}

#[tokio::test]
async fn a_client_that_is_slow_over_nothing_is_kept() {
    let (addr, _stop, _tasks) = start(house(64), Duration::from_secs(1)).await;
    let mut client = TcpStream::connect(addr).await.unwrap();
    for _ in 0..2 {
        client.write_all(b"GET /soon HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 15];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 200 OK");
        // Idle for longer than a head may take: the next request is as welcome.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut rest = vec![0; 1024];
        assert!(client.read(&mut rest).await.unwrap() > 0);
    }
}

#[tokio::test]
async fn who_comes_when_all_are_in_is_told_so_at_once_and_nobody_stays_while_it_is_crowded() {
    let house = house(2);
    let (addr, stop, tasks) = start(house.clone(), Duration::from_millis(100)).await;
    let (first, second) = (ask(addr, "/never").await, ask(addr, "/soon").await);
    while house.door.open() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let told = answer(TcpStream::connect(addr).await.unwrap()).await;
    assert!(told.starts_with("HTTP/1.1 503") && told.contains("\"code\":\"overloaded\""), "{told}");
    assert!(told.contains("retry-after: "), "{told}");
    // Answered to its end, and closed, though the client asked for no such thing.
    let answered = answer(second).await;
    assert!(answered.contains("connection: close") && answered.ends_with("done"), "{answered}");
    stop.cancel();
    tasks.wait().await;
    drop(first);
}

/// What is answered to a request without its body, and whether the connection closes after it.
async fn early(addr: SocketAddr, request: &str) -> (String, bool) {
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
        assert_eq!(client.read(&mut [0; 16]).await.unwrap(), 0, "it said so");
    } else {
        client
            .write_all(b"GET /soon HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        text.push_str(&answer(client).await);
    }
    (text, closes)
}

#[tokio::test]
async fn an_answer_before_the_body_closes_its_connection_unless_the_rest_is_small_and_there() {
    let (addr, _stop, _tasks) = start(house(64), Duration::from_secs(1)).await;
    for (rest, stays) in [
        ("content-length: 4\r\n\r\nbody", true),
        ("transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", true),
        ("content-length: 4\r\nexpect: 100-continue\r\n\r\n", false),
        ("content-length: 4\r\n\r\nbo", false),
        ("content-length: 65537\r\n\r\nbody", false),
        ("transfer-encoding: chunked\r\n\r\nnot a chunk", false),
    ] {
        let request = format!("POST /early HTTP/1.1\r\nhost: x\r\n{rest}");
        let (text, closes) = early(addr, &request).await;
        assert!(text.starts_with("HTTP/1.1 503"), "{rest:?}: {text}");
        assert_eq!(closes, !stays, "{rest:?}: {text}");
        assert_eq!(text.ends_with("done"), stays, "{rest:?}: {text}");
    }
}

#[tokio::test]
async fn a_client_that_is_still_sending_gets_the_answer_that_closes_its_connection() {
    let (addr, _stop, _tasks) = start(house(64), Duration::from_secs(1)).await;
    let mut client = TcpStream::connect(addr).await.unwrap();
    let body = vec![b'x'; 4 << 20];
    let head = format!("POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    client.write_all(head.as_bytes()).await.unwrap();
    // More than the kernel's buffers hold: the server reads it after its answer.
    client.write_all(&body).await.unwrap();
    let text = answer(client).await;
    assert!(text.starts_with("HTTP/1.1 503") && text.contains("connection: close"), "{text}");
}
