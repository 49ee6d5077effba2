//! Connections: let in, waited for within limits, and drained at the end.
//!
//! `axum::serve` sets no timer, so that a client may take for ever over its headers; hence hyper
//! itself, on a [`Patient`] connection. A connection whose answer is a stream leaves hyper: see `stream::takeover`.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use uuid::Uuid;

use super::fast_path::Shortcuts;
use super::unread_body::{linger, watch};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::http::limit::client_address::Peer;
use crate::http::limit::connections::{Door, Full, Guest};
use crate::http::limit::slow_client::{Patience, Patient, Turns};
use crate::http::stream::takeover::Handover;
use crate::telemetry::Metrics;

/// How long an idle connection is kept: longer than clients wait between polls.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// The largest head of a request, in bytes: past it, `431`. Also what a connection buffers at most.
const HEAD_BYTES: usize = 64 * 1024;

/// How long accepting rests when it failed, which is mostly for want of file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// What answers requests; cheap to clone.
#[derive(Debug, Clone)]
pub struct Routes {
    /// Everything.
    pub router: Router,
    /// What needs no routing.
    pub shortcuts: Shortcuts,
}

/// Who is let in, and how long they are waited for; cheap to clone.
#[derive(Debug, Clone)]
pub struct House {
    /// Counts connections.
    pub door: Arc<Door>,
    /// How long clients are waited for.
    pub patience: Patience,
    /// Is told who was turned away.
    pub metrics: Metrics,
}

/// Serves `routes` on `listener` until `stop`; then accepts nothing more, lets what runs finish for
/// up to `drain`, and cuts off the rest.
pub async fn serve(
    listener: TcpListener,
    house: House,
    routes: Routes,
    stop: CancellationToken,
    drain: Duration,
) {
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => match house.door.admit(peer.ip()) {
                Ok(guest) => {
                    let came = Came { stream, peer: Peer(peer.ip()), guest };
                    let serving = connection(came, house.clone(), routes.clone(), stop.clone());
                    let cut = cut.clone();
                    connections.spawn(async move { cut.run_until_cancelled(serving).await });
                }
                Err(full) => {
                    house.metrics.refused("connections");
                    turn_away(stream, full);
                }
            },
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(drain, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were cut off at the end");
        cut.cancel();
        connections.wait().await;
    }
}

/// A connection that was let in.
struct Came {
    stream: TcpStream,
    peer: Peer,
    guest: Guest,
}

/// Says why, as far as that can be said without waiting, and closes.
fn turn_away(stream: TcpStream, full: Full) {
    let problem = match full {
        Full::InAll => Problem::overloaded(),
        Full::FromOne => {
            let detail = "Too many connections from this address.";
            Problem::new(ProblemCode::RateLimited).detail(detail).retry_after(5)
        }
    };
    let sent = stream.into_std().and_then(|mut stream| say(&mut stream, problem));
    if let Err(error) = sent {
        tracing::debug!(%error, "a connection was turned away without a word");
    }
}

/// Answers before anything was asked. The kernel's buffer of a new connection has room for it.
fn say(stream: &mut std::net::TcpStream, problem: Problem) -> std::io::Result<()> {
    let body = problem.render(&Uuid::now_v7().to_string());
    let mut text = Vec::new();
    write!(text, "HTTP/1.1 {}\r\nconnection: close\r\n", problem.status())?;
    for (name, value) in problem.into_response().headers() {
        write!(text, "{name}: {}\r\n", value.to_str().unwrap_or_default())?;
    }
    write!(text, "content-length: {}\r\n\r\n{body}", body.len())?;
    stream.write_all(&text)
}

async fn connection(came: Came, house: House, routes: Routes, stop: CancellationToken) {
    let Came { stream, peer, guest } = came;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let (handing, mut handed) = mpsc::channel(1);
    let turns = Turns::default();
    let patient = Patient::new(stream, house.patience, turns.clone());
    let unread = Arc::new(AtomicBool::new(false));
    let here = Here { routes, door: house.door, peer, turns, handing, unread: Arc::clone(&unread) };
    let service = service_fn(move |request| here.answer(request));
    let mut serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_LIMIT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(patient, service);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        Some(handover) = handed.recv() => {
            // What the client has sent beyond its request is dropped with the rest of the parts.
            return Handover::take(handover, serving.into_parts().io.into_inner(), guest);
        }
        () = stop.cancelled() => {
            std::pin::Pin::new(&mut serving).graceful_shutdown();
            tokio::select! {
                ended = &mut serving => ended,
                // No stream begins any more.
                _ = handed.recv() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    if unread.load(Ordering::Relaxed) {
        // The connection counts as open meanwhile.
        let _guest = guest;
        linger(serving.into_parts().io.into_inner()).await;
    }
}

/// What the requests of one connection are answered with.
struct Here {
    routes: Routes,
    door: Arc<Door>,
    peer: Peer,
    turns: Turns,
    handing: mpsc::Sender<Handover>,
    /// A body was not read to its end, so the connection closes after its answer.
    unread: Arc<AtomicBool>,
}

impl Here {
    /// The answer to a request: at once where no routing is needed.
    fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        // Nothing ahead of the router reads a body.
        let plain = request.body().is_end_stream();
        let known = plain.then(|| self.routes.shortcuts.answer(self.peer, &request)).flatten();
        let asking = if known.is_some() {
            self.turns.passed();
            None
        } else {
            let Self { turns, routes, handing, unread, .. } = self;
            let parts = (routes.router.clone(), handing.clone(), Arc::clone(unread));
            Some((turns.begin(), parts))
        };
        let (peer, crowded) = (self.peer, self.door.is_crowded());
        async move {
            let mut response = match (known, asking) {
                (None, Some((_answering, parts))) => answer(parts, peer, request).await?,
                (known, _) => known.unwrap_or_default(),
            };
            if crowded {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    }
}

/// The answer, unless it is a stream: then the connection is handed over, and hyper, which is about
/// to be dropped, never hears of an answer.
async fn answer(
    (router, handing, unread): (Router, mpsc::Sender<Handover>, Arc<AtomicBool>),
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let method = request.method().clone();
    let (mut request, watch) = watch(request);
    request.extensions_mut().insert(peer);
    let mut response = router.oneshot(request).await?;
    if let Some(handover) = Handover::of(&method, &mut response) {
        // The receiver lives as long as this does.
        let _ = handing.send(handover).await;
        std::future::pending::<()>().await;
    }
    if let Some(watch) = watch
        && !watch.settle(&mut response).await
    {
        unread.store(true, Ordering::Relaxed);
    }
    Ok(response)
}

#[cfg(test)]
mod tests;
