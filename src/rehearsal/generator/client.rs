//! Requests of synthetic buyers, at a bounded rate. A request that is refused for now is repeated
//! under the same key, as `Retry-After` says.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Url};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

use super::observations::Observations;
use super::steps::Step;

/// Requests in progress, at most. Each uses a connection.
const AT_ONCE: usize = 256;
/// Time limit of one try. The service answers within `ONSALE_REQUEST_TIMEOUT`, 10 s by default.
const LIMIT: Duration = Duration::from_secs(15);
/// Pause after a try without an answer.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries of one request.
const TRIES: u32 = 30;

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Reply {
    /// The code of a problem; empty for other answers.
    pub(super) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// A request of a buyer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'r> {
    pub(super) step: Step,
    pub(super) method: &'r Method,
    pub(super) path: &'r str,
    pub(super) body: Option<&'r Value>,
    pub(super) pass: &'r str,
    pub(super) ticket: Option<&'r str>,
}

/// Calls the service for all buyers; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    http: reqwest::Client,
    base: Arc<str>,
    slots: Arc<Semaphore>,
    next: Arc<Mutex<Instant>>,
    between: Duration,
    pub(super) seen: Arc<Observations>,
}

impl Caller {
    /// A caller of the service at `base`, with at most `rate` requests per second.
    pub(super) fn new(base: &Url, rate: u32, seen: Arc<Observations>) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(LIMIT)
            .pool_max_idle_per_host(AT_ONCE)
            .user_agent(concat!("onsale-rehearsal/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            http,
            base: base.as_str().trim_end_matches('/').into(),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            next: Arc::new(Mutex::new(Instant::now())),
            between: Duration::from_secs(1) / rate.max(1),
            seen,
        })
    }

    /// Waits for the turn of a request.
    async fn wait_for_turn(&self) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + self.between;
            turn
        };
        sleep_until(turn).await;
    }

    /// Sends a request until it is answered. `None` if it never is.
    pub(super) async fn send(&self, request: Request<'_>) -> Option<Reply> {
        let key = uuid::Uuid::now_v7().to_string();
        for _ in 0..TRIES {
            match self.send_once(request, &key).await {
                Tried::Answered(reply) => return Some(reply),
                Tried::Refused(pause) => {
                    self.seen.note_refused();
                    sleep(pause).await;
                }
                Tried::Unreached => {
                    self.seen.note_unreached();
                    sleep(PAUSE).await;
                }
            }
        }
        self.seen.note_error(&format!("{} {} was never answered", request.method, request.path));
        None
    }

    async fn send_once(&self, request: Request<'_>, key: &str) -> Tried {
        let asked = Instant::now();
        self.wait_for_turn().await;
        // The semaphore is never closed.
        let slot = self.slots.acquire().await;
        self.seen.lag.add(asked.elapsed());
        let begun = Instant::now();
        let result = read(self.prepare(request, key)).await;
        drop(slot);
        let Ok((reply, pause)) = result else { return Tried::Unreached };
        self.seen.latencies_of(request.step).add(begun.elapsed());
        let for_now = matches!(reply.status, 429 | 503) || reply.code() == "request_in_progress";
        match pause {
            Some(pause) if for_now => Tried::Refused(pause),
            _ => Tried::Answered(reply),
        }
    }

    fn prepare(&self, request: Request<'_>, key: &str) -> RequestBuilder {
        let Request { method, path, body, pass, ticket, .. } = request;
        let mut prepared = self.http.request(method.clone(), format!("{}{path}", self.base));
        prepared = prepared.bearer_auth(pass);
        if let Some(ticket) = ticket {
            prepared = prepared.header("queue-token", ticket);
        }
        if let Some(body) = body {
            prepared = prepared.header("idempotency-key", key).json(body);
        }
        prepared
    }
}

/// What became of one try.
enum Tried {
    Answered(Reply),
    /// Refused for now: the pause that the answer asks for.
    Refused(Duration),
    Unreached,
}

/// Sends a request, and reads the answer and its `Retry-After`.
async fn read(request: RequestBuilder) -> reqwest::Result<(Reply, Option<Duration>)> {
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let pause = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let pause = pause.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let body = serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null);
    Ok((Reply { status, body }, pause))
}
