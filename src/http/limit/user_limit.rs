//! The rate limit per user, as one request sees it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::rate_limit::{CallerKey, RateLimitExceeded, RateLimiter, Remaining};
use crate::store::id::UserId;

/// The rate limit of a request's user, in the request's extensions. The request is counted before
/// the handler runs if the access token alone names the user, otherwise when the handler identifies
/// its caller.
#[derive(Debug, Clone)]
pub struct UserLimit {
    limiter: Arc<RateLimiter<CallerKey>>,
    request: Arc<CountedRequest>,
}

#[derive(Debug, Default)]
struct CountedRequest {
    remaining: OnceLock<Remaining>,
    /// The handler identified its caller, so the answer is private and may show what remains.
    identified: AtomicBool,
}

impl UserLimit {
    /// The rate limit for one request, which is not yet counted.
    #[must_use]
    pub fn new(limiter: Arc<RateLimiter<CallerKey>>) -> Self {
        Self { limiter, request: Arc::default() }
    }

    /// Counts the request for `user`; only the first call counts.
    ///
    /// # Errors
    /// [`RateLimitExceeded`] if the user has used up the quota.
    pub fn count(&self, user: CallerKey) -> Result<(), RateLimitExceeded> {
        if self.request.remaining.get().is_none() {
            let remaining = self.limiter.take(&user)?;
            self.request.remaining.get_or_init(|| remaining);
        }
        Ok(())
    }

    /// Like [`UserLimit::count`], for a handler that identifies its caller.
    ///
    /// # Errors
    /// [`RateLimitExceeded`] if the user has used up the quota.
    pub fn count_identified(&self, user: UserId) -> Result<(), RateLimitExceeded> {
        self.count(CallerKey::User(user.0))?;
        self.request.identified.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// What remains of the quota, if the handler identified its caller. A public answer does not
    /// show it, because a cache would give it to other clients.
    #[must_use]
    pub fn remaining(&self) -> Option<Remaining> {
        let identified = self.request.identified.load(Ordering::Relaxed);
        self.request.remaining.get().copied().filter(|_| identified)
    }
}
