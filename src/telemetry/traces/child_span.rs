//! The spans of calls to the stores, by OpenTelemetry's conventions for database clients. They have
//! names of scripts, functions and transactions, and no keys, arguments or statements.

use std::borrow::Cow;

use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span;

use super::active::active;

/// `error.type` of a call whose caller has gone away.
pub(super) const CANCELLED: &str = "cancelled";

const POSTGRES: &str = "postgresql";
const REDIS: &str = "redis";

/// A span below that of the current request. If the request is not recorded, or there is none, it
/// does nothing.
#[derive(Debug, Default)]
pub struct ChildSpan(Option<Box<Span>>);

impl ChildSpan {
    /// A wait for a connection to PostgreSQL.
    #[must_use]
    pub fn postgres_wait() -> Self {
        Self::wait(POSTGRES)
    }

    /// A wait for a connection to Redis.
    #[must_use]
    pub fn redis_wait() -> Self {
        Self::wait(REDIS)
    }

    fn wait(system: &'static str) -> Self {
        let describe = || ("wait for connection".into(), vec![db_system(system)]);
        Self::begin(SpanKind::Internal, describe)
    }

    /// A wait for the reply to a batch in which this request is one of several.
    #[must_use]
    pub fn batch_wait() -> Self {
        Self::begin(SpanKind::Internal, || ("wait for batch".into(), Vec::new()))
    }

    /// A call of a Lua script; `script` is its path below `lua/`.
    #[must_use]
    pub fn script(script: &'static str) -> Self {
        Self::called(REDIS, "EVALSHA", script)
    }

    /// A call of an SQL function that is a transaction.
    #[must_use]
    pub fn function(function: &'static str) -> Self {
        Self::called(POSTGRES, "EXECUTE", function)
    }

    fn called(system: &'static str, operation: &'static str, procedure: &'static str) -> Self {
        let describe = || {
            let attributes = vec![
                db_system(system),
                KeyValue::new("db.operation.name", operation),
                KeyValue::new("db.stored_procedure.name", procedure),
            ];
            (format!("{operation} {procedure}").into(), attributes)
        };
        Self::begin(SpanKind::Client, describe)
    }

    /// A transaction of several statements.
    #[must_use]
    pub fn transaction(name: &'static str) -> Self {
        let describe = || {
            let operation = KeyValue::new("db.operation.name", "TRANSACTION");
            (format!("TRANSACTION {name}").into(), vec![db_system(POSTGRES), operation])
        };
        Self::begin(SpanKind::Client, describe)
    }

    /// A statement outside of a transaction, at this place in the code.
    #[must_use]
    pub fn statement(place: &std::panic::Location<'static>) -> Self {
        let describe = || {
            let attributes = vec![
                db_system(POSTGRES),
                KeyValue::new("code.file.path", place.file().to_owned()),
                KeyValue::new("code.line.number", i64::from(place.line())),
            ];
            ("statement".into(), attributes)
        };
        Self::begin(SpanKind::Client, describe)
    }

    /// Begins a span if the current request is recorded. Only then `describe` is called, for its
    /// name and attributes.
    fn begin(
        kind: SpanKind,
        describe: impl FnOnce() -> (Cow<'static, str>, Vec<KeyValue>),
    ) -> Self {
        let Some(active) = active() else { return Self::default() };
        Context::map_current(|context| {
            if !is_recorded(context) {
                return Self::default();
            }
            let (name, attributes) = describe();
            let builder = SpanBuilder::from_name(name).with_kind(kind).with_attributes(attributes);
            Self(Some(Box::new(active.tracer.build_with_context(builder, context))))
        })
    }

    /// Adds what the call led to, such as the word that a script replied.
    pub fn set_outcome(&mut self, outcome: &str) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new("onsale.outcome", outcome.to_owned()));
        }
    }

    /// Ends the span; `error` is the kind of the error if the call failed.
    pub fn end(mut self, error: Option<&str>) {
        let Some(mut span) = self.0.take() else { return };
        if let Some(error) = error {
            span.set_attribute(KeyValue::new("error.type", error.to_owned()));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

impl Drop for ChildSpan {
    /// Ends the span of a call whose caller has gone away.
    fn drop(&mut self) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new("error.type", CANCELLED));
            span.end();
        }
    }
}

/// The context of a call that serves several requests at once. It belongs to the trace of the first
/// one that is recorded, and has links to the others.
#[derive(Debug)]
pub struct SharedSpan(Context);

impl SharedSpan {
    /// Begins the span of a call for the requests in these contexts. For one request it is that
    /// request's own context.
    pub fn begin<'c>(requests: impl Iterator<Item = &'c Context>) -> Self {
        let (size, mut recorded) =
            requests.fold((0_i64, Vec::new()), |(size, mut all), context| {
                all.extend(is_recorded(context).then_some(context));
                (size + 1, all)
            });
        let (Some(active), false) = (active(), recorded.is_empty()) else {
            return Self(Context::new());
        };
        let first = recorded.swap_remove(0);
        if size == 1 {
            return Self(first.clone());
        }
        let links = recorded
            .iter()
            .map(|context| Link::with_context(context.span().span_context().clone()));
        let builder = SpanBuilder::from_name("batch")
            .with_attributes([KeyValue::new("onsale.batch.size", size)])
            .with_links(links.collect());
        let span = active.tracer.build_with_context(builder, first);
        Self(Context::new().with_span(span))
    }

    /// The context in which the call runs. The span ends when the last copy is dropped.
    #[must_use]
    pub fn into_context(self) -> Context {
        self.0
    }
}

/// Whether the spans below that of this context are recorded.
pub(super) fn is_recorded(context: &Context) -> bool {
    context.has_active_span() && context.span().span_context().is_sampled()
}

fn db_system(system: &'static str) -> KeyValue {
    KeyValue::new("db.system.name", system)
}
