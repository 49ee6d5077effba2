//! Deals with a request body that its handler did not read to its end.
//!
//! Many answers are ready before the body is read: 404, 405, 413, 415, 429, 503. The unread bytes
//! precede the next request on the connection. So a small rest is read and dropped before the
//! answer is sent, and the connection stays open. Otherwise the answer carries `Connection: close`,
//! and the connection is closed in a way that lets the client read the answer (RFC 9112, section
//! 9.6).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::io::{AsyncReadExt, copy, sink};
use tokio::net::TcpStream;

/// Maximum rest of a body that is read and dropped to keep the connection, in bytes.
const DRAIN_BYTES: u64 = 64 * 1024;
/// Time limit for reading such a rest.
const DRAIN_TIME: Duration = Duration::from_millis(500);
/// Maximum that is read and dropped after an answer that closes its connection, in bytes.
const LINGER_BYTES: u64 = 8 * 1024 * 1024;
/// Time limit for a client to stop sending after such an answer.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// Knows how far the body of one request was read.
#[derive(Debug)]
pub(super) struct Watch {
    state: Arc<Mutex<State>>,
    /// The client sends the body only after `100 Continue`.
    expects_continue: bool,
}

#[derive(Debug)]
enum State {
    /// A handler holds the body.
    InUse,
    /// The body was read to its end.
    Finished,
    /// The body ended early, or was malformed.
    Broken,
    /// The body was dropped before its end; `true` if the handler had begun to read it.
    Unread(Incoming, bool),
}

/// A body that records how far it was read.
struct Watched {
    body: Option<Incoming>,
    /// The handler has begun to read.
    begun: bool,
    state: Arc<Mutex<State>>,
}

/// Watches the body of a request, if it has one.
pub(super) fn watch(request: Request<Incoming>) -> (Request<Body>, Option<Watch>) {
    if request.body().is_end_stream() {
        return (request.map(Body::new), None);
    }
    let state = Arc::new(Mutex::new(State::InUse));
    let watch = Watch {
        state: Arc::clone(&state),
        expects_continue: request.headers().contains_key(EXPECT),
    };
    let request = request.map(|body| Body::new(Watched { body: Some(body), begun: false, state }));
    (request, Some(watch))
}

impl Watch {
    /// Reads a small rest of the body, so that the connection can carry the next request. Otherwise
    /// adds `Connection: close` to the answer. Returns whether the connection stays open.
    pub(super) async fn settle(self, response: &mut Response) -> bool {
        let state = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *state, State::Broken)
        };
        let stays = match state {
            State::Finished => true,
            State::Unread(body, begun) => {
                // Do not wait for a client that was too slow, sent too much, or still waits for
                // `100 Continue`.
                let given_up = [StatusCode::REQUEST_TIMEOUT, StatusCode::PAYLOAD_TOO_LARGE];
                let sends = begun || !self.expects_continue;
                sends && !given_up.contains(&response.status()) && drain(body).await
            }
            State::InUse | State::Broken => false,
        };
        if !stays {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        stays
    }
}

/// Reads and drops the rest of a body, up to [`DRAIN_BYTES`] and for [`DRAIN_TIME`]. Returns
/// whether it was read to its end.
async fn drain(mut body: Incoming) -> bool {
    if body.size_hint().lower() > DRAIN_BYTES {
        return false;
    }
    let read_all = async {
        let mut left = DRAIN_BYTES;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        true
    };
    tokio::time::timeout(DRAIN_TIME, read_all).await.unwrap_or(false)
}

/// Reads and drops what a client still sends after an answer that closes its connection. Closing a
/// socket with unread bytes resets it, and the client may lose the answer.
pub(super) async fn linger(stream: TcpStream) {
    let dropped = async { copy(&mut stream.take(LINGER_BYTES), &mut sink()).await };
    if let Ok(Err(error)) = tokio::time::timeout(LINGER_TIME, dropped).await {
        tracing::debug!(%error, "a connection failed while its unread body was dropped");
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.begun = true;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        let ended = match &frame {
            None => Some(State::Finished),
            Some(Err(_)) => Some(State::Broken),
            Some(Ok(_)) => None,
        };
        if let Some(ended) = ended {
            self.body = None;
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = ended;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            let ended = body.is_end_stream();
            let state = if ended { State::Finished } else { State::Unread(body, self.begun) };
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        }
    }
}
