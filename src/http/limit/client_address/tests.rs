use axum::http::HeaderValue;

use super::*;

const XFF: ForwardedHeader = ForwardedHeader::XForwardedFor;
const RFC: ForwardedHeader = ForwardedHeader::Forwarded;

/// The address that a request counts for; `-` for none.
fn client_of(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &[u8])]) -> String {
    let networks = ["10.0.0.0/8", "127.0.0.1/32", "2001:db8:ffff::/48"].map(|t| t.parse().unwrap());
    let proxies = Proxies::new(networks.to_vec(), header);
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    let found = proxies.client(peer.parse().unwrap(), &headers);
    found.map_or_else(|| "-".to_owned(), |ClientAddress(address)| address.to_string())
}

fn by_xff(value: impl AsRef<[u8]>) -> String {
    client_of(XFF, "10.1.1.1", &[("x-forwarded-for", value.as_ref())])
}

fn by_forwarded(value: impl AsRef<[u8]>) -> String {
    client_of(RFC, "10.1.1.1", &[("forwarded", value.as_ref())])
}

#[test]
fn only_the_configured_header_of_a_trusted_proxy_is_read() {
    let xff = ("x-forwarded-for", &b"192.0.2.7"[..]);
    let rfc = ("forwarded", &b"for=192.0.2.8"[..]);
    for (header, peer, lines, expected) in [
        (XFF, "203.0.113.9", &[xff, rfc][..], "203.0.113.9"),
        (XFF, "10.1.1.1", &[xff, rfc], "192.0.2.7"),
        (RFC, "10.1.1.1", &[xff, rfc], "192.0.2.8"),
        (RFC, "10.1.1.1", &[xff], "10.1.1.1"),
        (XFF, "::ffff:10.1.1.1", &[xff], "192.0.2.7"),
        (XFF, "127.0.0.1", &[xff], "192.0.2.7"),
        (XFF, "127.0.0.2", &[xff], "-"),
        (XFF, "::1", &[xff], "-"),
        (XFF, "::ffff:127.0.0.2", &[xff], "-"),
    ] {
        assert_eq!(client_of(header, peer, lines), expected, "{peer} {lines:?}");
    }
}

#[test]
fn a_request_with_an_unreadable_header_counts_for_the_proxy_that_sent_it() {
    assert_eq!(client_of(XFF, "127.0.0.1", &[]), "127.0.0.1", "a trusted proxy without a header");
    for unreadable in [
        &b"\xff"[..],
        b"",
        b",",
        b"unknown",
        b"_hidden",
        b"1.1.1.1, \xff",
        b"1.1.1.1,",
        b"1.1.1.1, unknown",
        b"1.1.1.1 1.1.1.1",
        b"1.1.1.1:x",
        b"1.1.1.1:",
        b"1.1.1.1:80:80",
        b"[1.1.1.1]",
        b"[2001:db8::7",
        b"[2001:db8::7]80",
        b"2001:db8::7%eth0",
        b"0x1.1.1.1",
        b"client.example",
    ] {
        assert_eq!(by_xff(unreadable), "10.1.1.1", "{}", unreadable.escape_ascii());
    }
    for unreadable in [
        &b"\xff"[..],
        b"",
        b"for=",
        b"for=unknown",
        b"for=_hidden, proto=https",
        b"for=1.1.1.1;for=2.2.2.2",
        b"for=\"1.1.1.1",
        b"for=1.1.1.1, by=10.0.0.1",
        b"for=1.1.1.1, for=\"\xff\"",
    ] {
        assert_eq!(by_forwarded(unreadable), "10.1.1.1", "{}", unreadable.escape_ascii());
    }
    assert_eq!(by_xff(vec![b'1'; 60_000]), "10.1.1.1");
    assert_eq!(by_xff("unknown, 10.2.2.2"), "10.2.2.2", "the proxy that sent the element");
    assert_eq!(by_forwarded("for=unknown, for=10.2.2.2"), "10.2.2.2");
    assert_eq!(by_xff("127.0.0.2"), "127.0.0.2", "a forwarded loopback address is a client too");
    let long = vec!["10.0.0.1"; HOPS].join(", ");
    assert_eq!(by_xff(format!("1.1.1.1, {long}")), "10.0.0.1", "no more proxies are followed");
}

#[test]
fn what_a_client_writes_before_the_proxies_addresses_is_ignored() {
    for before in [&b"1.1.1.1"[..], b"\xff", b"\xff, 1.1.1.1", b"", b"\"", b"unknown", b"10.0.0.1"]
    {
        let value = [before, b", 198.51.100.4, 10.2.2.2"].concat();
        assert_eq!(by_xff(value), "198.51.100.4", "{}", before.escape_ascii());
    }
    let lines = [("x-forwarded-for", &b"1.1.1.1"[..]), ("x-forwarded-for", b"198.51.100.4:4711")];
    assert_eq!(client_of(XFF, "10.1.1.1", &lines), "198.51.100.4");
    let lines = [("forwarded", &b"for=\"1.1.1.1"[..]), ("forwarded", b"for=198.51.100.4")];
    assert_eq!(client_of(RFC, "10.1.1.1", &lines), "198.51.100.4");

    for before in [&b"for=1.1.1.1"[..], b"\xff", b"for=\"x", b"for=\"x\\", b"", b"for=_x"] {
        let value = [before, b", For = 198.51.100.4;proto=https , for=10.2.2.2"].concat();
        assert_eq!(by_forwarded(value), "198.51.100.4", "{}", before.escape_ascii());
    }
    // Text of the client's request that a proxy quotes names no address.
    for quoted in [
        r#"for=198.51.100.4;host="a,for=1.1.1.1""#,
        r#"for=198.51.100.4;host="a,for=1.1.1.1;x=""#,
        r#"host="a;for=1.1.1.1;x=";for=198.51.100.4"#,
        r#"for=198.51.100.4;host="a\",for=1.1.1.1;x=\"""#,
        r#"for=198.51.100.4;host="a\\""#,
    ] {
        assert_eq!(by_forwarded(quoted), "198.51.100.4", "{quoted}");
    }
}

#[test]
fn ports_are_dropped_and_an_ipv4_address_in_ipv6_form_is_the_ipv4_address() {
    for (value, expected) in [
        ("198.51.100.4:80", "198.51.100.4"),
        ("198.51.100.4:_port", "198.51.100.4"),
        ("::ffff:198.51.100.4", "198.51.100.4"),
        ("[::ffff:198.51.100.4]:80", "198.51.100.4"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::"),
        ("[2001:db8:1:2:3::4]", "2001:db8:1:2::"),
        ("[2001:db8:1:2:3::4]:80", "2001:db8:1:2::"),
        ("198.51.100.4, 2001:db8:ffff::1", "198.51.100.4"),
        ("198.51.100.4, ::ffff:10.0.0.9", "198.51.100.4"),
    ] {
        assert_eq!(by_xff(value), expected, "{value}");
    }
    let value = "for=1.1.1.1, for=\"[2001:db8:1:2:3::4]:80\";by=_x";
    assert_eq!(by_forwarded(value), "2001:db8:1:2::");
    assert_eq!(by_forwarded("for=\"198.51.100.4:_gazonk\""), "198.51.100.4");
}

#[test]
fn an_ipv6_network_is_one_client() {
    let one = client_of(XFF, "2001:db8:0:7::1", &[]);
    assert_eq!(client_of(XFF, "2001:db8:0:7:ffff::2", &[]), one);
    assert_ne!(client_of(XFF, "2001:db8:0:8::1", &[]), one);
}

#[test]
fn a_connection_of_a_proxy_or_over_loopback_counts_for_no_address() {
    let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()], XFF);
    for (peer, counts) in [
        ("10.1.1.1", false),
        ("::ffff:10.1.1.1", false),
        ("127.0.0.1", false),
        ("::1", false),
        ("203.0.113.9", true),
    ] {
        assert_eq!(proxies.peer(peer.parse().unwrap()).is_some(), counts, "{peer}");
    }
}
