//! A long queue, most of which is silent: those who poll as asked behind it must not be passed.

use std::time::Duration;

use onsale::caller::Role;
use reqwest::Method;
use tokio::time::sleep;

use super::Market;
use crate::caller::{Person, Wish};
use crate::dice::Dice;
use crate::history::Act;

/// Keeps joining as somebody new who never polls, until nobody new is left.
pub async fn join_and_fall_silent(market: Market, mut dice: Dice) {
    while !market.is_closing()
        && let Some(user) = market.silent_user()
    {
        let next = dice.next();
        let mut person = Person::new(user, Role::User, &market.office, dice.fork(next));
        person.stand(market.silent, true).await;
        sleep(Duration::from_millis(dice.between(10, 60))).await;
    }
}

/// Joins, polls exactly as asked until active, leaves, and comes again.
pub async fn poll_as_asked(market: Market, mut dice: Dice) {
    while !market.is_closing() {
        let user = market.newcomer(&mut dice);
        let next = dice.next();
        let mut person = Person::new(user, Role::User, &market.office, dice.fork(next));
        let mut joined = false;
        while !market.is_closing() {
            let answer = person.stand(market.silent, !joined).await;
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
            // The run ended, or the join was refused: there is no ticket to leave with.
            continue;
        }
        let act = Act::Leave { schedule: market.silent };
        person.want(Wish::plain(act, Method::DELETE, "/v1/queue/ticket", None)).await;
    }
}
