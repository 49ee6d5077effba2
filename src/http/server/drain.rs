//! The time between a stop signal and the end of the listener. Load balancers see that the process
//! is not ready and send new requests elsewhere; streams close one after the other, so that their
//! clients do not all reconnect at once.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Whether the process drains; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    begun: Arc<OnceLock<(Instant, Duration)>>,
}

impl Drain {
    /// Begins the time before the listener closes. Only the first call counts.
    pub fn begin(&self, delay: Duration) {
        // A second call finds the first one's time.
        let _ = self.begun.set((Instant::now(), delay));
    }

    /// Whether the process drains.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.get().is_some()
    }

    /// Whether the streams with this number, of 256, are due to close.
    #[must_use]
    pub fn closes(&self, number: u8, now: Instant) -> bool {
        self.begun.get().is_some_and(|(begun, delay)| {
            let passed = now.saturating_duration_since(*begun);
            passed.as_nanos() * 256 >= delay.as_nanos() * u128::from(number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_close_one_after_the_other_within_the_delay() {
        let (drain, delay) = (Drain::default(), Duration::from_secs(8));
        let open = |now| (0..=u8::MAX).filter(|number| !drain.closes(*number, now)).count();
        assert_eq!(open(Instant::now() + delay), 256, "it has not begun");
        drain.begin(delay);
        let (begun, _) = *drain.begun.get().unwrap();
        assert_eq!(open(begun), 255);
        assert_eq!(open(begun + delay / 2), 127);
        assert_eq!(open(begun + delay), 0);
    }
}
