//! `X-Forwarded-For` and `Forwarded` from a trusted proxy: a request always has an address, and the
//! address that the proxy appends takes precedence over all earlier ones.
#![no_main]

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use onsale::config::limits::ForwardedHeader;
use onsale::http::limit::client_address::{ClientAddress, Proxies};

/// Returns the header lines in `text`, with `appended` at the end of the last one.
fn headers(name: &'static str, text: &[u8], appended: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut lines: Vec<Vec<u8>> =
        text.split(|byte| *byte == b'\n').take(4).map(Vec::from).collect();
    if let Some(last) = lines.last_mut() {
        last.extend_from_slice(appended.as_bytes());
    }
    for line in lines {
        if let Ok(value) = HeaderValue::from_bytes(&line) {
            headers.append(name, value);
        }
    }
    headers
}

fuzz_target!(|text: &[u8]| {
    let address = |text: &str| -> IpAddr { text.parse().expect("an address") };
    let (proxy, client, loopback) =
        (address("10.0.0.1"), address("203.0.113.9"), address("127.0.0.1"));
    for (name, header, appended) in [
        ("x-forwarded-for", ForwardedHeader::XForwardedFor, ", 203.0.113.9, 10.0.0.2:80"),
        ("forwarded", ForwardedHeader::Forwarded, ", for=203.0.113.9;host=\"a,b\", for=10.0.0.2"),
    ] {
        let networks = ["10.0.0.0/8", "127.0.0.1/32"].map(|text| text.parse().expect("a network"));
        let trusting = Proxies::new(networks.to_vec(), header);
        let trusting_none = Proxies::new(Vec::new(), header);
        let sent = headers(name, text, "");
        for peer in [proxy, loopback] {
            assert!(trusting.client(peer, &sent).is_some(), "a forwarded request has an address");
        }
        let by_peer: Option<ClientAddress> = trusting_none.peer(proxy);
        assert_eq!(trusting_none.client(proxy, &sent), by_peer, "only proxies are trusted");
        let sent = headers(name, text, appended);
        // A line with a control byte is not a header, so its appended part is missing too.
        if sent.get_all(name).iter().any(|line| line.as_bytes().ends_with(appended.as_bytes())) {
            let expected = trusting_none.peer(client);
            assert_eq!(trusting.client(proxy, &sent), expected, "the appended address");
        }
    }
});
