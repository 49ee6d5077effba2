//! The span of a request in traces: where its parent comes from, and what it is named.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, Request, Version};

use crate::http::limit::address_limits::AddressLimits;
use crate::http::limit::client_address::Peer;
use crate::telemetry::traces::{self, Parent, RequestStart, ServerSpan};

/// Routes whose `GET` clients repeat all the time: polls, boards, seat maps, and the checks of
/// operators. `ONSALE_TRACE_POLL_RATIO` samples them.
pub const POLLED: [&str; 7] = [
    "/v1/queue/ticket",
    "/v1/schedules/{id}/queue",
    "/v1/schedules/{id}/seats",
    "/v1/schedules/{id}/seats/status",
    "/livez",
    "/readyz",
    "/metrics",
];

/// The parts of a request that its span needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct TracedRequest<'r> {
    /// The peer of the connection; `None` if it is not known.
    pub(super) peer: Option<Peer>,
    /// The method.
    pub(super) method: &'r Method,
    /// The version of HTTP.
    pub(super) version: Version,
    /// The pattern that the path matched.
    pub(super) route: Option<&'r str>,
    /// The headers.
    pub(super) headers: &'r HeaderMap,
}

impl<'r> TracedRequest<'r> {
    /// The parts of `request`.
    pub(super) fn of<B>(
        peer: Option<Peer>,
        request: &'r Request<B>,
        route: Option<&'r str>,
    ) -> Self {
        let (method, version) = (request.method(), request.version());
        Self { peer, method, version, route, headers: request.headers() }
    }

    /// Begins the span of a request that began `elapsed` ago. Only a trusted proxy names its parent:
    /// any other caller could make every request of theirs be recorded, or join traces of others.
    pub(super) fn begin(self, addresses: &AddressLimits, elapsed: Duration) -> ServerSpan {
        if !traces::is_on() {
            return ServerSpan::default();
        }
        let Self { peer, method, version, route, headers } = self;
        let lines = |name| headers.get_all(name).iter();
        let is_trusted = peer.is_some_and(|peer| addresses.trusts(peer));
        let parent = || Parent::read(lines("traceparent").map(HeaderValue::as_bytes));
        let state = || {
            let values = lines("tracestate").filter_map(|value| value.to_str().ok());
            values.collect::<Vec<_>>().join(",")
        };
        let span = ServerSpan::begin(RequestStart {
            is_poll: *method == Method::GET && route.is_some_and(|it| POLLED.contains(&it)),
            parent: is_trusted.then(parent).flatten(),
            state,
            elapsed,
        });
        let is_https =
            is_trusted && headers.get("x-forwarded-proto").is_some_and(|it| it == "https");
        span.name(method_label(method), route, if is_https { "https" } else { "http" });
        span.set_version(if version == Version::HTTP_10 { "1.0" } else { "1.1" });
        span
    }
}

/// The method as a label of metrics and traces. Unknown methods share the label `OTHER`, so that
/// clients cannot create labels.
pub(super) fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}
