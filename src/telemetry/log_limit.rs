//! Limits repeated warnings: a store that is down must not fill the log with one line per request.
//!
//! Of each callsite, the first [`LINES`] warnings of a [`WINDOW`] are written. The rest are
//! counted, and a summary says how many were left out.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// Warnings and errors per callsite and window that are written.
const LINES: u64 = 20;
/// Length of a window, and the pause between two summaries.
pub(super) const WINDOW: Duration = Duration::from_secs(10);

static CALLSITES: LazyLock<Mutex<Callsites>> = LazyLock::new(Mutex::default);

type Callsites = HashMap<Identifier, Callsite>;

/// A callsite: a statement in the code that logs.
struct Callsite {
    metadata: &'static Metadata<'static>,
    begun: Instant,
    lines: u64,
    left_out: u64,
}

impl Callsite {
    /// Counts a line; returns whether it is written.
    fn take(&mut self, now: Instant) -> bool {
        if now.duration_since(self.begun) >= WINDOW {
            (self.begun, self.lines) = (now, 0);
        }
        self.lines += 1;
        let is_written = self.lines <= LINES;
        self.left_out += u64::from(!is_written);
        is_written
    }
}

/// The filter of the log's lines.
#[derive(Debug)]
pub(super) struct LogLimit;

impl<S> Filter<S> for LogLimit {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN {
            return true;
        }
        let now = Instant::now();
        let mut callsites = CALLSITES.lock().unwrap_or_else(PoisonError::into_inner);
        let callsite = callsites.entry(metadata.callsite()).or_insert_with(|| Callsite {
            metadata,
            begun: now,
            lines: 0,
            left_out: 0,
        });
        callsite.take(now)
    }
}

/// Logs how many lines of each callsite were left out since the last summary.
pub(super) fn summarize() {
    // Taken out first: the summaries take the lock too.
    let left_out: Vec<_> = {
        let mut callsites = CALLSITES.lock().unwrap_or_else(PoisonError::into_inner);
        let taken =
            callsites.values_mut().map(|it| (it.metadata, std::mem::take(&mut it.left_out)));
        taken.filter(|(_, count)| *count > 0).collect()
    };
    for (metadata, count) in left_out {
        let (target, line) = (metadata.target(), metadata.line().unwrap_or(0));
        tracing::warn!(target, line, count, "left out repeated log lines");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_a_limited_number_of_lines_and_the_rest_is_counted() {
        use tracing::Callsite as _;
        static CALLSITE: tracing::callsite::DefaultCallsite = {
            static METADATA: Metadata<'static> = tracing::metadata! {
                name: "a callsite", target: "tests", level: Level::WARN,
                fields: &[], callsite: &CALLSITE, kind: tracing::metadata::Kind::EVENT
            };
            tracing::callsite::DefaultCallsite::new(&METADATA)
        };
        let now = Instant::now();
        let metadata = CALLSITE.metadata();
        let mut callsite = Callsite { metadata, begun: now, lines: 0, left_out: 0 };
        let written = (0..LINES + 5).filter(|_| callsite.take(now)).count();
        assert_eq!((written as u64, callsite.left_out), (LINES, 5));
        assert!(callsite.take(now + WINDOW), "the next window");
        assert_eq!(callsite.left_out, 5);
    }
}
