//! The connection limit: how many connections are open, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::client_address::{ClientAddress, Proxies};

/// Why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The process has its maximum number of connections.
    #[error("too many connections")]
    InAll,
    /// The address has its maximum number of connections.
    #[error("too many connections from one address")]
    FromOne,
}

/// Counts open connections and limits their number.
#[derive(Debug)]
pub struct ConnectionLimiter {
    max: usize,
    per_address: usize,
    proxies: Proxies,
    open: AtomicUsize,
    by_address: Mutex<HashMap<ClientAddress, usize>>,
}

/// Counts one connection as open until it is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    limiter: Arc<ConnectionLimiter>,
    address: Option<ClientAddress>,
}

impl ConnectionLimiter {
    /// Allows `max` connections in all and `per_address` from one address; a `per_address` of 0
    /// means no limit per address. Connections of trusted proxies and over loopback carry requests
    /// of many clients, so they count only in all.
    #[must_use]
    pub fn new(max: usize, per_address: usize, proxies: Proxies) -> Self {
        let by_address = Mutex::default();
        Self { max, per_address, proxies, open: AtomicUsize::new(0), by_address }
    }

    /// Counts a connection of `peer`, if there is capacity for it.
    ///
    /// # Errors
    /// [`Full`] names the limit that is reached.
    pub fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<ConnectionPermit, Full> {
        let address = self.proxies.peer(peer).filter(|_| self.per_address > 0);
        if let Some(address) = address {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let open = by_address.entry(address).or_default();
            if *open >= self.per_address {
                return Err(Full::FromOne);
            }
            *open += 1;
        }
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        // From here on, dropping the permit takes back both counts.
        let permit = ConnectionPermit { limiter: Arc::clone(self), address };
        if before >= self.max { Err(Full::InAll) } else { Ok(permit) }
    }

    /// The number of open connections.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// The maximum number of open connections.
    #[must_use]
    pub fn max(&self) -> usize {
        self.max
    }

    /// Whether more than nine tenths of the connections are open. Then each connection closes after
    /// its answer, so that idle connections do not block new clients.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.open() > self.max / 10 * 9
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.limiter.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(address) = self.address {
            let mut by_address =
                self.limiter.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(open) = by_address.get_mut(&address) {
                *open -= 1;
                if *open == 0 {
                    by_address.remove(&address);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::limits::ForwardedHeader;

    #[test]
    fn connections_are_limited_per_address_and_in_all_until_one_closes() {
        let proxies = Proxies::new(Vec::new(), ForwardedHeader::Forwarded);
        let limiter = Arc::new(ConnectionLimiter::new(20, 2, proxies));
        let connect = |text: &str| limiter.admit(text.parse().unwrap());
        let (first, _second) = (connect("192.0.2.1").unwrap(), connect("192.0.2.1").unwrap());
        assert_eq!(connect("192.0.2.1").unwrap_err(), Full::FromOne);
        let _other = connect("192.0.2.2").unwrap();
        drop(first);
        let _again = connect("192.0.2.1").unwrap();
        assert!(!limiter.is_crowded());

        let loopback: Vec<_> = std::iter::from_fn(|| connect("127.0.0.1").ok()).collect();
        assert_eq!(loopback.len(), 17);
        assert_eq!(connect("192.0.2.3").unwrap_err(), Full::InAll);
        assert!(limiter.is_crowded());
        drop(loopback);
        let _third = connect("192.0.2.3").unwrap();
        assert_eq!(limiter.open(), 4);
        assert_eq!(limiter.by_address.lock().unwrap().len(), 3);
    }
}
