//! A model of the protocol with two buyers, two processes and one seat. The test searches every
//! order of steps, crashes, late commands, losses of Redis and clock ticks.
//!
//! Each module models a part of the code:
//! - `redis`: the scripts in `lua/seats`, and those of a rebuild;
//! - `pg`: the functions in `migrations/functions`, and the transactions in `src`;
//! - `steps`: the services and loops that call the two stores.
//!
//! A transaction is one step from its lock to its commit, because the lock excludes all others.
//! After the commit, any process may apply the change in Redis: at any time, repeatedly and in any
//! order. Each mutant lacks one guard (or two), and the search must find a property that it breaks.

mod pg;
mod properties;
mod redis;
mod state;
mod steps;

use std::time::Instant;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use properties::{
    BALANCES, CORRECT_ANSWERS, IN_TIME, ONE_LIVE_ROW, REBUILT_WITH_A_HOLD, REPEATED, RESOLD,
    RESTARTED, STORES_AGREE, TAKEN_OVER,
};
use state::{Guard, Guards};
use steps::Protocol;

/// Two buyers, with enough time for both to hold, pay and get a refund. Redis is never lost.
fn sale(without: &'static [Guard]) -> Protocol {
    Protocol { guards: Guards { without }, buyers: 2, last_tick: 3, losses: 0, refunds: true }
}

/// Two buyers. Redis is lost once.
fn loss(without: &'static [Guard]) -> Protocol {
    Protocol { guards: Guards { without }, buyers: 2, last_tick: 1, losses: 1, refunds: false }
}

/// One buyer who may hold, pay and get a refund. Redis is lost twice.
fn losses(without: &'static [Guard]) -> Protocol {
    Protocol { guards: Guards { without }, buyers: 1, last_tick: 3, losses: 2, refunds: true }
}

/// Searches all states. Fails if a property is violated, or if one of `reachable` is never reached.
fn assert_holds(protocol: Protocol, reachable: &[&'static str]) {
    let started = Instant::now();
    let found = protocol.checker().threads(2).spawn_bfs().join();
    let took = started.elapsed().as_secs_f64();
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
    for property in reachable {
        found.assert_any_discovery(property);
    }
}

/// Searches until the property is violated, and prints the steps that violate it.
fn assert_breaks(protocol: Protocol, property: &'static str) {
    let until = HasDiscoveries::AnyOf([property].into());
    let found = protocol.checker().threads(2).finish_when(until).spawn_bfs().join();
    let steps = found.assert_any_discovery(property).into_actions();
    println!("{property}: violated by {steps:?}");
}

#[test]
fn every_property_of_a_sale_holds_in_every_order() {
    assert_holds(sale(&[]), &[RESOLD, TAKEN_OVER, REPEATED]);
}

#[test]
fn every_property_of_a_sale_holds_when_redis_is_lost_once() {
    assert_holds(loss(&[]), &[REBUILT_WITH_A_HOLD, REPEATED, RESTARTED]);
}

#[test]
fn every_property_holds_for_one_buyer_when_redis_is_lost_twice() {
    assert_holds(losses(&[]), &[REBUILT_WITH_A_HOLD, REPEATED, RESTARTED]);
}

#[test]
fn every_property_holds_with_the_lock_and_without_the_index() {
    assert_holds(sale(&[Guard::Index]), &[TAKEN_OVER]);
}

#[test]
fn the_index_without_the_lock_keeps_one_live_row_per_seat() {
    let without_lock = Protocol { last_tick: 1, ..sale(&[Guard::Lock]) };
    without_lock.checker().threads(2).spawn_bfs().join().assert_no_discovery(ONE_LIVE_ROW);
}

#[test]
fn without_lock_and_index_a_seat_gets_two_live_rows() {
    assert_breaks(sale(&[Guard::Lock, Guard::Index]), ONE_LIVE_ROW);
}

#[test]
fn with_the_clock_read_before_the_lock_a_hold_is_paid_after_its_end() {
    assert_breaks(sale(&[Guard::ClockAfterLock]), IN_TIME);
}

#[test]
fn without_stored_answers_a_retry_is_refused_although_the_request_succeeded() {
    assert_breaks(sale(&[Guard::Key]), CORRECT_ANSWERS);
}

#[test]
fn without_fences_redis_applies_late_changes() {
    assert_breaks(sale(&[Guard::Fence]), STORES_AGREE);
}

#[test]
fn without_fences_of_free_seats_a_rebuilt_redis_applies_late_changes() {
    assert_breaks(losses(&[Guard::FreeFences]), STORES_AGREE);
}

#[test]
fn without_the_epoch_a_rebuild_can_finish_one_that_another_process_began() {
    assert_breaks(losses(&[Guard::Epoch]), STORES_AGREE);
}

#[test]
fn with_money_moved_in_a_separate_transaction_a_buyer_pays_without_getting_the_seat() {
    assert_breaks(sale(&[Guard::OneTransaction]), BALANCES);
}
