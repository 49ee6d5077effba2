//! Accepts connections, serves them within limits, and drains them at shutdown.
//!
//! `axum::serve` sets no timer, so a client could take for ever to send its headers. Therefore this
//! uses hyper directly, on a [`TimeoutStream`]. A connection whose answer is an event stream leaves
//! hyper: see `stream::takeover`.

mod refusal;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use self::refusal::refuse;
use super::drain::Drain;
use super::fast_path::FastPaths;
use super::unread_body::{linger, watch};
use crate::http::limit::client_address::Peer;
use crate::http::limit::connections::{ConnectionLimiter, ConnectionPermit};
use crate::http::limit::slow_client::{ClientTimeouts, TimeoutStream, Turns};
use crate::http::stream::takeover::Handover;
use crate::telemetry::Metrics;

/// How long an idle connection stays open: longer than the pause between two polls of a client.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// Maximum size of a request's head, in bytes; a larger one gets `431`. Also bounds the buffer of a
/// connection.
const HEAD_BYTES: usize = 64 * 1024;

/// How long a connection that has had no request stays open after the stop.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Pause after a failed accept, which mostly means that the process has no file descriptor left.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// Answers requests; cheap to clone.
#[derive(Debug, Clone)]
pub struct Routes {
    /// All routes with their middleware.
    pub router: Router,
    /// Answers that need no routing.
    pub fast_paths: FastPaths,
}

/// Which connections are accepted, and how long the server waits for their clients; cheap to clone.
#[derive(Debug, Clone)]
pub struct ConnectionPolicy {
    /// Limits the number of open connections.
    pub connections: Arc<ConnectionLimiter>,
    /// How long the server waits for a slow client.
    pub timeouts: ClientTimeouts,
    /// Counts refused connections.
    pub metrics: Metrics,
    /// Whether the process drains.
    pub drain: Drain,
}

/// Serves `routes` on `listener` until `stop`. Then it accepts no more connections, lets running
/// requests finish for up to `drain`, and closes the rest.
pub async fn serve(
    listener: TcpListener,
    policy: ConnectionPolicy,
    routes: Routes,
    stop: CancellationToken,
    drain: Duration,
) {
    let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
    let take = |stream: TcpStream, peer: SocketAddr| match policy.connections.admit(peer.ip()) {
        Ok(permit) => {
            let accepted = Accepted { stream, peer: Peer(peer.ip()), permit };
            let serving = serve_connection(accepted, policy.clone(), routes.clone(), stop.clone());
            let cut = cut.clone();
            connections.spawn(async move { cut.run_until_cancelled(serving).await });
        }
        Err(full) => {
            policy.metrics.refused("connections");
            refuse(stream, full);
        }
    };
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => take(stream, peer),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
    // The kernel has opened these, and would reset them with the listener.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, peer)) = listener.accept() {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            let _ = stream.map(|stream| take(stream, peer));
        }
    }
    connections.close();
    if tokio::time::timeout(drain, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were closed before they finished");
        cut.cancel();
        connections.wait().await;
    }
}

/// An accepted connection.
struct Accepted {
    stream: TcpStream,
    peer: Peer,
    permit: ConnectionPermit,
}

/// Sends small answers without waiting for more (`TCP_NODELAY`).
fn send_at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
}

async fn serve_connection(
    accepted: Accepted,
    policy: ConnectionPolicy,
    routes: Routes,
    stop: CancellationToken,
) {
    let Accepted { stream, peer, permit } = accepted;
    send_at_once(&stream);
    let (handovers, mut handover) = mpsc::channel(1);
    let turns = Turns::default();
    let timed = TimeoutStream::new(stream, policy.timeouts, turns.clone());
    let (unread, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let connection = Connection {
        routes,
        connections: policy.connections,
        drain: policy.drain,
        peer,
        turns,
        handovers,
        unread: Arc::clone(&unread),
        asked: Arc::clone(&asked),
    };
    let service = service_fn(move |request| connection.answer(request));
    let mut serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_LIMIT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(timed, service);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        Some(handover) = handover.recv() => {
            // Bytes that the client sent after its request are dropped with hyper's buffer.
            return Handover::take(handover, serving.into_parts().io.into_inner(), permit);
        }
        () = stop.cancelled() => {
            // hyper closes a connection without a request at once, while one may be on its way.
            let first = tokio::time::timeout(FIRST_REQUEST, asked.notified());
            tokio::select! {
                ended = &mut serving => ended,
                _ = first => {
                    std::pin::Pin::new(&mut serving).graceful_shutdown();
                    tokio::select! {
                        ended = &mut serving => ended,
                        // No stream begins after the stop.
                        _ = handover.recv() => return,
                    }
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended with an error");
    }
    if unread.load(Ordering::Relaxed) {
        // The connection counts as open until this is done.
        let _permit = permit;
        linger(serving.into_parts().io.into_inner()).await;
    }
}

/// Answers the requests of one connection.
struct Connection {
    routes: Routes,
    connections: Arc<ConnectionLimiter>,
    drain: Drain,
    peer: Peer,
    turns: Turns,
    handovers: mpsc::Sender<Handover>,
    /// Set when a body was not read to its end: the connection closes after that answer.
    unread: Arc<AtomicBool>,
    /// Notified of each request.
    asked: Arc<Notify>,
}

impl Connection {
    /// Answers a request, at once if a fast path can.
    fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        self.asked.notify_one();
        // No fast path reads a body.
        let has_no_body = request.body().is_end_stream();
        let fast =
            has_no_body.then(|| self.routes.fast_paths.answer(self.peer, &request)).flatten();
        let routed = if fast.is_some() {
            self.turns.passed();
            None
        } else {
            let Self { turns, routes, handovers, unread, .. } = self;
            let routing = Routing {
                router: routes.router.clone(),
                handovers: handovers.clone(),
                unread: Arc::clone(unread),
                peer: self.peer,
            };
            Some((turns.begin(), routing))
        };
        // While the process drains too: proxies and clients that keep connections open send the next
        // request to another process, and not on a connection that is about to be closed.
        let closes = self.connections.is_crowded() || self.drain.has_begun();
        async move {
            let mut response = match (fast, routed) {
                (None, Some((_answering, routing))) => routing.answer(request).await?,
                (fast, _) => fast.unwrap_or_default(),
            };
            if closes {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    }
}

/// What a request needs of its connection to be routed.
struct Routing {
    router: Router,
    handovers: mpsc::Sender<Handover>,
    unread: Arc<AtomicBool>,
    peer: Peer,
}

impl Routing {
    /// The router's answer. If it is an event stream, this hands the connection over and never
    /// returns: the caller drops hyper, and this future with it.
    async fn answer(self, request: Request<Incoming>) -> Result<Response, Infallible> {
        let method = request.method().clone();
        let (mut request, watch) = watch(request);
        request.extensions_mut().insert(self.peer);
        let mut response = self.router.oneshot(request).await?;
        if let Some(handover) = Handover::of(&method, &mut response) {
            // The receiver lives as long as this future.
            let _ = self.handovers.send(handover).await;
            std::future::pending::<()>().await;
        }
        if let Some(watch) = watch
            && !watch.settle(&mut response).await
        {
            self.unread.store(true, Ordering::Relaxed);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
