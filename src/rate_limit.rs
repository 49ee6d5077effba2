//! Rate limits: a token bucket per key (generic cell rate algorithm, by `governor`).

use std::fmt::Debug;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter as Governor};

/// After this many requests, buckets that are full again are removed.
const CLEAN_EVERY: u32 = 16 * 1024;

/// How many requests one key may make: `quota` at once, and `quota` more in each `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitPolicy {
    /// The name that clients see in the `RateLimit` headers: letters and hyphens.
    pub name: &'static str,
    /// Maximum number of requests at once.
    pub quota: NonZeroU32,
    /// Time in which an empty bucket becomes full.
    pub window: Duration,
}

/// What is left in a bucket after an accepted request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// The policy of the bucket.
    pub policy: RateLimitPolicy,
    /// Requests that the key may make at once.
    pub requests: u32,
}

/// A request over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: the limit {} is exceeded", .policy.name)]
pub struct RateLimitExceeded {
    /// The policy that is exceeded.
    pub policy: RateLimitPolicy,
    /// Time until the next request is accepted.
    pub wait: Duration,
}

/// Limits requests per key. Every bucket is full at first.
#[derive(Debug)]
pub struct RateLimiter<K: Hash + Eq + Clone + Debug> {
    policy: RateLimitPolicy,
    buckets: Governor<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone + Debug> RateLimiter<K> {
    /// Creates a limiter with a full bucket for every key.
    #[must_use]
    pub fn new(policy: RateLimitPolicy) -> Self {
        let interval = policy.window / policy.quota.get();
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(policy.quota));
        let buckets = Governor::keyed(quota.allow_burst(policy.quota)).with_middleware();
        Self { policy, buckets, checks: AtomicU32::new(0) }
    }

    /// Takes one request from the bucket of `key`.
    ///
    /// # Errors
    /// [`RateLimitExceeded`] if the bucket is empty. Then nothing is taken.
    pub fn take(&self, key: &K) -> Result<Remaining, RateLimitExceeded> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CLEAN_EVERY == CLEAN_EVERY - 1 {
            // A client that invents addresses must not fill the memory with their buckets.
            self.buckets.retain_recent();
        }
        let policy = self.policy;
        match self.buckets.check_key(key) {
            Ok(state) => Ok(Remaining { policy, requests: state.remaining_burst_capacity() }),
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                Err(RateLimitExceeded { policy, wait })
            }
        }
    }
}

impl Remaining {
    /// Whole seconds until the bucket is full again.
    #[must_use]
    pub fn seconds_until_full(&self) -> u64 {
        let quota = self.policy.quota.get();
        let missing = quota.saturating_sub(self.requests);
        let window_ms = self.policy.window.as_millis();
        let ms = (window_ms * u128::from(missing)).div_ceil(u128::from(quota));
        u64::try_from(ms.div_ceil(1000)).unwrap_or(u64::MAX)
    }
}

impl RateLimitExceeded {
    /// Whole seconds to wait, at least 1.
    #[must_use]
    pub fn wait_seconds(&self) -> u64 {
        self.wait.as_secs() + 1
    }
}

/// The key of the rate limit per user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerKey {
    /// The user's id.
    User(i64),
    /// A keyed hash of an identity provider's subject, while the user's id is unknown.
    Subject(u64),
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn policy(name: &'static str, quota: u32, seconds: u64) -> RateLimitPolicy {
        let window = Duration::from_secs(seconds);
        RateLimitPolicy { name, quota: NonZeroU32::new(quota).unwrap(), window }
    }

    #[test]
    fn each_key_has_its_own_bucket_and_an_empty_one_refuses() {
        let limiter = RateLimiter::new(policy("joins", 3, 3_600));
        let left: Vec<_> = (0..3).map(|_| limiter.take(&1).unwrap().requests).collect();
        assert_eq!(left, [2, 1, 0]);
        let exceeded = limiter.take(&1).unwrap_err();
        assert!((1_000..=1_200).contains(&exceeded.wait.as_secs()), "{exceeded:?}");
        assert_eq!(limiter.take(&2).unwrap().requests, 2);
    }

    #[test]
    fn seconds_are_rounded_up() {
        let remaining = |policy, requests| Remaining { policy, requests }.seconds_until_full();
        assert_eq!(remaining(policy("joins", 600, 60), 595), 1);
        assert_eq!(remaining(policy("user", 500, 5), 0), 5);
        assert_eq!(remaining(policy("user", 500, 5), 500), 0);
        let wait = Duration::from_millis(2_500);
        assert_eq!(RateLimitExceeded { policy: policy("user", 1, 5), wait }.wait_seconds(), 3);
    }

    #[test]
    fn full_buckets_are_removed_while_others_are_used() {
        let limiter = RateLimiter::new(policy("user", 1_000_000, 1));
        for key in 0..3 * CLEAN_EVERY {
            limiter.take(&key).unwrap();
        }
        assert!(limiter.buckets.len() < 3 * CLEAN_EVERY as usize);
    }
}
