//! The buyers. Some join and leave, some hold seats and release them, and the others buy: so joins,
//! holds and payments are tried all the time, whatever the step does.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OwnedRwLockReadGuard;

use super::client::{Client, Reply, Request};
use super::observations::{Kind, Seen, Status};
use super::roles::Role;
use super::sale::Sale;

/// Seats that a buyer takes with one slot, each with a hold of its own. While buyers pay for them,
/// payments go on without new admissions.
const BASKET: usize = 12;
/// Pauses after a join that was left again, a hold that was released, a hold that is kept, and a
/// payment.
const JOIN_PAUSE: Duration = Duration::from_secs(1);
const RELEASE_PAUSE: Duration = Duration::from_millis(500);
const HOLD_PAUSE: Duration = Duration::from_millis(250);
const PAY_PAUSE: Duration = Duration::from_secs(2);
/// Shortest pause between two polls, if the answer names none.
const POLL_PAUSE: Duration = Duration::from_secs(1);
/// Tries to find a free seat in a row.
const TRIES: usize = 20;

/// How a try to hold a seat ended.
enum HoldReply {
    /// The id of the hold.
    Held(String),
    /// Another buyer has the seat, or this buyer may not hold it.
    Refused,
}

/// One buyer with its role.
pub struct Buyer {
    pub client: Client,
    pub sale: Arc<Sale>,
    pub role: Role,
    /// State of the generator that chooses seats.
    chosen: u64,
}

impl Buyer {
    pub fn new(client: Client, sale: Arc<Sale>) -> Self {
        let number = client.number;
        Self { client, sale, role: Role::of(number), chosen: number as u64 }
    }

    /// Acts until the drill ends.
    pub async fn act(mut self) {
        while self.act_once().await.is_some() {}
    }

    async fn act_once(&mut self) -> Option<()> {
        match self.role {
            Role::Joins => self.join_and_leave().await,
            Role::Holds => self.hold_and_release().await,
            Role::Buys => self.buy().await,
        }
    }

    async fn join_and_leave(&mut self) -> Option<()> {
        self.join().await?;
        self.see(Seen::GivesUp);
        self.send(Kind::Release, Method::DELETE, "/v1/queue/ticket", None).await?;
        self.client.ticket = None;
        self.client.pause(JOIN_PAUSE).await
    }

    /// Keeps its slot: it pays for nothing.
    async fn hold_and_release(&mut self) -> Option<()> {
        self.wait_for_slot().await?;
        while self.client.ticket.is_some() {
            if let HoldReply::Held(hold) = self.hold().await? {
                self.see(Seen::Releases { hold: hold.clone() });
                let path = format!("/v1/holds/{hold}");
                let (reply, _gate) = self.send(Kind::Release, Method::DELETE, &path, None).await?;
                self.note_refusal(hold, &reply);
            }
            self.client.pause(RELEASE_PAUSE).await?;
        }
        Some(())
    }

    /// Fills a basket, and pays. The first payment ends the queue entry.
    async fn buy(&mut self) -> Option<()> {
        self.wait_for_slot().await?;
        let mut basket = Vec::new();
        for _ in 0..TRIES {
            if basket.len() == BASKET || self.client.ticket.is_none() {
                break;
            }
            if let HoldReply::Held(hold) = self.hold().await? {
                basket.push(hold);
            }
            self.client.pause(HOLD_PAUSE).await?;
        }
        if basket.is_empty() {
            // Every seat that it tried was taken, or it owns as many as it may.
            return self.join_and_leave().await;
        }
        self.see(Seen::GivesUp);
        self.client.ticket = None;
        for hold in basket {
            let body = json!({"hold_id": hold});
            let path = "/v1/payments";
            let (reply, gate) = self.send(Kind::Pay, Method::POST, path, Some(body)).await?;
            if reply.is_success() {
                let amount = reply.body["total_amount"].as_i64().unwrap_or_default();
                self.see(Seen::Paid { hold, amount });
            } else {
                self.note_refusal(hold, &reply);
            }
            drop(gate);
            self.client.pause(PAY_PAUSE).await?;
        }
        Some(())
    }

    /// Joins unless it has a ticket, and polls as asked until it is active.
    async fn wait_for_slot(&mut self) -> Option<()> {
        loop {
            let reply =
                if self.client.ticket.is_some() { self.poll().await? } else { self.join().await? };
            if reply.body["status"] == "ACTIVE" {
                return Some(());
            }
            let pause = reply.body["poll_after_ms"].as_u64().map(Duration::from_millis);
            self.client.pause(pause.unwrap_or(POLL_PAUSE)).await?;
        }
    }

    async fn join(&mut self) -> Option<Reply> {
        self.client.ticket = None;
        let path = format!("/v1/schedules/{}/queue", self.sale.schedule);
        let (reply, _gate) = self.send(Kind::Join, Method::POST, &path, None).await?;
        self.note_ticket(&reply);
        Some(reply)
    }

    async fn poll(&mut self) -> Option<Reply> {
        let (reply, _gate) = self.send(Kind::Poll, Method::GET, "/v1/queue/ticket", None).await?;
        self.note_ticket(&reply);
        Some(reply)
    }

    /// Tries to hold a seat.
    async fn hold(&mut self) -> Option<HoldReply> {
        let path = format!("/v1/schedules/{}/reservations", self.sale.schedule);
        let body = json!({"seat_ids": [self.choose()]});
        let (reply, _gate) = self.send(Kind::Hold, Method::POST, &path, Some(body)).await?;
        if !reply.is_success() {
            self.note_slot(&reply);
            return Some(HoldReply::Refused);
        }
        let seat = reply.body["reservations"][0]["seat_id"].as_i64().unwrap_or_default();
        let hold = reply.body["hold_id"].as_str().unwrap_or_default().to_owned();
        let until = self.client.api.log.now() + time_left(&reply.body);
        self.see(Seen::Held { hold: hold.clone(), seat, until });
        Some(HoldReply::Held(hold))
    }

    /// Chooses among all seats for a buyer who only holds, and else among the few that all others
    /// want now.
    fn choose(&mut self) -> i64 {
        // An MMIX step; its high bits are the random ones.
        self.chosen = self
            .chosen
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let random = usize::try_from(self.chosen >> 33).unwrap_or_default();
        self.sale.seat(random, self.role == Role::Holds)
    }

    /// Sends a request. The caller notes what the answer means before it drops the guard: nobody
    /// reads the books in between.
    async fn send(
        &self,
        kind: Kind,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Option<(Reply, OwnedRwLockReadGuard<()>)> {
        let gate = Arc::clone(&self.client.api.gate).read_owned().await;
        let reply = self.client.send(&Request { kind, method, path, body }).await?;
        Some((reply, gate))
    }

    fn see(&self, seen: Seen) {
        self.client.api.log.add(self.client.number, seen);
    }

    fn note_ticket(&mut self, reply: &Reply) {
        if !reply.is_success() {
            self.lose_ticket(reply.code());
            return;
        }
        if let Some(ticket) = reply.body["queue_token"].as_str() {
            self.client.ticket = Some(ticket.to_owned());
        }
        let status = match reply.body["status"].as_str() {
            Some("WAITING") => Status::Waiting,
            Some("ACTIVE") => Status::Active,
            _ => Status::Final,
        };
        let sequence = reply.body["sequence"].as_u64().unwrap_or_default();
        let ahead = reply.body["ahead"].as_u64();
        self.see(Seen::Ticket { sequence, status, ahead });
        if status == Status::Final {
            self.client.ticket = None;
        }
    }

    /// A slot must last: a hold that is refused for lack of one is a lost place.
    fn note_slot(&mut self, reply: &Reply) {
        match reply.code() {
            "ticket_not_active" | "ticket_invalid" => self.lose_ticket(reply.code()),
            "seat_taken" => self.sale.skip_seat(),
            _ => {}
        }
    }

    fn lose_ticket(&mut self, code: &str) {
        self.see(Seen::TicketRefused { code: code.to_owned() });
        self.client.ticket = None;
    }

    fn note_refusal(&self, hold: String, reply: &Reply) {
        if !reply.is_success() {
            self.see(Seen::HoldRefused { hold, code: reply.code().to_owned() });
        }
    }
}

/// How long a hold lasts from the time of the answer on.
fn time_left(hold: &Value) -> Duration {
    let time = |name: &str| hold[name].as_str()?.parse::<DateTime<Utc>>().ok();
    let left = time("expires_at").zip(time("server_time")).map(|(until, now)| until - now);
    left.and_then(|left| left.to_std().ok()).unwrap_or_default()
}
