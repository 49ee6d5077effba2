//! Waiting for conditions, never for a fixed time.

use std::time::{Duration, Instant};

/// Long enough for anything that is going to happen on a busy machine.
const LONGEST: Duration = Duration::from_secs(30);

/// Asks again and again until the answer is something.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(LONGEST, what, ask).await
}

/// As [`until`], with a limit of one's own.
pub async fn until_within<T>(
    limit: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begun.elapsed() < limit, "waited too long for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
