//! Clients that repeat a request under the same key, at either process, until its outcome is known;
//! and the record of every try.
//!
//! They repeat sooner than `Retry-After` says, on purpose: the requests must meet the faults, and
//! refusals are part of what is checked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use onsale::caller::Role;
use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;
use crate::history::{Act, Answer, Attempt, History, Op, TicketView, Traffic};
use crate::support::client::Client;
use crate::support::world::token;

/// How long a client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(6);
/// How long after the last fault a request is repeated; then its outcome stays unknown.
const RESOLVED: Duration = Duration::from_mins(1);

/// What all clients share.
#[derive(Clone)]
pub struct RunContext {
    pub history: Arc<History>,
    /// No new request begins after this.
    pub closing: CancellationToken,
    /// The addresses at which clients call the processes.
    pub addresses: [SocketAddr; 2],
}

/// A user with a client.
pub struct Person {
    pub client: Client,
    pub dice: Dice,
    pub context: RunContext,
    /// The idempotency key of the last request.
    pub last_key: Option<String>,
}

/// A request that is sent until its outcome is known.
pub struct Call {
    pub act: Act,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    pub keyed: bool,
}

impl Call {
    pub fn post(act: Act, path: &str, body: Value) -> Self {
        Self { act, method: Method::POST, path: path.to_owned(), body: Some(body), keyed: true }
    }

    /// A request without a key, which may be repeated because it is idempotent.
    pub fn plain(act: Act, method: Method, path: &str, body: Option<Value>) -> Self {
        Self { act, method, path: path.to_owned(), body, keyed: false }
    }

    fn request(&self, client: &Client) -> reqwest::RequestBuilder {
        let request = client.request(self.method.clone(), &self.path);
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
    }
}

impl Person {
    pub fn new(user: i64, role: Role, context: &RunContext, dice: Dice) -> Self {
        let mut client = Client::new(context.addresses[0]);
        (client.user, client.token) = (user, Some(token(user, role)));
        Self { client, dice, context: context.clone(), last_key: None }
    }

    /// One try, at one of the processes.
    async fn attempt(&mut self, call: &Call, key: Option<&str>) -> Attempt {
        let mut client = self.client.at(self.context.addresses[self.dice.index(2)]);
        client.key = key.map(str::to_owned);
        attempt(&self.context.history, &client, call).await
    }

    /// One try whose client disconnects 1 to 12 ms after it begins.
    async fn disconnect(&mut self, call: &Call, key: Option<&str>) -> Attempt {
        let mut client = self.client.at(self.context.addresses[self.dice.index(2)]);
        client.key = key.map(str::to_owned);
        let waits = Duration::from_millis(self.dice.between(1, 12));
        let history = &self.context.history;
        let from = history.now();
        let answer = timeout(waits, read(call.request(&client))).await.ok().flatten();
        Attempt { from, to: history.now(), answer }
    }

    /// Reads something, and disconnects before the answer or soon after it.
    pub async fn read_and_leave(&mut self, path: &str) {
        let client = self.client.at(self.context.addresses[self.dice.index(2)]);
        let waits = Duration::from_millis(self.dice.between(1, 12));
        let _ = timeout(waits, read(client.request(Method::GET, path))).await;
    }

    /// Sends another request under the key of the last one, which succeeded: it must have no
    /// effect.
    pub async fn reuse_key(&mut self, call: &Call) -> Option<Answer> {
        let key = self.last_key.clone();
        if self.dice.percent(40) {
            return self.disconnect(call, key.as_deref()).await.answer;
        }
        self.attempt(call, key.as_deref()).await.answer
    }

    /// Sends a request until its outcome is known, and records all tries. Returns the outcome;
    /// `None` if it is still unknown one minute after the last fault.
    pub async fn resolve(&mut self, call: Call) -> Option<Answer> {
        let key = call.keyed.then(|| format!("{:016x}{:016x}", self.dice.next(), self.dice.next()));
        self.last_key.clone_from(&key);
        let mut attempts = Vec::new();
        let mut closed = None;
        if self.dice.percent(6) {
            attempts.push(self.disconnect(&call, key.as_deref()).await);
        }
        let answer = loop {
            if call.keyed && self.dice.percent(4) {
                attempts.extend(self.send_twice_at_once(&call, key.as_deref()).await);
            } else {
                attempts.push(self.attempt(&call, key.as_deref()).await);
            }
            let mut answers = attempts.iter().filter_map(|it| it.answer.as_ref());
            if let Some(answer) = answers.find(|answer| answer.is_final()) {
                break Some(answer.clone());
            }
            if self.context.closing.is_cancelled() {
                let since = *closed.get_or_insert_with(Instant::now);
                if since.elapsed() > RESOLVED {
                    break None;
                }
            }
            sleep(Duration::from_millis(self.dice.between(30, 250))).await;
        };
        if call.keyed && answer.is_some() && self.dice.percent(8) {
            attempts.push(self.attempt(&call, key.as_deref()).await);
        }
        let op = Op { user: self.client.user, act: call.act, key, attempts };
        self.context.history.note(|record| record.ops.push(op));
        answer
    }

    /// The same request at both processes at once.
    async fn send_twice_at_once(&mut self, call: &Call, key: Option<&str>) -> Vec<Attempt> {
        let addresses = self.context.addresses;
        let both = addresses.map(|address| {
            let mut client = self.client.at(address);
            client.key = key.map(str::to_owned);
            let history = Arc::clone(&self.context.history);
            async move { attempt(&history, &client, call).await }
        });
        join_all(both).await
    }

    /// Joins once, if `joining` is true; otherwise polls the ticket once. Returns a final answer.
    pub async fn join_or_poll(&mut self, schedule: i64, joining: bool) -> Option<Answer> {
        let (act, path) = (Act::Join { schedule }, format!("/v1/schedules/{schedule}/queue"));
        let call = if joining {
            Call::plain(act, Method::POST, &path, None)
        } else {
            Call::plain(act, Method::GET, "/v1/queue/ticket", None)
        };
        if self.dice.percent(3) {
            self.disconnect(&call, None).await;
        }
        let tried = self.attempt(&call, None).await;
        let answer = tried.answer.filter(Answer::is_final)?;
        if let Some(token) = answer.body["queue_token"].as_str() {
            self.client.ticket = Some(token.to_owned());
        }
        if let Some(sequence) = answer.body["sequence"].as_i64() {
            let text = |name: &str| answer.body[name].as_str().unwrap_or_default().to_owned();
            let (ticket, status, user) = (text("ticket_id"), text("status"), self.client.user);
            let (from, to) = (tried.from, tried.to);
            let ticket_view = TicketView { user, schedule, ticket, sequence, status, from, to };
            self.context.history.note(|record| record.ticket_views.push(ticket_view));
        }
        Some(answer)
    }
}

async fn attempt(history: &History, client: &Client, call: &Call) -> Attempt {
    let from = history.now();
    let answer = timeout(TIMEOUT, read(call.request(client))).await.ok().flatten();
    let to = history.now();
    let answered = answer.as_ref().is_some_and(|it| it.status != 503);
    history.note(|record| {
        record.traffic.push(Traffic { from, answered });
        if let Some(answer) = answer.as_ref().filter(|it| !is_expected(it)) {
            let (method, path, body) = (&call.method, &call.path, &answer.body);
            record.unexpected.push(format!("{method} {path}: {} {body}", answer.status));
        }
    });
    Attempt { from, to, answer }
}

async fn read(request: reqwest::RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let replayed = response.headers().contains_key("idempotency-replayed");
    let text = response.text().await.ok()?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Some(Answer { status, body, replayed })
}

/// Whether an answer is one that this workload may get.
fn is_expected(answer: &Answer) -> bool {
    const CODES: [&str; 18] = [
        "idempotency_key_reused",
        "seat_taken",
        "not_enough_seats",
        "ticket_not_active",
        "seat_limit_exceeded",
        "hold_limit",
        "insufficient_points",
        "hold_expired",
        "already_paid",
        "already_refunded",
        "sold_out",
        "seat_in_use",
        "rate_limited",
        "request_in_progress",
        "store_unavailable",
        "overloaded",
        "schedule_not_open",
        "concert_unavailable",
    ];
    answer.is_ok() || CODES.contains(&answer.code())
}
