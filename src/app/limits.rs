//! What a process takes on, as the settings say.

use std::sync::Arc;

use crate::config::HttpSettings;
use crate::config::limits::LimitSettings;
use crate::http::limit::address_limits::{AddressLimits, AddressPolicies, Scarce};
use crate::http::limit::client_address::Proxies;
use crate::http::limit::connections::Door;
use crate::http::limit::gate::Limits;
use crate::http::limit::slow_client::Patience;
use crate::http::server::serve::House;
use crate::telemetry::Metrics;
use crate::web::SIGN_UPS;

/// What gives out something that everybody wants.
const SCARCE: [Scarce; 3] = [
    Scarce {
        name: "joins",
        calls: &[("POST", "/v1/schedules/{id}/queue"), ("POST", "/schedules/{id}/wait")],
    },
    // The form of the waiting page signs up too: it takes from this allowance by its name.
    Scarce { name: SIGN_UPS, calls: &[("POST", "/v1/users")] },
    Scarce { name: "recoveries", calls: &[("POST", "/v1/users/recover")] },
];

fn proxies(settings: &LimitSettings) -> Proxies {
    Proxies::new(settings.trusted_proxies.clone(), settings.forwarded_header)
}

/// What one address may ask for.
pub(super) fn addresses(settings: &HttpSettings) -> AddressLimits {
    let LimitSettings { address_requests, address_joins, .. } = settings.limits;
    let policies = AddressPolicies {
        requests: address_requests,
        scarce_calls: address_joins,
        scarce: &SCARCE,
    };
    AddressLimits::new(proxies(&settings.limits), policies)
}

/// What requests must pass.
pub(super) fn limits(settings: &HttpSettings) -> Limits {
    Limits {
        in_flight: settings.max_in_flight,
        timeout: settings.request_timeout,
        target: settings.limits.target_latency,
        user_requests: settings.limits.user_requests,
    }
}

/// As many connections as are set and as there may be open files.
pub(super) fn house(settings: &HttpSettings, files: usize, metrics: &Metrics) -> House {
    let LimitSettings { max_connections, address_connections, .. } = settings.limits;
    let most = files.min(usize::try_from(max_connections).unwrap_or(usize::MAX));
    let door = Door::new(most, address_connections, proxies(&settings.limits));
    House { door: Arc::new(door), patience: Patience::default(), metrics: metrics.clone() }
}
