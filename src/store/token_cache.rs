//! Tokens that were verified lately: nobody is asked to prove the same thing again and again.
//!
//! What is remembered of a token is its `SipHash-2-4-128` under a key that this process made up and
//! nobody else knows. Whoever could find another text with the same hash could forge the hash's own
//! tags: `SipHash` is a pseudorandom function (Aumasson and Bernstein, 2012).

use std::hash::{BuildHasher, Hasher, RandomState};

use quick_cache::sync::Cache;
use siphasher::sip128::{Hasher128, SipHasher24};

/// What tokens turned out to say. The caller checks that an entry still counts: that the token has
/// not expired, and that the keys it was verified with are still in force.
#[derive(Debug)]
pub struct Remembered<V> {
    known: Cache<[u64; 2], V>,
    key: (u64, u64),
}

impl<V: Clone> Remembered<V> {
    /// Nothing verified yet; up to `kept` are remembered.
    #[must_use]
    pub fn new(kept: usize) -> Self {
        // Each `RandomState` is seeded from the operating system's randomness, and differs.
        let random = || RandomState::new().build_hasher().finish();
        Self { known: Cache::new(kept), key: (random(), random()) }
    }

    /// What `verify` makes of `token`, or made of it before. A refusal is not remembered.
    pub fn get_or<E>(&self, token: &str, verify: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        self.get_current_or(token, |_| true, verify)
    }

    /// As [`Remembered::get_or`]; an entry that is not `current` is verified again.
    pub fn get_current_or<E>(
        &self,
        token: &str,
        current: impl FnOnce(&V) -> bool,
        verify: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        let hash = self.hash(token);
        if let Some(known) = self.known.get(&hash).filter(current) {
            return Ok(known);
        }
        let verified = verify()?;
        self.known.insert(hash, verified.clone());
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
    fn a_token_is_verified_once_and_a_refused_one_each_time() {
        let (remembered, mut asked) = (Remembered::<u8>::new(10), 0);
        for _ in 0..3 {
            let found = remembered.get_or("a", || {
                asked += 1;
                Ok::<_, ()>(7)
            });
            assert_eq!(found, Ok(7));
        }
        assert_eq!(asked, 1);
        for _ in 0..3 {
            let refused = remembered.get_or("b", || {
                asked += 1;
                Err("no")
            });
            assert_eq!(refused, Err("no"));
        }
        assert_eq!(asked, 4);
        assert_eq!(remembered.get_or("b", || Ok::<_, ()>(8)), Ok(8), "another token");
    }
}
