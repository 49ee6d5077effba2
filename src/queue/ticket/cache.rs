//! Caches verified tickets, so that a poll does not verify the same signature again.

use chrono::{DateTime, Utc};

use super::jwt::{InvalidTicket, TicketKeys};
use crate::caller::CLOCK_LEEWAY_SECONDS;
use crate::queue::model::Ticket;
use crate::store::token_cache::TokenCache;

/// Maximum number of cached tickets. About 100 bytes each: 100 MB if a million clients poll one
/// process.
const CACHED: usize = 1_000_000;

/// The ticket secrets, and the tickets that were verified with them. Secrets do not change while a
/// process runs, so a verified ticket stays valid until it expires, or a restore ends it.
#[derive(Debug)]
pub struct TicketCache {
    keys: TicketKeys,
    /// With the token generation of each.
    verified_tickets: TokenCache<(Ticket, u64)>,
}

impl TicketCache {
    /// Starts empty.
    #[must_use]
    pub fn new(keys: TicketKeys) -> Self {
        Self { keys, verified_tickets: TokenCache::new(CACHED) }
    }

    /// The secrets, for signing.
    #[must_use]
    pub fn keys(&self) -> &TicketKeys {
        &self.keys
    }

    /// Verifies a ticket, as [`TicketKeys::verify`] does.
    ///
    /// # Errors
    /// [`InvalidTicket`] if it is forged, expired, from before a restore, or not a ticket.
    pub fn verify(&self, token: &str) -> Result<Ticket, InvalidTicket> {
        let (ticket, generation) = self.verified_tickets.get_or(token, || self.keys.read(token))?;
        self.keys.check_generation(generation, &ticket)?;
        if expired(&ticket, Utc::now()) { Err(InvalidTicket::Expired) } else { Ok(ticket) }
    }
}

/// Whether a ticket has expired, by the rule of `jsonwebtoken`.
fn expired(ticket: &Ticket, now: DateTime<Utc>) -> bool {
    ticket.expires_at.timestamp() < now.timestamp() - CLOCK_LEEWAY_SECONDS.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::model::{QueueEntry, Sequence};
    use crate::store::id::{ScheduleId, UserId};
    use chrono::TimeDelta;

    fn verified(secret: &str) -> TicketCache {
        TicketCache::new(TicketKeys::new(&[secret.to_owned()], "onsale"))
    }

    fn token(tickets: &TicketCache, in_seconds: i64) -> String {
        let expires = Utc::now() + TimeDelta::seconds(in_seconds);
        let sequence = Sequence((1 << 40) + 5);
        let entry = QueueEntry::waiting(sequence, sequence);
        tickets.keys().sign(ScheduleId(3), UserId(7), entry, expires).unwrap()
    }

    #[test]
    fn a_cached_ticket_is_the_same_and_a_changed_byte_is_refused() {
        let tickets = verified("a secret of thirty-two bytes, new");
        let token = token(&tickets, 60);
        let first = tickets.verify(&token).unwrap();
        assert_eq!(tickets.verify(&token), Ok(first));
        for at in (0..token.len()).filter(|at| token.as_bytes()[*at] != b'.') {
            let mut forged = token.clone().into_bytes();
            // In the last character only the high bits count.
            forged[at] = if forged[at] == b'A' { b'Q' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(tickets.verify(&forged), Err(InvalidTicket::Refused), "byte {at}");
        }
        assert_eq!(
            verified("another secret of thirty-two bytes").verify(&token),
            Err(InvalidTicket::Refused)
        );
    }

    #[test]
    fn a_cached_ticket_is_refused_once_it_has_expired() {
        let tickets = verified("a secret of thirty-two bytes, new");
        let ticket = tickets.verify(&token(&tickets, 60)).unwrap();
        let at = |seconds| ticket.expires_at + TimeDelta::seconds(seconds);
        assert!(!expired(&ticket, at(30)), "within the leeway");
        assert!(expired(&ticket, at(31)));
        let old = token(&tickets, -29);
        tickets.verify(&old).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2100));
        assert_eq!(tickets.verify(&old), Err(InvalidTicket::Expired), "cached, and expired since");
    }
}
