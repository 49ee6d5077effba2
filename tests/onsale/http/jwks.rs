//! The identity provider's keys: fetched from its address or read from a file, and kept while the
//! provider is down.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use chrono::Utc;
use onsale::app::Running;
use onsale::user::keys::{JwksSource, ProviderKeys};
use serde_json::json;

use crate::support::client::{Answer, Client};
use crate::support::provider::{Key, Provider, document};
use crate::support::wait::until;
use crate::support::world::World;

async fn start(world: &World, change: impl FnOnce(&mut onsale::config::Settings)) -> Running {
    let mut settings = world.settings(&["--open-signup=false", "--jwt-issuer=https://id.example"]);
    settings.access.jwt_secret = None;
    change(&mut settings);
    onsale::app::start(settings).await.expect("onsale starts")
}

async fn start_at(world: &World, provider: &Provider) -> Running {
    let url = provider.url().parse().expect("a URL");
    start(world, |settings| settings.access.jwks_url = Some(url)).await
}

async fn me(running: &Running, token: &str) -> Answer {
    Client::new(running.addr).with_token(token).get("/v1/users/me").await
}

async fn wait_for_keys(running: &Running, token: &str) {
    until("the keys are loaded", async || (me(running, token).await.status == 200).then_some(()))
        .await;
}

async fn stop(running: Running) {
    running.stop().cancel();
    running.stopped().await;
}

#[tokio::test]
async fn tokens_are_accepted_once_a_provider_that_was_down_at_the_start_answers() {
    let world = World::new().await;
    let key = Key::new("one");
    let provider = Provider::start(StatusCode::BAD_GATEWAY, String::new()).await;
    let running = start_at(&world, &provider).await;
    let token = key.token("ada", &json!({}));
    let refused = me(&running, &token).await;
    refused.refused(503, "store_unavailable");
    assert!(!refused.header("retry-after").is_empty());
    me(&running, "e30.e30.e30").await.refused(401, "unauthenticated");
    provider.answer(StatusCode::OK, document(&[&key]));
    wait_for_keys(&running, &token).await;
    stop(running).await;
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_and_unknown_keys_cause_few_fetches() {
    let world = World::new().await;
    let (old, new, evil) = (Key::new("old"), Key::new("new"), Key::new("made up"));
    let provider = Provider::start(StatusCode::OK, document(&[&old])).await;
    let running = start_at(&world, &provider).await;
    wait_for_keys(&running, &old.token("ada", &json!({}))).await;
    provider.answer(StatusCode::OK, document(&[&old, &new]));
    let (started, before) = (Instant::now(), provider.asked());
    assert_eq!(me(&running, &new.token("ada", &json!({}))).await.status, 200, "at once");
    assert_eq!(me(&running, &old.token("ada", &json!({}))).await.status, 200);
    let tokens: Vec<_> = (0..40).map(|n| evil.token(&n.to_string(), &json!({}))).collect();
    let answers = futures_util::future::join_all(tokens.iter().map(|t| me(&running, t))).await;
    for answer in answers {
        answer.refused(401, "unauthenticated");
    }
    // At most one fetch in ten seconds, however many tokens name unknown keys.
    let allowed = 1 + usize::try_from(started.elapsed().as_secs() / 10).expect("few");
    let fetches = provider.asked() - before;
    assert!((1..=allowed).contains(&fetches), "{fetches} fetches, {allowed} allowed");
    stop(running).await;
}

#[tokio::test]
async fn keys_are_fetched_by_one_request_at_a_time_even_when_clients_disconnect() {
    let (key, evil) = (Key::new("one"), Key::new("made up"));
    let provider = Provider::start(StatusCode::OK, document(&[&key])).await;
    let url = provider.url().parse().expect("a URL");
    let keys = Arc::new(ProviderKeys::at(JwksSource::address(url).expect("a client")));
    let closed = provider.open.write().await;
    let ask = || {
        let keys = Arc::clone(&keys);
        tokio::spawn(async move { keys.look_for_unknown(0).await })
    };
    let asking: Vec<_> = (0..30).map(|_| ask()).collect();
    until("the first fetch", async || (provider.asked() == 1).then_some(())).await;
    drop(closed);
    let known = futures_util::future::join_all(asking).await;
    assert!(known.into_iter().all(|known| known.expect("an answer")), "all get the new keys");
    assert_eq!((provider.asked(), provider.most_at_once.load(Ordering::SeqCst)), (1, 1));
    assert!(keys.get(key.0).is_ok() && keys.get(evil.0).is_err());

    // A client that disconnects during its fetch does not allow another fetch.
    let url = provider.url().parse().expect("a URL");
    let keys = ProviderKeys::at(JwksSource::address(url).expect("a client"));
    let closed = provider.open.write().await;
    for _ in 0..5 {
        let soon = Duration::from_millis(50);
        drop(tokio::time::timeout(soon, keys.look_for_unknown(0)).await);
    }
    drop(closed);
    assert!(provider.asked() <= 2, "{} fetches", provider.asked());
}

#[tokio::test]
async fn an_invalid_key_document_does_not_replace_valid_keys() {
    let key = Key::new("one");
    let good = document(&[&key]);
    let provider = Provider::start(StatusCode::OK, good.clone()).await;
    let elsewhere = Provider::start(StatusCode::OK, document(&[&Key::new("elsewhere")])).await;
    let large = format!("{}{}", good, " ".repeat(256 * 1024));
    let twice = document(&[&key, &key]);
    let many: Vec<_> = (0..101).map(|_| Key::new("many")).collect();
    let many = document(&many.iter().collect::<Vec<_>>());
    for (status, text) in [
        (StatusCode::OK, "<html>down for maintenance</html>".to_owned()),
        (StatusCode::OK, String::new()),
        (StatusCode::OK, "{\"keys\":[]}".to_owned()),
        (StatusCode::OK, twice),
        (StatusCode::OK, many),
        (StatusCode::OK, large),
        (StatusCode::NOT_FOUND, document(&[&Key::new("of a 404")])),
        (StatusCode::FOUND, elsewhere.url()),
    ] {
        let url = provider.url().parse().expect("a URL");
        let source = JwksSource::address(url).expect("a client");
        let keys = ProviderKeys::at(source);
        provider.answer(StatusCode::OK, good.clone());
        assert!(keys.look_for_unknown(0).await);
        provider.answer(status, text.clone());
        let (asked, generation) = (provider.asked(), keys.generation());
        keys.read_again().await;
        let shown: String = text.chars().take(60).collect();
        assert_eq!(provider.asked(), asked + 1, "a request was sent: {shown}");
        assert!(keys.get(key.0).is_ok(), "{status} {shown}");
        assert_eq!(keys.generation(), generation, "{status} {shown}");
    }
    assert_eq!(elsewhere.asked(), 0, "a redirection is not followed");
}

/// A key file that a test writes.
struct File(PathBuf);

impl File {
    fn new(keys: &[&Key]) -> Self {
        let file = Self(std::env::temp_dir().join(format!("jwks_{}.json", uuid::Uuid::now_v7())));
        file.write(&document(keys));
        file
    }

    /// Replaces the file in one step (rename).
    fn write(&self, text: &str) {
        let next = self.0.with_extension("next");
        std::fs::write(&next, text).expect("a file");
        std::fs::rename(&next, &self.0).expect("a file");
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[tokio::test]
async fn a_changed_key_file_is_read_again_and_a_withdrawn_key_is_no_longer_accepted() {
    let world = World::new().await;
    let (old, new) = (Key::new("old"), Key::new("new"));
    let file = File::new(&[&old]);
    let path = file.0.clone();
    let running = start(&world, |settings| settings.access.jwks_path = Some(path)).await;
    let token = old.token("ada", &json!({}));
    me(&running, &token).await.ok(200);
    file.write("{");
    me(&running, &new.token("ada", &json!({}))).await.refused(401, "unauthenticated");
    me(&running, &token).await.ok(200);
    file.write(&document(&[&new]));
    // The token was verified before; now its key is withdrawn.
    until("the old key is withdrawn", async || {
        (me(&running, &token).await.status == 401).then_some(())
    })
    .await;
    me(&running, &new.token("ada", &json!({}))).await.ok(200);
    stop(running).await;
}

#[tokio::test]
async fn the_name_claim_of_the_latest_token_becomes_the_users_name() {
    let world = World::new().await;
    let key = Key::new("one");
    let file = File::new(&[&key]);
    let path = file.0.clone();
    let running = start(&world, |settings| settings.access.jwks_path = Some(path.clone())).await;
    let second = start(&world, |settings| settings.access.jwks_path = Some(path.clone())).await;
    let now = Utc::now().timestamp();
    let token = |name: serde_json::Value, at: i64| {
        key.token("auth0|7", &json!({"name": name, "iat": at, "nbf": 1000.5}))
    };
    let name = async |running: &Running, token: &str| {
        me(running, token).await.ok(200)["name"].as_str().expect("a name").to_owned()
    };
    assert_eq!(name(&running, &key.token("auth0|7", &json!({}))).await, "auth0|7");
    let first = token(json!(" 김\u{202e} 서연 "), now - 100);
    assert_eq!(name(&running, &first).await, "김 서연");
    assert_eq!(name(&second, &first).await, "김 서연");
    let later = token(json!("Kim Seoyeon"), now - 50);
    assert_eq!(name(&second, &later).await, "Kim Seoyeon");
    // In any order of the tokens, and at every process.
    for running in [&running, &second] {
        assert_eq!(name(running, &first).await, "Kim Seoyeon");
        assert_eq!(name(running, &later).await, "Kim Seoyeon");
        let blank = token(json!("\u{200b}\u{3164}"), now - 10);
        assert_eq!(name(running, &blank).await, "Kim Seoyeon");
    }
    let blank = key.token("\u{200b}", &json!({"name": "\u{200b}"}));
    assert_eq!(name(&running, &blank).await, "Buyer");
    stop(running).await;
    stop(second).await;
}
