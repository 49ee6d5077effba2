//! A long and mostly silent queue: buyers who poll as requested behind it must not be overtaken.

use std::time::Duration;

use onsale::caller::Role;
use reqwest::Method;
use tokio::time::sleep;

use super::Workload;
use crate::caller::{Call, Person};
use crate::dice::Dice;
use crate::history::Act;

/// Joins with one new user after another until all have joined. These users never poll.
pub async fn join_and_fall_silent(workload: Workload, mut dice: Dice) {
    while !workload.is_closing()
        && let Some(user) = workload.silent_user()
    {
        let next = dice.next();
        let mut person = Person::new(user, Role::User, &workload.context, dice.fork(next));
        person.join_or_poll(workload.silent, true).await;
        sleep(Duration::from_millis(dice.between(10, 60))).await;
    }
}

/// Joins, polls at the requested times until active, leaves, and joins again as another user.
pub async fn poll_as_requested(workload: Workload, mut dice: Dice) {
    while !workload.is_closing() {
        let user = workload.newcomer(&mut dice);
        let next = dice.next();
        let mut person = Person::new(user, Role::User, &workload.context, dice.fork(next));
        let mut joined = false;
        while !workload.is_closing() {
            let answer = person.join_or_poll(workload.silent, !joined).await;
            let mut pause = 250;
            if let Some(answer) = answer {
                joined |= answer.is_ok();
                pause = answer.body["poll_after_ms"].as_u64().unwrap_or(pause);
                if answer.body["status"] != "WAITING" {
                    break;
                }
            }
            sleep(Duration::from_millis(pause)).await;
        }
        if !joined {
            // The run ended, or the join was refused: there is no ticket.
            continue;
        }
        let act = Act::Leave { schedule: workload.silent };
        person.resolve(Call::plain(act, Method::DELETE, "/v1/queue/ticket", None)).await;
    }
}
