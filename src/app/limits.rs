//! What a process takes on, as the settings say.

use std::sync::Arc;

use crate::config::HttpSettings;
use crate::config::limits::LimitSettings;
use crate::http::gate::{Limits, Scarce};
use crate::http::guard::address::Proxies;
use crate::http::guard::door::Door;
use crate::http::guard::patience::Patience;
use crate::http::serve::House;
use crate::telemetry::Metrics;

/// What gives out something that everybody wants.
const SCARCE: [Scarce; 3] = [
    Scarce {
        name: "joins",
        calls: &[("POST", "/v1/schedules/{id}/queue"), ("POST", "/schedules/{id}/wait")],
    },
    Scarce { name: "sign-ups", calls: &[("POST", "/v1/users")] },
    Scarce { name: "recoveries", calls: &[("POST", "/v1/users/recover")] },
];

fn proxies(settings: &LimitSettings) -> Proxies {
    Proxies::new(settings.trusted_proxies.clone(), settings.forwarded_header)
}

/// What requests must pass.
pub(super) fn limits(settings: &HttpSettings) -> Limits {
    Limits {
        in_flight: settings.max_in_flight,
        timeout: settings.request_timeout,
        target: settings.limits.target_latency,
        proxies: proxies(&settings.limits),
        address_requests: settings.limits.address_requests,
        address_scarce: settings.limits.address_joins,
        user_requests: settings.limits.user_requests,
        scarce: &SCARCE,
    }
}

/// As many connections as are set and as there may be open files.
pub(super) fn house(settings: &HttpSettings, files: usize, metrics: &Metrics) -> House {
    let LimitSettings { max_connections, address_connections, .. } = settings.limits;
    let most = files.min(usize::try_from(max_connections).unwrap_or(usize::MAX));
    let door = Door::new(most, address_connections, proxies(&settings.limits));
    House { door: Arc::new(door), patience: Patience::default(), metrics: metrics.clone() }
}
