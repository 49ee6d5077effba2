//! Whose request it is: the address of the peer, or the one that a proxy of ours names.
//!
//! Only the proxies that the settings name are believed, and only one header is read: a proxy that
//! sets one of the two passes the other on as the client made it up. The header is read from its
//! end, since what stands in front of the first address that is no proxy of ours is anybody's word.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::config::limits::{ForwardedHeader, Network};

/// Proxies in a row that are followed.
const HOPS: usize = 16;

/// The last bits of an IPv6 address, which a customer has to themselves and which say nothing.
const V6_NETWORK: u32 = 64;

/// The peer of a connection; in the extensions of its requests.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// An address that counts as one client: an IPv4 address, or an IPv6 network of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

/// Who is believed whom they forward for.
#[derive(Debug, Clone)]
pub struct Proxies {
    networks: Vec<Network>,
    header: ForwardedHeader,
}

impl ClientAddress {
    fn of(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V6(address) => {
                IpAddr::V6((address.to_bits() >> V6_NETWORK << V6_NETWORK).into())
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

impl Proxies {
    /// The proxies in `networks`, which tell in `header`.
    #[must_use]
    pub fn new(networks: Vec<Network>, header: ForwardedHeader) -> Self {
        Self { networks, header }
    }

    /// The client that a request counts for. None for what stands for everybody: a proxy that names
    /// nobody, and the machine itself.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<ClientAddress> {
        let mut speaker = peer.to_canonical();
        if self.is_ours(speaker) {
            let (name, node): (_, fn(&str) -> Option<IpAddr>) = match self.header {
                ForwardedHeader::XForwardedFor => ("x-forwarded-for", node),
                ForwardedHeader::Forwarded => ("forwarded", forwarded_for),
            };
            let lines = headers.get_all(name).iter().rev();
            let named = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
            for element in named.take(HOPS) {
                let Some(address) = node(element) else { break };
                speaker = address.to_canonical();
                if !self.is_ours(speaker) {
                    break;
                }
            }
        }
        self.counted(speaker)
    }

    /// The client that a connection counts for.
    #[must_use]
    pub fn peer(&self, peer: IpAddr) -> Option<ClientAddress> {
        self.counted(peer.to_canonical())
    }

    fn counted(&self, address: IpAddr) -> Option<ClientAddress> {
        let everybody = address.is_loopback() || self.is_ours(address);
        (!everybody).then(|| ClientAddress::of(address))
    }

    fn is_ours(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// The address of `for=` in one element of `Forwarded` (RFC 7239, section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut named = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let value = value.trim();
    node(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

/// An address with or without a port: `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`,
/// `[2001:db8::7]`, `[2001:db8::7]:4711`.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse().ok().map(|address: std::net::SocketAddr| address.ip());
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let networks = ["10.0.0.0/8", "127.0.0.1"].map(|text| text.parse().unwrap());
        let proxies = Proxies::new(networks.to_vec(), header);
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let found = proxies.client(peer.parse().unwrap(), &headers);
        found.map_or_else(|| "-".to_owned(), |ClientAddress(address)| address.to_string())
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed_and_only_in_its_header() {
        let (xff, rfc) = (ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded);
        let by_xff = ("x-forwarded-for", "192.0.2.7");
        let by_rfc = ("forwarded", "for=192.0.2.8");
        for (header, peer, lines, expected) in [
            (xff, "203.0.113.9", &[by_xff, by_rfc][..], "203.0.113.9"),
            (xff, "10.1.1.1", &[by_xff, by_rfc], "192.0.2.7"),
            (rfc, "10.1.1.1", &[by_xff, by_rfc], "192.0.2.8"),
            (rfc, "10.1.1.1", &[by_xff], "-"),
            (xff, "::ffff:10.1.1.1", &[by_xff], "192.0.2.7"),
            (xff, "127.0.0.1", &[], "-"),
            (xff, "127.0.0.2", &[by_xff], "-"),
        ] {
            assert_eq!(client(header, peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn what_a_client_puts_in_front_of_the_proxies_words_is_not_believed() {
        let xff = ForwardedHeader::XForwardedFor;
        let of = |value: &str| client(xff, "10.1.1.1", &[("x-forwarded-for", value)]);
        assert_eq!(of("1.1.1.1, 198.51.100.4, 10.2.2.2"), "198.51.100.4");
        assert_eq!(of("1.1.1.1, nonsense"), "-");
        assert_eq!(of("\"1.1.1.1, 198.51.100.4:4711"), "198.51.100.4");
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.4")];
        assert_eq!(client(xff, "10.1.1.1", &lines), "198.51.100.4");
        let long = vec!["10.0.0.1"; HOPS].join(", ");
        assert_eq!(of(&format!("1.1.1.1, {long}")), "-");

        let rfc = ForwardedHeader::Forwarded;
        let of = |value: &str| client(rfc, "10.1.1.1", &[("forwarded", value)]);
        assert_eq!(of("for=\"x, for=1.1.1.1;proto=https, For=198.51.100.4"), "198.51.100.4");
        assert_eq!(of("for=1.1.1.1, for=\"[2001:db8:1:2:3::4]:80\";by=_x"), "2001:db8:1:2::");
        assert_eq!(of("for=unknown"), "-");
        assert_eq!(of("for=_hidden, proto=https"), "-");
    }

    #[test]
    fn whoever_has_an_ipv6_network_is_one_client() {
        let xff = ForwardedHeader::XForwardedFor;
        let one = client(xff, "2001:db8:0:7::1", &[]);
        assert_eq!(client(xff, "2001:db8:0:7:ffff::2", &[]), one);
        assert_ne!(client(xff, "2001:db8:0:8::1", &[]), one);
    }
}
