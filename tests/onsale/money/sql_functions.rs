//! The SQL functions in `migrations/functions`: when a migration replaces them, what stays as it
//! is, and that processes of two releases can use the same database.

use onsale::store::pg::functions;
use onsale::store::pg::migrations;
use sqlx::AssertSqlSafe;

use crate::support::patch::{Patch, points_of};
use crate::support::world::World;

/// Runs SQL that tests make up.
pub async fn run(world: &World, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&world.pool).await.expect("the SQL runs");
}

/// Whether the database's `key_store` stores outcomes: false after [`forget_outcomes`].
async fn stores_outcomes(world: &World) -> bool {
    let text = "select prosrc not like '%return;%' from pg_proc
                where proname = 'key_store'";
    sqlx::query_scalar(text).fetch_one(&world.pool).await.expect("the function")
}

/// Gives `key_store` another text, as of a release with this revision and checksum.
async fn forget_outcomes(world: &World, revision: i32) {
    let patch = Patch::of("key_store").insert_before("store_outcome", "return;");
    patch.apply(&world.pool).await;
    let record = format!(
        "update sql_function set revision = {revision}, checksum = sha256('another text')
         where name = 'key_store'"
    );
    // The table refuses revision 0, the only one before 1.
    let unchecked = "alter table sql_function drop constraint sql_function_revision_check;";
    run(world, &format!("{unchecked} {record}")).await;
}

#[tokio::test]
async fn a_migration_replaces_only_functions_whose_text_is_newer() {
    let world = World::new().await;
    let again = migrations::apply(&world.pg).await.expect("it applies");
    assert_eq!(again.to_string(), "nothing to apply: the database is up to date\n");

    forget_outcomes(&world, 0).await;
    let mismatch = migrations::mismatch(&world.pg).await.expect("an answer");
    assert!(mismatch.expect("a mismatch").contains("key_store has revision 0"));
    let refused = onsale::app::start(world.settings(&[])).await.err().expect("a refusal");
    assert!(refused.to_string().contains("run onsale migrate"), "{refused}");
    let done = migrations::apply(&world.pg).await.expect("it applies");
    assert_eq!(done.to_string(), "applied function key_store, revision 1\n");
    assert!(stores_outcomes(&world).await);
    assert_eq!(migrations::mismatch(&world.pg).await.expect("an answer"), None);
}

#[tokio::test]
async fn an_older_binary_keeps_the_functions_and_migrations_of_a_newer_release() {
    let world = World::new().await;
    forget_outcomes(&world, 1000).await;
    let newer =
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'later', true, 'x', 0)";
    run(&world, newer).await;
    let done = migrations::apply(&world.pg).await.expect("it applies");
    let kept = "kept migration 9999 of a newer release\n\
                kept function key_store, revision 1000 of a newer release\n\
                nothing to apply: the database is up to date\n";
    assert_eq!(done.to_string(), kept);
    assert!(!stores_outcomes(&world).await, "the newer text stays");
    let process = world.start().await;
    assert_eq!(process.anonymous().get("/readyz").await.status, 200);
}

#[tokio::test]
async fn two_texts_under_one_revision_are_an_error_and_nothing_is_applied() {
    let world = World::new().await;
    forget_outcomes(&world, 1).await;
    run(&world, "update sql_function set revision = 0 where name = 'key_claim'").await;
    let refused = migrations::apply(&world.pg).await.expect_err("a refusal").to_string();
    assert!(refused.contains("key_store has changed since its revision 1"), "{refused}");
    let claim = "select revision::bigint from sql_function where name = 'key_claim'";
    assert_eq!(world.number(claim).await, 0, "it was applied first, and rolled back");
}

#[tokio::test]
async fn a_migration_restores_functions_that_were_dropped_or_replaced_by_hand() {
    let world = World::new().await;
    Patch::of("key_store").insert_before("store_outcome", "return;").apply(&world.pool).await;
    run(&world, "drop function write_hold").await;
    let mismatch = migrations::mismatch(&world.pg).await.expect("an answer");
    assert_eq!(mismatch.as_deref(), Some("function write_hold is not applied"));
    let done = migrations::apply(&world.pg).await.expect("it applies").functions.applied;
    assert_eq!(done, [("key_store", 1), ("write_hold", 1)]);
    assert!(stores_outcomes(&world).await);
}

#[tokio::test]
async fn migrations_that_run_at_once_wait_for_each_other() {
    let world = World::new().await;
    run(&world, "delete from sql_function").await;
    let (one, two) = tokio::join!(migrations::apply(&world.pg), migrations::apply(&world.pg));
    let counts = [one, two].map(|done| done.expect("it applies").functions.applied.len());
    let all = functions::names().count();
    assert!(counts == [all, 0] || counts == [0, all], "{counts:?}");
}

#[tokio::test]
async fn a_function_keeps_its_signature_under_its_name() {
    let world = World::new().await;
    let ask = "select p.proname || '(' || pg_get_function_arguments(p.oid) || ') returns '
                      || pg_get_function_result(p.oid)
               from pg_proc p where pronamespace = 'public'::regnamespace";
    let mut found: Vec<String> = sqlx::query_scalar(ask).fetch_all(&world.pool).await.unwrap();
    found.sort_unstable();
    let listed = include_str!("../../../migrations/functions/signatures.txt");
    let mut listed: Vec<&str> = listed.lines().filter(|line| !line.starts_with('#')).collect();
    listed.sort_unstable();
    assert_eq!(found, listed, "add a function with a new name, and its line to signatures.txt");
    let name = |line: &&str| line.split('(').next().map(str::to_owned);
    let mut names: Vec<_> = listed.iter().map(name).collect();
    names.dedup();
    assert_eq!(names.len(), listed.len(), "two functions have one name");
}

#[test]
fn each_patch_point_exists_once() {
    let points = functions::names().flat_map(|function| {
        points_of(function).into_iter().map(move |point| format!("{function}: {point}"))
    });
    assert_eq!(
        points.collect::<Vec<_>>(),
        [
            "key_store: store_outcome",
            "point_change: write_history",
            "write_hold: lock_seats",
            "write_hold: takeover_margin",
            "write_hold: taken_seats",
            "write_hold: first_write",
            "settle_payment: lock_seats",
            "settle_payment: clock",
            "settle_payment: deadline",
            "charge_points: lock_balance",
            "refund_payments: lock_seats",
        ]
    );
}
