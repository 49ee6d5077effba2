//! What rehearsals work on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use reqwest::Url;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::forecast::service::Forecasts;
use crate::concert::service::Catalogue;
use crate::queue::keyspaces::Keyspaces;
use crate::store::pg::Pg;
use crate::user::service::Users;

/// What rehearsals work on.
#[expect(missing_docs, reason = "each is what its type says")]
#[derive(Debug)]
pub struct RehearsalParts {
    pub pg: Pg,
    pub catalogue: Catalogue,
    pub keyspaces: Keyspaces,
    pub users: Arc<Users>,
    pub forecasts: Forecasts,
    pub address: OwnAddress,
    /// The rehearsals of this process.
    pub tasks: TaskTracker,
    /// Ends all rehearsals of this process.
    pub stop: CancellationToken,
}

/// The address on which this process listens, once it does; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct OwnAddress(Arc<OnceLock<SocketAddr>>);

impl OwnAddress {
    /// Sets the address; only the first call counts.
    pub fn set(&self, address: SocketAddr) {
        // A process listens once.
        let _ = self.0.set(address);
    }

    /// The URL of this process over loopback; `None` before it listens.
    pub(super) fn url(&self) -> Option<Url> {
        let mut address = *self.0.get()?;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_url_is_that_of_the_listener_or_of_loopback() {
        let url = |address: &str| {
            let own = OwnAddress::default();
            assert_eq!(own.url(), None);
            own.set(address.parse().unwrap());
            own.url().unwrap().to_string()
        };
        assert_eq!(url("192.0.2.1:80"), "http://192.0.2.1/");
        assert_eq!(url("0.0.0.0:8080"), "http://127.0.0.1:8080/");
        assert_eq!(url("[::]:8080"), "http://[::1]:8080/");
    }
}
