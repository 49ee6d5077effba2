//! How often somebody may ask: token buckets by key, and how clients are told of them
//! (draft-ietf-httpapi-ratelimit-headers).

use std::fmt::Debug;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::store::id::UserId;

/// So many requests are counted between two looks for buckets that are full again.
const TIDY_EVERY: u32 = 16 * 1024;

/// The header that tells what there is.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The header that tells what is left of it.
pub const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// What an allowance is called, and how much it is: `most` at once, as many again in `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// As clients see it: letters and hyphens.
    pub name: &'static str,
    /// Requests.
    pub most: NonZeroU32,
    /// Until nothing is missing any more.
    pub window: Duration,
}

/// What is left after a request that was within its allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    policy: Policy,
    left: u32,
}

/// The allowance is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: {} is used up", .policy.name)]
pub struct Exhausted {
    policy: Policy,
    /// Until the next request is within it.
    pub wait: Duration,
}

/// One bucket per key, each full at first.
#[derive(Debug)]
pub struct Allowance<K: Hash + Eq + Clone + Debug> {
    policy: Policy,
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>,
    taken: AtomicU32,
}

impl<K: Hash + Eq + Clone + Debug> Allowance<K> {
    /// Full buckets for everybody.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let each = policy.window / policy.most.get();
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(policy.most));
        let limiter = RateLimiter::keyed(quota.allow_burst(policy.most));
        Self { policy, limiter: limiter.with_middleware(), taken: AtomicU32::new(0) }
    }

    /// Takes one request out of the bucket of `key`.
    ///
    /// # Errors
    /// [`Exhausted`] where it is empty: nothing is taken.
    pub fn take(&self, key: &K) -> Result<Left, Exhausted> {
        if self.taken.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            // Whoever makes up addresses must not fill the memory with their buckets.
            self.limiter.retain_recent();
        }
        let policy = self.policy;
        match self.limiter.check_key(key) {
            Ok(state) => Ok(Left { policy, left: state.remaining_burst_capacity() }),
            Err(until) => {
                Err(Exhausted { policy, wait: until.wait_time_from(DefaultClock::default().now()) })
            }
        }
    }
}

impl Policy {
    fn told(&self) -> String {
        format!("\"{}\";q={};w={}", self.name, self.most, self.window.as_secs())
    }
}

impl Left {
    fn told(&self) -> String {
        let missing = self.policy.most.get().saturating_sub(self.left);
        let full = self.policy.window.as_secs_f64() * f64::from(missing);
        let seconds = (full / f64::from(self.policy.most.get())).ceil();
        format!("\"{}\";r={};t={seconds}", self.policy.name, self.left)
    }
}

impl Exhausted {
    /// Whole seconds to wait, one at least.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.wait.as_secs() + 1
    }

    /// Tells what is used up, and when there is more.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let left = format!("\"{}\";r=0;t={}", self.policy.name, self.seconds());
        insert(headers, (self.policy.told(), left));
    }
}

/// Tells what is left of each.
pub(crate) fn tell(lefts: &[Left], headers: &mut HeaderMap) {
    let all = |told: fn(&Left) -> String| lefts.iter().map(told).collect::<Vec<_>>().join(", ");
    insert(headers, (all(|left| left.policy.told()), all(Left::told)));
}

fn insert(headers: &mut HeaderMap, (policy, left): (String, String)) {
    let values = || -> Result<_, InvalidHeaderValue> {
        Ok((HeaderValue::try_from(policy)?, HeaderValue::try_from(left)?))
    };
    match values() {
        Ok((policy, left)) => {
            headers.insert(POLICY, policy);
            headers.insert(LEFT, left);
        }
        Err(error) => tracing::error!(%error, "an allowance's name is no header"),
    }
}

/// What names a user among the allowances of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerKey {
    /// The user's id.
    User(i64),
    /// A keyed hash of an identity provider's name for the user, while the id is not known.
    Subject(u64),
}

/// The allowance of a request's user, in its extensions. It is taken before the handler runs where
/// the access token alone names the user, and otherwise when the handler asks who calls.
#[derive(Debug, Clone)]
pub struct Callers {
    allowance: Arc<Allowance<CallerKey>>,
    taken: Arc<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    left: OnceLock<Left>,
    /// The handler asked who calls: the answer is this user's alone, and may say what is left.
    asked: AtomicBool,
}

impl Callers {
    /// For one request.
    #[must_use]
    pub fn new(allowance: Arc<Allowance<CallerKey>>) -> Self {
        Self { allowance, taken: Arc::default() }
    }

    /// Takes the request from the user's allowance, once.
    ///
    /// # Errors
    /// [`Exhausted`].
    pub fn take(&self, user: CallerKey) -> Result<(), Exhausted> {
        if self.taken.left.get().is_none() {
            let left = self.allowance.take(&user)?;
            self.taken.left.get_or_init(|| left);
        }
        Ok(())
    }

    /// As [`Callers::take`], for a handler that asks who calls.
    ///
    /// # Errors
    /// [`Exhausted`].
    pub fn ask(&self, user: UserId) -> Result<(), Exhausted> {
        self.take(CallerKey::User(user.0))?;
        self.taken.asked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// What is left, where the handler asked who calls. A public answer does not say it: a cache
    /// would tell it to others.
    #[must_use]
    pub fn left(&self) -> Option<Left> {
        let asked = self.taken.asked.load(Ordering::Relaxed);
        self.taken.left.get().copied().filter(|_| asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &'static str, most: u32, seconds: u64) -> Policy {
        Policy { name, most: NonZeroU32::new(most).unwrap(), window: Duration::from_secs(seconds) }
    }

    #[test]
    fn a_bucket_gives_what_is_in_it_and_each_key_has_its_own() {
        let allowance = Allowance::new(policy("joins", 3, 3_600));
        let left: Vec<_> = (0..3).map(|_| allowance.take(&1).unwrap().left).collect();
        assert_eq!(left, [2, 1, 0]);
        let exhausted = allowance.take(&1).unwrap_err();
        assert!((1_000..=1_200).contains(&exhausted.wait.as_secs()), "{exhausted:?}");
        assert_eq!(allowance.take(&2).unwrap().left, 2);
    }

    #[test]
    fn what_is_left_is_told_as_the_draft_says() {
        let mut headers = HeaderMap::new();
        let (joins, user) = (policy("joins", 600, 60), policy("user", 500, 5));
        tell(&[Left { policy: joins, left: 595 }, Left { policy: user, left: 0 }], &mut headers);
        assert_eq!(headers[POLICY], "\"joins\";q=600;w=60, \"user\";q=500;w=5");
        assert_eq!(headers[LEFT], "\"joins\";r=595;t=1, \"user\";r=0;t=5");
        Exhausted { policy: joins, wait: Duration::from_millis(2_500) }.tell(&mut headers);
        assert_eq!(headers[POLICY], "\"joins\";q=600;w=60");
        assert_eq!(headers[LEFT], "\"joins\";r=0;t=3");
    }

    #[test]
    fn full_buckets_are_forgotten_while_others_are_used() {
        let allowance = Allowance::new(policy("user", 1_000_000, 1));
        for key in 0..3 * TIDY_EVERY {
            allowance.take(&key).unwrap();
        }
        assert!(allowance.limiter.len() < 3 * TIDY_EVERY as usize);
    }
}
