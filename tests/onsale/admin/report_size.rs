//! The report, the list of entries and the prune of a sale with ten million queue entries, in the
//! database as operators have it: no statement may take longer than the statement timeout of 3 s.
//!
//! Takes minutes and 4 GB of disk, so it runs only when it is asked for:
//! `onsale dev --throwaway -- cargo nextest run --run-ignored only -E 'test(ten_million)' --no-capture`

use std::sync::Arc;
use std::time::{Duration, Instant};

use onsale::admin::prune::service::Pruner;
use onsale::admin::sales_report::job::ReportJob;
use onsale::config::RetentionSettings;
use onsale::config::retention::Keep;
use onsale::store::id::ScheduleId;
use onsale::store::pg::Pg;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::Notify;

use crate::support::sale;
use crate::support::world::World;

/// Queue entries, or as many as `ONSALE_TEST_ROWS` says.
const ENTRIES: i64 = 10_000_000;
const SEATS: i64 = 50_000;

/// Entries of a million users over three hours, of which each twentieth was admitted; every seat
/// sold; a rejection count for each reason and ten seconds. Foreign keys are not checked meanwhile.
const FILL: [&str; 5] = [
    "insert into \"user\" (name) select 'buyer' from generate_series(1, 1000000)",
    "insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at, entered_at,
                        expired_at)
     select 1 + n * 7919 % 1000000, SALE, gen_random_uuid(),
            case when n % 20 = 0 then 'COMPLETED' else 'EXPIRED' end, (1::bigint << 40) + n, t.joined,
            case when n % 20 = 0 then t.joined + n % 7000 * interval '1234 ms' end,
            t.joined + interval '3 h'
     from generate_series(1, ROWS) n
     cross join lateral (select now() - interval '6 h' + n * (10800000.0 / ROWS) * interval '1 ms'
                         as joined) t",
    "insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount,
                              status, queue_sequence, reservation_at, expires_at)
     select c.concert_id, c.id, s.id, 1 + s.id % 1000000, gen_random_uuid(), 100, 'COMPLETE', 1,
            now() - interval '5 h', now() - interval '4 h'
     from seat s join concert_schedule c on c.id = s.concert_schedule_id where c.id = SALE",
    "insert into payment (reservation_id, user_id, amount, status, payment_at)
     select id, user_id, amount, 'COMPLETE', now() - interval '5 h' + id * interval '10 ms'
     from reservation",
    "insert into rejection_count (concert_schedule_id, wanted, reason, since, times)
     select SALE, 'join', r, date_bin('10 s', now() - n * interval '10 s', 'epoch'), 7
     from generate_series(1, 2160) n, unnest(array['sold_out', 'schedule_closed']) r",
];

async fn fill(world: &World, schedule: i64, rows: i64) {
    let mut conn = PgConnection::connect(&world.database_url).await.expect("PostgreSQL");
    let prepare = "set session_replication_role = replica";
    sqlx::raw_sql(prepare).execute(&mut conn).await.expect("without foreign keys");
    for sql in FILL {
        let sql = sql.replace("SALE", &schedule.to_string()).replace("ROWS", &rows.to_string());
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.expect("rows");
    }
    let over = "update concert_schedule set queue_opens_at = now() - interval '20 days',
                  reservation_available_at = now() - interval '10 days',
                  deadline_at = now() - interval '9 days', concert_at = now() - interval '8 days';
                vacuum analyze";
    for sql in over.split(';') {
        sqlx::raw_sql(sql).execute(&mut conn).await.expect("a sale of last week");
    }
}

/// Runs `work`, and prints how long it took.
async fn timed<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let result = work.await;
    println!("{what}: {:.1} s", begun.elapsed().as_secs_f64());
    result
}

#[tokio::test]
#[ignore = "ten million rows take minutes"]
async fn the_report_of_ten_million_entries_is_computed_listed_and_pruned() {
    let rows =
        std::env::var("ONSALE_TEST_ROWS").map_or(ENTRIES, |it| it.parse().expect("a number"));
    let world = World::new().await;
    let process = world.start_with(&["--request-timeout=120s"]).await;
    let admin = process.admin().await;
    let schedule = sale::open(&admin, 500, 100, serde_json::json!({})).await.schedule;
    timed("filling", fill(&world, schedule, rows)).await;
    let pg = Pg::lazy(&world.database_url, 4).expect("a pool");
    let job = ReportJob::new(pg.clone(), Arc::new(Notify::new()));
    let id = ScheduleId(schedule);
    assert!(timed("computing the report", job.compute(id)).await.expect("a report"));
    let path = format!("/v1/admin/schedules/{schedule}/report");
    let report = timed("the stored report", admin.get(&path)).await.ok(200);
    assert_eq!(
        (&report["line"]["joined"], &report["sales"]["sold"]),
        (&rows.into(), &SEATS.into())
    );
    assert_eq!(report["settled"], true);
    let csv = timed("the stored report as CSV", admin.get(&format!("{path}.csv"))).await;
    assert_eq!(csv.status, 200);
    let entries = admin.request(reqwest::Method::GET, &format!("{path}/entries.csv"));
    let mut bytes = 0;
    let read = async {
        let mut answer = entries.send().await.expect("an answer");
        while let Some(chunk) = answer.chunk().await.expect("the whole list") {
            bytes += chunk.len();
        }
    };
    timed("listing the entries", read).await;
    println!("{} MB", bytes / 1_000_000);
    let keep = Keep::For(Duration::from_hours(24));
    let retention = RetentionSettings {
        keep_entries: keep,
        keep_entrants: keep,
        keep_rejections: keep,
        keep_audit: Keep::Forever,
        keep_parked: keep,
        keep_users: Keep::Forever,
    };
    let dry = timed("counting old rows", Pruner::new(pg.clone(), retention, false).run()).await;
    assert_eq!(dry.expect("counts")[0].rows, rows.unsigned_abs());
    let done = timed("deleting old rows", Pruner::new(pg, retention, true).run()).await;
    assert_eq!(done.expect("deleted")[0].rows, rows.unsigned_abs());
    assert_eq!(world.number("select count(*) from queue").await, 0);
    assert_eq!(admin.get(&path).await.ok(200)["line"], report["line"]);
}
