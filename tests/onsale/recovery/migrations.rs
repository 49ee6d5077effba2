//! Migrations beside running buyers and a dump.

use std::time::Duration;

use onsale::store::pg::migrations;

use crate::support::wait::{until, until_within};
use crate::support::world::World;

/// A dump keeps a lock on every table. A migration that waits for it makes all later statements on
/// the table wait too, so it gives up and tries again.
#[tokio::test]
async fn a_migration_behind_a_dump_lets_buyers_go_on_and_is_applied_after_it() {
    let world = World::new().await;
    for undo in [
        "alter table queue_archive drop column listed_position",
        "delete from _sqlx_migrations where version = 19",
    ] {
        sqlx::query(undo).execute(&world.pool).await.expect("the state before");
    }
    let behind = migrations::mismatch(&world.pg).await.expect("an answer");
    assert_eq!(behind.as_deref(), Some("migration 19 is not applied"));
    let mut dump = world.pool.begin().await.expect("a session");
    let lock = "lock table queue_archive in access share mode";
    sqlx::query(lock).execute(&mut *dump).await.expect("a lock");

    let pg = world.pg.clone();
    let applied = tokio::spawn(async move { migrations::apply(&pg).await });
    until("the migration waits for the dump", async || {
        let waits = "select count(*) from pg_locks where not granted
                     and relation = 'queue_archive'::regclass";
        (world.number(waits).await > 0).then_some(())
    })
    .await;
    // Each waits until the migration gives up, and not for the dump.
    for _ in 0..3 {
        let read = world.number("select count(*) from queue_archive");
        let read = tokio::time::timeout(Duration::from_secs(20), read).await;
        assert_eq!(read.expect("it goes on while the dump has its lock"), 0);
    }
    assert!(!applied.is_finished());
    dump.rollback().await.expect("the end of the dump");
    until_within(Duration::from_mins(1), "the migration", async || {
        applied.is_finished().then_some(())
    })
    .await;
    assert_eq!(applied.await.expect("it ran").expect("it is applied").migrations, [19]);
    assert_eq!(migrations::mismatch(&world.pg).await.expect("an answer"), None);
}
