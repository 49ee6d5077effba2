//! A stream as an ordinary answer of axum, for streams with few clients: the operators' consoles.
//!
//! Buyers' streams leave hyper instead ([`super::takeover`]): tens of thousands of them share one
//! copy of each event.

use std::convert::Infallible;

use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::future::ready;
use futures_util::stream::{Stream, StreamExt, once};

use super::Open;
use super::event::{QUIET, RETRY_AFTER};

/// An answer whose body is a stream of events, with a comment on a quiet stream. `open` counts it
/// as open until the body is dropped, and counts its events.
#[must_use]
pub fn stream(open: Open, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let retry = once(ready(Event::default().retry(RETRY_AFTER)));
    let events = retry.chain(events.inspect(move |_| open.sent()));
    let body = Sse::new(events.map(Ok::<_, Infallible>));
    let body = body.keep_alive(KeepAlive::new().interval(QUIET));
    // nginx would otherwise keep events back until its buffer is full.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
    ([(CACHE_CONTROL, "no-store"), unbuffered], body).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures_util::stream::iter;
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::http::server::drain::Drain;
    use crate::http::stream::Streams;
    use crate::telemetry::Metrics;
    use crate::telemetry::text_format::TextFormat;

    #[tokio::test]
    async fn a_stream_begins_with_the_retry_and_counts_its_events_until_its_body_ends() {
        let metrics = Metrics::new();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let open =
            Streams::new(1, tasks, stop, Drain::default(), metrics.clone()).open("stats").unwrap();
        let events = ["1", "2"].map(|id| Event::default().event("stats").id(id).data("{}"));
        let answer = stream(open, iter(events));
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(answer.headers()[name], value);
        }
        let has =
            |line: &str| metrics.render(TextFormat::Prometheus).lines().any(|found| found == line);
        assert!(has(r#"onsale_streams{kind="stats"} 1"#));
        let body = to_bytes(answer.into_body(), 1000).await.unwrap();
        let expected = "retry: 3000\n\nevent: stats\nid: 1\ndata: {}\n\n\
                        event: stats\nid: 2\ndata: {}\n\n";
        assert_eq!(String::from_utf8(body.to_vec()).unwrap(), expected);
        assert!(has(r#"onsale_stream_events_total{kind="stats"} 2"#));
        assert!(has(r#"onsale_streams{kind="stats"} 0"#));
    }
}
