//! Connections to PostgreSQL that are silent while a write waits for its answer.

use futures_util::future::join_all;
use onsale::idempotency::model::Request;
use onsale::store::StoreError;
use onsale::store::pg::Pg;

use super::stored_forms::{Charging, sale_of_two};
use crate::support::faults::assert_consistent;
use crate::support::proxy::{Mode, Proxy};
use crate::support::wait::until;
use crate::support::world::World;

/// Number of connections. Three of them may write.
const POOL: u32 = 4;

#[tokio::test]
async fn writes_without_an_answer_do_not_keep_the_pool_if_no_commit_waits_for_a_standby() {
    let world = World::new().await;
    let (_, _, [user, _]) = sale_of_two(&world).await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let request = |key: &str| Request::new(user, key, "charge", &1);
    let pg = Pg::lazy(&through, POOL).expect("a pool");
    proxy.set(Mode::KeepFrom("never-arrives"));
    join_all((0..3).map(async |number| {
        let lost = request(&format!("never-arrives {number}"));
        let answer = pg.call(&Charging(&lost, 10)).await;
        assert!(matches!(answer, Err(StoreError::OutcomeUnknown(_))), "{answer:?}");
    }))
    .await;
    proxy.set(Mode::Pass);
    let later = request("later");
    until("a charge is answered", async || pg.call(&Charging(&later, 10)).await.ok()).await;
    let charges = "select count(*) from point_history where amount = 10";
    assert_eq!(world.number(charges).await, 1);
    assert_consistent(&world).await;
}
