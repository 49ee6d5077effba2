use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::http::stream::Streams;
use crate::telemetry::Metrics;

/// A stream, its client, which has little room, and what is counted.
async fn stream() -> (Socket, TcpStream, Metrics) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpSocket::new_v4().unwrap();
    client.set_recv_buffer_size(4096).unwrap();
    let addr = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(client.connect(addr), listener.accept());
    let metrics = Metrics::new();
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let open = Streams::new(1, tasks, stop, metrics.clone()).open("ticket").unwrap();
    let socket = Socket::begin(server.unwrap().0, b"head\r\n\r\n".to_vec(), open).unwrap();
    let mut client = client.unwrap();
    let mut begun = vec![0; 8 + RETRY.len()];
    client.read_exact(&mut begun).await.unwrap();
    assert_eq!(begun, [b"head\r\n\r\n", RETRY].concat());
    (socket, client, metrics)
}

/// More than both ends have room for.
fn large(fill: u8) -> Vec<u8> {
    vec![fill; 4 << 20]
}

#[tokio::test]
async fn what_does_not_fit_is_kept_and_what_comes_meanwhile_is_not_sent() {
    let (mut socket, mut client, _) = stream().await;
    socket.send(&large(b'a')).unwrap();
    assert_eq!(socket.ready(Instant::now()), Ok(false));
    socket.send(b"between").unwrap();
    socket.send_shared(&Event::from_static(b"between")).unwrap();
    let reading = tokio::spawn(async move {
        let mut read = vec![0; large(b'a').len() + 5];
        client.read_exact(&mut read).await.unwrap();
        read
    });
    while socket.ready(Instant::now()) == Ok(false) {
        tokio::task::yield_now().await;
    }
    socket.send_shared(&Event::from_static(b"after")).unwrap();
    // There may be no room for this either yet.
    while !reading.is_finished() {
        socket.ready(Instant::now()).unwrap();
        tokio::task::yield_now().await;
    }
    assert!(reading.await.unwrap() == [large(b'a'), b"after".to_vec()].concat());
}

#[tokio::test]
async fn whoever_makes_no_room_is_let_go_and_counted() {
    let (mut socket, _client, metrics) = stream().await;
    socket.send_shared(&large(b'a').into()).unwrap();
    // What the client's kernel had room for.
    while socket.push(b"a") != Ok(0) {}
    assert_eq!(socket.ready(Instant::now() + PATIENCE / 2), Ok(false));
    assert_eq!(socket.ready(Instant::now() + PATIENCE * 2), Err(Gone));
    drop(socket);
    let text = metrics.render();
    for line in [
        r#"onsale_streams_dropped_total{kind="ticket"} 1"#,
        r#"onsale_streams{kind="ticket"} 0"#,
        r#"onsale_stream_events_total{kind="ticket"} 1"#,
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_quiet_client_is_told_that_the_stream_lives() {
    let (mut socket, mut client, _) = stream().await;
    let later = Instant::now() + QUIET;
    assert_eq!(socket.ready(later), Ok(true));
    let mut said = vec![0; BEAT.len()];
    client.read_exact(&mut said).await.unwrap();
    assert_eq!(said, BEAT);
}

#[tokio::test]
async fn whoever_has_gone_is_noticed() {
    let (mut socket, client, _) = stream().await;
    assert_eq!(socket.ready(Instant::now()), Ok(true));
    drop(client);
    while socket.ready(Instant::now()) != Err(Gone) {
        tokio::task::yield_now().await;
    }
}
