//! Clients that repeat a request under the same key, at either process, until its outcome is known; and
//! the record of every try.
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
use crate::history::{Act, Answer, Attempt, History, Op, Sight, Traffic};
use crate::support::client::Client;
use crate::support::world::token;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long after the last fault a request is repeated; then its outcome stays unknown.
const RESOLVED: Duration = Duration::from_mins(1);

/// What all clients share.
#[derive(Clone)]
pub struct Office {
    pub history: Arc<History>,
    /// No new request begins after this.
    pub closing: CancellationToken,
    /// The addresses at which clients call the processes.
    pub gates: [SocketAddr; 2],
}

/// A user with a client.
pub struct Person {
    pub client: Client,
    pub dice: Dice,
    pub office: Office,
    /// The idempotency key of the last request.
    pub last_key: Option<String>,
}

/// A request that is sent until its outcome is known.
pub struct Wish {
    pub act: Act,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    pub keyed: bool,
}

impl Wish {
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
    pub fn new(user: i64, role: Role, office: &Office, dice: Dice) -> Self {
        let mut client = Client::new(office.gates[0]);
        (client.user, client.token) = (user, Some(token(user, role)));
        Self { client, dice, office: office.clone(), last_key: None }
    }

    /// One try, at one of the processes.
    async fn attempt(&mut self, wish: &Wish, key: Option<&str>) -> Attempt {
        let mut client = self.client.at(self.office.gates[self.dice.index(2)]);
        client.key = key.map(str::to_owned);
        attempt(&self.office.history, &client, wish).await
    }

    /// One try whose client disconnects 1 to 12 ms after it begins.
    async fn disconnect(&mut self, wish: &Wish, key: Option<&str>) -> Attempt {
        let mut client = self.client.at(self.office.gates[self.dice.index(2)]);
        client.key = key.map(str::to_owned);
        let waits = Duration::from_millis(self.dice.between(1, 12));
        let history = &self.office.history;
        let from = history.now();
        let answer = timeout(waits, read(wish.request(&client))).await.ok().flatten();
        Attempt { from, to: history.now(), answer }
    }

    /// Sends another request under the key of the last one, which succeeded: it must have no effect.
    pub async fn reuse_key(&mut self, wish: &Wish) -> Option<Answer> {
        let key = self.last_key.clone();
        if self.dice.percent(40) {
            return self.disconnect(wish, key.as_deref()).await.answer;
        }
        self.attempt(wish, key.as_deref()).await.answer
    }

    /// Sends a request until its outcome is known, and records all tries. Returns the outcome; `None` if
    /// it is still unknown one minute after the last fault.
    pub async fn want(&mut self, wish: Wish) -> Option<Answer> {
        let key = wish.keyed.then(|| format!("{:016x}{:016x}", self.dice.next(), self.dice.next()));
        self.last_key.clone_from(&key);
        let mut attempts = Vec::new();
        let mut closed = None;
        if wish.keyed && self.dice.percent(6) {
            attempts.push(self.disconnect(&wish, key.as_deref()).await);
        }
        let answer = loop {
            if wish.keyed && self.dice.percent(4) {
                attempts.extend(self.twins(&wish, key.as_deref()).await);
            } else {
                attempts.push(self.attempt(&wish, key.as_deref()).await);
            }
            let mut answers = attempts.iter().filter_map(|it| it.answer.as_ref());
            if let Some(answer) = answers.find(|answer| answer.is_final()) {
                break Some(answer.clone());
            }
            if self.office.closing.is_cancelled() {
                let since = *closed.get_or_insert_with(Instant::now);
                if since.elapsed() > RESOLVED {
                    break None;
                }
            }
            sleep(Duration::from_millis(self.dice.between(30, 250))).await;
        };
        if wish.keyed && answer.is_some() && self.dice.percent(8) {
            attempts.push(self.attempt(&wish, key.as_deref()).await);
        }
        let op = Op { user: self.client.user, act: wish.act, key, attempts };
        self.office.history.note(|record| record.ops.push(op));
        answer
    }

    /// The same request at both processes at once.
    async fn twins(&mut self, wish: &Wish, key: Option<&str>) -> Vec<Attempt> {
        let gates = self.office.gates;
        let both = gates.map(|gate| {
            let mut client = self.client.at(gate);
            client.key = key.map(str::to_owned);
            let history = Arc::clone(&self.office.history);
            async move { attempt(&history, &client, wish).await }
        });
        join_all(both).await
    }

    /// Joins once, if `joining` is true; otherwise polls the ticket once. Returns a final answer.
    pub async fn join_or_poll(&mut self, schedule: i64, joining: bool) -> Option<Answer> {
        let (act, path) = (Act::Join { schedule }, format!("/v1/schedules/{schedule}/queue"));
        let wish = if joining {
            Wish::plain(act, Method::POST, &path, None)
        } else {
            Wish::plain(act, Method::GET, "/v1/queue/ticket", None)
        };
        let tried = self.attempt(&wish, None).await;
        let answer = tried.answer.filter(Answer::is_final)?;
        if let Some(token) = answer.body["queue_token"].as_str() {
            self.client.ticket = Some(token.to_owned());
        }
        if let Some(sequence) = answer.body["sequence"].as_i64() {
            let text = |name: &str| answer.body[name].as_str().unwrap_or_default().to_owned();
            let (ticket, status, user) = (text("ticket_id"), text("status"), self.client.user);
            let (from, to) = (tried.from, tried.to);
            let sight = Sight { user, schedule, ticket, sequence, status, from, to };
            self.office.history.note(|record| record.sights.push(sight));
        }
        Some(answer)
    }
}

async fn attempt(history: &History, client: &Client, wish: &Wish) -> Attempt {
    let from = history.now();
    let answer = timeout(PATIENCE, read(wish.request(client))).await.ok().flatten();
    let to = history.now();
    let answered = answer.as_ref().is_some_and(|it| it.status != 503);
    history.note(|record| {
        record.traffic.push(Traffic { from, answered });
        if let Some(answer) = answer.as_ref().filter(|it| !is_expected(it)) {
            let (method, path, body) = (&wish.method, &wish.path, &answer.body);
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
