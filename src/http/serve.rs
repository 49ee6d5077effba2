//! Connections: accepted, given little time for their headers, and drained at the end.
//!
//! `axum::serve` sets no timer, so that a client may take for ever over its headers; hence hyper
//! itself. A connection whose answer is a stream leaves hyper: see `stream::takeover`.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::shortcut::Shortcuts;
use super::stream::takeover::Handover;

/// How long a connection may take until the headers of its next request are complete. hyper counts
/// from the end of the answer before, so this is also how long an idle connection is kept: longer
/// than clients wait between polls.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);

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

/// Serves `router` on `listener` until `stop`; then accepts nothing more, lets what runs finish for
/// up to `drain`, and cuts off the rest.
pub async fn serve(
    listener: TcpListener,
    routes: Routes,
    stop: CancellationToken,
    drain: Duration,
) {
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                let serving = connection(stream, routes.clone(), stop.clone());
                let cut = cut.clone();
                connections.spawn(async move { cut.run_until_cancelled(serving).await });
            }
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

async fn connection(stream: TcpStream, routes: Routes, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let (handing, mut handed) = mpsc::channel(1);
    let service = service_fn(move |request| {
        let known = routes.shortcuts.answer(&request);
        let asking = known.is_none().then(|| (routes.router.clone(), handing.clone()));
        async move {
            match (known, asking) {
                (None, Some((router, handing))) => answer(router, request, handing).await,
                (known, _) => Ok(known.unwrap_or_default()),
            }
        }
    });
    let mut serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        Some(handover) = handed.recv() => {
            // What the client has sent beyond its request is dropped with the rest of the parts.
            return Handover::take(handover, serving.into_parts().io.into_inner());
        }
        () = stop.cancelled() => {
            std::pin::Pin::new(&mut serving).graceful_shutdown();
            tokio::select! {
                ended = serving => ended,
                // No stream begins any more.
                _ = handed.recv() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The answer, unless it is a stream: then the connection is handed over, and hyper, which is about
/// to be dropped, never hears of an answer.
async fn answer(
    router: Router,
    request: Request<Incoming>,
    handing: mpsc::Sender<Handover>,
) -> Result<Response, Infallible> {
    let method = request.method().clone();
    let mut response = router.oneshot(request).await?;
    if let Some(handover) = Handover::of(&method, &mut response) {
        // The receiver lives as long as this does.
        let _ = handing.send(handover).await;
        std::future::pending::<()>().await;
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::telemetry::Metrics;

    async fn slow(millis: u64) -> &'static str {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        "done"
    }

    async fn start(drain: Duration) -> (SocketAddr, CancellationToken, TaskTracker) {
        let router = Router::new()
            .route("/soon", get(|| slow(300)))
            .route("/never", get(|| slow(3_600_000)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let tasks = TaskTracker::new();
        let shortcuts = Shortcuts::new(Vec::new(), Metrics::new());
        let routes = Routes { router, shortcuts };
        tasks.spawn(serve(listener, routes, stop.clone(), drain));
        tasks.close();
        (addr, stop, tasks)
    }

    async fn ask(addr: SocketAddr, path: &str) -> TcpStream {
        let mut client = TcpStream::connect(addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        client
    }

    async fn answer(mut client: TcpStream) -> String {
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap_or_default();
        text
    }

    #[tokio::test]
    async fn what_runs_at_the_stop_is_answered_and_nothing_new_is_accepted() {
        let (addr, stop, tasks) = start(Duration::from_secs(10)).await;
        let client = ask(addr, "/soon").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
        assert!(answer(client).await.ends_with("done"));
        tasks.wait().await;
        assert!(TcpStream::connect(addr).await.is_err());
    }

    #[tokio::test]
    async fn what_does_not_end_is_cut_off() {
        let (addr, stop, tasks) = start(Duration::from_millis(200)).await;
        let client = ask(addr, "/never").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let stopped = Instant::now();
        stop.cancel();
        tasks.wait().await;
        assert!(stopped.elapsed() < Duration::from_secs(5));
        assert_eq!(answer(client).await, "");
    }
}
