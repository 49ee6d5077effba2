//! One synthetic buyer: does what a person of the forecast does, with real requests.

use std::time::Duration;

use chrono::{DateTime, Utc};
use onsale_model::simulation::Person;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::client::{Caller, Reply, Request};
use super::steps::{End, Step};
use crate::rehearsal::model::ATTEMPTS;
use crate::store::id::{ScheduleId, SeatId};

/// What a buyer knows about the sale.
#[derive(Debug, Clone, Copy)]
pub(super) struct BuyerSale {
    pub(super) schedule: ScheduleId,
    pub(super) is_drawn: bool,
    pub(super) opens_at: Instant,
    pub(super) hold: Duration,
}

/// Pause between two polls, if the answer names none, and before another try to join.
const POLL_PAUSE: Duration = Duration::from_secs(1);
/// Pause between two holds for lack of seats.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Polls after which some people leave.
const FEW_POLLS: u32 = 2;
/// A client that polls later than asked by more than this may be passed over.
const TOLERATED: Duration = Duration::from_secs(5);

/// A synthetic buyer.
pub(super) struct Buyer {
    caller: Caller,
    pass: String,
    person: Person,
    sale: BuyerSale,
    number: usize,
    ticket: Option<String>,
    sequence: Option<u64>,
}

/// The seats that a buyer holds, and for how long.
struct Held {
    hold: String,
    seats: Vec<SeatId>,
    until: Instant,
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}

impl Buyer {
    pub(super) fn new(
        caller: Caller,
        number: usize,
        pass: String,
        person: Person,
        sale: BuyerSale,
    ) -> Self {
        Self { caller, pass, person, sale, number, ticket: None, sequence: None }
    }

    /// Comes, waits, buys, and notes how that ended.
    pub(super) async fn act(mut self) {
        let Person { comes_at, .. } = self.person;
        let offset = millis(comes_at);
        let comes = if comes_at < 0 {
            self.sale.opens_at.checked_sub(offset)
        } else {
            self.sale.opens_at.checked_add(offset)
        };
        sleep_until(comes.unwrap_or(self.sale.opens_at)).await;
        self.caller.seen.note_came();
        self.caller.seen.note_waits(true);
        let waited = self.wait_for_slot().await;
        self.caller.seen.note_waits(false);
        let end = match waited {
            Err(end) => end,
            Ok(until) => {
                self.caller.seen.note_buys(true);
                let end = self.buy(until).await;
                self.caller.seen.note_buys(false);
                end
            }
        };
        self.caller.seen.note_end(end);
    }

    /// Joins, and polls as asked until the entry is active. Returns when the slot ends.
    async fn wait_for_slot(&mut self) -> Result<Instant, End> {
        let (came, mut polls) = (Instant::now(), 0);
        let mut reply = self.join().await?;
        loop {
            self.check_sequence(&reply);
            let body = &reply.body;
            let pause = body["poll_after_ms"].as_u64().map_or(POLL_PAUSE, Duration::from_millis);
            match body["status"].as_str() {
                Some("ACTIVE") => return Ok(Instant::now() + left(body, "active_expires_at")),
                Some("WAITING") => {}
                _ => return Err(End::Late),
            }
            if matches!(body["phase"].as_str(), Some("SOLD_OUT" | "CLOSED")) {
                self.leave().await;
                return Err(End::SoldOut);
            }
            if self.person.leaves_soon && polls >= FEW_POLLS {
                self.leave().await;
                return Err(End::Left);
            }
            if came.elapsed() >= millis(self.person.patience_ms) {
                return Err(End::Left);
            }
            let asked = Instant::now() + pause;
            sleep_until(asked).await;
            reply = self.poll().await?;
            polls += 1;
            let is_waiting_or_active =
                matches!(reply.body["status"].as_str(), Some("WAITING" | "ACTIVE"));
            if !is_waiting_or_active && asked.elapsed() < TOLERATED {
                let what = format!("{} after a poll in time", reply.body["status"]);
                self.caller.seen.note_lost_place(&what);
            }
        }
    }

    /// A place is known by its sequence, which changes only in a draw.
    fn check_sequence(&mut self, reply: &Reply) {
        let sequence = reply.body["sequence"].as_u64();
        let changed = self.sequence.is_some() && sequence != self.sequence;
        if changed && !self.sale.is_drawn {
            let what = format!("sequence {:?} became {sequence:?}", self.sequence);
            self.caller.seen.note_lost_place(&what);
        }
        self.sequence = sequence;
    }

    async fn join(&mut self) -> Result<Reply, End> {
        let path = format!("/v1/schedules/{}/queue", self.sale.schedule);
        loop {
            let reply = self.call(Step::Join, &Method::POST, &path, None).await?;
            match (reply.status, reply.code()) {
                (200 | 201, _) => return Ok(reply),
                (409, "sold_out" | "schedule_closed") => return Err(End::SoldOut),
                // The clocks of this process and of Redis differ.
                (409, "queue_not_open") => sleep(POLL_PAUSE).await,
                _ => return Err(self.fail(&reply)),
            }
        }
    }

    async fn poll(&mut self) -> Result<Reply, End> {
        let reply = self.call(Step::Poll, &Method::GET, "/v1/queue/ticket", None).await?;
        if reply.status == 200 {
            return Ok(reply);
        }
        self.caller.seen.note_lost_place(&format!("a poll got {} {}", reply.status, reply.code()));
        Err(End::Failed)
    }

    async fn leave(&mut self) {
        let left = self.call(Step::Leave, &Method::DELETE, "/v1/queue/ticket", None).await;
        if let Ok(reply) = left
            && reply.status != 204
        {
            self.fail(&reply);
        }
    }

    /// Chooses, holds and pays; `until` is the end of the slot.
    async fn buy(&mut self, until: Instant) -> End {
        if self.person.is_away {
            return End::Away;
        }
        sleep(millis(self.person.choose_ms)).await;
        if self.person.leaves_sale {
            self.leave().await;
            return End::Left;
        }
        match self.hold(until).await {
            Ok(held) => self.pay(held).await,
            Err(end) => end,
        }
    }

    async fn hold(&mut self, until: Instant) -> Result<Held, End> {
        let path = format!("/v1/schedules/{}/reservations", self.sale.schedule);
        for attempt in 0..ATTEMPTS {
            let quantity = self.person.basket.saturating_sub(attempt.into()).max(1);
            let body = json!({ "quantity": quantity });
            let reply = self.call(Step::Hold, &Method::POST, &path, Some(&body)).await?;
            match (reply.status, reply.code()) {
                (201, _) => return Ok(self.note_hold(&reply)),
                (409, "not_enough_seats" | "seat_taken") => {
                    self.caller.seen.note_refused_hold();
                    sleep(RETRY_PAUSE).await;
                }
                (409, "schedule_closed") => return Err(End::Late),
                (401 | 403, code) => {
                    if Instant::now() + TOLERATED < until {
                        let what = format!("a hold got {code} before the slot ended");
                        self.caller.seen.note_lost_place(&what);
                    }
                    return Err(End::Late);
                }
                _ => return Err(self.fail(&reply)),
            }
        }
        self.leave().await;
        Err(End::FoundNoSeats)
    }

    fn note_hold(&self, reply: &Reply) -> Held {
        let reservations = reply.body["reservations"].as_array();
        let seats = reservations.into_iter().flatten().filter_map(|one| one["seat_id"].as_i64());
        let seats: Vec<SeatId> = seats.map(SeatId).collect();
        let lasts = left(&reply.body, "expires_at").min(self.sale.hold);
        self.caller.seen.note_hold(self.number, &seats, lasts);
        let hold = reply.body["hold_id"].as_str().unwrap_or_default().to_owned();
        Held { hold, seats, until: Instant::now() + lasts }
    }

    async fn pay(&mut self, held: Held) -> End {
        let pays_at = Instant::now() + millis(self.person.pay_ms);
        if !self.person.pays || pays_at >= held.until {
            return End::NeverPaid;
        }
        sleep_until(pays_at).await;
        let body = json!({ "hold_id": held.hold });
        let paid = self.call(Step::Pay, &Method::POST, "/v1/payments", Some(&body)).await;
        match paid {
            Ok(reply) if reply.status == 201 => {
                self.caller.seen.note_paid(self.number, &held.seats);
                End::Bought
            }
            Ok(reply) if reply.code() == "hold_expired" && Instant::now() >= held.until => {
                End::Late
            }
            Ok(reply) => self.fail(&reply),
            Err(end) => end,
        }
    }

    async fn call(
        &mut self,
        step: Step,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, End> {
        let (pass, ticket) = (self.pass.as_str(), self.ticket.as_deref());
        let request = Request { step, method, path, body, pass, ticket };
        let reply = self.caller.send(request).await.ok_or(End::Failed)?;
        if let Some(ticket) = reply.body["queue_token"].as_str() {
            self.ticket = Some(ticket.to_owned());
        }
        Ok(reply)
    }

    /// Notes an answer that no client could have expected.
    fn fail(&self, reply: &Reply) -> End {
        self.caller.seen.note_error(&format!("{} {}", reply.status, reply.body));
        End::Failed
    }
}

/// How long it is from the server's time of an answer to a time in it.
fn left(body: &Value, name: &str) -> Duration {
    let time = |name: &str| body[name].as_str()?.parse::<DateTime<Utc>>().ok();
    let left = time(name).zip(time("server_time")).map(|(until, now)| until - now);
    left.and_then(|left| left.to_std().ok()).unwrap_or_default()
}
