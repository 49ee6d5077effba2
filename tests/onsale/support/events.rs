//! A client of a stream of server-sent events, with a socket for each stream.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::client::Client;

/// Longest wait for the next bytes: enough on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// An open stream, or an answer that refuses it.
pub struct Events {
    socket: TcpStream,
    /// Bytes of a body in chunks (RFC 9112, section 7.1) that are no complete chunk yet; `None` if
    /// the body has no chunks.
    chunks: Option<Vec<u8>>,
    text: String,
    pub status: u16,
    /// Status line and headers, in lower case.
    pub head: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: Value,
}

impl Events {
    /// Requests a stream and reads the head of the answer.
    pub async fn open(addr: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let socket = TcpStream::connect(addr).await.expect("a connection");
        Self::ask(socket, path, headers).await
    }

    /// As [`Events::open`], with a receive buffer of 2 KiB, which a client that does not read fills
    /// soon.
    pub async fn open_narrow(addr: SocketAddr, path: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(2048).expect("a small buffer");
        let socket = socket.connect(addr).await.expect("a connection");
        Self::ask(socket, path, &[]).await
    }

    async fn ask(mut socket: TcpStream, path: &str, headers: &[(&str, &str)]) -> Self {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{}\r\n", headers.concat());
        socket.write_all(request.as_bytes()).await.expect("a request");
        let (text, head) = (String::new(), String::new());
        let mut events = Self { socket, chunks: None, text, status: 0, head };
        let head = events.part("\r\n\r\n").await.expect("the head of an answer");
        events.status = head.split(' ').nth(1).expect("a status").parse().expect("a status");
        events.head = head.to_ascii_lowercase();
        if events.head.contains("transfer-encoding: chunked") {
            let begun = std::mem::take(&mut events.text).into_bytes();
            events.chunks = Some(Vec::new());
            events.receive(&begun);
        }
        events
    }

    /// How long to wait before a retry, if the answer is a `503` with `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.head.split("retry-after: ").nth(1)?;
        let seconds = value.lines().next()?.parse().ok()?;
        (self.status == 503).then_some(Duration::from_secs(seconds))
    }

    /// The stream of a user's ticket; `last` is the id of the last event that the client has.
    pub async fn of_ticket(addr: SocketAddr, person: &Client, last: Option<&str>) -> Self {
        let ticket = person.ticket.as_deref().expect("a ticket");
        let mut headers = vec![("queue-token", ticket)];
        headers.extend(last.map(|last| ("last-event-id", last)));
        Self::open(addr, "/v1/queue/ticket/stream", &headers).await
    }

    /// The next event, without comments; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let block = self.part("\n\n").await?;
            let mut event = Event { name: String::new(), id: String::new(), data: Value::Null };
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("event", name)) => name.clone_into(&mut event.name),
                    Some(("id", id)) => id.clone_into(&mut event.id),
                    Some(("data", data)) => event.data = serde_json::from_str(data).expect("JSON"),
                    _ => assert!(
                        line == ":" || line == "id" || line.starts_with("retry: "),
                        "{line:?}"
                    ),
                }
            }
            if !event.name.is_empty() {
                return Some(event);
            }
        }
    }

    /// The next event; fails unless it has this name.
    pub async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.expect("an event");
        assert_eq!(event.name, name, "{event:?}");
        event
    }

    /// Skips events until one has this name and satisfies `is`; returns it.
    pub async fn until(&mut self, name: &str, is: impl Fn(&Value) -> bool) -> Event {
        loop {
            let event = self.next().await.expect("an event");
            if event.name == name && is(&event.data) {
                return event;
            }
        }
    }

    /// The text before `mark`; `None` when the server has closed the connection.
    async fn part(&mut self, mark: &str) -> Option<String> {
        loop {
            if let Some((part, rest)) = self.text.split_once(mark) {
                let (part, rest) = (part.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(part);
            }
            let mut bytes = vec![0; 16 * 1024];
            let read = timeout(LIMIT, self.socket.read(&mut bytes)).await;
            let read = read.expect("waited too long for an event").unwrap_or(0);
            if read == 0 {
                return None;
            }
            self.receive(&bytes[..read]);
        }
    }

    /// Adds bytes of the answer to the text, without the sizes of chunks.
    fn receive(&mut self, bytes: &[u8]) {
        let Some(chunks) = &mut self.chunks else {
            self.text += std::str::from_utf8(bytes).expect("text");
            return;
        };
        chunks.extend_from_slice(bytes);
        while let Some(at) = chunks.windows(2).position(|two| two == b"\r\n") {
            let size = std::str::from_utf8(&chunks[..at]).expect("a size");
            let size = usize::from_str_radix(size, 16).expect("a size");
            let (begin, end) = (at + 2, at + 2 + size);
            if chunks.len() < end + 2 {
                break;
            }
            self.text += std::str::from_utf8(&chunks[begin..end]).expect("text");
            chunks.drain(..end + 2);
        }
    }
}
