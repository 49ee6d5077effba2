//! A small HTTP client: one kept-alive connection with one request at a time.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// Initial size of the buffer for answers, in bytes.
const BUFFER: usize = 8 * 1024;

/// One connection.
#[derive(Debug)]
pub struct Connection {
    addr: SocketAddr,
    stream: TcpStream,
    read: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// Parses the body.
    pub fn json(&self) -> Outcome<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }

    /// Returns the stable code of a problem; empty if there is none.
    pub fn code(&self) -> String {
        self.json()
            .ok()
            .and_then(|body| Some(body["code"].as_str()?.to_owned()))
            .unwrap_or_default()
    }

    /// Returns the parsed body.
    ///
    /// # Errors
    /// Fails unless the answer is a success.
    pub fn success(&self) -> Outcome<Value> {
        if (200..300).contains(&self.status) {
            return self.json();
        }
        Err(format!("an answer was not as expected: {} {}", self.status, self.body).into())
    }
}

impl Connection {
    /// Connects.
    pub async fn open(addr: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { addr, stream, read: Vec::with_capacity(BUFFER) })
    }

    /// Sends a request, and waits for its answer. Connects again if the server has closed the idle
    /// connection.
    pub async fn send(&mut self, request: &[u8]) -> Outcome<Answer> {
        if let Some(answer) = self.try_send(request).await? {
            return Ok(answer);
        }
        *self = Self::open(self.addr).await?;
        self.try_send(request).await?.ok_or_else(|| "the server sends no answer".into())
    }

    /// `None` if the connection was closed before an answer began.
    async fn try_send(&mut self, request: &[u8]) -> Outcome<Option<Answer>> {
        self.read.clear();
        if self.stream.write_all(request).await.is_err() {
            return Ok(None);
        }
        loop {
            if let Some(answer) = parse(&self.read)? {
                return Ok(Some(answer));
            }
            let more = self.stream.read_buf(&mut self.read).await;
            if !more.is_ok_and(|count| count > 0) {
                return if self.read.is_empty() { Ok(None) } else { Err("cut answer".into()) };
            }
        }
    }
}

/// Parses a whole answer with its length in the head. `None` if bytes are missing.
fn parse(bytes: &[u8]) -> Outcome<Option<Answer>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end])?;
    let status = head.split(' ').nth(1).ok_or("an answer without a status")?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>())
    });
    let length = length.transpose()?.unwrap_or(0);
    let Some(body) = bytes.get(end + 4..end + 4 + length) else {
        return Ok(None);
    };
    Ok(Some(Answer { status, body: std::str::from_utf8(body)?.to_owned() }))
}

/// Writes a request.
pub fn request(
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Vec<u8> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: onsale\r\n");
    for (name, value) in headers {
        // Writing to a String does not fail.
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text.push_str("content-type: application/json\r\n");
    }
    let _ = write!(text, "content-length: {}\r\n\r\n{body}", body.len());
    text.into_bytes()
}
