//! How a connection leaves hyper: a handler's answer carries what is to be done with its socket.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, TRANSFER_ENCODING,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use chrono::Utc;
use tokio::net::TcpStream;

use super::Open;
use super::socket::Socket;
use crate::http::limit::connections::Guest;

type Enter = Box<dyn FnOnce(Socket) + Send>;

/// What becomes of the connection once the head of its answer has passed all layers. In the
/// extensions of that answer.
#[derive(Clone)]
pub struct Takeover {
    // Extensions must be clones of each other; the stream is one.
    stream: Arc<Mutex<Option<(Open, Enter)>>>,
}

/// A connection to be handed over: the head of its answer, and what takes it.
pub struct Handover {
    head: Vec<u8>,
    takeover: Takeover,
}

/// An answer whose body is a stream: `enter` gets the socket.
#[must_use]
pub fn stream(open: Open, enter: impl FnOnce(Socket) + Send + 'static) -> Response {
    let stream: (Open, Enter) = (open, Box::new(enter));
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Takeover { stream: Arc::new(Mutex::new(Some(stream))) });
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would otherwise keep events back until its buffer is full.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    headers.insert(unbuffered, HeaderValue::from_static("no"));
    response
}

/// The id of the last event that a client has seen, where it comes back.
#[must_use]
pub fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    Some(id).filter(|id| !id.is_empty())
}

impl Handover {
    /// The takeover that an answer asks for. An answer to `HEAD` has no body to take over.
    pub fn of(method: &Method, response: &mut Response) -> Option<Self> {
        let takeover = response.extensions_mut().remove::<Takeover>()?;
        if *method == Method::HEAD || response.status() != StatusCode::OK {
            return None;
        }
        Some(Self { head: head(response), takeover })
    }

    /// Hands the connection over, and what counts it.
    pub fn take(self, io: TcpStream, guest: Guest) {
        let stream = &self.takeover.stream;
        let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((mut open, enter)) = stream {
            open.keep(guest);
            if let Ok(socket) = Socket::begin(io, self.head, open) {
                enter(socket);
            }
        }
    }
}

/// The head as it is sent. Without a length and without chunks: the body ends with the connection
/// (RFC 9112, section 6.3).
fn head(response: &Response) -> Vec<u8> {
    let mut text = b"HTTP/1.1 200 OK\r\n".to_vec();
    for (name, value) in response.headers() {
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, DATE].contains(name) {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
    }
    let mut rest = String::new();
    let now = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
    // Writing into a String does not fail.
    let _ = write!(rest, "date: {now}\r\nconnection: close\r\n\r\n");
    text.extend_from_slice(rest.as_bytes());
    text
}

impl std::fmt::Debug for Takeover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Takeover(..)")
    }
}

impl std::fmt::Debug for Handover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handover(..)")
    }
}
