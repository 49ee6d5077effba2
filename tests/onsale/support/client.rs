//! Somebody who calls: with or without a token, a ticket, an idempotency key.

use std::net::SocketAddr;

use onsale::http::api::problem::ProblemCode;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// A caller. Clones are the same person.
#[derive(Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    pub user: i64,
    pub token: Option<String>,
    pub ticket: Option<String>,
    pub key: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    /// The stable code of a problem; empty where it is none.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// Fails where the answer is a problem that is not in the list of codes, or not as listed.
    #[track_caller]
    fn is_listed(&self) {
        // The answer to HEAD has no body.
        if self.header("content-type") == "application/problem+json" && !self.text.is_empty() {
            let code = ProblemCode::find(self.code());
            let kind = code.unwrap_or_else(|| panic!("not a listed code: {}", self.text)).kind();
            assert_eq!(self.status, kind.status.as_u16(), "{}", self.text);
            assert_eq!(self.body["title"], kind.title);
            assert_eq!(self.body["type"], format!("/problems/{}", kind.code));
        }
    }

    /// A header's text; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// Fails unless the answer has this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["instance"], self.header("x-request-id"));
    }

    /// Fails unless the answer has this status; gives the body.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }
}

impl Client {
    pub fn new(addr: SocketAddr) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let base = format!("http://{addr}");
        Self { base, http, user: 0, token: None, ticket: None, key: None }
    }

    /// The same person at another process.
    pub fn at(&self, addr: SocketAddr) -> Self {
        Self { base: format!("http://{addr}"), ..self.clone() }
    }

    /// With a fresh idempotency key.
    pub fn keyed(&self) -> Self {
        self.with_key(&uuid::Uuid::now_v7().to_string())
    }

    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    pub fn with_ticket(&self, ticket: &str) -> Self {
        Self { ticket: Some(ticket.to_owned()), ..self.clone() }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub fn without_ticket(&self) -> Self {
        Self { ticket: None, ..self.clone() }
    }

    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// A request with this person's headers, for what the short forms below do not do.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(ticket) = &self.ticket {
            request = request.header("queue-token", ticket);
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        request
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Self::read(request.send().await.expect("an answer")).await
    }

    async fn read(answer: reqwest::Response) -> Answer {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { status, headers, text, body };
        answer.is_listed();
        answer
    }

    /// Only the head of the answer: the body of a stream has no end.
    pub async fn head(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.expect("an answer");
        if !answer.status().is_success() {
            return Self::read(answer).await;
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, text: String::new(), body: Value::Null }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Joins a line and keeps the ticket.
    pub async fn join(&mut self, schedule: i64) -> Answer {
        let answer =
            self.send(self.request(Method::POST, &format!("/v1/schedules/{schedule}/queue"))).await;
        self.keep(&answer);
        answer
    }

    /// Asks what the ticket is worth, and keeps a new one.
    pub async fn poll(&mut self) -> Answer {
        let answer = self.get("/v1/queue/ticket").await;
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        if let Some(token) = answer.body["queue_token"].as_str() {
            self.ticket = Some(token.to_owned());
        }
    }

    /// Tries to hold seats under a fresh key.
    pub async fn hold(&self, schedule: i64, body: Value) -> Answer {
        self.keyed().post(&format!("/v1/schedules/{schedule}/reservations"), body).await
    }

    /// Tries to pay a hold under a fresh key.
    pub async fn pay(&self, hold: &Value) -> Answer {
        self.keyed().post("/v1/payments", serde_json::json!({"hold_id": hold["hold_id"]})).await
    }
}
