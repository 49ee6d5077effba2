//! `X-Forwarded-For` and `Forwarded` by a proxy of ours: the client that they name is no proxy.
#![no_main]

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use onsale::config::limits::ForwardedHeader;
use onsale::http::guard::address::Proxies;

fuzz_target!(|text: &[u8]| {
    let peer: IpAddr = [10, 0, 0, 1].into();
    for (name, header) in [
        ("x-forwarded-for", ForwardedHeader::XForwardedFor),
        ("forwarded", ForwardedHeader::Forwarded),
    ] {
        let mut headers = HeaderMap::new();
        for line in text.split(|byte| *byte == b'\n').take(4) {
            if let Ok(value) = HeaderValue::from_bytes(line) {
                headers.append(name, value);
            }
        }
        let ours = Proxies::new(vec!["10.0.0.0/8".parse().expect("a network")], header);
        let nobody = Proxies::new(Vec::new(), header);
        assert_ne!(ours.client(peer, &headers), nobody.peer(peer), "a proxy stands for many");
        assert_eq!(nobody.client(peer, &headers), nobody.peer(peer), "only proxies are believed");
    }
});
