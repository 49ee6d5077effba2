//! A server that keeps the requests it receives, in place of onsale behind a proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What the server does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Answers `200`.
    Answer,
    /// Answers `503`.
    Refuse,
    /// Closes the connection without an answer.
    Break,
}

/// A server on a free loopback port, until it is dropped.
pub struct Recorder {
    pub addr: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    _stop: DropGuard,
}

impl Recorder {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("a port");
        let (heads, connections) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let stop = CancellationToken::new();
        let (kept, counted) = (Arc::clone(&heads), Arc::clone(&connections));
        let (listening, connected) = (stop.clone(), stop.clone());
        tokio::spawn(listening.run_until_cancelled_owned(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                counted.fetch_add(1, Ordering::Relaxed);
                // Its connections end with the server.
                let serving = serve(socket, manner, Arc::clone(&kept));
                tokio::spawn(connected.clone().run_until_cancelled_owned(serving));
            }
        }));
        Self { addr, heads, connections, _stop: stop.drop_guard() }
    }

    /// The heads of all requests so far, in lower case.
    pub async fn heads(&self) -> Vec<String> {
        self.heads.lock().await.clone()
    }

    /// Number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn serve(mut socket: TcpStream, manner: Manner, heads: Arc<Mutex<Vec<String>>>) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            match socket.read(&mut buffer).await {
                Ok(read) if read > 0 => bytes.extend_from_slice(&buffer[..read]),
                _ => return,
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
        while bytes.len() < end + length {
            let read = socket.read(&mut buffer).await.expect("the body");
            bytes.extend_from_slice(&buffer[..read]);
        }
        bytes.drain(..end + length);
        heads.lock().await.push(head);
        let status = match manner {
            Manner::Answer => "200 OK",
            Manner::Refuse => "503 Service Unavailable",
            Manner::Break => return,
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok");
        socket.write_all(answer.as_bytes()).await.expect("an answer");
    }
}
