//! Checks as whom this process sees the caller of a request: whether the limits per address count
//! clients, or the proxy in front of them.

use std::net::IpAddr;

use axum::http::HeaderMap;

use super::report::Report;
use crate::config::limits::{ForwardedHeader, LimitSettings};
use crate::http::limit::client_address::Proxies;

/// What a request shows about its way to this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// The other end of the connection.
    pub(super) peer: IpAddr,
    /// The first header found that a proxy adds.
    pub(super) header: Option<&'static str>,
    /// Whether the peer is a trusted proxy.
    pub(super) is_trusted: bool,
    /// Whether any proxy is trusted.
    pub(super) has_proxies: bool,
    /// The address that the request counts for; `None` over loopback.
    pub(super) client: Option<String>,
    /// The header that trusted proxies are read from.
    pub(super) expected: &'static str,
}

impl Route {
    /// The way of a request from `peer`.
    pub(super) fn of(limits: &LimitSettings, peer: IpAddr, headers: &HeaderMap) -> Self {
        let proxies = Proxies::new(limits.trusted_proxies.clone(), limits.forwarded_header);
        let expected = match limits.forwarded_header {
            ForwardedHeader::XForwardedFor => "x-forwarded-for",
            ForwardedHeader::Forwarded => "forwarded",
        };
        let headers_of_proxies = [expected, "x-forwarded-for", "forwarded"];
        Self {
            peer: peer.to_canonical(),
            header: headers_of_proxies.into_iter().find(|name| headers.contains_key(*name)),
            is_trusted: proxies.trusts(peer),
            has_proxies: !limits.trusted_proxies.is_empty(),
            client: proxies.client(peer, headers).map(|address| address.to_string()),
            expected,
        }
    }
}

/// Checks that the request counts for its client.
pub(super) fn check(route: &Route, report: &mut Report) {
    let name = "proxy.address";
    let Route { peer, expected, .. } = route;
    let own = peer.to_string();
    let finding = match (&route.client, route.header) {
        (_, Some(header)) if !route.is_trusted => {
            let text = format!("{own} forwards this request ({header}) and is not trusted");
            let advice = "name it in ONSALE_TRUSTED_PROXIES: until then, all its clients count \
                          as one";
            report.fail(name, text, advice).case("untrusted").value("header", header)
        }
        (_, None) if !route.is_trusted && route.has_proxies => {
            let text = format!("this request came from {own}, past the proxies");
            let advice = "open the console at the public address, and check again";
            report.warn(name, text, advice).case("past_proxies")
        }
        (_, None) if !route.is_trusted => {
            report.ok(name, format!("this request came directly from {own}")).case("direct")
        }
        (Some(client), Some(header)) if header == *expected && *client != own => {
            let text = format!("{own} forwards this request for {client}");
            report.ok(name, text).value("client", client.as_str())
        }
        _ => {
            let text = format!("{own} is a trusted proxy and names no client in {expected}");
            let advice = "let the proxy set this header, or set ONSALE_FORWARDED_HEADER to the \
                          one that it sets";
            report.fail(name, text, advice).case("unnamed")
        }
    };
    finding.value("peer", own).value("expected", *expected);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(proxies: &[&str], peer: &str, header: Option<(&'static str, &'static str)>) -> String {
        let limits = LimitSettings {
            trusted_proxies: proxies.iter().map(|it| it.parse().unwrap()).collect(),
            forwarded_header: ForwardedHeader::XForwardedFor,
            address_joins: 1,
            address_requests: 1,
            address_connections: 1,
            user_requests: 1,
            max_connections: 1,
            target_latency: std::time::Duration::from_secs(1),
        };
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().unwrap());
        }
        let mut report = Report::default();
        check(&Route::of(&limits, peer.parse().unwrap(), &headers), &mut report);
        report.findings.remove(0).code
    }

    #[test]
    fn a_proxy_that_hides_its_clients_is_found() {
        let named = Some(("x-forwarded-for", "198.51.100.7"));
        let other = Some(("forwarded", "for=198.51.100.7"));
        let (proxy, proxies) = ("10.0.0.1", ["10.0.0.0/8"]);
        assert_eq!(code(&[], proxy, None), "proxy.address.direct");
        assert_eq!(code(&[], proxy, named), "proxy.address.untrusted");
        assert_eq!(code(&[], "127.0.0.1", other), "proxy.address.untrusted");
        assert_eq!(code(&proxies, "127.0.0.1", None), "proxy.address.past_proxies");
        assert_eq!(code(&proxies, proxy, named), "proxy.address.ok");
        assert_eq!(code(&proxies, proxy, other), "proxy.address.unnamed");
        assert_eq!(code(&proxies, proxy, None), "proxy.address.unnamed");
        let itself = Some(("x-forwarded-for", "10.0.0.1"));
        assert_eq!(code(&proxies, proxy, itself), "proxy.address.unnamed");
    }
}
