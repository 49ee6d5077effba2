//! Callers who are gone before PostgreSQL has answered, as when clients hang up.

use std::time::Duration;

use onsale::idempotency::model::Request;
use onsale::store::pg::Pg;
use tokio::time::timeout;

use super::stored_forms::{Charging, sale_of_two};
use crate::support::faults::assert_consistent;
use crate::support::proxy::{Mode, Proxy};
use crate::support::wait::until;
use crate::support::world::World;

/// A transaction whose beginning was cut off must not stay open on its connection: a charge there would
/// be answered, and never committed.
#[tokio::test]
async fn what_is_written_after_a_caller_was_gone_at_the_beginning_of_a_transaction_is_committed() {
    let world = World::new().await;
    let (_, _, [user, _]) = sale_of_two(&world).await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let pg = Pg::lazy(&through, 1).expect("a pool");
    let mut cut_off = 0;
    for number in 0..5 {
        until("PostgreSQL answers", async || pg.ping().await.ok()).await;
        // It is not checked again so soon, so the next wait is for the beginning.
        until("the connection is back in the pool", async || (pg.idle() == 1).then_some(())).await;
        proxy.set(Mode::Delay(Duration::from_millis(50)));
        let begun = timeout(Duration::from_millis(40), pg.begin("cut_off")).await;
        cut_off += i32::from(begun.is_err());
        drop(begun);
        let charge = Request::new(user, &format!("charge {number}"), "charge", &1);
        until("it is charged", async || pg.call(&Charging(&charge, 10)).await.ok()).await;
        proxy.set(Mode::Pass);
    }
    assert!(cut_off > 0, "no caller was gone in time");
    let charges = "select count(*) from point_history where amount = 10";
    assert_eq!(world.number(charges).await, 5);
    assert_consistent(&world).await;
}
