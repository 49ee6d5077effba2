//! Redis over TLS: a single server, Sentinel and a cluster, each with certificates on both sides.

use std::process::Stdio;
use std::time::Duration;

use onsale::caller::Role;
use serde_json::json;

use crate::support::client::Client;
use crate::support::faults::serve;
use crate::support::program::Program;
use crate::support::sale::{self, Sale};
use crate::support::tls::Certificates;
use crate::support::wait::{until, until_within};
use crate::support::world::{World, token};

const LONG: Duration = Duration::from_mins(1);

/// The settings for certificates: the CA, and the certificate of the process with its key.
fn settings(certificates: &Certificates) -> [(&'static str, String); 3] {
    [
        ("ONSALE_REDIS_CA_PATH", certificates.path("ca.pem")),
        ("ONSALE_REDIS_CERT_PATH", certificates.path("client.pem")),
        ("ONSALE_REDIS_KEY_PATH", certificates.path("client.key")),
    ]
}

/// A new user of a process.
async fn user(anybody: &Client) -> Client {
    let made = anybody.post_with_retries("/v1/users", json!({"name": "Kim"})).await.ok(201);
    let mut user = anybody.with_token(made["access_token"].as_str().expect("a token"));
    user.user = made["id"].as_i64().expect("an id");
    user
}

/// Creates a sale, and sells two of its seats.
pub async fn sell(anybody: &Client) -> Sale {
    let mut buyer = user(anybody).await;
    let admin = anybody.with_token(&token(buyer.user, Role::Admin));
    let sale = sale::open(&admin, 1, 6, json!({})).await;
    let charge = json!({"amount": 1000});
    buyer.keyed().post_with_retries("/v1/points/charges", charge).await.ok(201);
    buyer.join_with_retries(sale.schedule).await.ok(201);
    buyer.wait_for_status("ACTIVE").await;
    let hold = buyer.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    buyer.pay(&hold).await.ok(201);
    sale
}

/// Waits until the process can serve.
pub async fn until_ready(anybody: &Client) {
    until("the process is ready", async || {
        (anybody.get("/readyz").await.status == 200).then_some(())
    })
    .await;
}

/// Starts a process with these settings, sells seats, and checks that it is ready.
async fn sells(world: &World, url: &str, certificates: &Certificates) {
    let settings = settings(certificates);
    let mut environment = vec![("REDIS_URL", url)];
    environment.extend(settings.iter().map(|(name, path)| (*name, path.as_str())));
    let program = Program::start(world, &environment).await;
    sell(&program.anonymous()).await;
    until_ready(&program.anonymous()).await;
}

/// The exit code and the log of a process that must not start. On a busy machine the handshake may
/// take longer than a connection may: then the process starts as if Redis were down, and is started
/// again.
async fn refused(world: &World, url: &str, settings: &[(&str, String)]) -> (Option<i32>, String) {
    until_within(LONG, "the start is refused", async || {
        let mut command = serve(&world.database_url, url);
        command.envs(settings.iter().map(|(name, path)| (*name, path))).stdout(Stdio::null());
        let ended = tokio::time::timeout(Duration::from_secs(10), command.output()).await;
        let output = ended.ok()?.expect("onsale");
        Some((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
    })
    .await
}

#[tokio::test]
async fn a_single_server_and_the_process_check_each_others_certificates() {
    let (world, certificates) = (World::new().await, Certificates::new());
    let server = certificates.redis().await;
    let url = format!("rediss://127.0.0.1:{}", server.port);
    sells(&world, &url, &certificates).await;

    let [ca, certificate, key] = settings(&certificates);
    let other = ("ONSALE_REDIS_CA_PATH", certificates.path("other.pem"));
    let mine = [certificate.clone(), key.clone()];
    let not_accepted = "the certificate of the server is not accepted";
    for (settings, reason) in [
        (&[other, certificate.clone(), key.clone()][..], not_accepted),
        (&mine, not_accepted),
        (
            std::slice::from_ref(&ca),
            "does not accept the certificate of this process, or misses it",
        ),
    ] {
        let (code, errors) = refused(&world, &url, settings).await;
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains(reason), "{reason}: {errors}");
    }
    // No TLS where it is expected, and TLS where it is not.
    let plain = format!("redis://127.0.0.1:{}", server.port);
    let program = Program::start(&world, &[("REDIS_URL", plain.as_str())]).await;
    program.anonymous().get("/readyz").await.refused(503, "not_ready");
    until("the log says why", async || {
        program.output().contains("REDIS_URL must begin with rediss").then_some(())
    })
    .await;
    let url = world.redis.all()[0].url().replace("redis://", "rediss://");
    // Redis waits for the end of a command, and answers nothing.
    let environment = [("REDIS_URL", url.as_str()), (ca.0, ca.1.as_str())];
    let program = Program::start(&world, &environment).await;
    program.anonymous().get("/readyz").await.refused(503, "not_ready");
}

#[tokio::test]
async fn sentinels_and_their_servers_are_reached_over_tls() {
    let (world, certificates) = (World::new().await, Certificates::new());
    let primary = certificates.redis().await;
    let sentinel = certificates.sentinel(&primary).await;
    let url = format!("rediss+sentinel://127.0.0.1:{}/onsale", sentinel.port);
    sells(&world, &url, &certificates).await;
    let clients: String = certificates.ask(&primary, &["CLIENT", "LIST"]).await;
    assert!(!clients.is_empty());

    let other = [("ONSALE_REDIS_CA_PATH", certificates.path("other.pem"))];
    let (code, errors) = refused(&world, &url, &other).await;
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("the certificate of the server is not accepted"), "{errors}");
}

#[tokio::test]
async fn every_node_of_a_cluster_is_reached_over_tls() {
    let (world, certificates) = (World::new().await, Certificates::new());
    let nodes = certificates.cluster().await;
    let urls: Vec<String> =
        nodes.iter().take(2).map(|node| format!("rediss://127.0.0.1:{}", node.port)).collect();
    sells(&world, &urls.join(","), &certificates).await;

    let other = [("ONSALE_REDIS_CA_PATH", certificates.path("other.pem"))];
    let (code, errors) = refused(&world, &urls.join(","), &other).await;
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("the certificate of the server is not accepted"), "{errors}");
    let mixed = format!("{},redis://127.0.0.1:{}", urls[0], nodes[1].port);
    let (code, errors) = refused(&world, &mixed, &[]).await;
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("must begin with rediss, or none"), "{errors}");
}

#[tokio::test]
async fn files_of_certificates_that_cannot_be_used_are_refused_with_their_variable() {
    let (world, certificates) = (World::new().await, Certificates::new());
    let [ca, certificate, key] = settings(&certificates);
    let missing = ("ONSALE_REDIS_CA_PATH", certificates.path("missing.pem"));
    let no_certificate = ("ONSALE_REDIS_CA_PATH", certificates.path("client.key"));
    let no_key = ("ONSALE_REDIS_KEY_PATH", certificates.path("client.pem"));
    for (url, settings, name) in [
        ("rediss://127.0.0.1:1", &[missing][..], "ONSALE_REDIS_CA_PATH"),
        ("rediss://127.0.0.1:1", &[no_certificate], "ONSALE_REDIS_CA_PATH"),
        ("rediss://127.0.0.1:1", &[certificate.clone(), no_key], "ONSALE_REDIS_KEY_PATH"),
        ("rediss://127.0.0.1:1", &[certificate], "ONSALE_REDIS_KEY_PATH"),
        ("rediss://127.0.0.1:1", &[key], "ONSALE_REDIS_CERT_PATH"),
        ("redis://127.0.0.1:1", &[ca], "ONSALE_REDIS_CA_PATH"),
    ] {
        let (code, errors) = refused(&world, url, settings).await;
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(&format!("onsale: {name}: ")), "{errors}");
    }
    let insecure = "rediss://127.0.0.1:1#insecure";
    let (code, errors) = refused(&world, insecure, &[]).await;
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("remove #insecure"), "{errors}");
}
