//! Connections: how many are open, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::client_address::{ClientAddress, Proxies};

/// A connection is let in no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The process has as many as it takes.
    #[error("too many connections")]
    InAll,
    /// This address has as many as one may have.
    #[error("too many connections from one address")]
    FromOne,
}

/// Who is in.
#[derive(Debug)]
pub struct Door {
    most: usize,
    per_address: usize,
    proxies: Proxies,
    open: AtomicUsize,
    by_address: Mutex<HashMap<ClientAddress, usize>>,
}

/// A connection that counts as open until this is dropped.
#[derive(Debug)]
pub struct Guest {
    door: Arc<Door>,
    address: Option<ClientAddress>,
}

impl Door {
    /// Lets in `most` in all and `per_address` from one; 0 is no limit for one address. Proxies and
    /// the machine itself stand for many, and count only in all.
    #[must_use]
    pub fn new(most: usize, per_address: usize, proxies: Proxies) -> Self {
        let by_address = Mutex::default();
        Self { most, per_address, proxies, open: AtomicUsize::new(0), by_address }
    }

    /// Lets a connection in.
    ///
    /// # Errors
    /// [`Full`].
    pub fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Guest, Full> {
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
        // Counted from here on, whatever comes next.
        let guest = Guest { door: Arc::clone(self), address };
        if before >= self.most { Err(Full::InAll) } else { Ok(guest) }
    }

    /// How many are in.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether nine tenths are in: nobody stays for another request then, so that there is room
    /// for those who have one.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.open() > self.most / 10 * 9
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.door.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(address) = self.address {
            let mut by_address =
                self.door.by_address.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn one_address_has_so_many_and_all_have_so_many_until_one_leaves() {
        let proxies = Proxies::new(Vec::new(), ForwardedHeader::Forwarded);
        let door = Arc::new(Door::new(20, 2, proxies));
        let at = |text: &str| door.admit(text.parse().unwrap());
        let (first, _second) = (at("192.0.2.1").unwrap(), at("192.0.2.1").unwrap());
        assert_eq!(at("192.0.2.1").unwrap_err(), Full::FromOne);
        let _other = at("192.0.2.2").unwrap();
        drop(first);
        let _again = at("192.0.2.1").unwrap();
        assert!(!door.is_crowded());

        let own: Vec<_> = std::iter::from_fn(|| at("127.0.0.1").ok()).collect();
        assert_eq!(own.len(), 17);
        assert_eq!(at("192.0.2.3").unwrap_err(), Full::InAll);
        assert!(door.is_crowded());
        drop(own);
        let _third = at("192.0.2.3").unwrap();
        assert_eq!(door.open(), 4);
        assert_eq!(door.by_address.lock().unwrap().len(), 3);
    }
}
