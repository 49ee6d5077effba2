//! The drill's own sale: it is created at the start, read for the books, and withdrawn at the end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, Reply};
use super::error::DrillError;
use super::roles::Role;

/// Beginning of the title of a drill's concert.
const TITLE: &str = "onsale drill";
/// Price of a seat in points.
const PRICE: i64 = 10;
/// Seats that one user may own, the largest value of `max_seats_per_user`.
const SEATS_PER_BUYER: usize = 100;
/// How long the sale is open, if the drill is killed before it withdraws the concert.
const OPEN_FOR: TimeDelta = TimeDelta::hours(6);
/// Seats that all buyers want at a time.
const WANTED: usize = 40;
/// Tries of a call before or after the steps, and the pause between two.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_secs(1);
/// Requests that ask whether a drill is allowed: behind a load balancer, they reach several
/// processes.
const ASKED: usize = 8;

/// The sale of a drill.
#[derive(Debug)]
pub struct Sale {
    pub concert: i64,
    pub schedule: i64,
    pub capacity: usize,
    /// Ids, by seat number.
    seats: Vec<i64>,
    /// Index of the first seat that all buyers want.
    first: AtomicUsize,
}

/// The administrator of a drill.
#[derive(Debug, Clone)]
pub struct Operator(pub Client);

impl Sale {
    /// A seat: any, or one of those that all buyers want now.
    pub fn seat(&self, random: usize, is_any: bool) -> i64 {
        let all = self.seats.len().max(1);
        let index =
            if is_any { random } else { self.first.load(Ordering::Relaxed) + random % WANTED };
        self.seats.get(index % all).copied().unwrap_or_default()
    }

    /// Moves on from seats that are taken.
    pub fn skip_seat(&self) {
        self.first.fetch_add(1, Ordering::Relaxed);
    }
}

impl Operator {
    /// Fails unless every process that answers allows a drill. Returns the service's time.
    pub async fn check_allowed(&self) -> Result<DateTime<Utc>, DrillError> {
        let mut time = Utc::now();
        for _ in 0..ASKED {
            let health = self.get("/v1/admin/health").await?;
            if health["drill_allowed"] != true {
                return Err(DrillError::NotAllowed);
            }
            let answered = health["server_time"].as_str().and_then(|text| text.parse().ok());
            time = answered.unwrap_or(time);
        }
        Ok(time)
    }

    /// Creates a concert, a schedule whose sale is open, and its seats.
    pub async fn create_sale(&self, buyers: usize, now: DateTime<Utc>) -> Result<Sale, DrillError> {
        let title = format!("{TITLE} {}", text(now));
        let description = "Created by onsale drill, which withdraws it at its end. Not for sale.";
        let concert = json!({"title": title, "description": description, "status": "AVAILABLE"});
        let concert = id(&self.ask(Method::POST, "/v1/admin/concerts", Some(&concert)).await?)?;
        // One slot more than those that stay in use, so that admission has to be exact.
        let capacity = Role::Holds.count(buyers) + 1;
        let end = text(now + OPEN_FOR);
        let schedule = json!({
            "reservation_available_at": text(now - TimeDelta::seconds(2)),
            "deadline_at": end, "concert_at": end,
            "queue": {
                "capacity": capacity, "admit_per_second": 50, "active_ttl_seconds": 21_600,
                "hold_ttl_seconds": 3_600, "max_seats_per_user": SEATS_PER_BUYER,
            },
        });
        let path = format!("/v1/admin/concerts/{concert}/schedules");
        let schedule = id(&self.ask(Method::POST, &path, Some(&schedule)).await?)?;
        let section = json!({
            "name": "A", "rows": buyers, "seats_per_row": SEATS_PER_BUYER, "seat_price": PRICE,
        });
        let path = format!("/v1/admin/schedules/{schedule}/seats");
        self.ask(Method::POST, &path, Some(&json!({"sections": [section]}))).await?;
        let layout = self.get(&format!("/v1/schedules/{schedule}/seats/layout")).await?;
        let seats = layout["seats"].as_array().map(Vec::as_slice).unwrap_or_default();
        let seats: Vec<i64> = seats.iter().filter_map(|seat| seat["id"].as_i64()).collect();
        if seats.is_empty() {
            return Err(DrillError::Unexpected(format!("no seats in {layout}")));
        }
        Ok(Sale { concert, schedule, capacity, seats, first: AtomicUsize::new(0) })
    }

    /// Withdraws the concert, and closes its sale, so that nothing of it stays in Redis.
    pub async fn withdraw(&self, sale: &Sale) -> Result<(), DrillError> {
        let path = format!("/v1/admin/concerts/{}", sale.concert);
        self.ask(Method::PATCH, &path, Some(&json!({"status": "UNAVAILABLE"}))).await?;
        let now = text(Utc::now());
        let path = format!("/v1/admin/schedules/{}", sale.schedule);
        self.ask(Method::PATCH, &path, Some(&json!({"deadline_at": now, "concert_at": now})))
            .await?;
        Ok(())
    }

    /// Signs a buyer up, or uses this access token; gives it points. Returns the client and its
    /// balance.
    pub async fn create_buyer(
        &self,
        number: usize,
        token: Option<&str>,
    ) -> Result<(Client, i64), DrillError> {
        let token = match token {
            Some(token) => token.to_owned(),
            None => self.sign_up(number).await?,
        };
        let buyer = Client::new(&self.0.api, number, &token);
        let points = i64::try_from(SEATS_PER_BUYER).unwrap_or_default() * PRICE;
        let charged = Self(buyer.clone())
            .ask(Method::POST, "/v1/points/charges", Some(&json!({"amount": points})))
            .await?;
        let balance = charged["balance"].as_i64();
        balance
            .map(|balance| (buyer, balance))
            .ok_or_else(|| DrillError::Unexpected(charged.to_string()))
    }

    async fn sign_up(&self, number: usize) -> Result<String, DrillError> {
        let body = json!({"name": format!("Drill {number}")});
        match self.ask(Method::POST, "/v1/users", Some(&body)).await {
            Ok(user) => {
                let token = user["access_token"].as_str().map(str::to_owned);
                token.ok_or_else(|| DrillError::Unexpected(user.to_string()))
            }
            Err(DrillError::Refused(_, code)) if code == "signup_closed" => {
                Err(DrillError::SignUpClosed)
            }
            Err(error) => Err(error),
        }
    }

    pub async fn get(&self, path: &str) -> Result<Value, DrillError> {
        self.ask(Method::GET, path, None).await
    }

    /// All items of a list.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, DrillError> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}&limit=200{cursor}")).await?;
            if let Value::Array(more) = page["items"].take() {
                items.extend(more);
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Calls the service, and again while it refuses for now or does not answer.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, DrillError> {
        let key = uuid::Uuid::now_v7().to_string();
        let mut last = String::new();
        for _ in 0..TRIES {
            match self.0.call(method.clone(), path, body, Some(&key)).await {
                Ok(reply) if reply.is_success() => return Ok(reply.body),
                Ok(Reply { pause: Some(pause), status, .. }) => {
                    last = format!("{path} answers {status}");
                    tokio::time::sleep(pause).await;
                }
                Ok(reply) if reply.is_problem => {
                    let text = format!("{path} answers {}: {}", reply.status, reply.body["detail"]);
                    return Err(DrillError::Refused(text, reply.code().to_owned()));
                }
                Ok(reply) => {
                    last = format!("{path} answers {}, which is not of onsale", reply.status);
                }
                Err(error) => last = format!("{path}: {error}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(DrillError::Unexpected(last))
    }
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn id(created: &Value) -> Result<i64, DrillError> {
    created["id"].as_i64().ok_or_else(|| DrillError::Unexpected(format!("no id in {created}")))
}
