//! Takes a connection out of hyper: a handler's answer carries the function that gets its socket.

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
use crate::http::limit::connections::ConnectionPermit;

type Enter = Box<dyn FnOnce(Socket) + Send>;

/// The function that gets the connection once the head of its answer has passed the middleware. In
/// the extensions of that answer.
#[derive(Clone)]
pub struct Takeover {
    // Extensions must be `Clone`, but there is only one stream.
    stream: Arc<Mutex<Option<(Open, Enter)>>>,
}

/// A connection that is handed over: the head of its answer, and the function that gets it.
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

/// The id of the last event that a reconnecting client has seen (`Last-Event-ID`).
#[must_use]
pub fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    Some(id).filter(|id| !id.is_empty())
}

impl Handover {
    /// The takeover in an answer, if it has one. An answer to `HEAD` has no body, so it keeps its
    /// connection in hyper.
    pub fn of(method: &Method, response: &mut Response) -> Option<Self> {
        let takeover = response.extensions_mut().remove::<Takeover>()?;
        if *method == Method::HEAD || response.status() != StatusCode::OK {
            return None;
        }
        Some(Self { head: head(response), takeover })
    }

    /// Hands the connection over, together with its permit.
    pub fn take(self, io: TcpStream, permit: ConnectionPermit) {
        let stream = &self.takeover.stream;
        let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((mut open, enter)) = stream {
            open.keep(permit);
            if let Ok(socket) = Socket::begin(io, self.head, open) {
                enter(socket);
            }
        }
    }
}

/// Writes the head of the answer, without a length and without chunks: the body ends with the
/// connection (RFC 9112, section 6.3).
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
    // Writing to a `String` cannot fail.
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
