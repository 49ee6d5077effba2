//! An identity provider for tests: its keys, its tokens, and the address at which it publishes
//! keys.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::Ed25519KeyPair;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

/// A key pair with its name.
pub struct Key(pub &'static str, EncodingKey);

impl Key {
    pub fn new(kid: &'static str) -> Self {
        let random = aws_lc_rs::rand::SystemRandom::new();
        let pair = Ed25519KeyPair::generate_pkcs8v1(&random).expect("a key");
        Self(kid, EncodingKey::from_ed_der(pair.as_ref()))
    }

    /// A token for a subject, with further claims.
    pub fn token(&self, subject: &str, more: &serde_json::Value) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.0.to_owned());
        let now = Utc::now().timestamp();
        let mut claims = json!({"aud": "onsale", "iss": "https://id.example", "sub": subject,
            "iat": now, "exp": now + 600});
        let more = more.as_object().expect("claims").clone();
        claims.as_object_mut().expect("claims").extend(more);
        encode(&header, &claims, &self.1).expect("a token")
    }
}

/// The JWKS document with these keys.
pub fn document(keys: &[&Key]) -> String {
    let jwk = |key: &&Key| {
        let mut jwk = Jwk::from_encoding_key(&key.1, Algorithm::EdDSA).expect("a key");
        jwk.common.key_id = Some(key.0.to_owned());
        jwk
    };
    serde_json::to_string(&JwkSet { keys: keys.iter().map(jwk).collect() }).expect("JSON")
}

/// A server that publishes a document. It counts its requests, and how many come at the same time.
pub struct Provider {
    answer: Mutex<(StatusCode, String)>,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    pub most_at_once: AtomicUsize,
    /// Answers wait while this is locked for writing.
    pub open: tokio::sync::RwLock<()>,
    addr: SocketAddr,
}

impl Provider {
    pub async fn start(status: StatusCode, text: String) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let provider = Arc::new(Self {
            answer: Mutex::new((status, text)),
            asked: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            open: tokio::sync::RwLock::new(()),
            addr: listener.local_addr().expect("an address"),
        });
        let routes = Router::new().fallback(Self::serve).with_state(Arc::clone(&provider));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    async fn serve(State(provider): State<Arc<Self>>) -> Response {
        provider.asked.fetch_add(1, Ordering::SeqCst);
        let now = provider.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        provider.most_at_once.fetch_max(now, Ordering::SeqCst);
        drop(provider.open.read().await);
        let (status, text) = provider.answer.lock().expect("no panic").clone();
        provider.at_once.fetch_sub(1, Ordering::SeqCst);
        if status.is_redirection() {
            return (status, [(LOCATION, text)]).into_response();
        }
        (status, text).into_response()
    }

    pub fn answer(&self, status: StatusCode, text: impl Into<String>) {
        *self.answer.lock().expect("no panic") = (status, text.into());
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn url(&self) -> String {
        format!("http://{}/keys", self.addr)
    }
}
