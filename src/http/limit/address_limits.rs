//! What one address may ask for: requests, and things that are scarce.
//!
//! Every request takes one from its address's allowance before anything else is done for it,
//! whatever its path and method. The one exception is a poll that the fast path answers: see
//! [`Shortcuts`](crate::http::server::fast_path::Shortcuts).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Extensions, HeaderMap};

use super::client_address::{ClientAddress, Peer, Proxies};
use crate::rate_limit::{RateLimitExceeded, RateLimitPolicy, RateLimiter, Remaining};

/// Allowances per second may be used up in bursts of this many seconds.
const BURST_SECONDS: u32 = 5;

/// What operators and load balancers ask. These have an allowance of their own, so that a flood
/// behind a proxy does not make the health checks of this proxy fail.
const OPERATIONS: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Something scarce, and what gives it out: an address may ask for it a few times a minute only.
#[derive(Debug, Clone, Copy)]
pub struct Scarce {
    /// As clients are told of the allowance.
    pub name: &'static str,
    /// Methods, and the patterns of their paths.
    pub calls: &'static [(&'static str, &'static str)],
}

/// How much one address may ask for; 0 is no limit.
#[derive(Debug, Clone, Copy)]
pub struct AddressPolicies {
    /// Requests per second.
    pub requests: u32,
    /// Calls per minute of each kind that is scarce.
    pub scarce_calls: u32,
    /// The kinds of calls that are scarce.
    pub scarce: &'static [Scarce],
}

/// The allowances of all addresses.
#[derive(Debug)]
pub struct AddressLimits {
    proxies: Proxies,
    requests: Option<RateLimiter<ClientAddress>>,
    operations: Option<RateLimiter<ClientAddress>>,
    scarce: Vec<(Scarce, RateLimiter<ClientAddress>)>,
}

/// The client of a request, with its allowances; in the request's extensions.
#[derive(Debug, Clone)]
pub struct Client {
    limits: Arc<AddressLimits>,
    /// None for calls over loopback, which are not limited.
    address: Option<ClientAddress>,
}

/// A policy of so many requests per second, in bursts; none where there is no limit.
pub(in crate::http) fn per_second(name: &'static str, requests: u32) -> Option<RateLimitPolicy> {
    let window = Duration::from_secs(BURST_SECONDS.into());
    let quota = NonZeroU32::new(requests.saturating_mul(BURST_SECONDS))?;
    Some(RateLimitPolicy { name, quota, window })
}

impl AddressLimits {
    /// Full allowances for every address that `proxies` tell apart.
    #[must_use]
    pub fn new(proxies: Proxies, policies: AddressPolicies) -> Self {
        let per_minute = |scarce: &Scarce| {
            let quota = NonZeroU32::new(policies.scarce_calls)?;
            let policy =
                RateLimitPolicy { name: scarce.name, quota, window: Duration::from_mins(1) };
            Some((*scarce, RateLimiter::new(policy)))
        };
        Self {
            proxies,
            requests: per_second("requests", policies.requests).map(RateLimiter::new),
            operations: per_second("operations", policies.requests).map(RateLimiter::new),
            scarce: policies.scarce.iter().filter_map(per_minute).collect(),
        }
    }

    /// The client of a request, by the peer in its extensions and by its headers.
    #[must_use]
    pub fn client(self: &Arc<Self>, extensions: &Extensions, headers: &HeaderMap) -> Client {
        let peer = extensions.get::<Peer>();
        let address = peer.and_then(|peer| self.proxies.client(peer.0, headers));
        Client { limits: Arc::clone(self), address }
    }

    /// Whether the address of a request has an allowance left, of which one request is taken. As
    /// [`Client::take_request`], without a [`Client`].
    #[must_use]
    pub fn admits(&self, peer: Peer, headers: &HeaderMap) -> bool {
        let Some(requests) = &self.requests else { return true };
        let address = self.proxies.client(peer.0, headers);
        address.is_none_or(|address| requests.take(&address).is_ok())
    }
}

impl Client {
    /// Takes a request for `path` from the address's allowance.
    ///
    /// # Errors
    /// [`RateLimitExceeded`] where it is used up.
    pub fn take_request(&self, path: &str) -> Result<(), RateLimitExceeded> {
        let operations = OPERATIONS.contains(&path);
        let limits = &self.limits;
        let allowance = if operations { &limits.operations } else { &limits.requests };
        if let (Some(address), Some(allowance)) = (&self.address, allowance) {
            allowance.take(address)?;
        }
        Ok(())
    }

    /// Takes a call from the allowance of the scarce kind that it is of; what is left of it.
    ///
    /// # Errors
    /// [`RateLimitExceeded`] where it is used up.
    pub fn take_call(
        &self,
        method: &str,
        route: &str,
    ) -> Result<Option<Remaining>, RateLimitExceeded> {
        self.take(|scarce| scarce.calls.contains(&(method, route)))
    }

    /// Takes one from the allowance of the scarce kind of this name; what is left of it.
    ///
    /// # Errors
    /// [`RateLimitExceeded`] where it is used up.
    pub fn take_scarce(&self, name: &str) -> Result<Option<Remaining>, RateLimitExceeded> {
        self.take(|scarce| scarce.name == name)
    }

    fn take(
        &self,
        is_wanted: impl Fn(&Scarce) -> bool,
    ) -> Result<Option<Remaining>, RateLimitExceeded> {
        let Some(address) = &self.address else { return Ok(None) };
        let found = self.limits.scarce.iter().find(|(scarce, _)| is_wanted(scarce));
        found.map(|(_, allowance)| allowance.take(address)).transpose()
    }
}
