//! A buyer: joins, waits, holds, pays or leaves, repeatedly.

use std::time::Duration;

use chrono::{DateTime, Utc};
use onsale::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{OpenSale, Paid, Workload};
use crate::caller::{Call, Person};
use crate::dice::Dice;
use crate::history::Act;
use crate::stage::SEATS_PER_USER;

/// Visits sales repeatedly, in half of the cases as a new user.
pub async fn buy_repeatedly(workload: Workload, mut dice: Dice) {
    let mut user = workload.newcomer(&mut dice);
    while !workload.is_closing() {
        if dice.percent(50) {
            user = workload.newcomer(&mut dice);
        }
        let sale = workload.sales[dice.index(workload.sales.len())].clone();
        let next = dice.next();
        let person = Person::new(user, Role::User, &workload.context, dice.fork(next));
        Visit { person, workload: workload.clone(), sale }.run().await;
        sleep(Duration::from_millis(dice.between(10, 300))).await;
    }
}

struct Visit {
    person: Person,
    workload: Workload,
    sale: OpenSale,
}

impl Visit {
    async fn run(mut self) {
        if self.person.dice.percent(70) {
            self.charge().await;
        }
        if !self.get_admitted().await {
            return;
        }
        for _ in 0..self.person.dice.between(1, 6) {
            if self.workload.is_closing() {
                break;
            }
            if let Some(hold) = self.hold().await {
                if self.person.dice.percent(15) {
                    self.abuse_key().await;
                }
                if self.use_hold(&hold).await {
                    // A payment ends the ticket.
                    return;
                }
            }
            let pause = self.person.dice.between(10, 150);
            sleep(Duration::from_millis(pause)).await;
            self.person.join_or_poll(self.sale.schedule, false).await;
        }
        if self.person.dice.percent(70) {
            self.leave().await;
            // With a ticket that has ended.
            self.hold().await;
        }
    }

    async fn charge(&mut self) {
        let amount = 100 * self.person.dice.between(1, 4);
        let act = Act::Charge { amount: amount.cast_signed() };
        self.person.resolve(Call::post(act, "/v1/points/charges", json!({"amount": amount}))).await;
    }

    async fn leave(&mut self) {
        let act = Act::Leave { schedule: self.sale.schedule };
        self.person.resolve(Call::plain(act, Method::DELETE, "/v1/queue/ticket", None)).await;
    }

    /// Joins and polls until active; false if it leaves, is refused, or the run ends.
    async fn get_admitted(&mut self) -> bool {
        let mut joined = false;
        let mut leaves = self.person.dice.percent(4);
        while !self.workload.is_closing() {
            let answer = self.person.join_or_poll(self.sale.schedule, !joined).await;
            let mut pause = self.person.dice.between(100, 300);
            if let Some(answer) = answer {
                if !answer.is_ok() {
                    return false;
                }
                joined = true;
                match answer.body["status"].as_str() {
                    Some("ACTIVE") => return true,
                    Some("WAITING") => {
                        pause = answer.body["poll_after_ms"].as_u64().unwrap_or(pause).min(900);
                    }
                    _ => return false,
                }
                if std::mem::take(&mut leaves) {
                    self.leave().await;
                    return false;
                }
            }
            sleep(Duration::from_millis(pause)).await;
        }
        false
    }

    /// Tries to claim further seats under the key of the hold.
    async fn abuse_key(&mut self) {
        for _ in 0..self.person.dice.between(2, 8) {
            let quantity = self.person.dice.between(1, SEATS_PER_USER.unsigned_abs());
            let quantity = usize::try_from(quantity).expect("small");
            let first = self.person.dice.index(self.sale.seats.len() - quantity);
            let wanted = self.sale.seats[first..first + quantity].to_vec();
            let call = self.hold_call(&wanted);
            if let Some(answer) = self.person.reuse_key(&call).await {
                // If chance selects exactly the seats of the hold, the request is a repeat.
                let seats = answer.body["reservations"].as_array().into_iter().flatten();
                let same = seats.filter_map(|row| row["seat_id"].as_i64()).eq(wanted);
                let body = &answer.body;
                assert!(!answer.is_ok() || same, "a key was used for other seats: {body}");
            }
        }
    }

    fn hold_call(&self, seats: &[i64]) -> Call {
        let schedule = self.sale.schedule;
        let path = format!("/v1/schedules/{schedule}/reservations");
        let act = Act::Hold { schedule, quantity: seats.len() };
        Call::post(act, &path, json!({"seat_ids": seats}))
    }

    /// Waits for the end of a hold, and holds its seats again.
    async fn hold_again(&mut self, hold: &Value) {
        let ends: DateTime<Utc> =
            hold["expires_at"].as_str().expect("a time").parse().expect("a time");
        let late = self.person.dice.between(0, 400).cast_signed();
        let left = ends - Utc::now() + chrono::TimeDelta::milliseconds(late);
        sleep(left.to_std().unwrap_or_default()).await;
        let rows = hold["reservations"].as_array().expect("reservations");
        let seats: Vec<i64> = rows.iter().filter_map(|row| row["seat_id"].as_i64()).collect();
        let call = self.hold_call(&seats);
        self.person.resolve(call).await;
    }

    async fn hold(&mut self) -> Option<Value> {
        let schedule = self.sale.schedule;
        let dice = &mut self.person.dice;
        let quantity = 1 + usize::from(dice.percent(40));
        let body = if dice.percent(25) {
            json!({"quantity": quantity})
        } else {
            // Most buyers want the same third of the seats.
            let wanted = if dice.percent(60) { 8 } else { self.sale.seats.len() };
            let first = dice.index(wanted - 1);
            json!({"seat_ids": self.sale.seats[first..first + quantity]})
        };
        let path = format!("/v1/schedules/{schedule}/reservations");
        let call = Call::post(Act::Hold { schedule, quantity }, &path, body);
        let answer = self.person.resolve(call).await?;
        answer.is_ok().then_some(answer.body)
    }

    /// Pays the hold, releases it, or lets it expire; returns whether it was paid.
    async fn use_hold(&mut self, hold: &Value) -> bool {
        let id = hold["hold_id"].as_str().expect("an id").to_owned();
        match self.person.dice.between(1, 100) {
            1..=40 => {
                let pause = self.person.dice.between(0, 150);
                sleep(Duration::from_millis(pause)).await;
                self.pay(&id).await
            }
            41..=60 => {
                // Around the deadline.
                let ends: DateTime<Utc> =
                    hold["expires_at"].as_str().expect("a time").parse().expect("a time");
                let late = self.person.dice.between(0, 300).cast_signed() - 150;
                let left = ends - Utc::now() + chrono::TimeDelta::milliseconds(late);
                sleep(left.to_std().unwrap_or_default()).await;
                self.pay(&id).await
            }
            61..=80 => {
                let (act, path) = (Act::Release { hold: id.clone() }, format!("/v1/holds/{id}"));
                self.person.resolve(Call::plain(act, Method::DELETE, &path, None)).await;
                false
            }
            81..=88 => {
                self.hold_again(hold).await;
                false
            }
            _ => false,
        }
    }

    /// Pays; without enough points it charges, and pays again under another key.
    async fn pay(&mut self, hold: &str) -> bool {
        for _ in 0..2 {
            let act = Act::Pay { hold: hold.to_owned() };
            let call = Call::post(act, "/v1/payments", json!({"hold_id": hold}));
            let Some(answer) = self.person.resolve(call).await else {
                return false;
            };
            if answer.code() == "insufficient_points" {
                self.charge().await;
                continue;
            }
            if answer.is_ok() {
                self.paid(&answer.body).await;
                return true;
            }
            return false;
        }
        false
    }

    async fn paid(&mut self, answer: &Value) {
        let user = self.person.client.user;
        for payment in answer["payments"].as_array().expect("payments") {
            self.workload.bought(Paid { user, payment: payment["id"].as_i64().expect("an id") });
        }
        if self.person.dice.percent(20) {
            self.person.resolve(Call::plain(Act::Balance, Method::GET, "/v1/points", None)).await;
        }
    }
}
