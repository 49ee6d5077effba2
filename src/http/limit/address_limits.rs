//! Rate limits per client address: for all requests, and for calls that create something scarce.
//!
//! Every request counts for its address before anything else is done for it, with any path and
//! method. The only exceptions are polls with the valid ticket of a waiting user: see
//! [`FastPaths`](crate::http::server::fast_path::FastPaths).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Extensions, HeaderMap};

use super::client_address::{ClientAddress, Peer, Proxies};
use super::traffic_warnings::TrafficWarnings;
use crate::rate_limit::{RateLimitExceeded, RateLimitPolicy, RateLimiter, Remaining};
use crate::telemetry::Metrics;

/// Burst size of a rate limit, in seconds: this many seconds' quota may be used at once.
const BURST_SECONDS: u32 = 5;

/// Name of the policy of joins.
pub const JOINS: &str = "joins";

/// Paths that operators and load balancers call. They have a separate rate limit, so that a flood
/// behind a proxy does not make the health checks of this proxy fail.
const OPERATIONS: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// A kind of calls that create something scarce. An address may make only a few per minute.
#[derive(Debug, Clone, Copy)]
pub struct Scarce {
    /// Name of the policy in the `RateLimit` headers.
    pub name: &'static str,
    /// Methods, and the patterns of their routes.
    pub calls: &'static [(&'static str, &'static str)],
}

/// The rate limits of one address; 0 means no limit.
#[derive(Debug, Clone, Copy)]
pub struct AddressPolicies {
    /// Requests per second.
    pub requests: u32,
    /// Calls per minute of each kind in `scarce`.
    pub scarce_calls: u32,
    /// The kinds of calls that create something scarce.
    pub scarce: &'static [Scarce],
}

/// The rate limiters of all addresses.
#[derive(Debug)]
pub struct AddressLimits {
    proxies: Proxies,
    requests: Option<RateLimiter<ClientAddress>>,
    operations: Option<RateLimiter<ClientAddress>>,
    scarce: Vec<(Scarce, Option<RateLimiter<ClientAddress>>)>,
    warnings: TrafficWarnings,
}

/// The client of a request, with its rate limits; in the request's extensions.
#[derive(Debug, Clone)]
pub struct Client {
    limits: Arc<AddressLimits>,
    /// `None` for calls over loopback, which are not limited.
    address: Option<ClientAddress>,
}

/// A policy of `requests` per second, in bursts of [`BURST_SECONDS`]; `None` if `requests` is 0.
pub(in crate::http) fn per_second(name: &'static str, requests: u32) -> Option<RateLimitPolicy> {
    let window = Duration::from_secs(BURST_SECONDS.into());
    let quota = NonZeroU32::new(requests.saturating_mul(BURST_SECONDS))?;
    Some(RateLimitPolicy { name, quota, window })
}

impl AddressLimits {
    /// Creates the limiters; `proxies` find the address of a request.
    #[must_use]
    pub fn new(proxies: Proxies, policies: AddressPolicies, metrics: Metrics) -> Self {
        let per_minute = |scarce: &Scarce| {
            let (name, window) = (scarce.name, Duration::from_mins(1));
            let limiter = NonZeroU32::new(policies.scarce_calls)
                .map(|quota| RateLimiter::new(RateLimitPolicy { name, quota, window }));
            (*scarce, limiter)
        };
        Self {
            proxies,
            requests: per_second("requests", policies.requests).map(RateLimiter::new),
            operations: per_second("operations", policies.requests).map(RateLimiter::new),
            scarce: policies.scarce.iter().map(per_minute).collect(),
            warnings: TrafficWarnings::new(metrics),
        }
    }

    /// Finds the client of a request by the peer in its extensions and by its headers.
    #[must_use]
    pub fn client(self: &Arc<Self>, extensions: &Extensions, headers: &HeaderMap) -> Client {
        let peer = extensions.get::<Peer>();
        let address = peer.and_then(|peer| {
            self.warnings.note_forwarding(&self.proxies, *peer, headers);
            self.proxies.client(peer.0, headers)
        });
        Client { limits: Arc::clone(self), address }
    }

    /// Whether the peer of a connection is a trusted proxy.
    #[must_use]
    pub fn trusts(&self, peer: Peer) -> bool {
        self.proxies.trusts(peer.0)
    }

    /// Counts a request for its address; returns whether it is within the rate limit. Like
    /// [`Client::take_request`], without a [`Client`].
    #[must_use]
    pub fn admits(&self, peer: Peer, headers: &HeaderMap) -> bool {
        self.warnings.note_forwarding(&self.proxies, peer, headers);
        let Some(requests) = &self.requests else { return true };
        let address = self.proxies.client(peer.0, headers);
        address.is_none_or(|address| requests.take(&address).is_ok())
    }
}

impl Client {
    /// Counts a request for `path`.
    ///
    /// # Errors
    /// [`RateLimitExceeded`] if the address has used up its quota.
    pub fn take_request(&self, path: &str) -> Result<(), RateLimitExceeded> {
        let is_operations = OPERATIONS.contains(&path);
        let limits = &self.limits;
        let limiter = if is_operations { &limits.operations } else { &limits.requests };
        if let (Some(address), Some(limiter)) = (&self.address, limiter) {
            limiter.take(address)?;
        }
        Ok(())
    }

    /// Counts a call of a route. Returns what remains of its quota, or `None` if the route creates
    /// nothing scarce.
    ///
    /// # Errors
    /// [`RateLimitExceeded`] if the address has used up its quota.
    pub fn take_call(
        &self,
        method: &str,
        route: &str,
    ) -> Result<Option<Remaining>, RateLimitExceeded> {
        self.take(|scarce| scarce.calls.contains(&(method, route)))
    }

    /// Counts a call of the scarce kind with this name. Returns what remains of its quota, or
    /// `None` if there is no limit.
    ///
    /// # Errors
    /// [`RateLimitExceeded`] if the address has used up its quota.
    pub fn take_scarce(&self, name: &str) -> Result<Option<Remaining>, RateLimitExceeded> {
        self.take(|scarce| scarce.name == name)
    }

    fn take(
        &self,
        is_kind: impl Fn(&Scarce) -> bool,
    ) -> Result<Option<Remaining>, RateLimitExceeded> {
        let Some(address) = &self.address else { return Ok(None) };
        let Some((scarce, limiter)) = self.limits.scarce.iter().find(|(it, _)| is_kind(it)) else {
            return Ok(None);
        };
        if scarce.name == JOINS {
            self.limits.warnings.note_join(*address);
        }
        limiter.as_ref().map(|limiter| limiter.take(address)).transpose()
    }
}
