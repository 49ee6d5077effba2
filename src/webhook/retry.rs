//! When a failed message is sent again.

use std::time::Duration;

use aws_lc_rs::rand;

/// Longest pause between two attempts, also if the endpoint asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The pauses between attempts, and when a message is given up.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Pause after the first attempt. It doubles with each further one, up to one hour.
    pub first_pause: Duration,
    /// A message is given up if its next attempt would be later than this after its first one.
    pub give_up_after: Duration,
}

impl RetryPolicy {
    /// Pause after the `attempt`th attempt (1, 2, 3 …), or the endpoint's own `Retry-After` if that
    /// is longer. Jitter of ± 20 % spreads messages that failed together.
    #[must_use]
    pub fn pause(&self, attempt: i32, retry_after: Option<Duration>) -> Duration {
        let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(30);
        let pause = self.first_pause.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        let pause = pause.mul_f64(0.8 + 0.4 * random_share());
        pause.max(retry_after.unwrap_or_default().min(LONGEST_PAUSE))
    }
}

/// A random number from 0 to 1; 0.5 if the system has no random numbers.
fn random_share() -> f64 {
    let mut bytes = [0; 4];
    rand::fill(&mut bytes)
        .map_or(0.5, |()| f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_differ() {
        let first_pause = Duration::from_secs(5);
        let policy = RetryPolicy { first_pause, give_up_after: Duration::from_hours(24) };
        for (attempt, seconds) in [(1, 5.0), (2, 10.0), (5, 80.0), (11, 3600.0), (1000, 3600.0)] {
            let pause = policy.pause(attempt, None).as_secs_f64();
            assert!((0.8 * seconds..=1.2 * seconds).contains(&pause), "{attempt}: {pause}");
        }
        let pauses: Vec<_> = (0..20).map(|_| policy.pause(1, None)).collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }

    #[test]
    fn a_longer_retry_after_of_the_endpoint_is_followed_up_to_an_hour() {
        let first_pause = Duration::from_secs(5);
        let policy = RetryPolicy { first_pause, give_up_after: Duration::from_hours(24) };
        let asked = Duration::from_mins(2);
        assert_eq!(policy.pause(1, Some(asked)), asked);
        assert!(policy.pause(9, Some(asked)) > asked);
        assert_eq!(policy.pause(1, Some(Duration::from_hours(9))), Duration::from_hours(1));
    }
}
