//! Finds the address that a request counts for: the peer's, or the client's that trusted proxies
//! name.
//!
//! Only the proxies in the settings are trusted, and only one header is read: a proxy that sets one
//! of the two headers passes the other on as the client wrote it. The header is read backwards, one
//! element per proxy. Reading stops at the first address that is not a trusted proxy, because the
//! client may have written what precedes it. Reading also stops at an element that names no address
//! (`unknown`, `_hidden`, an empty one, bytes that are not ASCII). The request then counts for the
//! proxy that sent this element, so no header can make a request count for no address.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;

use crate::config::limits::ForwardedHeader;

/// Maximum number of proxies in a row that are followed.
const HOPS: usize = 16;

/// Number of low bits of an IPv6 address that are ignored: a customer chooses them freely.
const V6_NETWORK: u32 = 64;

/// The peer of a connection; in the extensions of its requests.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// An address that counts as one client: an IPv4 address, or an IPv6 network of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

/// The trusted proxies, and the header in which they name the client.
#[derive(Debug, Clone)]
pub struct Proxies {
    networks: Vec<IpNet>,
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

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(network) => write!(f, "{network}/{V6_NETWORK}"),
        }
    }
}

impl Proxies {
    /// The proxies in `networks`, which name the client in `header`.
    #[must_use]
    pub fn new(networks: Vec<IpNet>, header: ForwardedHeader) -> Self {
        Self { networks, header }
    }

    /// The client that a request counts for. `None` only for a loopback peer that is not a trusted
    /// proxy: the machine itself, or a proxy on it that the settings do not name.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<ClientAddress> {
        let peer = peer.to_canonical();
        if self.is_trusted(peer) {
            return Some(ClientAddress::of(self.forwarded(peer, headers)));
        }
        (!peer.is_loopback()).then(|| ClientAddress::of(peer))
    }

    /// The address that a trusted proxy forwards for; the proxy's own if its header names none.
    fn forwarded(&self, proxy: IpAddr, headers: &HeaderMap) -> IpAddr {
        match self.header {
            ForwardedHeader::XForwardedFor => {
                let lines = headers.get_all("x-forwarded-for").iter().rev();
                let elements = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
                self.farthest(proxy, elements.map(node))
            }
            ForwardedHeader::Forwarded => {
                let lines = headers.get_all("forwarded").iter().rev();
                let elements = lines.flat_map(|line| Backwards::new(line.as_bytes(), b','));
                self.farthest(proxy, elements.map(forwarded_for))
            }
        }
    }

    /// Follows the proxies backwards from `proxy` to the first address that is not trusted, or to
    /// the last trusted one before an element without an address.
    fn farthest(&self, proxy: IpAddr, elements: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut address = proxy;
        for element in elements.take(HOPS) {
            let Some(next) = element else { break };
            address = next;
            if !self.is_trusted(address) {
                break;
            }
        }
        address
    }

    /// The client that a connection counts for. `None` for a trusted proxy, whose connections carry
    /// requests of many clients, and for a loopback peer.
    #[must_use]
    pub fn peer(&self, peer: IpAddr) -> Option<ClientAddress> {
        let peer = peer.to_canonical();
        (!peer.is_loopback() && !self.is_trusted(peer)).then(|| ClientAddress::of(peer))
    }

    /// The forwarding header of a request whose peer is no trusted proxy; `None` if it has none.
    pub(super) fn untrusted_header(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
    ) -> Option<&'static str> {
        let sent =
            ["x-forwarded-for", "forwarded"].into_iter().find(|it| headers.contains_key(*it));
        sent.filter(|_| !self.trusts(peer))
    }

    /// Whether a peer is a trusted proxy.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.is_trusted(peer.to_canonical())
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// Iterates over the parts of a header between separators, the last first. A separator in a quoted
/// string (RFC 9110, section 5.6.4) does not count. Because this reads backwards, from the end of
/// what a proxy wrote, a quote that the client left open earlier in the header has no effect.
struct Backwards<'h> {
    rest: Option<&'h [u8]>,
    separator: u8,
}

impl<'h> Backwards<'h> {
    fn new(text: &'h [u8], separator: u8) -> Self {
        Self { rest: Some(text), separator }
    }
}

impl<'h> Iterator for Backwards<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        let text = self.rest.take()?;
        let mut quoted = false;
        for (at, byte) in text.iter().enumerate().rev() {
            let before = text.get(..at).unwrap_or_default();
            if *byte == b'"' {
                let escapes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
                // In a quoted string, a quote after an odd number of backslashes is text.
                quoted ^= !quoted || escapes.is_multiple_of(2);
            } else if *byte == self.separator && !quoted {
                self.rest = Some(before);
                return text.get(at + 1..);
            }
        }
        Some(text)
    }
}

/// The address of `for=` in one element of `Forwarded` (RFC 7239, section 4); `None` if the element
/// has no `for=`, or more than one.
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let mut found = Backwards::new(element, b';').filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let name = pair.get(..at)?.trim_ascii();
        name.eq_ignore_ascii_case(b"for").then(|| pair.get(at + 1..))?
    });
    let value = found.next()?.trim_ascii();
    if found.next().is_some() {
        return None;
    }
    node(value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value))
}

/// Reads an address with or without a port (RFC 7239, section 6): `192.0.2.7`, `192.0.2.7:4711`,
/// `192.0.2.7:_port`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`. An IPv4 address that is
/// written as IPv6 becomes the IPv4 address.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let (address, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        (address.parse::<Ipv6Addr>().ok()?.into(), port)
    } else {
        // With more than one colon it is an IPv6 address without brackets, which has no port.
        let colon = text.find(':').filter(|first| text.rfind(':') == Some(*first));
        let (address, port) = text.split_at(colon.unwrap_or(text.len()));
        (address.parse::<IpAddr>().ok()?, port)
    };
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then(|| address.to_canonical())
}

/// Whether `text` is a port, or an obfuscated one (`_gazonk`).
fn is_port(text: &str) -> bool {
    let obfuscated = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    text.parse::<u16>().is_ok() || text.strip_prefix('_').is_some_and(obfuscated)
}

#[cfg(test)]
mod tests;
