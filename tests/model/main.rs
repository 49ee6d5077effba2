//! The protocol as a model that is searched to its end: two buyers, two processes, one seat, and every
//! order in which steps, crashes, late commands, losses of Redis and time itself can come.
//!
//! What the model takes from where: `redis` from `lua/hold` and the rebuilding's scripts, `pg` from
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

use stateright::{Checker, HasDiscoveries, Model};

use properties::{AGREE, BOOKS, IN_TIME, ONE_LIVE_ROW, TRUTH};
use state::{Guard, Guards};
use steps::Protocol;

#[test]
#[ignore]
fn probe() {
    for (ends, losses) in [(1, 0), (2, 0), (1, 1), (2, 1), (3, 0), (3, 1)] {
        let begun = Instant::now();
        let p = Protocol { guards: Guards { without: &[] }, ends, losses };
        let found =
            p.checker().threads(2).timeout(std::time::Duration::from_secs(25)).spawn_bfs().join();
        println!(
            "{ends} {losses}: {} {} deep {:?} {:?}",
            found.unique_state_count(),
            found.max_depth(),
            begun.elapsed(),
            found.discoveries().keys()
        );
    }
}

fn protocol(without: &'static [Guard]) -> Protocol {
    Protocol { guards: Guards { without }, ends: 3, losses: 1 }
}

/// Searches all there is, and fails where a property is broken or never comes up.
fn holds(without: &'static [Guard]) {
    let begun = Instant::now();
    let found = protocol(without).checker().threads(2).spawn_bfs().join();
    println!(
        "without {without:?}: {} states, {} deep, in {:.1} s",
        found.unique_state_count(),
        found.max_depth(),
        begun.elapsed().as_secs_f64()
    );
    found.assert_properties();
}

/// Searches until the property is broken, and tells how.
#[track_caller]
fn breaks(without: &'static [Guard], property: &'static str) {
    let searched = protocol(without)
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyOf([property].into()))
        .spawn_bfs()
        .join();
    let steps = searched.assert_any_discovery(property).into_actions();
    println!("without {without:?} {property}: broken by {steps:?}");
}

#[test]
fn the_protocol_holds_in_every_order() {
    holds(&[]);
}

#[test]
fn the_index_alone_keeps_a_seat_for_one() {
    let found = protocol(&[Guard::Lock]).checker().threads(2).spawn_bfs().join();
    found.assert_no_discovery(ONE_LIVE_ROW);
}

#[test]
fn the_lock_alone_keeps_a_seat_for_one() {
    holds(&[Guard::Index]);
}

#[test]
fn without_lock_and_index_a_seat_is_sold_twice() {
    breaks(&[Guard::Lock, Guard::Index], ONE_LIVE_ROW);
}

#[test]
fn with_the_clock_of_before_the_lock_a_hold_is_paid_after_its_end() {
    breaks(&[Guard::ClockAfterLock], IN_TIME);
}

#[test]
fn without_stored_answers_a_repeat_is_refused_what_it_has() {
    breaks(&[Guard::Key], TRUTH);
}

#[test]
fn without_fences_redis_believes_what_came_late() {
    breaks(&[Guard::Fence], AGREE);
}

#[test]
fn without_the_fences_of_free_seats_a_rebuilt_redis_believes_what_came_late() {
    breaks(&[Guard::FreeFences], AGREE);
}

#[test]
fn without_the_epoch_a_rebuilding_ends_that_of_another() {
    breaks(&[Guard::Epoch], AGREE);
}

#[test]
fn with_money_that_moves_by_itself_somebody_pays_for_nothing() {
    breaks(&[Guard::OneTransaction], BOOKS);
}
