//! A client of the API, with or without an access token, a ticket and an idempotency key.

use std::net::SocketAddr;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::time::sleep;

pub use super::answer::Answer;
use super::description;
use super::wait::until;

/// Maximum number of retries after answers `503` with `Retry-After`.
pub const RETRIES: usize = 20;

/// A client of the API. A clone acts as the same user.
#[derive(Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    pub user: i64,
    pub token: Option<String>,
    pub ticket: Option<String>,
    pub key: Option<String>,
}

impl Client {
    pub fn new(addr: SocketAddr) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let base = format!("http://{addr}");
        Self { base, http, user: 0, token: None, ticket: None, key: None }
    }

    /// A client of a proxy on localhost with a certificate of its own, with a connection per request.
    pub fn over_tls(port: u16) -> Self {
        let one = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        let http = one.pool_max_idle_per_host(0).build().expect("a client");
        let plain = Self::new(([127, 0, 0, 1], port).into());
        Self { base: format!("https://localhost:{port}"), http, ..plain }
    }

    /// The same user, whose requests go where those of `other` go.
    pub fn through(&self, other: &Self) -> Self {
        Self { base: other.base.clone(), http: other.http.clone(), ..self.clone() }
    }

    /// The same user at another process.
    pub fn at(&self, addr: SocketAddr) -> Self {
        Self { base: format!("http://{addr}"), ..self.clone() }
    }

    /// The same client with a fresh idempotency key.
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

    /// A request with this client's headers, for calls that have no method of their own below.
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

    /// Sends a request. Fails if the answer is a problem that the API's description does not list
    /// for the operation.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.execute(request, false).await
    }

    async fn execute(&self, request: RequestBuilder, only_head: bool) -> Answer {
        // Its own client, which may follow no redirects.
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let answer = client.execute(request).await.unwrap_or_else(|error| panic!("{error:?}"));
        let (status, headers) = (answer.status(), answer.headers().clone());
        let unread = only_head && status.is_success();
        let text = if unread { String::new() } else { answer.text().await.expect("a body") };
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { status: status.as_u16(), headers, text, body };
        answer.is_listed();
        let is_refused = status.is_client_error() || status.is_server_error();
        // Pages for browsers have no code.
        if is_refused && !answer.code().is_empty() {
            description::check(&self.base, &method, &path, answer.status, answer.code()).await;
        }
        answer
    }

    /// Sends a request, and sends it again after each `503` as late as its `Retry-After` says;
    /// gives up after [`RETRIES`] and returns the last answer.
    ///
    /// For set-up and for tests of something else. A test of a refusal uses [`Client::send`].
    pub async fn send_with_retries(&self, request: RequestBuilder) -> Answer {
        for _ in 0..RETRIES {
            let repeat = request.try_clone().expect("a body that is not a stream");
            let answer = self.send(repeat).await;
            let Some(pause) = answer.retry_after() else { return answer };
            sleep(pause).await;
        }
        self.send(request).await
    }

    /// Reads only the head of a successful answer: the body of a stream does not end.
    pub async fn head(&self, request: RequestBuilder) -> Answer {
        self.execute(request, true).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// As [`Client::post`], with retries after `503`.
    pub async fn post_with_retries(&self, path: &str, body: Value) -> Answer {
        self.send_with_retries(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// The ids of all items of a list, two a page. `path` has a query, which may be empty: `…?`.
    pub async fn list_ids(&self, path: &str) -> Vec<i64> {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}&limit=2{cursor}")).await.ok(200);
            let items = page["items"].as_array().expect("items");
            assert!(items.len() <= 2);
            ids.extend(items.iter().map(|item| item["id"].as_i64().expect("an id")));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return ids,
            }
            assert_eq!(items.len(), 2, "only the last page is short");
        }
    }

    /// Joins the queue of a schedule and keeps the ticket.
    pub async fn join(&mut self, schedule: i64) -> Answer {
        let path = format!("/v1/schedules/{schedule}/queue");
        let answer = self.send(self.request(Method::POST, &path)).await;
        self.keep(&answer);
        answer
    }

    /// As [`Client::join`], with retries after `503`.
    pub async fn join_with_retries(&mut self, schedule: i64) -> Answer {
        let path = format!("/v1/schedules/{schedule}/queue");
        let answer = self.send_with_retries(self.request(Method::POST, &path)).await;
        self.keep(&answer);
        answer
    }

    /// Polls the ticket, and keeps a new one if the answer has it. After a `429` it waits as long as
    /// `Retry-After` says: tests poll more often than they are asked to.
    pub async fn poll(&mut self) -> Answer {
        let mut answer = self.get("/v1/queue/ticket").await;
        while let Some(pause) = answer.pause_after(429) {
            sleep(pause).await;
            answer = self.get("/v1/queue/ticket").await;
        }
        self.keep(&answer);
        answer
    }

    /// As [`Client::poll`], with retries after `503`.
    pub async fn poll_with_retries(&mut self) -> Answer {
        let request = self.request(Method::GET, "/v1/queue/ticket");
        let answer = self.send_with_retries(request).await;
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        if let Some(token) = answer.body["queue_token"].as_str() {
            self.ticket = Some(token.to_owned());
        }
    }

    /// Polls until the ticket has this status; returns the ticket.
    pub async fn wait_for_status(&mut self, status: &str) -> Value {
        until(&format!("user {} is {status}", self.user), async || {
            let ticket = self.poll().await.ok(200);
            (ticket["status"] == status).then_some(ticket)
        })
        .await
    }

    /// Leaves the queue or the sale with this ticket; fails unless the answer is `204`.
    pub async fn leave(&self) {
        let answer = self.delete("/v1/queue/ticket").await;
        assert_eq!(answer.status, 204, "{}", answer.text);
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
