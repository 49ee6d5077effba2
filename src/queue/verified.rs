//! Tickets that were verified lately: a poll is not asked to prove the same thing again and again.
//!
//! What is remembered of a token is its `SipHash-2-4-128` under a key that this process made up and
//! nobody else knows. Whoever could find another text with the same hash could forge the hash's own
//! tags: `SipHash` is a pseudorandom function (Aumasson and Bernstein, 2012).

use std::hash::{BuildHasher, Hasher, RandomState};

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;
use siphasher::sip128::{Hasher128, SipHasher24};

use super::model::Ticket;
use super::token::{InvalidTicket, LEEWAY, TicketKeys};

/// About 100 bytes each: 100 MB where a million people poll one process.
const KEPT: usize = 1_000_000;

/// Ticket secrets, and the tickets that were verified under them. Secrets do not change while a
/// process runs, so that what was verified stays so until it expires.
#[derive(Debug)]
pub struct Verified {
    keys: TicketKeys,
    known: Cache<[u64; 2], Ticket>,
    key: (u64, u64),
}

impl Verified {
    /// Nothing verified yet.
    #[must_use]
    pub fn new(keys: TicketKeys) -> Self {
        // Each `RandomState` is seeded from the operating system's randomness, and differs.
        let random = || RandomState::new().build_hasher().finish();
        Self { keys, known: Cache::new(KEPT), key: (random(), random()) }
    }

    /// The secrets, for signing.
    #[must_use]
    pub fn keys(&self) -> &TicketKeys {
        &self.keys
    }

    /// Reads a ticket and checks everything about it, as [`TicketKeys::verify`] does.
    ///
    /// # Errors
    /// [`InvalidTicket`]: forged, expired, or no ticket at all.
    pub fn verify(&self, token: &str) -> Result<Ticket, InvalidTicket> {
        let hash = self.hash(token);
        if let Some(ticket) = self.known.get(&hash) {
            return if expired(&ticket, Utc::now()) { Err(InvalidTicket) } else { Ok(ticket) };
        }
        let ticket = self.keys.verify(token)?;
        self.known.insert(hash, ticket);
        Ok(ticket)
    }

    fn hash(&self, token: &str) -> [u64; 2] {
        let mut hasher = SipHasher24::new_with_keys(self.key.0, self.key.1);
        hasher.write(token.as_bytes());
        let hash = hasher.finish128();
        [hash.h1, hash.h2]
    }
}

/// As `jsonwebtoken` decides it.
fn expired(ticket: &Ticket, now: DateTime<Utc>) -> bool {
    ticket.expires_at.timestamp() < now.timestamp() - LEEWAY.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::model::Sequence;
    use crate::store::id::{ScheduleId, UserId};
    use chrono::TimeDelta;

    fn verified(secret: &str) -> Verified {
        Verified::new(TicketKeys::new(&[secret.to_owned()], "onsale"))
    }

    fn token(tickets: &Verified, in_seconds: i64) -> String {
        let expires = Utc::now() + TimeDelta::seconds(in_seconds);
        let place = Sequence((1 << 40) + 5);
        tickets.keys().sign(ScheduleId(3), UserId(7), (place, place), None, expires).unwrap()
    }

    #[test]
    fn a_ticket_is_the_same_the_second_time_and_a_changed_byte_is_still_refused() {
        let tickets = verified("a secret of thirty-two bytes, new");
        let token = token(&tickets, 60);
        let first = tickets.verify(&token).unwrap();
        assert_eq!(tickets.verify(&token), Ok(first));
        for at in (0..token.len()).filter(|at| token.as_bytes()[*at] != b'.') {
            let mut forged = token.clone().into_bytes();
            // In its last character only the high bits count.
            forged[at] = if forged[at] == b'A' { b'Q' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(tickets.verify(&forged), Err(InvalidTicket), "byte {at}");
        }
        assert_eq!(
            verified("another secret of thirty-two bytes").verify(&token),
            Err(InvalidTicket)
        );
    }

    #[test]
    fn a_ticket_that_was_good_is_refused_once_it_has_expired() {
        let tickets = verified("a secret of thirty-two bytes, new");
        let ticket = tickets.verify(&token(&tickets, 60)).unwrap();
        let at = |seconds| ticket.expires_at + TimeDelta::seconds(seconds);
        assert!(!expired(&ticket, at(30)), "within the leeway");
        assert!(expired(&ticket, at(31)));
        let old = token(&tickets, -29);
        tickets.verify(&old).unwrap();
        let known = Ticket { expires_at: at(-120), ..ticket };
        tickets.known.insert(tickets.hash(&old), known);
        assert_eq!(tickets.verify(&old), Err(InvalidTicket), "known, and expired since");
    }
}
