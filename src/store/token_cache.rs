//! A cache of verified tokens, which saves repeated signature checks.
//!
//! The cache stores no token, only its `SipHash-2-4-128` under a random key of this process.
//! `SipHash` is a pseudorandom function (Aumasson and Bernstein, 2012): an attacker who does not
//! know the key cannot find another text with the same hash.

use std::hash::{BuildHasher, Hasher, RandomState};

use quick_cache::sync::Cache;
use siphasher::sip128::{Hasher128, SipHasher24};

/// Maps a token to its verified content. The caller checks that an entry is still valid: that the
/// token has not expired, and that the keys that verified it are still in use.
#[derive(Debug)]
pub struct TokenCache<V> {
    entries: Cache<[u64; 2], V>,
    key: (u64, u64),
}

impl<V: Clone> TokenCache<V> {
    /// Creates an empty cache for up to `capacity` tokens.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        // Each `RandomState` has a new seed from the operating system.
        let random = || RandomState::new().build_hasher().finish();
        Self { entries: Cache::new(capacity), key: (random(), random()) }
    }

    /// The cached result for `token`, or the result of `verify`. Errors are not cached.
    pub fn get_or<E>(&self, token: &str, verify: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        self.get_current_or(token, |_| true, verify)
    }

    /// Like [`TokenCache::get_or`]; a token whose entry is not `current` is verified again.
    pub fn get_current_or<E>(
        &self,
        token: &str,
        current: impl FnOnce(&V) -> bool,
        verify: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        let hash = self.hash(token);
        if let Some(cached) = self.entries.get(&hash).filter(current) {
            return Ok(cached);
        }
        let verified = verify()?;
        self.entries.insert(hash, verified.clone());
        Ok(verified)
    }

    fn hash(&self, token: &str) -> [u64; 2] {
        let mut hasher = SipHasher24::new_with_keys(self.key.0, self.key.1);
        hasher.write(token.as_bytes());
        let hash = hasher.finish128();
        [hash.h1, hash.h2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_token_is_verified_once_and_a_refused_one_each_time() {
        let (cache, mut calls) = (TokenCache::<u8>::new(10), 0);
        for _ in 0..3 {
            let found = cache.get_or("a", || {
                calls += 1;
                Ok::<_, ()>(7)
            });
            assert_eq!(found, Ok(7));
        }
        assert_eq!(calls, 1);
        for _ in 0..3 {
            let refused = cache.get_or("b", || {
                calls += 1;
                Err("no")
            });
            assert_eq!(refused, Err("no"));
        }
        assert_eq!(calls, 4);
        assert_eq!(cache.get_or("b", || Ok::<_, ()>(8)), Ok(8), "another token");
    }
}
