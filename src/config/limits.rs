//! Limits of a process against hostile or too eager clients.

use std::net::IpAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

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
    #[arg(value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
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

/// Why a text is not the network of a trusted proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The text is no address, or its prefix length is none.
    #[error("a network is an address with an optional prefix length: 10.0.0.0/8")]
    NotANetwork,
    /// An IPv4 address in IPv6 notation: peers are compared by their IPv4 addresses.
    #[error("write an IPv4 network as such: {0} and its prefix length of at most 32")]
    MappedAddress(IpAddr),
    /// The address has bits outside the mask: it may be meant as a single address.
    #[error("{0} has bits outside the mask: the network is {network}", network = .0.trunc())]
    BitsOutsideMask(IpNet),
}

/// Reads a network (`10.0.0.0/8`, `2001:db8::/32`) or a single address. Spaces around it are
/// ignored.
///
/// # Errors
/// A text that is no network, or a network whose address is not its first one.
pub(super) fn network(text: &str) -> Result<IpNet, NetworkError> {
    let text = text.trim();
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    // The standard library's parser: ipnet's accepts leading zeros (`010.0.0.0/8`), which other
    // programs read as octal.
    let address: IpAddr = address.parse().map_err(|_| NetworkError::NotANetwork)?;
    if address != address.to_canonical() {
        return Err(NetworkError::MappedAddress(address.to_canonical()));
    }
    let network = match prefix {
        Some(_) => text.parse().map_err(|_| NetworkError::NotANetwork)?,
        None => IpNet::from(address),
    };
    if network == network.trunc() {
        Ok(network)
    } else {
        Err(NetworkError::BitsOutsideMask(network))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_and_a_single_address_are_read() {
        for (text, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            (" 192.0.2.7", "192.0.2.7/32"),
            ("192.0.2.6/31 ", "192.0.2.6/31"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::/0", "::/0"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(network(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_network_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.0/255.0.0.0",
            "/8",
            "proxy.example",
            "proxy.example/8",
            "010.0.0.0/8",
        ] {
            assert_eq!(network(text), Err(NetworkError::NotANetwork), "{text}");
        }
    }

    #[test]
    fn an_ipv4_network_in_ipv6_notation_is_refused_since_it_matches_no_peer() {
        for text in ["::ffff:10.0.0.1", "::ffff:10.0.0.0/104"] {
            assert!(matches!(network(text), Err(NetworkError::MappedAddress(_))), "{text}");
        }
    }

    #[test]
    fn a_network_with_bits_outside_its_mask_is_refused_and_the_error_names_the_network() {
        for (text, meant) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("192.0.2.7/31", "192.0.2.6/31"),
            ("2001:db8::1/32", "2001:db8::/32"),
        ] {
            let error = network(text).unwrap_err().to_string();
            let expected = format!("{text} has bits outside the mask: the network is {meant}");
            assert_eq!(error, expected);
        }
    }
}
