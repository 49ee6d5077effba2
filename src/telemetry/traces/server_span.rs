//! The span of a request, by OpenTelemetry's conventions for HTTP servers. It has the route and never
//! the path or a query, which hold ids, codes and tickets.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt, TraceId, Tracer};
use opentelemetry::{Context, KeyValue};

use super::active::{Active, active};
use super::child_span::CANCELLED;
use super::parent::Parent;
use super::sampler::{POLL, REQUEST};

/// What decides whether a request is recorded.
#[derive(Debug, Clone, Copy)]
pub struct RequestStart<F> {
    /// Whether clients repeat this request: polls are sampled by their own share.
    pub is_poll: bool,
    /// The caller's span, if a trusted proxy sent the request.
    pub parent: Option<Parent>,
    /// Reads the header `tracestate`; called only if the request is recorded.
    pub state: F,
    /// Time since the request began.
    pub elapsed: Duration,
}

/// The span of a request. If the request is not recorded, it does nothing.
#[derive(Debug, Default)]
pub struct ServerSpan(Option<Context>);

impl ServerSpan {
    /// Begins the span of a request, if it is recorded.
    pub fn begin(start: RequestStart<impl FnOnce() -> String>) -> Self {
        active().map_or_else(Self::default, |active| Self::recorded(active, start))
    }

    fn recorded(active: &Active, start: RequestStart<impl FnOnce() -> String>) -> Self {
        let RequestStart { is_poll, parent, state, elapsed } = start;
        // The name of the span is written only if it is recorded.
        let name = if is_poll { POLL } else { REQUEST };
        let caller = match parent {
            Some(parent) if active.sampler.samples(name, parent) => {
                Context::new().with_remote_span_context(parent.context(&state()))
            }
            Some(_) => return Self::default(),
            None => Context::new(),
        };
        let begun = SystemTime::now() - elapsed;
        let builder =
            SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_start_time(begun);
        let span = active.tracer.build_with_context(builder, &caller);
        let is_recorded = opentelemetry::trace::Span::is_recording(&span);
        Self(is_recorded.then(|| Context::new().with_span(span)))
    }

    /// Names the span by method and route. `method` is `OTHER` for an unknown one, and `route` is
    /// `None` if there is none.
    pub fn name(&self, method: &'static str, route: Option<&str>, scheme: &'static str) {
        let Some(context) = &self.0 else { return };
        let (verb, method) = if method == "OTHER" { ("HTTP", "_OTHER") } else { (method, method) };
        let name: Cow<'static, str> =
            route.map_or(verb.into(), |route| format!("{verb} {route}").into());
        let span = context.span();
        span.update_name(name);
        span.set_attribute(KeyValue::new("http.request.method", method));
        span.set_attribute(KeyValue::new("url.scheme", scheme));
        if let Some(route) = route {
            span.set_attribute(KeyValue::new("http.route", route.to_owned()));
        }
    }

    /// Adds the version of HTTP.
    pub fn set_version(&self, version: &'static str) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new("network.protocol.version", version));
        }
    }

    /// The context in which the request is served, so that its calls to the stores are children.
    #[must_use]
    pub fn context(&self) -> Context {
        self.0.clone().unwrap_or_default()
    }

    /// The id of the trace; `None` if the request is not recorded.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.0.as_ref().map(|context| context.span().span_context().trace_id())
    }

    /// Ends the span. `code` is the code of the problem that answers the request, and `id` the
    /// request's id.
    pub fn end(mut self, status: u16, code: Option<&'static str>, id: &str) {
        let Some(context) = self.0.take() else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        span.set_attribute(KeyValue::new("onsale.request.id", id.to_owned()));
        if let Some(code) = code {
            span.set_attribute(KeyValue::new("onsale.problem.code", code));
        }
        // By the conventions, a 4xx is the client's error and not the server's.
        if status >= 500 {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
            span.set_status(Status::error(code.unwrap_or_default()));
        }
        span.end();
    }
}

impl Drop for ServerSpan {
    /// Ends the span of a request whose client hung up before it was answered.
    fn drop(&mut self) {
        if let Some(context) = self.0.take() {
            context.span().set_attribute(KeyValue::new("error.type", CANCELLED));
            context.span().end();
        }
    }
}
