//! `onsale prune --apply` beside another run of it.

use std::time::Duration;

use onsale::admin::prune::service::Pruner;
use onsale::config::RetentionSettings;
use onsale::config::retention::Keep;
use onsale::store::pg::Pg;
use sqlx::AssertSqlSafe;

use super::prune::{make_old, rows};
use super::report_sale::closed;
use crate::support::wait::until;
use crate::support::world::World;

/// Deletes the first page of a table as another run does, commits once the prune waits for it, and
/// returns the rows that the prune leaves.
async fn prune_beside(world: &World, schedule: i64, table: &str, order: &str) -> i64 {
    const DAY: Keep = Keep::For(Duration::from_hours(24));
    let retention = RetentionSettings {
        keep_entries: if table == "queue" { DAY } else { Keep::Forever },
        keep_entrants: if table == "draw_entrant" { DAY } else { Keep::Forever },
        keep_rejections: if table == "rejection_count" { DAY } else { Keep::Forever },
        keep_audit: Keep::Forever,
        keep_parked: Keep::Forever,
        keep_users: Keep::Forever,
    };
    let mut other = world.pool.begin().await.expect("a transaction");
    let page = format!(
        "delete from {table} where ctid in (select ctid from {table}
           where concert_schedule_id = {schedule} order by {order} limit 5000)"
    );
    sqlx::query(AssertSqlSafe(page)).execute(&mut *other).await.expect("a page");
    let pg = Pg::lazy(&world.database_url, 2).expect("a pool");
    let pruner = Pruner::new(pg, retention, true);
    let pruning = tokio::spawn(async move { pruner.run().await });
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    until("the prune waits for the other", async || {
        (world.number(waiting).await > 0).then_some(())
    })
    .await;
    other.commit().await.expect("a commit");
    pruning.await.expect("a task").expect("it is pruned");
    rows(world, table, schedule).await
}

#[tokio::test]
async fn a_page_that_another_prune_deletes_first_does_not_end_the_run() {
    let world = World::new().await;
    let past = closed(&world).await;
    make_old(&world, past).await;
    let sql = "insert into draw_entrant (concert_schedule_id, sequence, user_id, ticket_id, place)
        select $1, n, n, gen_random_uuid(), n from generate_series(1, 12000) n";
    sqlx::query(sql).bind(past).execute(&world.pool).await.expect("entrants");
    let sql = "insert into rejection_count (concert_schedule_id, wanted, reason, since, times)
        select $1, 'join', 'closed', now() - n * interval '10 s', 1 from generate_series(1, 12000) n";
    sqlx::query(sql).bind(past).execute(&world.pool).await.expect("rejections");
    for (table, order) in [
        ("draw_entrant", "sequence"),
        ("rejection_count", "wanted, reason, since"),
        ("queue", "sequence"),
    ] {
        assert_eq!(prune_beside(&world, past, table, order).await, 0, "{table}");
    }
}
