//! Warns the operator, once for each kind, about traffic in which many clients may count as one;
//! counts every occurrence.
//!
//! All clients of a proxy that the settings do not name count as one address, whose rate limits then
//! refuse buyers in a rush.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;

use super::client_address::{ClientAddress, Peer, Proxies};
use crate::telemetry::Metrics;

/// Joins are compared within this time.
const WINDOW: Duration = Duration::from_mins(1);
/// Minimum number of joins in a window: one address makes most of a few joins often.
const JOINS: u32 = 100;

/// Watches requests for both kinds of traffic.
#[derive(Debug)]
pub(super) struct TrafficWarnings {
    metrics: Metrics,
    warned_of_forwarding: AtomicBool,
    warned_of_address: AtomicBool,
    joins: Mutex<JoinWindow>,
}

/// The joins of the present window, and the address that may have made most of them.
///
/// Finds it in constant space, by the majority vote of Boyer and Moore (1981): another address's join
/// takes one vote away. An address has at most as many votes as it has made joins. One that made three
/// quarters of the joins has votes for half of them.
#[derive(Debug)]
struct JoinWindow {
    begun: Instant,
    joins: u32,
    candidate: Option<ClientAddress>,
    votes: u32,
    was_counted: bool,
}

impl JoinWindow {
    fn new(begun: Instant) -> Self {
        Self { begun, joins: 0, candidate: None, votes: 0, was_counted: false }
    }

    /// Adds a join. Returns the number of joins in the window when it is first certain that
    /// `address` made at least half of them.
    fn add(&mut self, address: ClientAddress, now: Instant) -> Option<u32> {
        if now.duration_since(self.begun) >= WINDOW {
            *self = Self::new(now);
        }
        self.joins += 1;
        if self.candidate == Some(address) {
            self.votes += 1;
        } else if self.votes == 0 {
            (self.candidate, self.votes) = (Some(address), 1);
        } else {
            self.votes -= 1;
            return None;
        }
        let is_most = self.joins >= JOINS && self.votes >= self.joins.div_ceil(2);
        let is_first = is_most && !self.was_counted;
        self.was_counted |= is_most;
        is_first.then_some(self.joins)
    }
}

impl TrafficWarnings {
    pub(super) fn new(metrics: Metrics) -> Self {
        let joins = Mutex::new(JoinWindow::new(Instant::now()));
        let (warned_of_forwarding, warned_of_address) = Default::default();
        Self { metrics, warned_of_forwarding, warned_of_address, joins }
    }

    /// Notes a request whose forwarding header is not trusted.
    pub(super) fn note_forwarding(&self, proxies: &Proxies, peer: Peer, headers: &HeaderMap) {
        let Some(header) = proxies.untrusted_header(peer.0, headers) else {
            return;
        };
        self.metrics.untrusted_forwarding();
        if !self.warned_of_forwarding.swap(true, Ordering::Relaxed) {
            let peer = peer.0;
            tracing::warn!(
                %peer, header,
                "a peer that ONSALE_TRUSTED_PROXIES does not name sends a forwarding header: if it \
                 is a proxy, all its clients count as one; further ones are only counted"
            );
        }
    }

    /// Notes a join, accepted or refused.
    pub(super) fn note_join(&self, address: ClientAddress) {
        let mut window = self.joins.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(joins) = window.add(address, Instant::now()) else {
            return;
        };
        drop(window);
        self.metrics.one_address_minute();
        if !self.warned_of_address.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %address, joins,
                "one address makes most of the joins: a proxy that does not name its clients, or an \
                 attack; further minutes are only counted"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::config::limits::ForwardedHeader;

    fn address(last: u32) -> ClientAddress {
        let proxies = Proxies::new(Vec::new(), ForwardedHeader::Forwarded);
        proxies.client(IpAddr::from((0xc000_0200 + last).to_be_bytes()), &HeaderMap::new()).unwrap()
    }

    /// The joins at which the window reports an address.
    fn reports(joins: impl Iterator<Item = u32>) -> Vec<u32> {
        let now = Instant::now();
        let mut window = JoinWindow::new(now);
        joins.filter_map(|last| window.add(address(last), now)).collect()
    }

    #[test]
    fn an_address_with_three_quarters_of_the_joins_is_reported_once_in_a_window() {
        assert_eq!(reports((0..400).map(|at| if at % 4 == 0 { at } else { 1 })), [100]);
        assert_eq!(reports(std::iter::repeat_n(1, 99)), [0; 0], "too few joins");
        let now = Instant::now();
        let mut window = JoinWindow::new(now);
        let mut full = |now| (0..JOINS).filter_map(|_| window.add(address(1), now)).count();
        assert_eq!((full(now), full(now), full(now + WINDOW)), (1, 0, 1));
    }

    #[test]
    fn an_address_with_less_than_half_of_the_joins_is_never_reported() {
        assert_eq!(reports(0..1000), [0; 0], "an address each");
        assert_eq!(reports((0..1000).map(|at| if at % 5 < 2 { 1 } else { at })), [0; 0]);
        let late = (0..600).chain(std::iter::repeat_n(1, 400));
        assert_eq!(reports(late), [0; 0]);
    }
}
