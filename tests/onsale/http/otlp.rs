//! A small receiver of OTLP over HTTP, which keeps the spans that it gets, and programs that send to it.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span as Sent;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use reqwest::Method;

use crate::support::client::{Answer, Client};
use crate::support::program::Program;
use crate::support::wait::until;
use crate::support::world::World;

pub const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub const SPAN: &str = "b7ad6b7169203331";
/// Settings that every program of these tests has: it trusts this machine as a proxy, and sends
/// spans at once.
pub const COMMON: [(&str, &str); 2] =
    [("ONSALE_TRUSTED_PROXIES", "127.0.0.1"), ("OTEL_BSP_SCHEDULE_DELAY", "50")];

/// A span that was received.
#[derive(Debug, Clone)]
pub struct Span {
    pub trace: String,
    pub id: String,
    /// Empty if it has no parent.
    pub parent: String,
    pub name: String,
    pub kind: SpanKind,
    pub attributes: BTreeMap<String, String>,
    /// Whether its status is an error.
    pub is_error: bool,
    pub state: String,
    /// Start and end, in nanoseconds.
    pub time: (u64, u64),
    /// Ids of the spans to which it has links.
    pub links: Vec<String>,
    /// Attributes of the process.
    pub resource: BTreeMap<String, String>,
}

/// A request of an exporter.
#[derive(Debug, Clone)]
pub struct Export {
    pub path: String,
    pub headers: HeaderMap,
    pub spans: Vec<Span>,
}

/// The receiver.
pub struct Receiver {
    addr: SocketAddr,
    exports: Exports,
}

type Exports = Arc<Mutex<Vec<Export>>>;

impl Receiver {
    pub async fn start() -> Self {
        let exports = Exports::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let router = Router::new().fallback(take).with_state(Arc::clone(&exports));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { addr, exports }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// All requests so far.
    pub fn exports(&self) -> Vec<Export> {
        self.exports.lock().unwrap().clone()
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<Span> {
        self.exports().into_iter().flat_map(|export| export.spans).collect()
    }

    /// Waits for the span of the request with this id; returns it and all spans below it, in the
    /// order in which they began. A span ends before the one that it belongs to.
    pub async fn of_request(&self, id: &str) -> (Span, Vec<Span>) {
        until(&format!("the span of request {id}"), async || {
            let mut spans = self.spans();
            let server = spans.iter().find(|span| span.has("onsale.request.id", id))?.clone();
            spans.retain(|span| span.trace == server.trace && span.id != server.id);
            spans.sort_by_key(|span| span.time);
            Some((server, spans))
        })
        .await
    }
}

impl Span {
    /// A line with the name, the start after `from`, the duration, and the outcome.
    pub fn line(&self, from: u64, indent: &str) -> String {
        let millis = |nanos: u64| std::time::Duration::from_nanos(nanos).as_secs_f64() * 1e3;
        let (start, took) = (millis(self.time.0 - from), millis(self.time.1 - self.time.0));
        let outcome = ["http.response.status_code", "onsale.outcome"];
        let outcome = outcome.iter().find_map(|name| self.attributes.get(*name));
        let name = format!("{indent}{}", self.name);
        let line = format!("{name:<40} at {start:4.1} ms, took {took:4.1} ms");
        outcome.map_or(line.clone(), |outcome| format!("{line}  {outcome}"))
    }

    /// Whether an attribute has this value.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.attributes.get(name).is_some_and(|found| found == value)
    }
}

async fn take(
    State(exports): State<Exports>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Bytes, StatusCode> {
    let body = if headers.get("content-encoding").is_some_and(|it| it == "gzip") {
        let mut plain = Vec::new();
        let read = GzDecoder::new(&body[..]).read_to_end(&mut plain);
        read.map_err(|_| StatusCode::BAD_REQUEST)?;
        plain.into()
    } else {
        body
    };
    let request = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut spans = Vec::new();
    for of_process in request.resource_spans {
        let resource = texts(of_process.resource.unwrap_or_default().attributes);
        let sent = of_process.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(sent.map(|span| read(span, resource.clone())));
    }
    exports.lock().unwrap().push(Export { path: uri.path().to_owned(), headers, spans });
    Ok(Bytes::new())
}

fn read(span: Sent, resource: BTreeMap<String, String>) -> Span {
    Span {
        trace: hex::encode(&span.trace_id),
        id: hex::encode(&span.span_id),
        parent: hex::encode(&span.parent_span_id),
        kind: span.kind(),
        is_error: span.status.as_ref().is_some_and(|status| status.code == 2),
        time: (span.start_time_unix_nano, span.end_time_unix_nano),
        links: span.links.iter().map(|link| hex::encode(&link.span_id)).collect(),
        name: span.name,
        state: span.trace_state,
        attributes: texts(span.attributes),
        resource,
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|it| (it.key, text(it.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// A header `traceparent`.
pub fn parent(sampled: bool) -> String {
    format!("00-{TRACE}-{SPAN}-0{}", u8::from(sampled))
}

/// A program that sends its spans to `receiver`.
pub async fn start(world: &World, receiver: &Receiver, more: &[(&str, &str)]) -> Program {
    let endpoint = receiver.endpoint();
    let given = [("ONSALE_OTLP_ENDPOINT", endpoint.as_str())];
    let all: Vec<_> = COMMON.iter().chain(&given).chain(more).copied().collect();
    Program::start(world, &all).await
}

/// Sends a request with headers of a proxy.
pub async fn ask(client: &Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request =
        headers.iter().fold(client.request(Method::GET, path), |request, (name, value)| {
            request.header(*name, *value)
        });
    client.send(request).await
}

/// The id of an answered request.
pub fn id(answer: &Answer) -> String {
    answer.header("x-request-id").to_owned()
}

pub fn names(spans: &[Span]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}
