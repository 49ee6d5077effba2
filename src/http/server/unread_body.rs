//! What becomes of a request body that its handler did not read to its end.
//!
//! Many answers come before the body is read: 404, 405, 413, 415, 429, 503. Bytes of the body that
//! are still to come stand before the next request on the connection. So a small rest is read and
//! dropped before the answer goes out, and the connection stays. Otherwise the answer says
//! `Connection: close`, and the connection is closed in a way that lets the client read the answer
//! (RFC 9112, section 9.6).

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

/// The largest rest of a body that is read and dropped, in bytes.
const DRAIN_BYTES: u64 = 64 * 1024;
/// How long such a rest is waited for.
const DRAIN_TIME: Duration = Duration::from_millis(500);
/// The most that is read and dropped after an answer that closes its connection, in bytes.
const LINGER_BYTES: u64 = 8 * 1024 * 1024;
/// How long a client may take to stop sending after such an answer.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// The body of one request, watched until its answer is there.
#[derive(Debug)]
pub(super) struct Watch {
    state: Arc<Mutex<State>>,
    /// The client sends the body only when it is asked to.
    expects_continue: bool,
}

#[derive(Debug)]
enum State {
    /// A handler has it.
    InUse,
    /// Its end was read.
    Finished,
    /// It ended early, or was malformed.
    Broken,
    /// It was dropped before its end; whether anything of it was asked for.
    Unread(Incoming, bool),
}

/// A body that says at its end how far it was read.
struct Watched {
    body: Option<Incoming>,
    asked: bool,
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
    let request = request.map(|body| Body::new(Watched { body: Some(body), asked: false, state }));
    (request, Some(watch))
}

impl Watch {
    /// Makes the connection fit for its next request, or lets the answer say that there is none.
    /// Whether the connection stays.
    pub(super) async fn settle(self, response: &mut Response) -> bool {
        let state = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *state, State::Broken)
        };
        let stays = match state {
            State::Finished => true,
            State::Unread(body, asked) => {
                // Nobody waits for a client that was too slow, sent too much, or sends nothing
                // before it is asked to.
                let late = [StatusCode::REQUEST_TIMEOUT, StatusCode::PAYLOAD_TOO_LARGE];
                let sends = asked || !self.expects_continue;
                sends && !late.contains(&response.status()) && drained(body).await
            }
            State::InUse | State::Broken => false,
        };
        if !stays {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        stays
    }
}

/// Reads the rest of a body, if it is small and arrives soon. Whether it was read to its end.
async fn drained(mut body: Incoming) -> bool {
    if body.size_hint().lower() > DRAIN_BYTES {
        return false;
    }
    let drain = async {
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
    tokio::time::timeout(DRAIN_TIME, drain).await.unwrap_or(false)
}

/// Reads and drops what a client still sends after the answer that closed its connection. A socket
/// that is closed with unread bytes is reset, and the client may lose the answer.
pub(super) async fn linger(stream: TcpStream) {
    let dropped = async { copy(&mut stream.take(LINGER_BYTES), &mut sink()).await };
    if let Ok(Err(error)) = tokio::time::timeout(LINGER_TIME, dropped).await {
        tracing::debug!(%error, "a connection broke while its unread body was dropped");
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.asked = true;
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
            let state = if ended { State::Finished } else { State::Unread(body, self.asked) };
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        }
    }
}
