//! Tokens of an identity provider, and requests of pages on other origins.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use chrono::Utc;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::json;

use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::world::{JWT_SECRET, World};

/// A key pair of each kind that a provider may sign with.
fn keys() -> Vec<(Algorithm, EncodingKey)> {
    let random = aws_lc_rs::rand::SystemRandom::new();
    let rsa = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    // jsonwebtoken needs PKCS#1; at this size PKCS#8 is the same with a header of 26 bytes.
    let rsa = EncodingKey::from_rsa_der(&rsa.as_der().expect("a key").as_ref()[26..]);
    let ec =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    let ed = Ed25519KeyPair::generate_pkcs8v1(&random).expect("a key");
    vec![
        (Algorithm::RS256, rsa),
        (Algorithm::ES256, EncodingKey::from_ec_der(ec.as_ref())),
        (Algorithm::EdDSA, EncodingKey::from_ed_der(ed.as_ref())),
    ]
}

fn name(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

fn signed(algorithm: Algorithm, key: &EncodingKey, kid: &str, subject: &str, role: &str) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned());
    let now = Utc::now().timestamp();
    let claims = json!({"aud": ["onsale", "other"], "iss": "https://id.example", "sub": subject,
        "role": role, "iat": now, "exp": now + 600});
    encode(&header, &claims, key).expect("a token")
}

/// Tokens with another key, another algorithm, or an invalid subject.
fn forged(keys: &[(Algorithm, EncodingKey)], set: &JwkSet) -> Vec<String> {
    let (rsa, ec) = (&keys[0], &keys[1]);
    let shared = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let public = EncodingKey::from_secret(&serde_json::to_vec(&set.keys[0]).expect("JSON"));
    vec![
        signed(rsa.0, &rsa.1, "nobody", "x", "user"),
        signed(rsa.0, &rsa.1, &name(ec.0), "x", "user"),
        signed(Algorithm::RS512, &rsa.1, &name(rsa.0), "x", "user"),
        signed(Algorithm::HS256, &shared, &name(rsa.0), "x", "admin"),
        signed(Algorithm::HS256, &public, &name(rsa.0), "x", "admin"),
        signed(rsa.0, &self::keys()[0].1, &name(rsa.0), "x", "user"),
        signed(rsa.0, &rsa.1, &name(rsa.0), "", "user"),
        signed(rsa.0, &rsa.1, &name(rsa.0), "a\u{0}b", "user"),
        signed(rsa.0, &rsa.1, &name(rsa.0), &"x".repeat(2000), "user"),
    ]
}

#[tokio::test]
async fn a_providers_token_creates_its_user_at_the_first_call() {
    let world = World::new().await;
    let keys = keys();
    let jwk = |(algorithm, key): &(Algorithm, EncodingKey)| {
        let mut jwk = Jwk::from_encoding_key(key, *algorithm).expect("a key");
        jwk.common.key_id = Some(name(*algorithm));
        jwk
    };
    let set = JwkSet { keys: keys.iter().map(jwk).collect() };
    let file = std::env::temp_dir().join(format!("jwks_{}.json", uuid::Uuid::now_v7()));
    std::fs::write(&file, serde_json::to_vec(&set).expect("JSON")).expect("a file");
    let mut settings = world.settings(&["--open-signup=false", "--jwt-issuer=https://id.example"]);
    settings.access.jwt_secret = None;
    settings.access.jwks_path = Some(file.clone());
    let running = onsale::app::start(settings).await.expect("onsale starts");
    std::fs::remove_file(&file).expect("it was read");
    let anybody = Client::new(running.addr);
    assert_eq!(world.number(r#"select count(*) from "user""#).await, 0);

    let mut ids = Vec::new();
    for (algorithm, key) in &keys {
        let me =
            anybody.with_token(&signed(*algorithm, key, &name(*algorithm), "auth0|7 가", "user"));
        let answers =
            tokio::join!(me.get("/v1/points"), me.get("/v1/users/me"), me.get("/v1/users/me"));
        assert_eq!(answers.0.ok(200)["amount"], 0);
        ids.extend([answers.1.ok(200)["id"].clone(), answers.2.ok(200)["id"].clone()]);
        me.get("/v1/admin/audit").await.refused(403, "forbidden");
        let boss = signed(*algorithm, key, &name(*algorithm), "auth0|boss", "admin");
        anybody.with_token(&boss).get("/v1/admin/audit").await.ok(200);
        let window = signed(*algorithm, key, &name(*algorithm), "auth0|window", "box_office");
        let window = anybody.with_token(&window);
        window.get("/v1/admin/box-office/search?q=7").await.ok(200);
        window.post("/v1/admin/concerts", json!({"title": "x"})).await.refused(403, "forbidden");
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "one subject is one user: {ids:?}");
    assert_eq!(world.number(r#"select count(*) from "user""#).await, 3);

    for forged in forged(&keys, &set) {
        anybody.with_token(&forged).get("/v1/users/me").await.refused(401, "unauthenticated");
    }
    assert_eq!(world.number(r#"select count(*) from "user""#).await, 3);
    anybody.post("/v1/users", json!({"name": "Kim"})).await.refused(403, "signup_closed");
    running.stop().cancel();
    running.stopped().await;
}

async fn from(client: &Client, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request).await
}

#[tokio::test]
async fn pages_on_listed_origins_may_call_everything_and_others_read_public_data() {
    let world = World::new().await;
    let process =
        world.start_with(&["--cors-origins=https://shop.example,http://localhost:3000"]).await;
    let sale = sale::open(&process.admin().await, 1, 1, json!({})).await;
    let buyer = process.buyer().await;
    let shop = ("origin", "https://shop.example");
    let evil = ("origin", "https://shop.example.evil");
    let allowed = |answer: &Answer| answer.header("access-control-allow-origin").to_owned();
    let public = ["/v1/concerts".to_owned(), format!("/v1/schedules/{}/queue", sale.schedule)];
    for path in &public {
        for origin in [shop, evil] {
            let answer = from(&buyer, Method::GET, path, &[origin]).await;
            assert_eq!((answer.status, allowed(&answer).as_str()), (200, "*"));
            let exposed = answer.header("access-control-expose-headers").to_ascii_lowercase();
            for name in ["etag", "retry-after", "idempotency-replayed", "x-request-id"] {
                assert!(exposed.contains(name), "{exposed}");
            }
        }
    }
    for (path, status) in [("/v1/points", 200), ("/v1/nothing", 404), ("/v1/admin/audit", 403)] {
        let answer = from(&buyer, Method::GET, path, &[shop]).await;
        assert_eq!((answer.status, allowed(&answer).as_str()), (status, shop.1));
        assert_eq!(allowed(&from(&buyer, Method::GET, path, &[evil]).await), "");
        assert!(answer.header("vary").to_ascii_lowercase().contains("origin"));
    }
    for method in ["POST", "PATCH", "DELETE", "GET"] {
        let asked = ("access-control-request-method", method);
        let answer =
            from(&process.anonymous(), Method::OPTIONS, "/v1/payments", &[shop, asked]).await;
        assert_eq!((answer.status, allowed(&answer).as_str()), (204, shop.1));
        assert!(answer.header("access-control-allow-methods").contains(method));
        let names = answer.header("access-control-allow-headers").to_ascii_lowercase();
        for name in [
            "authorization",
            "queue-token",
            "idempotency-key",
            "content-type",
            "if-none-match",
            "last-event-id",
        ] {
            assert!(names.contains(name), "{names}");
        }
        let answer =
            from(&process.anonymous(), Method::OPTIONS, "/v1/payments", &[evil, asked]).await;
        assert_eq!(allowed(&answer), "");
    }
    let closed = world.start().await;
    assert_eq!(allowed(&from(&closed.anonymous(), Method::GET, "/v1/points", &[shop]).await), "");
}
