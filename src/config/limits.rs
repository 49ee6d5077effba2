//! Limits of a process against hostile or too eager clients.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// Limits per address, per user and per connection; 0 means no limit.
///
/// A call over loopback comes from the machine itself, or from a proxy on it that is not named in
/// the settings. Its address is not counted, because it may stand for all clients. A proxy that is
/// named counts for itself if it does not name its client.
#[derive(Debug, Clone, Args)]
pub struct LimitSettings {
    /// Comma-separated addresses or networks (`10.0.0.0/8`) of the proxies in front. Only these
    /// proxies' forwarding header is trusted. If it names no client, the request counts for the
    /// proxy.
    #[arg(long, env = "ONSALE_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// Header in which the proxies name the client. The other header is never read.
    #[arg(long, env = "ONSALE_FORWARDED_HEADER", default_value = "x-forwarded-for")]
    pub forwarded_header: ForwardedHeader,
    /// Joins per minute from one address; the same limit applies to sign-ups and to recoveries. 0:
    /// no limit.
    #[arg(long, env = "ONSALE_ADDRESS_JOINS", default_value = "600")]
    pub address_joins: u32,
    /// Requests per second from one address, to all paths, in bursts of up to five times as many.
    /// Polls of waiting users do not count. 0: no limit.
    #[arg(long, env = "ONSALE_ADDRESS_REQUESTS", default_value = "500")]
    #[arg(value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub address_requests: u32,
    /// Maximum number of open connections from one address, including streams. 0: no limit.
    #[arg(long, env = "ONSALE_ADDRESS_CONNECTIONS", default_value = "2000")]
    pub address_connections: usize,
    /// Requests per second with one user's access token, in bursts of up to five times as many. 0:
    /// no limit.
    #[arg(long, env = "ONSALE_USER_REQUESTS", default_value = "100")]
    #[arg(value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub user_requests: u32,
    /// Maximum number of open connections, including streams; the limit of open files may lower it.
    /// More are refused with 503.
    #[arg(long, env = "ONSALE_MAX_CONNECTIONS", default_value = "50000")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// Target latency per route. Requests beyond what a route can answer in this time are refused
    /// with 503 at once.
    #[arg(long, env = "ONSALE_TARGET_LATENCY", default_value = "500ms")]
    #[arg(value_parser = humantime::parse_duration)]
    pub target_latency: Duration,
}

/// The header in which proxies name the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: client, proxy`
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239)
    Forwarded,
}

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// Number of leading bits that count.
    prefix: u8,
}

/// The error for a text that is not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address with an optional prefix length: 10.0.0.0/8")]
pub struct NotANetwork;

impl Network {
    /// Whether the network contains an address. An IPv4 address in IPv6 form is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |ours: u128, theirs: u128, bits: u8| {
            let ignored = u32::from(bits.saturating_sub(self.prefix));
            ours.checked_shr(ignored) == theirs.checked_shr(ignored)
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                same(ours.to_bits().into(), theirs.to_bits().into(), 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => same(ours.to_bits(), theirs.to_bits(), 128),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), str::parse).map_err(|_| NotANetwork)?;
        if prefix > bits { Err(NotANetwork) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.9.8.7", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7/31", "::ffff:192.0.2.6", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8:7::1", "2001:db9::1"),
            ("::/0", "2001:db9::1", "192.0.2.7"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{network} {outside}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_network_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "/8", "proxy.example"] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }
}
