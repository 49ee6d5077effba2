use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::http::server::drain::Drain;
use crate::http::stream::Streams;
use crate::telemetry::Metrics;
use crate::telemetry::text_format::TextFormat;

/// A stream, its client with a small receive buffer, and the metrics.
async fn stream() -> (Socket, TcpStream, Metrics) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpSocket::new_v4().unwrap();
    client.set_recv_buffer_size(4096).unwrap();
    let addr = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(client.connect(addr), listener.accept());
    let metrics = Metrics::new();
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let open =
        Streams::new(1, tasks, stop, Drain::default(), metrics.clone()).open("ticket").unwrap();
    let socket = Socket::begin(server.unwrap().0, b"head\r\n\r\n".to_vec(), open).unwrap();
    let mut client = client.unwrap();
    let mut begun = vec![0; 8 + RETRY.len()];
    client.read_exact(&mut begun).await.unwrap();
    assert_eq!(begun, [b"head\r\n\r\n", RETRY].concat());
    (socket, client, metrics)
}

/// An event that is larger than both buffers together.
fn large(fill: u8) -> Vec<u8> {
    vec![fill; 4 << 20]
}

#[tokio::test]
async fn the_rest_of_an_event_is_sent_later_and_events_in_between_are_dropped() {
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
    // The send buffer may still be full.
    while !reading.is_finished() {
        socket.ready(Instant::now()).unwrap();
        tokio::task::yield_now().await;
    }
    assert!(reading.await.unwrap() == [large(b'a'), b"after".to_vec()].concat());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected_and_counted() {
    let (mut socket, _client, metrics) = stream().await;
    socket.send_shared(&large(b'a').into()).unwrap();
    // Fill the buffers to the last byte.
    while socket.push(b"a") != Ok(0) {}
    assert_eq!(socket.ready(Instant::now() + READ_TIMEOUT / 2), Ok(false));
    assert_eq!(socket.ready(Instant::now() + READ_TIMEOUT * 2), Err(Gone));
    drop(socket);
    let text = metrics.render(TextFormat::Prometheus);
    for line in [
        r#"onsale_streams_dropped_total{kind="ticket"} 1"#,
        r#"onsale_streams{kind="ticket"} 0"#,
        r#"onsale_stream_events_total{kind="ticket"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_quiet_stream_gets_a_comment() {
    let (mut socket, mut client, _) = stream().await;
    let later = Instant::now() + QUIET;
    assert_eq!(socket.ready(later), Ok(true));
    let mut comment = vec![0; BEAT.len()];
    client.read_exact(&mut comment).await.unwrap();
    assert_eq!(comment, BEAT);
}

#[tokio::test]
async fn a_closed_connection_is_detected() {
    let (mut socket, client, _) = stream().await;
    assert_eq!(socket.ready(Instant::now()), Ok(true));
    drop(client);
    while socket.ready(Instant::now()) != Err(Gone) {
        tokio::task::yield_now().await;
    }
}
