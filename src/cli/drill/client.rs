//! Calls of the API, as a buyer's client makes them: each is repeated as `Retry-After` says, under
//! the same idempotency key, until there is an answer.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Method, RequestBuilder, Url};
use serde_json::Value;
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

use super::error::DrillError;
use super::observations::{Kind, Log, Outcome, Seen};

/// Time limit of one try. The service answers within `ONSALE_REQUEST_TIMEOUT`, 10 s by default.
const LIMIT: Duration = Duration::from_secs(15);
/// Pause after a try without an answer.
const PAUSE: Duration = Duration::from_millis(500);

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    /// `Retry-After`.
    pub pause: Option<Duration>,
    /// Whether it is a problem of onsale, and not the error page of a proxy.
    pub is_problem: bool,
}

/// The service under test; cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    http: reqwest::Client,
    pub log: Log,
    /// Held for writing while the books are read, so that no buyer sends a request meanwhile.
    pub gate: Arc<RwLock<()>>,
    /// Ends the buyers.
    pub stop: CancellationToken,
}

/// A buyer, or the administrator.
#[derive(Debug, Clone)]
pub struct Client {
    pub api: Api,
    /// Number of the buyer, from 1 on.
    pub number: usize,
    pub token: String,
    pub ticket: Option<String>,
}

/// A request of a buyer.
#[derive(Debug)]
pub struct Request<'r> {
    pub kind: Kind,
    pub method: Method,
    pub path: &'r str,
    pub body: Option<Value>,
}

impl Api {
    /// A client of the service at `url`. `authority` is a PEM file with certificates to trust.
    pub fn new(url: &Url, authority: Option<&[u8]>) -> Result<Self, DrillError> {
        let mut http = reqwest::Client::builder().timeout(LIMIT).no_proxy();
        if let Some(pem) = authority {
            http = http
                .tls_certs_merge(Certificate::from_pem_bundle(pem).map_err(DrillError::Client)?);
        }
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            http: http.build().map_err(DrillError::Client)?,
            log: Log::start(),
            gate: Arc::default(),
            stop: CancellationToken::new(),
        })
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }
}

impl Client {
    pub fn new(api: &Api, number: usize, token: &str) -> Self {
        Self { api: api.clone(), number, token: token.to_owned(), ticket: None }
    }

    /// Sends a request until it is answered, and records each try. `None` if the drill ends before.
    pub async fn send(&self, request: &Request<'_>) -> Option<Reply> {
        let key = uuid::Uuid::now_v7().to_string();
        for attempt in 1.. {
            if self.api.stop.is_cancelled() {
                return None;
            }
            let reply = self
                .call(request.method.clone(), request.path, request.body.as_ref(), Some(&key))
                .await;
            let outcome = outcome(request.kind, &reply);
            let is_answered = outcome == Outcome::Answered || matches!(outcome, Outcome::Wrong(_));
            let seen = Seen::Call { kind: request.kind, attempt, outcome };
            self.api.log.add(self.number, seen);
            let pause = match reply {
                Ok(reply) if is_answered => return Some(reply),
                Ok(Reply { pause, .. }) => pause.unwrap_or(PAUSE),
                Err(_) => PAUSE,
            };
            self.pause(pause).await?;
        }
        None
    }

    /// Waits; `None` if the drill ends before.
    pub async fn pause(&self, time: Duration) -> Option<()> {
        self.api.stop.run_until_cancelled(tokio::time::sleep(time)).await
    }

    /// Sends a request once.
    ///
    /// # Errors
    /// A text, if there is no answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Reply, String> {
        let mut request = self.api.request(method, path).bearer_auth(&self.token);
        if let Some(ticket) = &self.ticket {
            request = request.header("queue-token", ticket);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        reply(request).await
    }
}

/// Sends a request, and reads the answer.
///
/// # Errors
/// A text, if there is no answer.
pub async fn reply(request: RequestBuilder) -> Result<Reply, String> {
    let answer = request.send().await.map_err(|error| unreached(&error))?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.map_err(|error| unreached(&error))?;
    let is_problem = header(&headers, "content-type").starts_with("application/problem+json");
    let pause = header(&headers, RETRY_AFTER.as_str()).parse().ok().map(Duration::from_secs);
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Reply { status, body, pause, is_problem })
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn unreached(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() { "no answer in time" } else { "connection broken" };
    what.to_owned()
}

impl Reply {
    /// The code of a problem; empty for other answers.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Judges one try. A refusal by a rule of the sale is an answer: other buyers are faster.
pub fn outcome(kind: Kind, reply: &Result<Reply, String>) -> Outcome {
    let reply = match reply {
        Ok(reply) => reply,
        Err(text) => return Outcome::Unreached(text.clone()),
    };
    let is_rule = match kind {
        Kind::Join => false,
        Kind::Poll => reply.code() == "ticket_invalid",
        Kind::Hold => matches!(
            reply.code(),
            "seat_taken"
                | "ticket_not_active"
                | "ticket_invalid"
                | "seat_limit_exceeded"
                | "hold_limit"
        ),
        Kind::Pay => matches!(reply.code(), "hold_expired" | "hold_not_found" | "already_paid"),
        Kind::Release => {
            matches!(reply.code(), "hold_not_found" | "already_paid" | "ticket_invalid")
        }
    };
    match reply.status {
        _ if reply.is_success() || is_rule => Outcome::Answered,
        status @ (502..=504) if !reply.is_problem => {
            Outcome::Unreached(format!("{status} of a proxy"))
        }
        status
            if reply.pause.is_some()
                && (matches!(status, 429 | 503) || reply.code() == "request_in_progress") =>
        {
            Outcome::Refused(status)
        }
        status => Outcome::Wrong(format!("{status}: {} {}", kind.name(), reply.body)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(kind: Kind, status: u16, code: &str, pause: Option<u64>) -> Outcome {
        let is_problem = !code.is_empty();
        let pause = pause.map(Duration::from_secs);
        outcome(kind, &Ok(Reply { status, body: json!({"code": code}), pause, is_problem }))
    }

    #[test]
    fn a_refusal_for_now_needs_retry_after_and_a_status_500_is_always_wrong() {
        assert_eq!(of(Kind::Join, 201, "", None), Outcome::Answered);
        assert_eq!(of(Kind::Join, 503, "store_unavailable", Some(1)), Outcome::Refused(503));
        assert_eq!(of(Kind::Pay, 409, "request_in_progress", Some(1)), Outcome::Refused(409));
        for (status, code) in [(503, "store_unavailable"), (429, "rate_limited"), (500, "internal")]
        {
            assert!(matches!(of(Kind::Join, status, code, None), Outcome::Wrong(_)), "{status}");
        }
        assert!(matches!(of(Kind::Join, 500, "internal", Some(1)), Outcome::Wrong(_)));
        assert!(matches!(of(Kind::Join, 500, "", None), Outcome::Wrong(_)));
        assert!(matches!(of(Kind::Join, 409, "sold_out", None), Outcome::Wrong(_)));
        assert_eq!(of(Kind::Join, 502, "", None), Outcome::Unreached("502 of a proxy".into()));
        assert_eq!(of(Kind::Hold, 409, "seat_taken", None), Outcome::Answered);
        assert!(matches!(of(Kind::Pay, 409, "seat_taken", None), Outcome::Wrong(_)));
    }
}
