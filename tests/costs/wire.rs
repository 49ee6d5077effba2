//! A client that allocates nothing while it sends requests and reads answers.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// One connection, and a buffer for one answer.
pub struct Wire {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

impl Wire {
    pub fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, buffer: vec![0; 64 * 1024].into_boxed_slice() }
    }

    /// Sends requests one after the other. Fails unless each answer has this status and, in its
    /// body, this text.
    pub fn send(&mut self, requests: &[Vec<u8>], status: &str, text: &str) {
        for request in requests {
            self.stream.write_all(request).expect("sent");
            let answer = self.answer();
            let fits = answer.get(9..12) == Some(status.as_bytes()) && contains(answer, text);
            assert!(fits, "not {status} {text}: {}", String::from_utf8_lossy(answer));
        }
    }

    /// Sends one request, and returns the body of its answer.
    pub fn ask(&mut self, request: &[u8]) -> Value {
        self.stream.write_all(request).expect("sent");
        let answer = self.answer();
        let begin = find(answer, "\r\n\r\n").expect("a head") + 4;
        serde_json::from_slice(&answer[begin..]).expect("JSON")
    }

    fn answer(&mut self) -> &[u8] {
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).expect("an answer");
            assert!(read > 0, "the connection was closed");
            filled += read;
            let bytes = &self.buffer[..filled];
            if let Some(end) = find(bytes, "\r\n\r\n")
                && filled >= end + 4 + length(&bytes[..end])
            {
                break;
            }
        }
        &self.buffer[..filled]
    }
}

fn length(head: &[u8]) -> usize {
    let Some(at) = find(head, "content-length: ") else { return 0 };
    let digits = head[at + 16..].iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
}

fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|part| part == text.as_bytes())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    text.is_empty() || find(bytes, text).is_some()
}

/// Writes a request.
pub fn request(
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Vec<u8> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: onsale\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("a text");
    }
    if !body.is_empty() {
        head += "content-type: application/json\r\n";
    }
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
