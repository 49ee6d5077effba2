//! `onsale prune`: what it deletes, and what it never deletes.

use std::time::Duration;

use onsale::admin::prune::service::{Found, Pruner};
use onsale::config::RetentionSettings;
use onsale::config::retention::Keep;
use onsale::store::pg::Pg;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::report_sale::{closed, fetch, running};
use crate::support::program::command;
use crate::support::wait::until;
use crate::support::world::World;

const DAY: Duration = Duration::from_hours(24);
const ALL: RetentionSettings = RetentionSettings {
    keep_entries: Keep::For(DAY),
    keep_entrants: Keep::For(DAY),
    keep_rejections: Keep::For(DAY),
    keep_audit: Keep::For(DAY),
    keep_parked: Keep::For(DAY),
    keep_users: Keep::Forever,
};

async fn execute(world: &World, sql: &'static str) {
    sqlx::query(sql).execute(&world.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Rows of a table, of one schedule.
pub async fn rows(world: &World, table: &str, schedule: i64) -> i64 {
    let sql = format!("select count(*) from {table} where concert_schedule_id = {schedule}");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&world.pool).await.expect("a count")
}

/// Moves a sale into the past: its concert was 500 days ago.
pub async fn make_old(world: &World, schedule: i64) {
    let sql = "update concert_schedule set queue_opens_at = now() - interval '510 days',
                 reservation_available_at = now() - interval '509 days',
                 deadline_at = now() - interval '508 days', concert_at = now() - interval '500 days'
               where id = $1";
    sqlx::query(sql).bind(schedule).execute(&world.pool).await.expect("an old sale");
}

/// A sale of long ago of which nothing is open.
async fn old(world: &World) -> i64 {
    let schedule = closed(world).await;
    make_old(world, schedule).await;
    schedule
}

async fn prune(world: &World, retention: RetentionSettings, apply: bool) -> Vec<Found> {
    let pg = Pg::lazy(&world.database_url, 2).expect("a pool");
    let found = Pruner::new(pg.clone(), retention, apply).run().await.expect("it is pruned");
    // A session reports its statistics when it ends.
    pg.close().await;
    found
}

fn found_in(found: &[Found], table: &str) -> (u64, u64) {
    let found = found.iter().find(|one| one.table == table).expect("a table");
    (found.rows, found.skipped)
}

/// The report without the times of the answer.
fn lasting(mut report: Value) -> Value {
    report.as_object_mut().expect("a report").remove("server_time");
    report.as_object_mut().expect("a report").remove("computed_at");
    report
}

#[tokio::test]
async fn pruning_keeps_open_sales_the_books_and_the_report() {
    let world = World::new().await;
    let process = world.start().await;
    let [past, open] = [old(&world).await, running(&world).await];
    let report = lasting(fetch(&process, past).await);
    // Its loops would settle the next two sales.
    process.stop().await;
    // Old as well, but not settled: a hold, and a queue that may still be archived.
    let [held, late] = [old(&world).await, old(&world).await];
    let hold = "update reservation set status = 'PAYMENT_WAITING' where id in
                  (select min(id) from reservation
                   where concert_schedule_id = $1 and queue_sequence = 6000)";
    sqlx::query(hold).bind(held).execute(&world.pool).await.expect("a hold");
    let archive = "insert into queue_archive (concert_schedule_id) values ($1)";
    sqlx::query(archive).bind(late).execute(&world.pool).await.expect("an archive");
    let books = "select (select count(*) from reservation) + (select count(*) from payment)
                   + (select count(*) from point_history) + (select count(*) from seat)";
    let before = world.number(books).await;

    // As an operator runs it, with the defaults: it only counts.
    let dry = command(&world, &["prune"]).output().expect("the program");
    let text = String::from_utf8(dry.stdout).expect("a text");
    assert!(dry.status.success(), "{text}");
    for line in [
        "queue: would delete 25000 rows (kept: 400 days)",
        "draw_entrant: would delete 0 rows (kept: forever)",
        "rejection_count: would delete 900 rows (kept: 400 days)",
        "audit: would delete 0 rows (kept: forever)",
        "nothing was deleted: add --apply",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    }
    let all = [past, open, held, late];
    for schedule in all {
        assert_eq!(rows(&world, "queue", schedule).await, 25_000);
    }
    let applied = command(&world, &["prune", "--apply"]).output().expect("the program");
    let text = String::from_utf8(applied.stdout).expect("a text");
    assert!(text.contains("queue: deleted 25000 rows"), "{text}");
    for (schedule, left) in all.into_iter().zip([0, 25_000, 25_000, 25_000]) {
        assert_eq!(rows(&world, "queue", schedule).await, left);
        assert_eq!(
            rows(&world, "rejection_count", schedule).await,
            if left == 0 { 0 } else { 900 }
        );
    }
    assert_eq!(world.number(books).await, before);
    let again = prune(&world, ALL, true).await;
    assert_eq!(found_in(&again, "queue"), (0, 0));
    assert_eq!(lasting(fetch(&world.start().await, past).await), report);
}

#[tokio::test]
async fn a_sale_without_a_report_gets_its_final_one_before_its_entries_go() {
    let world = World::new().await;
    let past = old(&world).await;
    assert_eq!(found_in(&prune(&world, ALL, true).await, "queue"), (25_000, 0));
    let process = world.start().await;
    let report = fetch(&process, past).await;
    assert_eq!((&report["settled"], &report["line"]["joined"]), (&json!(true), &json!(25_000)));
    assert_eq!(report["rejections"][0]["times"], 900);
}

#[tokio::test]
async fn pruning_that_is_cut_off_goes_on_where_it_stopped() {
    let world = World::new().await;
    let past = old(&world).await;
    let pg = Pg::lazy(&world.database_url, 2).expect("a pool");
    let pruner = Pruner::new(pg, ALL, true);
    let running = tokio::spawn(async move { pruner.run().await });
    until("some pages are gone", async || {
        (rows(&world, "queue", past).await < 25_000).then_some(())
    })
    .await;
    running.abort();
    let _ = running.await;
    let found = prune(&world, ALL, true).await;
    assert_eq!(rows(&world, "queue", past).await, 0);
    assert!(found_in(&found, "queue").0 < 25_000, "the pages before were kept: {found:?}");
    assert_eq!(
        world.number("select count(*) from sale_report where pruned_at is not null").await,
        1
    );
}

#[tokio::test]
async fn pruning_finds_rows_by_an_index() {
    let world = World::new().await;
    old(&world).await;
    running(&world).await;
    sqlx::query("analyze").execute(&world.pool).await.expect("statistics");
    let scans = "select coalesce(sum(seq_tup_read), 0)::bigint from pg_stat_user_tables
                 where relname in ('queue', 'draw_entrant', 'reservation', 'payment')";
    let before = world.number(scans).await;
    prune(&world, ALL, true).await;
    assert_eq!(world.number(scans).await, before);
}

#[tokio::test]
async fn old_audit_entries_go_unless_they_are_about_a_coming_sale() {
    let world = World::new().await;
    let [past, open] = [old(&world).await, running(&world).await];
    for (subject, schedule) in [("schedule", past), ("schedule", open)] {
        let sql = "insert into audit (admin, action, subject, created_at)
            select 1, 'queue.change', $1 || ' ' || $2, now() - interval '100 days'
            from generate_series(1, 6000)";
        let entries = sqlx::query(sql).bind(subject).bind(schedule.to_string());
        entries.execute(&world.pool).await.expect("entries");
    }
    execute(
        &world,
        "insert into audit (admin, action, subject, created_at)
           select 1, 'concert.change', 'concert ' || concert_id, now() - interval '100 days'
           from concert_schedule",
    )
    .await;
    execute(
        &world,
        "insert into audit (admin, action, subject) values (1, 'concert.create', 'concert 9')",
    )
    .await;
    let kept = RetentionSettings { keep_audit: Keep::Forever, ..ALL };
    assert_eq!(found_in(&prune(&world, kept, true).await, "audit"), (0, 0));
    assert_eq!(found_in(&prune(&world, ALL, false).await, "audit"), (6001, 0));
    assert_eq!(world.number("select count(*) from audit").await, 12_003);
    assert_eq!(found_in(&prune(&world, ALL, true).await, "audit"), (6001, 0));
    let sql = "select count(*) from audit where subject = 'schedule ' || $1";
    for (schedule, left) in [(past, 0_i64), (open, 6000)] {
        let count = sqlx::query_scalar(sql).bind(schedule.to_string());
        assert_eq!(count.fetch_one(&world.pool).await.ok(), Some(left));
    }
    assert_eq!(world.number("select count(*) from audit").await, 6002);
}

#[tokio::test]
async fn parked_events_go_with_their_sale_and_others_never() {
    let world = World::new().await;
    let [past, open] = [old(&world).await, running(&world).await];
    let sql = "insert into outbox (kind, payload, created_at, reason, parked_at)
        select 'seats_changed', jsonb_build_object('schedule', schedule), now() - interval '90 days',
               'refused', case when parked then now() - age end
        from unnest($1::bigint[], $2::bool[], $3::interval[]) as t (schedule, parked, age)";
    let events = sqlx::query(AssertSqlSafe(
        sql.replace("$1", &format!("array[{past}, {open}, {past}, {open}]"))
            .replace("$2", "array[true, true, true, false]")
            .replace("$3", "array['80 days', '80 days', '1 hour', '1 hour']"),
    ));
    events.execute(&world.pool).await.expect("events");
    assert_eq!(found_in(&prune(&world, ALL, false).await, "outbox"), (1, 0));
    assert_eq!(world.number("select count(*) from outbox").await, 4);
    assert_eq!(found_in(&prune(&world, ALL, true).await, "outbox"), (1, 0));
    assert_eq!(world.number("select count(*) from outbox").await, 3);
    // An event on its way keeps the entries of its sale.
    let another = old(&world).await;
    let sql =
        format!("update outbox set parked_at = null, payload = '{{\"schedule\": {another}}}'");
    sqlx::query(AssertSqlSafe(sql)).execute(&world.pool).await.expect("events");
    assert_eq!(found_in(&prune(&world, ALL, true).await, "queue"), (0, 0));
    execute(&world, "delete from outbox").await;
    assert_eq!(found_in(&prune(&world, ALL, true).await, "queue"), (25_000, 0));
    assert_eq!(rows(&world, "queue", another).await, 0);
}

#[tokio::test]
async fn without_its_entrants_a_draw_says_that_they_were_removed() {
    let world = World::new().await;
    let past = old(&world).await;
    let sql = "insert into draw (concert_schedule_id, base, room, frozen_at, entrants, opened_at,
                                 moved_at)
        values ($1, 100, 12000, now(), 12000, now(), now())";
    sqlx::query(sql).bind(past).execute(&world.pool).await.expect("a draw");
    let sql = "insert into draw_entrant (concert_schedule_id, sequence, user_id, ticket_id, place)
        select $1, n, n, gen_random_uuid(), n from generate_series(1, 12000) n";
    sqlx::query(sql).bind(past).execute(&world.pool).await.expect("entrants");
    let process = world.start().await;
    let path = format!("/v1/schedules/{past}/queue/draw/entrants");
    let list = process.anonymous().get(&path).await;
    assert_eq!((list.status, list.text.lines().count()), (200, 12_000));
    assert_eq!(found_in(&prune(&world, ALL, false).await, "draw_entrant"), (12_000, 0));
    assert_eq!(found_in(&prune(&world, ALL, true).await, "draw_entrant"), (12_000, 0));
    process.anonymous().get(&path).await.refused(410, "entrants_removed");
    let proof = process.anonymous().get(&format!("/v1/schedules/{past}/queue/draw")).await.ok(200);
    assert_eq!(proof["entrants"], 12_000);
}
