//! The job that computes the sales report: its figures, and what happens when processes die or
//! several of them want the same report.

use std::sync::Arc;

use onsale::admin::sales_report::job::ReportJob;
use onsale::store::id::ScheduleId;
use onsale::store::pg::Pg;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::sync::Notify;

use super::report_figures::check_report;
use super::report_sale::{closed, fetch, running};
use crate::support::program::Program;
use crate::support::wait::until;
use crate::support::world::{World, token};

fn job(world: &World) -> ReportJob {
    let pg = Pg::lazy(&world.database_url, 4).expect("a pool");
    ReportJob::new(pg, Arc::new(Notify::new()))
}

/// The number of entries in the stored figures.
async fn stored_joins(world: &World) -> i64 {
    world.number("select (figures -> 'line' -> 'joined')::bigint from sale_report").await
}

#[tokio::test]
async fn figures_are_computed_again_only_if_the_sale_has_changed() {
    let world = World::new().await;
    let schedule = running(&world).await;
    let job = job(&world);
    let compute = async || assert!(job.compute(ScheduleId(schedule)).await.expect("figures"));
    compute().await;
    assert_eq!(stored_joins(&world).await, 25_000);
    // A mark that a new computation would remove.
    let mark = "update sale_report set figures = jsonb_set(figures, '{line,joined}', '7')";
    let changes = [
        "update seat set fence = fence + 1 where seat_number = 1",
        "update seat set blocked = not blocked where seat_number = 1",
        "insert into rejection_count select concert_schedule_id, 'join', 'schedule_closed', now(), 1
         from sale_report",
        "insert into queue_archive (concert_schedule_id, log_position)
         select concert_schedule_id, '1-0' from sale_report",
        "update queue_archive set log_position = '2-0'",
        "update queue_archive set settled_at = now()",
        "update concert_schedule set reservation_available_at
             = reservation_available_at + interval '1 s'",
    ];
    for change in changes {
        let before = world
            .number("select (1000000 * extract(epoch from computed_at))::bigint from sale_report")
            .await;
        sqlx::query(mark).execute(&world.pool).await.expect("a mark");
        compute().await;
        assert_eq!(stored_joins(&world).await, 7, "before {change}");
        let after = "select (1000000 * extract(epoch from computed_at))::bigint from sale_report";
        assert!(world.number(after).await > before, "the figures hold at a later time");
        sqlx::query(change).execute(&world.pool).await.expect("a change");
        compute().await;
        assert_eq!(stored_joins(&world).await, 25_000, "after {change}");
    }
}

#[tokio::test]
async fn the_report_of_a_settled_sale_is_final_until_the_sale_is_extended() {
    let world = World::new().await;
    let process = world.start().await;
    let schedule = closed(&world).await;
    let report = fetch(&process, schedule).await;
    assert_eq!((&report["settled"], &report["updating"]), (&json!(true), &json!(false)));
    // Counts that come later do not change it, and start no computation.
    let late = "insert into rejection_count select concert_schedule_id, 'join', 'schedule_closed',
                  now(), 1 from sale_report";
    sqlx::query(late).execute(&world.pool).await.expect("a count");
    sqlx::query(
        "update sale_report set computed_at = computed_at - interval '1 h',
                   requested_at = requested_at - interval '1 h'",
    )
    .execute(&world.pool)
    .await
    .expect("an old report");
    let again = fetch(&process, schedule).await;
    assert_eq!((&again["rejections"], &again["updating"]), (&report["rejections"], &json!(false)));
    let pending = "select count(*) from sale_report where computed_at < requested_at";
    assert_eq!(world.number(pending).await, 0);
    let extend = "update concert_schedule set deadline_at = now() + interval '1 h' where id = $1";
    sqlx::query(extend).bind(schedule).execute(&world.pool).await.expect("a deadline");
    let extended = fetch(&process, schedule).await;
    assert_eq!(extended["settled"], false);
    assert_ne!(extended["rejections"], report["rejections"]);
}

/// A session that has the right to compute the report of a schedule, as a process has.
async fn other_process(world: &World, schedule: i64) -> PgConnection {
    let mut conn = PgConnection::connect(&world.database_url).await.expect("PostgreSQL");
    sqlx::query("select pg_advisory_lock(hashtextextended('sale_report:' || $1::bigint, 0))")
        .bind(schedule)
        .execute(&mut conn)
        .await
        .expect("a lock");
    conn
}

#[tokio::test]
async fn while_one_process_computes_others_answer_with_what_is_stored() {
    let world = World::new().await;
    let process = world.start().await;
    let schedule = running(&world).await;
    let admin = process.admin().await;
    let path = format!("/v1/admin/schedules/{schedule}/report");
    let job = job(&world);

    let other = other_process(&world, schedule).await;
    let pending = admin.get(&path).await;
    assert!(pending.headers.contains_key("retry-after"), "{:?}", pending.headers);
    pending.refused(503, "report_pending");
    admin.get(&format!("{path}.csv")).await.refused(503, "report_pending");
    assert!(!job.compute(ScheduleId(schedule)).await.expect("an answer"), "computed twice");
    // It dies. What it left behind is computed without another request.
    drop(other);
    until("the report is computed", async || {
        let count = "select count(*) from sale_report where computed_at >= requested_at";
        (world.number(count).await == 1).then_some(())
    })
    .await;

    let other = other_process(&world, schedule).await;
    let stale = "update sale_report set computed_at = computed_at - interval '1 h',
                   requested_at = requested_at - interval '1 h', took_ms = 100000";
    sqlx::query(stale).execute(&world.pool).await.expect("an old report");
    let answer = admin.get(&path).await.ok(200);
    assert_eq!((&answer["updating"], &answer["line"]["joined"]), (&json!(true), &json!(25_000)));
    // More requests do not ask for more computations.
    let asked = "select (1000000 * extract(epoch from requested_at))::bigint from sale_report";
    let first = world.number(asked).await;
    assert_eq!(admin.get(&path).await.ok(200)["updating"], true);
    assert_eq!(world.number(asked).await, first);
    drop(other);
    until("newer figures", async || {
        let newer = admin.get(&path).await.ok(200);
        let is_newer = newer["computed_at"] != answer["computed_at"];
        is_newer.then(|| assert_eq!(newer["updating"], false, "{newer}"))
    })
    .await;
}

#[tokio::test]
async fn a_report_whose_process_is_killed_is_computed_by_another() {
    let world = World::new().await;
    let schedule = running(&world).await;
    let path = format!("/v1/admin/schedules/{schedule}/report");
    let killed = Program::start(&world, &[]).await;
    let mut admin = killed.anonymous();
    admin.token = Some(token(1, onsale::caller::Role::Admin));
    // The job stops at the payments, in the middle of its pages, with its lock.
    let mut blocker = world.pool.begin().await.expect("a transaction");
    sqlx::query("lock table payment in access exclusive mode")
        .execute(&mut *blocker)
        .await
        .expect("a lock");
    let asking = admin.clone();
    let asking_path = path.clone();
    let request = tokio::spawn(async move { asking.get(&asking_path).await.status });
    let stopped = "select count(*) from pg_locks job join pg_locks waiting on waiting.pid = job.pid
                   where job.locktype = 'advisory' and job.granted and not waiting.granted
                     and job.database = (select oid from pg_database
                                         where datname = current_database())";
    until("the job is in its pages", async || (world.number(stopped).await == 1).then_some(()))
        .await;
    drop(killed);
    let _ = request.await;
    let unlocked = "select count(*) from pg_locks where locktype = 'advisory' and database
                    = (select oid from pg_database where datname = current_database())";
    until("its lock is gone", async || (world.number(unlocked).await == 0).then_some(())).await;
    assert_eq!(world.number("select count(*) from sale_report where figures is null").await, 1);
    blocker.rollback().await.expect("unlocked");
    // Another process takes the request over, without being asked.
    let other = world.start().await;
    until("the report is computed", async || {
        let count = "select count(*) from sale_report where computed_at >= requested_at";
        (world.number(count).await == 1).then_some(())
    })
    .await;
    let report = fetch(&other, schedule).await;
    check_report(&world, schedule, &report).await;
}
