//! Which addresses webhooks may connect to. Endpoints are URLs that clients choose, so without this
//! check they could reach services behind the firewall (server-side request forgery).

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};

use ipnet::IpNet;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// IPv4 networks that are not public: IANA's special-purpose addresses, multicast, and Azure's
/// metadata address, which is in a public network.
const NOT_PUBLIC_V4: [&str; 16] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// Global unicast IPv6: everything outside is local, multicast, or stands for an IPv4 address.
const GLOBAL_V6: &str = "2000::/3";

/// Networks in [`GLOBAL_V6`] that are not public, or stand for an IPv4 address (Teredo, 6to4).
const NOT_PUBLIC_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

static NOT_PUBLIC: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    NOT_PUBLIC_V4.iter().chain(&NOT_PUBLIC_V6).filter_map(|text| text.parse().ok()).collect()
});

static GLOBAL: LazyLock<Option<IpNet>> = LazyLock::new(|| GLOBAL_V6.parse().ok());

/// Whether an address is reachable from the whole internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let is_global = address.is_ipv4() || GLOBAL.is_some_and(|global| global.contains(&address));
    is_global && !NOT_PUBLIC.iter().any(|network| network.contains(&address))
}

/// The addresses to which webhooks may connect.
#[derive(Debug, Clone)]
pub struct AddressPolicy {
    allowed: Arc<[IpNet]>,
    is_public_allowed: bool,
}

/// No address of a host may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is not allowed")]
pub struct AddressRefused;

impl AddressPolicy {
    /// Public addresses and the networks in `allowed`: for https.
    #[must_use]
    pub fn public_and(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.into(), is_public_allowed: true }
    }

    /// Only the networks in `allowed`: for http, which everybody on the way can read.
    #[must_use]
    pub fn only(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.into(), is_public_allowed: false }
    }

    /// Whether webhooks may connect to no address at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty() && !self.is_public_allowed
    }

    /// Whether webhooks may connect to an address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address))
            || (self.is_public_allowed && is_public(address))
    }

    /// Checks a host that is an address. A name is checked when it is resolved, for each connection.
    ///
    /// # Errors
    /// [`AddressRefused`] if webhooks may not connect to it.
    pub fn check(&self, url: &Url) -> Result<(), AddressRefused> {
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) if !self.allows(address) => Err(AddressRefused),
            _ => Ok(()),
        }
    }
}

/// Resolves names with the system's resolver, and keeps only allowed addresses. The connection is
/// made to one of these, so a name cannot have another address between check and connection.
impl Resolve for AddressPolicy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|found| policy.allows(found.ip())).collect();
            if allowed.is_empty() {
                return Err(AddressRefused.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for network in NOT_PUBLIC_V4.iter().chain(&NOT_PUBLIC_V6).chain([&GLOBAL_V6]) {
            assert!(network.parse::<IpNet>().is_ok(), "{network}");
        }
        for address in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_url_with_an_address_in_any_notation_is_checked() {
        let policy = AddressPolicy::public_and(&[]);
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert_eq!(policy.check(&url.parse().unwrap()), Err(AddressRefused), "{url}");
        }
        assert_eq!(policy.check(&"https://shop.example/".parse().unwrap()), Ok(()));
        let allowed = ["127.0.0.0/8".parse().unwrap()];
        for policy in [AddressPolicy::public_and(&allowed), AddressPolicy::only(&allowed)] {
            assert_eq!(policy.check(&"http://127.0.0.1:9/".parse().unwrap()), Ok(()));
            assert!(!policy.allows("10.0.0.1".parse().unwrap()));
        }
        assert!(!AddressPolicy::only(&allowed).allows("1.1.1.1".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_local_address_is_refused() {
        let resolve = |policy: AddressPolicy| async move {
            policy.resolve("localhost".parse().unwrap()).await.map(Iterator::count)
        };
        let refused = resolve(AddressPolicy::public_and(&[])).await.unwrap_err();
        assert_eq!(refused.to_string(), AddressRefused.to_string());
        let local = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        assert!(resolve(AddressPolicy::only(&local)).await.unwrap() >= 1);
    }
}
