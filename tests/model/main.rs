//! The protocol as a model that is searched to its end: two buyers, two processes, one seat, and every
//! order in which steps, crashes, late commands, losses of Redis and time itself can come.
//!
//! What the model takes from where: `redis` from `lua/seats` and the rebuilding's scripts, `pg` from
//! `migrations/0005_hold_and_pay.sql` and the transactions in `src`, `steps` from the services and
//! loops that call them. A transaction is one step once it has its lock, since nobody else can come
//! between; a change may be told to Redis by anybody, at any time from its commit on, again and again,
//! in any order. Each mutant lacks one guard, and must be found wrong.

mod pg;
mod properties;
mod redis;
mod state;
mod steps;

use std::time::Instant;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use properties::{
    AGREE, BEGUN_ANEW, BOOKS, IN_TIME, ONE_LIVE_ROW, REBUILT_WITH_A_HOLD, REPLAYED, SOLD_AGAIN,
    TAKEN_OVER, TRUTH,
};
use state::{Guard, Guards};
use steps::Protocol;

/// Two buyers, as long as it takes both to hold, pay and be refunded; Redis lasts.
fn sale(without: &'static [Guard]) -> Protocol {
    Protocol { guards: Guards { without }, buyers: 2, ends: 3, losses: 0, refunds: true }
}

/// Two buyers, and Redis is lost once.
fn loss(without: &'static [Guard]) -> Protocol {
    Protocol { guards: Guards { without }, buyers: 2, ends: 1, losses: 1, refunds: false }
}

/// One buyer, who may do all there is to do, and Redis is lost twice.
fn losses(without: &'static [Guard]) -> Protocol {
    Protocol { guards: Guards { without }, buyers: 1, ends: 3, losses: 2, refunds: true }
}

/// Searches all there is. Fails where anything is broken, or where what should `come_up` never does.
fn holds(protocol: Protocol, come_up: &[&'static str]) {
    let begun = Instant::now();
    let found = protocol.checker().threads(2).spawn_bfs().join();
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{protocol:?}: {} states, {} deep, {took:.1} s",
        found.unique_state_count(),
        found.max_depth()
    );
    for property in protocol.properties() {
        if property.expectation == Expectation::Always {
            found.assert_no_discovery(property.name);
        }
    }
    for property in come_up {
        found.assert_any_discovery(property);
    }
}

/// Searches until the property is broken, and tells how.
fn breaks(protocol: Protocol, property: &'static str) {
    let until = HasDiscoveries::AnyOf([property].into());
    let found = protocol.checker().threads(2).finish_when(until).spawn_bfs().join();
    let steps = found.assert_any_discovery(property).into_actions();
    println!("{property}: broken by {steps:?}");
}

#[test]
fn a_sale_holds_in_every_order() {
    holds(sale(&[]), &[SOLD_AGAIN, TAKEN_OVER, REPLAYED]);
}

#[test]
fn a_sale_holds_in_every_order_while_redis_is_lost() {
    holds(loss(&[]), &[REBUILT_WITH_A_HOLD, REPLAYED, BEGUN_ANEW]);
}

#[test]
fn one_buyers_seat_holds_in_every_order_while_redis_is_lost_again_and_again() {
    holds(losses(&[]), &[REBUILT_WITH_A_HOLD, REPLAYED, BEGUN_ANEW]);
}

#[test]
fn the_lock_alone_keeps_a_seat_for_one() {
    holds(sale(&[Guard::Index]), &[TAKEN_OVER]);
}

#[test]
fn the_index_alone_keeps_a_seat_for_one() {
    let alone = Protocol { ends: 1, ..sale(&[Guard::Lock]) };
    alone.checker().threads(2).spawn_bfs().join().assert_no_discovery(ONE_LIVE_ROW);
}

#[test]
fn without_lock_and_index_a_seat_is_sold_twice() {
    breaks(sale(&[Guard::Lock, Guard::Index]), ONE_LIVE_ROW);
}

#[test]
fn with_the_clock_of_before_the_lock_a_hold_is_paid_after_its_end() {
    breaks(sale(&[Guard::ClockAfterLock]), IN_TIME);
}

#[test]
fn without_stored_answers_a_repeat_is_refused_what_it_has() {
    breaks(sale(&[Guard::Key]), TRUTH);
}

#[test]
fn without_fences_redis_believes_what_came_late() {
    breaks(sale(&[Guard::Fence]), AGREE);
}

#[test]
fn without_the_fences_of_free_seats_a_rebuilt_redis_believes_what_came_late() {
    breaks(losses(&[Guard::FreeFences]), AGREE);
}

#[test]
fn without_the_epoch_a_rebuilding_ends_that_of_another() {
    breaks(losses(&[Guard::Epoch]), AGREE);
}

#[test]
fn with_money_that_moves_by_itself_somebody_pays_for_nothing() {
    breaks(sale(&[Guard::OneTransaction]), BOOKS);
}
