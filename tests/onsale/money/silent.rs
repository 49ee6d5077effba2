//! Connections to PostgreSQL that are silent while a statement waits for its answer.

use futures_util::future::join_all;
use onsale::idempotency::model::Request;
use onsale::store::StoreError;
use onsale::store::pg::Pg;

use super::stored_forms::{Charging, sale_of_two};
use crate::support::faults::assert_consistent;
use crate::support::program::{Program, command};
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

/// Silent connections of the whole pool, of statements outside and inside of transactions.
#[tokio::test]
async fn statements_without_an_answer_do_not_keep_the_pool() {
    let world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let pg = Pg::lazy(&through, POOL).expect("a pool");
    proxy.set(Mode::KeepFrom("never-arrives"));
    let never = "select 'never-arrives'";
    let outside = join_all((0..2).map(async |_| sqlx::query(never).execute(pg.pool()).await));
    let inside = join_all((0..2).map(async |_| {
        let mut tx = pg.begin("silent").await.expect("a transaction");
        sqlx::query(never).execute(tx.conn()).await
    }));
    let (outside, inside) = tokio::join!(outside, inside);
    for answer in outside {
        assert!(matches!(answer, Err(sqlx::Error::Io(_))), "{answer:?}");
    }
    // PostgreSQL ends these transactions, since it gets nothing.
    assert!(inside.iter().all(Result::is_err), "{inside:?}");
    proxy.set(Mode::Pass);
    let read = async || sqlx::query("select 1").execute(pg.pool()).await.ok();
    until("a statement is answered", read).await;
}

/// A server that takes connections and says nothing, as when its machine hangs.
#[tokio::test]
async fn a_process_starts_and_a_check_ends_while_postgresql_is_silent() {
    let mut world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let direct = std::mem::replace(&mut world.database_url, through);
    proxy.set(Mode::HoleUp);
    let program = Program::start(&world, &[]).await;
    let client = program.anonymous();
    assert_eq!(client.get("/livez").await.status, 200);
    assert_eq!(client.get("/readyz").await.status, 503);
    let mut check = tokio::process::Command::from(command(&world, &["check"]));
    let checked = check.output().await.expect("the program");
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    world.database_url = direct;
}
