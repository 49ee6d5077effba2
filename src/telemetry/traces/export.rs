//! The queue of finished spans. A thread of its own sends them in batches, so no request waits for
//! the collector. A span that finds the queue full is dropped and counted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Variable of the SDK with the length of the queue, and its default.
const QUEUE_VARIABLE: (&str, usize) = ("OTEL_BSP_MAX_QUEUE_SIZE", 2048);
/// Longest queue, in spans. The SDK takes the memory for it at the start, half a kilobyte per span.
const LONGEST_QUEUE: usize = 100_000;

/// Variable of the SDK with the pause between two batches, in milliseconds.
const DELAY_VARIABLE: &str = "OTEL_BSP_SCHEDULE_DELAY";
/// Shortest pause: without one, the thread of the SDK would never rest.
const SHORTEST_DELAY: Duration = Duration::from_millis(10);

/// Finished spans of this process.
static SPANS: LazyLock<Family<Outcome, Counter>> = LazyLock::new(Family::default);

/// What became of a span: `exported`, `dropped` because the queue was full, or `failed` to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

fn spans(outcome: &'static str) -> Counter {
    SPANS.get_or_create_owned(&Outcome { outcome })
}

/// Registers the metric of finished spans, at zero.
pub(crate) fn register(to: &mut Registry) {
    for outcome in ["exported", "dropped", "failed"] {
        spans(outcome);
    }
    let help = "Spans of traces: exported, dropped because the queue was full, failed to be sent";
    to.register("trace_spans", help, SPANS.clone());
}

/// The queue in front of `exporter`.
pub(super) fn bounded<E: SpanExporter + 'static>(exporter: E) -> BoundedQueue {
    let variable = |name| std::env::var(name).ok();
    let limit = queue_length(variable(QUEUE_VARIABLE.0).as_deref());
    let waiting = Arc::new(AtomicUsize::new(0));
    let exporter = CountingExporter { exporter, waiting: Arc::clone(&waiting) };
    // It has room for every span that may wait, so the processor itself drops none.
    let config = BatchConfigBuilder::default().with_max_queue_size(limit);
    let config = match variable(DELAY_VARIABLE).and_then(|text| text.trim().parse().ok()) {
        Some(ms) if Duration::from_millis(ms) < SHORTEST_DELAY => {
            config.with_scheduled_delay(SHORTEST_DELAY)
        }
        _ => config,
    };
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config.build()).build();
    BoundedQueue { processor, waiting, limit }
}

/// Length of the queue for this value of its variable: the default if there is none, or it is not valid.
fn queue_length(variable: Option<&str>) -> usize {
    let (name, default) = QUEUE_VARIABLE;
    let wanted = variable.and_then(|text| text.trim().parse().ok());
    let wanted = wanted.filter(|wanted| *wanted > 0).unwrap_or(default);
    if wanted > LONGEST_QUEUE {
        tracing::warn!(wanted, length = LONGEST_QUEUE, "{name} is too large");
    }
    wanted.min(LONGEST_QUEUE)
}

/// The processor of the SDK, behind a limit that counts what it drops.
#[derive(Debug)]
pub(super) struct BoundedQueue {
    processor: BatchSpanProcessor,
    /// Spans that were queued, and that the exporter has not taken.
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

impl SpanProcessor for BoundedQueue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::AcqRel) < self.limit {
            self.processor.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            spans("dropped").inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}

/// Counts what becomes of each batch.
#[derive(Debug)]
struct CountingExporter<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
}

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let size = batch.len();
        self.waiting.fetch_sub(size, Ordering::AcqRel);
        let result = self.exporter.export(batch).await;
        spans(if result.is_ok() { "exported" } else { "failed" }).inc_by(size as u64);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// An exporter that waits in each export until the test lets it go on.
    #[derive(Debug)]
    struct Slow {
        begun: Sender<usize>,
        goes_on: Mutex<Receiver<()>>,
    }

    impl SpanExporter for Slow {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.begun.send(batch.len()).expect("the test");
            let _ = self.goes_on.lock().expect("one export at a time").recv();
            Ok(())
        }
    }

    #[test]
    fn a_queue_has_the_length_of_the_variable_within_its_limit() {
        assert_eq!(queue_length(None), 2048);
        for (text, length) in [
            ("10", 10),
            ("0", 2048),
            ("-1", 2048),
            ("many", 2048),
            ("99999999999", LONGEST_QUEUE),
            ("18446744073709551615", LONGEST_QUEUE),
        ] {
            assert_eq!(queue_length(Some(text)), length, "{text}");
        }
    }

    #[test]
    fn a_slow_collector_lets_spans_be_dropped_and_counted_and_no_caller_wait() {
        let ((begun, exports), (go_on, goes_on)) = (channel(), channel());
        let queue = bounded(Slow { begun, goes_on: Mutex::new(goes_on) });
        let limit = queue.limit;
        let provider = SdkTracerProvider::builder().with_span_processor(queue).build();
        let tracer = provider.tracer("test");
        let finish = |spans: usize| (0..spans).for_each(|_| tracer.start("span").end());
        // A full batch is exported at once, and the export stands still.
        finish(512);
        assert_eq!(exports.recv(), Ok(512));
        let (dropped, exported) = (spans("dropped").get(), spans("exported").get());
        finish(limit + 10);
        assert_eq!(spans("dropped").get() - dropped, 10);
        drop(go_on);
        provider.shutdown().expect("it ends");
        assert_eq!(exports.iter().sum::<usize>(), limit);
        assert_eq!(spans("exported").get() - exported, (512 + limit) as u64);
    }
}
