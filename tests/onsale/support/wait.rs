//! Waiting for conditions, never for a fixed time.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// How long [`until`] waits: enough on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Calls `ask` every 20 ms until it returns a value; fails after 30 s. `what` names the condition.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(LIMIT, what, ask).await
}

/// As [`until`], with another limit.
pub async fn until_within<T>(
    limit: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(started.elapsed() < limit, "waited too long for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sleeps until a time on the clock; returns at once if it has passed.
pub async fn sleep_until(at: DateTime<Utc>) {
    tokio::time::sleep((at - Utc::now()).to_std().unwrap_or_default()).await;
}
