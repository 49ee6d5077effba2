//! Overload: measures the capacity of the service, then sends twice as many requests.
//!
//! A closed loop of callers measures the capacity with charges of one point, each a transaction in
//! PostgreSQL. Then twice that rate arrives, whether or not earlier requests were answered (an open
//! model). Latency counts from the time when a request was due. No charge may be lost meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use onsale::caller::Role;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::stage::{self, Stage};
use crate::table::Row;
use crate::{Args, Outcome};

const USERS: u32 = 5_000;
/// Callers that measure the capacity. Each sends its next request after its last answer.
const AT_ONCE: usize = 64;
/// How long the capacity is measured.
const WARM: Duration = Duration::from_secs(8);
/// How long the double rate lasts.
const RUSH: Duration = Duration::from_secs(20);
/// Codes of answers after which it is unknown whether the charge was made: no answer, and a failed
/// store.
const UNKNOWN: [&str; 2] = ["no answer", "store_unavailable"];

/// Charges of one point. The users take turns, and each charge has its own idempotency key.
#[derive(Debug)]
struct Charges {
    url: String,
    http: reqwest::Client,
    tokens: Vec<String>,
    next: AtomicUsize,
}

/// Latencies by status or code, from when the requests were due.
type Answers = BTreeMap<String, Vec<Duration>>;

/// Sends twice the rate that the service can answer.
pub async fn compare(_: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let charges = Arc::new(Charges::new(&stage).await?);
    let borne = bear(&charges).await?;
    let rate = per_second(borne, WARM);
    let (answers, behind) = overload(&charges, 2.0 * rate).await?;

    let counted = |code: &str| answers.get(code).map_or(0, Vec::len);
    let confirmed = borne + counted("201");
    let unknown: usize = UNKNOWN.into_iter().map(counted).sum();
    let stored: i64 = sqlx::query_scalar("SELECT coalesce(sum(amount), 0)::bigint FROM point")
        .fetch_one(&stage.pool)
        .await?;
    stage.strike().await?;
    let stored = usize::try_from(stored)?;
    if !(confirmed..=confirmed + unknown).contains(&stored) {
        let sums = format!("{confirmed} points confirmed, {unknown} unknown, {stored} stored");
        return Err(sums.into());
    }

    let row = |what: &str, found| Row::new(what, "itself", found, "");
    let mut rows = vec![row("charges borne", format!("{rate:.0}/s, {AT_ONCE} at once"))];
    for (code, took) in answers {
        rows.push(row(&format!("twice as many: {code}"), spread(took)));
    }
    let sums = format!("{confirmed} confirmed, {stored} stored, {unknown} unknown");
    rows.push(row("points", format!("{sums}; the generator was {behind:.0?} late at the end")));
    Ok(rows)
}

impl Charges {
    async fn new(stage: &Stage) -> Outcome<Self> {
        let users = stage.users(USERS).await?;
        let tokens = users.into_iter().map(|user| stage::token(user, Role::User));
        Ok(Self {
            url: format!("http://{}/v1/points/charges", stage.onsale.addr),
            http: reqwest::Client::new(),
            tokens: tokens.collect::<Outcome<_>>()?,
            next: AtomicUsize::new(0),
        })
    }

    /// Makes one charge. Returns `201`, or the code of its refusal.
    async fn charge(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let request =
            self.http.post(&self.url).bearer_auth(&self.tokens[number % self.tokens.len()]);
        let request = request.header("idempotency-key", Uuid::new_v4().to_string());
        let outcome = async {
            let answer = request.json(&json!({"amount": 1})).send().await?;
            if answer.status().is_success() {
                // Read the whole body, so that the connection is reused.
                let status = answer.status().as_u16().to_string();
                answer.bytes().await?;
                return Ok(status);
            }
            let problem: Value = answer.json().await?;
            Ok::<_, reqwest::Error>(problem["code"].as_str().unwrap_or("no code").to_owned())
        };
        outcome.await.unwrap_or_else(|_| UNKNOWN[0].to_owned())
    }
}

/// Measures how many charges are answered within [`WARM`], with [`AT_ONCE`] callers.
async fn bear(charges: &Arc<Charges>) -> Outcome<usize> {
    let until = Instant::now() + WARM;
    let mut callers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let charges = Arc::clone(charges);
        callers.spawn(async move {
            let mut done = 0;
            while Instant::now() < until {
                match charges.charge().await {
                    code if code == "201" => done += 1,
                    code => return Err(format!("a charge was refused below capacity: {code}")),
                }
            }
            Ok(done)
        });
    }
    let mut done = 0;
    while let Some(caller) = callers.join_next().await {
        done += caller??;
    }
    Ok(done)
}

/// Sends `rate` charges per second. Returns the latencies, and how late the last charge was sent.
async fn overload(charges: &Arc<Charges>, rate: f64) -> Outcome<(Answers, Duration)> {
    let (begun, mut calls, mut number) = (Instant::now(), JoinSet::new(), 0.0);
    let due = |number: f64| begun + Duration::from_secs_f64(number / rate);
    while due(number) < begun + RUSH {
        let at = due(number);
        tokio::time::sleep_until(at.into()).await;
        let charges = Arc::clone(charges);
        calls.spawn(async move { (charges.charge().await, at.elapsed()) });
        number += 1.0;
    }
    let behind = begun.elapsed().saturating_sub(RUSH);
    let mut answers = Answers::new();
    while let Some(answer) = calls.join_next().await {
        let (code, took) = answer?;
        answers.entry(code).or_default().push(took);
    }
    Ok((answers, behind))
}

fn spread(mut took: Vec<Duration>) -> String {
    took.sort();
    let of = |hundredth: usize| took[(took.len() * hundredth / 100).min(took.len() - 1)];
    let rate = per_second(took.len(), RUSH);
    let (middle, late, last) = (of(50), of(99), of(100));
    format!("{rate:.0}/s, p50 {middle:.1?}, p99 {late:.1?}, slowest {last:.1?}")
}

#[expect(clippy::cast_precision_loss, reason = "a count")]
fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
