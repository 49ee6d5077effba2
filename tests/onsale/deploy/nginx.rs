//! Each rule of `deploy/nginx/onsale.conf`, with the real nginx.

use serde_json::json;

use crate::support::nginx::Nginx;
use crate::support::recorder::{Manner, Recorder};
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

#[tokio::test]
async fn forwarding_headers_are_set_anew_and_only_the_public_name_is_served() {
    let process = Recorder::start(Manner::Answer).await;
    let nginx = Nginx::before(&[process.addr]).await;
    let forged = [
        "x-forwarded-for: 192.0.2.66",
        "forwarded: for=192.0.2.66",
        "x-real-ip: 192.0.2.66",
        "x-forwarded-proto: gopher",
        "x-forwarded-host: elsewhere.example",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate: x=1",
        "queue-token: abc",
    ];
    let headers: Vec<&str> = forged.iter().flat_map(|header| ["--header", header]).collect();
    let answer = nginx.curl("/v1/concerts?limit=2", &headers).await;
    assert_eq!((answer.status, answer.version.as_str()), (200, "2"), "{answer:?}");
    assert!(answer.text.contains("strict-transport-security: max-age=31536000"), "{answer:?}");
    let heads = process.heads().await;
    let mut lines: Vec<&str> = heads[0].lines().filter(|line| !line.is_empty()).collect();
    lines.retain(|line| !line.starts_with("user-agent") && !line.starts_with("accept"));
    lines.sort_unstable();
    let expected = [
        "get /v1/concerts?limit=2 http/1.1",
        "host: localhost",
        "queue-token: abc",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: https",
    ];
    assert_eq!(lines, expected);

    for host in ["elsewhere.example", "127.0.0.1"] {
        let header = format!("host: {host}");
        assert_eq!(nginx.curl("/", &["--header", &header]).await.status, 421, "{host}");
    }
    let by_address = nginx.curl("/", &["--insecure", "--connect-to", "::127.0.0.1:"]).await;
    assert_eq!(by_address.status, 200, "the name counts, not the address");
    let port = nginx.http_port;
    let plain = nginx.curl(&format!("http://localhost:{port}/concerts/7?x=1"), &[]).await;
    assert_eq!(plain.status, 308);
    assert!(plain.text.contains("https://localhost/concerts/7?x=1"), "{plain:?}");
    assert_eq!(process.heads().await.len(), 2, "nothing else reached the process");
}

#[tokio::test]
async fn what_operators_use_is_closed_to_the_public() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let nginx = Nginx::before(&[process.addr]).await;
    let token = format!("authorization: Bearer {}", admin.token.expect("a token"));
    let closed = ["/metrics", "/readyz", "/admin", "/v1/admin/audit", "/v1/admin/health"];
    let spellings = closed.iter().flat_map(|path| {
        let (inner, encoded) = (&path[1..], path.replace('m', "%6d").replace("read", "%72ead"));
        [
            (*path).to_owned(),
            format!("/{path}"),
            format!("/x/../{inner}"),
            encoded,
            format!("{path}?limit=5"),
        ]
    });
    let spellings: Vec<String> = spellings.collect();
    let statuses = async || {
        let mut statuses = Vec::new();
        for path in &spellings {
            statuses.push(nginx.curl(path, &["--header", &token]).await.status);
        }
        statuses
    };
    let open = statuses().await;
    for (path, status) in spellings.iter().zip(&open) {
        let plain = closed.contains(&path.as_str()) || path.ends_with("?limit=5");
        assert_eq!(*status == 200, plain, "{path}: {status}");
    }
    nginx.edit("site/operators.conf", "allow 127.0.0.1;", "");
    until("everybody else is refused", async || {
        statuses().await.iter().all(|status| *status == 403).then_some(())
    })
    .await;
    assert_eq!(nginx.curl("/livez", &[]).await.status, 200);
    assert_eq!(nginx.curl("/v1/concerts", &[]).await.status, 200);
    assert_eq!(nginx.curl("/administration", &[]).await.status, 404, "not a path of operators");
}

/// The largest bodies are lists of seats.
#[tokio::test]
async fn nginx_refuses_bodies_above_1_mebibyte_and_lists_of_seats_above_16() {
    let process = Recorder::start(Manner::Answer).await;
    let nginx = Nginx::before(&[process.addr]).await;
    let send = async |path: &str, kilobytes: usize| {
        let file = format!("{}/{kilobytes}", std::env::temp_dir().display());
        let file = format!("{file}-{}", uuid::Uuid::now_v7().simple());
        std::fs::write(&file, vec![b'x'; kilobytes << 10]).expect("a file");
        let body = format!("@{file}");
        let answer = nginx.curl(path, &["--data-binary", &body]).await;
        std::fs::remove_file(&file).expect("the file");
        answer.status
    };
    assert_eq!(send("/v1/users", 1000).await, 200);
    assert_eq!(send("/v1/users", 1100).await, 413);
    assert_eq!(send("/v1/admin/schedules/1/seats", 16_000).await, 200);
    assert_eq!(send("/v1/admin/schedules/1/seats", 17_000).await, 413);
}

#[tokio::test]
async fn a_request_goes_to_another_process_only_where_that_is_safe() {
    let good = Recorder::start(Manner::Answer).await;
    let gone = Recorder::start(Manner::Answer).await;
    let (closed, bad) = (gone.addr, Recorder::start(Manner::Break).await);
    drop(gone);
    until("its port is closed", async || {
        tokio::net::TcpStream::connect(closed).await.is_err().then_some(())
    })
    .await;

    // No connection was made: any request may go elsewhere.
    let nginx = Nginx::before(&[closed, good.addr]).await;
    for method in ["GET", "POST", "PATCH", "GET", "POST", "PATCH"] {
        assert_eq!(nginx.curl("/v1/x", &["--request", method]).await.status, 200, "{method}");
    }
    assert!(nginx.log().iter().any(|line| line["upstream"].as_str().unwrap().contains(',')));

    // The process has the request, and may have carried it out.
    let before = good.heads().await.len();
    let nginx = Nginx::before(&[bad.addr, bad.addr]).await;
    for (method, status, tries) in [("POST", 502, 1), ("PATCH", 502, 1)] {
        let seen = bad.heads().await.len();
        assert_eq!(nginx.curl("/v1/x", &["--request", method]).await.status, status, "{method}");
        assert_eq!(bad.heads().await.len() - seen, tries, "{method}");
    }
    let nginx = Nginx::before(&[bad.addr, good.addr]).await;
    for _ in 0..2 {
        assert_eq!(nginx.curl("/v1/x", &[]).await.status, 200, "GET");
    }
    assert_eq!(good.heads().await.len(), before + 2);

    // A refusal is an answer.
    let (one, two) = (Recorder::start(Manner::Refuse).await, Recorder::start(Manner::Refuse).await);
    let nginx = Nginx::before(&[one.addr, two.addr]).await;
    for _ in 0..4 {
        assert_eq!(nginx.curl("/v1/x", &[]).await.status, 503);
    }
    assert_eq!(one.heads().await.len() + two.heads().await.len(), 4, "asked once each");
}

#[tokio::test]
async fn connections_to_a_process_are_kept_open_and_no_log_has_a_query() {
    let process = Recorder::start(Manner::Answer).await;
    let nginx = Nginx::before(&[process.addr]).await;
    for _ in 0..5 {
        let answer = nginx.curl("/v1/queue/ticket/stream?code=hidden", &[]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(nginx.curl("/continue?code=hidden", &[]).await.status, 200);
    }
    assert_eq!(process.connections(), 1);
    assert!(process.heads().await[0].contains("?code=hidden"), "the process has it");
    drop(process);
    until("nginx answers for a process that is gone", async || {
        (nginx.curl("/v1/queue/ticket/stream?code=hidden", &[]).await.status == 502).then_some(())
    })
    .await;
    let port = nginx.http_port;
    nginx.curl(&format!("http://localhost:{port}/?code=hidden"), &[]).await;
    let log = nginx.log();
    assert!(log.len() >= 12, "{log:?}");
    assert_eq!(log[0]["path"], "/v1/queue/ticket/stream");
    assert_eq!((&log[0]["client"], &log[0]["status"]), (&json!("127.0.0.1"), &json!("200")));
    assert!(!nginx.written().contains("hidden"), "a log has the query");
}

/// With the real process: the browser's way in.
#[tokio::test]
async fn a_buyer_buys_through_nginx() {
    let world = World::new().await;
    let process = world.start_with(&["--trusted-proxies=127.0.0.1"]).await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({})).await;
    let nginx = Nginx::before(&[process.addr]).await;
    let mut buyer = process.rich_buyer().await.through(&nginx.client());
    buyer.join(sale.schedule).await.ok(201);
    buyer.wait_for_status("ACTIVE").await;
    let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    buyer.pay(&held).await.ok(201);
    let joined = nginx.log().into_iter().find(|line| line["method"] == "POST").expect("the join");
    assert_eq!(joined["status"], "201");
    assert!(joined["id"].as_str().is_some_and(|id| id.len() == 36), "the request's id: {joined}");
}
