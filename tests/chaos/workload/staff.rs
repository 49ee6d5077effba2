//! Clients that request refunds, and an administrator.

use std::time::Duration;

use onsale::caller::Role;
use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

use super::Workload;
use crate::caller::{Call, Person};
use crate::dice::Dice;
use crate::history::Act;
use crate::stage::CAPACITY;

/// Requests refunds as the users who paid; some of them twice.
pub async fn refund(workload: Workload, mut dice: Dice) {
    while !workload.is_closing() {
        sleep(Duration::from_millis(dice.between(20, 200))).await;
        let Some(paid) = workload.to_refund(&mut dice) else {
            continue;
        };
        let next = dice.next();
        let mut owner = Person::new(paid.user, Role::User, &workload.context, dice.fork(next));
        let times = if dice.percent(10) { 2 } else { 1 };
        for _ in 0..times {
            let path = format!("/v1/payments/{}/refund", paid.payment);
            let act = Act::Refund { payment: paid.payment };
            owner.resolve(Call { body: None, ..Call::post(act, &path, json!({})) }).await;
        }
    }
}

/// Changes settings, pauses and resumes, blocks seats and unblocks them.
pub async fn administer(workload: Workload, mut admin: Person) {
    while !workload.is_closing() {
        let pause = admin.dice.between(300, 2000);
        sleep(Duration::from_millis(pause)).await;
        let sale = workload.sales[admin.dice.index(workload.sales.len())].clone();
        match admin.dice.between(1, 4) {
            1 => {
                let capacity = admin.dice.between(12, CAPACITY.unsigned_abs());
                set(&mut admin, sale.schedule, json!({"capacity": capacity})).await;
            }
            2 => {
                set(&mut admin, sale.schedule, json!({"paused": true, "message": "soon"})).await;
                sleep(Duration::from_millis(500)).await;
                set(&mut admin, sale.schedule, json!({"paused": false, "message": null})).await;
            }
            _ => {
                let seat = sale.seats[admin.dice.index(sale.seats.len())];
                block(&mut admin, sale.schedule, seat, true).await;
                sleep(Duration::from_millis(200)).await;
                block(&mut admin, sale.schedule, seat, false).await;
            }
        }
    }
}

async fn set(admin: &mut Person, schedule: i64, settings: serde_json::Value) {
    let path = format!("/v1/admin/schedules/{schedule}/queue");
    admin.resolve(Call::plain(Act::Settings, Method::PATCH, &path, Some(settings))).await;
}

async fn block(admin: &mut Person, schedule: i64, seat: i64, blocked: bool) {
    let path = format!("/v1/admin/schedules/{schedule}/seats");
    let act = Act::Block { seats: vec![seat], blocked };
    let body = json!({"seat_ids": [seat], "blocked": blocked});
    admin.resolve(Call::plain(act, Method::PATCH, &path, Some(body))).await;
}
