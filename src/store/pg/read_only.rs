//! Connections to a PostgreSQL server that refuses writes: a standby, a former primary, or a server
//! that an operator made read-only.
//!
//! A statement that is refused does not break its connection, so the pool would keep it, also after
//! the primary is back. Every connection that was opened before the last refusal is closed instead
//! of being used again.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// `read_only_sql_transaction`: a write in a read-only transaction.
pub(super) const SQLSTATE: &str = "25006";

static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// When the last write was refused, in milliseconds after [`BEGUN`]; 0 if none was.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Notes that a write was refused just now.
pub(super) fn note() {
    LAST.fetch_max(millis(BEGUN.elapsed()).max(1), Ordering::Relaxed);
}

/// Whether a write was refused since a connection of this age was opened.
pub(super) fn seen_since(age: Duration) -> bool {
    let last = LAST.load(Ordering::Relaxed);
    last > 0 && millis(BEGUN.elapsed()).saturating_sub(last) <= millis(age)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_from_before_a_refusal_are_not_used_again() {
        assert!(!seen_since(Duration::from_hours(1)), "none was refused");
        note();
        assert!(seen_since(Duration::from_millis(500)));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!seen_since(Duration::from_millis(5)), "opened after the refusal");
    }
}
