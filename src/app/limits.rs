//! The limits of a process, from the settings.

use std::sync::Arc;

use crate::config::HttpSettings;
use crate::config::limits::LimitSettings;
use crate::http::limit::address_limits::{AddressLimits, AddressPolicies, JOINS, Scarce};
use crate::http::limit::client_address::Proxies;
use crate::http::limit::connections::ConnectionLimiter;
use crate::http::limit::gate::Limits;
use crate::http::limit::slow_client::ClientTimeouts;
use crate::http::server::drain::Drain;
use crate::http::server::serve::ConnectionPolicy;
use crate::telemetry::Metrics;
use crate::web::SIGN_UPS;

/// Calls that create something scarce: queue entries, users and sessions.
const SCARCE: [Scarce; 3] = [
    Scarce {
        name: JOINS,
        calls: &[("POST", "/v1/schedules/{id}/queue"), ("POST", "/schedules/{id}/wait")],
    },
    // The form of the waiting page signs up too: it counts for this limit by its name.
    Scarce { name: SIGN_UPS, calls: &[("POST", "/v1/users")] },
    Scarce { name: "recoveries", calls: &[("POST", "/v1/users/recover")] },
];

fn proxies(settings: &LimitSettings) -> Proxies {
    Proxies::new(settings.trusted_proxies.clone(), settings.forwarded_header)
}

/// The rate limits per address.
pub(super) fn addresses(settings: &HttpSettings, metrics: &Metrics) -> AddressLimits {
    let LimitSettings { address_requests, address_joins, .. } = settings.limits;
    let policies = AddressPolicies {
        requests: address_requests,
        scarce_calls: address_joins,
        scarce: &SCARCE,
    };
    AddressLimits::new(proxies(&settings.limits), policies, metrics.clone())
}

/// The limits that each request must pass.
pub(super) fn limits(settings: &HttpSettings) -> Limits {
    Limits {
        in_flight: settings.max_in_flight,
        timeout: settings.request_timeout,
        target: settings.limits.target_latency,
        user_requests: settings.limits.user_requests,
    }
}

/// The connection limit: the setting, or `files` if that is lower.
pub(super) fn connection_policy(
    settings: &HttpSettings,
    files: usize,
    drain: &Drain,
    metrics: &Metrics,
) -> ConnectionPolicy {
    let LimitSettings { max_connections, address_connections, .. } = settings.limits;
    let max = files.min(usize::try_from(max_connections).unwrap_or(usize::MAX));
    let limiter = ConnectionLimiter::new(max, address_connections, proxies(&settings.limits));
    ConnectionPolicy {
        connections: Arc::new(limiter),
        timeouts: ClientTimeouts::default(),
        metrics: metrics.clone(),
        drain: drain.clone(),
    }
}
