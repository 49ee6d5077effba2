//! The figures of the stored report are those of direct SQL.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::report_sale::{closed, fetch, running};
use crate::support::sale;
use crate::support::world::World;

/// The figures by one direct statement each, as JSON. `$1` is the schedule.
const LINE: &str = "select to_jsonb(f) from (
    select count(*) as joined, count(distinct user_id) as people, count(entered_at) as admitted,
           count(*) filter (where status = 'COMPLETED') as completed,
           count(entered_at) filter (where status = 'EXPIRED') as expired_inside,
           count(entered_at) filter (where status = 'LEFT') as left_inside,
           count(*) filter (where status = 'EXPIRED' and entered_at is null) as expired_waiting,
           count(*) filter (where status = 'LEFT' and entered_at is null) as left_waiting,
           count(*) filter (where status = 'WAITING') as waiting,
           count(*) filter (where status = 'ACTIVE') as inside
    from queue where concert_schedule_id = $1) f";
const IN_VAIN: &str = "select to_jsonb(max(extract(epoch from
             coalesce(expired_at, $2::text::timestamptz) - created_at)::float8))
    from queue where concert_schedule_id = $1 and entered_at is null";
const WAITS: &str = "select jsonb_build_array(avg(wait), max(wait),
           percentile_cont(array[0.25, 0.5, 0.75, 0.9, 0.95, 0.99]) within group (order by wait))
    from (select extract(epoch from greatest(interval '0',
                   entered_at - greatest(created_at, $2::text::timestamptz)))::float8 as wait
          from queue where concert_schedule_id = $1 and entered_at is not null) as waits";
const SALES: &str = "select to_jsonb(s) || to_jsonb(r) from
    (select count(*) as seats, count(*) filter (where blocked) as blocked
     from seat where concert_schedule_id = $1) as s,
    (select count(*) filter (where status = 'COMPLETE' and not guest) as sold,
            count(*) filter (where status = 'COMPLETE' and guest) as guests,
            coalesce(sum(amount) filter (where status = 'COMPLETE'), 0) as revenue,
            count(distinct user_id) filter (where status = 'COMPLETE' and not guest) as buyers,
            count(*) filter (where status = 'REFUNDED') as refunded,
            coalesce(sum(amount) filter (where status = 'REFUNDED'), 0) as refunds,
            count(*) filter (where status = 'PAYMENT_WAITING') as held,
            count(*) filter (where status = 'EXPIRED') as expired,
            count(*) filter (where status = 'CANCELLED') as cancelled
     from reservation where concert_schedule_id = $1) as r";
const PEOPLE: &str = "with queued as (
      select user_id, bool_or(entered_at is not null) as admitted,
             bool_or(entered_at is not null and status in ('WAITING', 'ACTIVE')) as open,
             coalesce(bool_or(entered_at is not null and (status in ('COMPLETED', 'LEFT')
               or coalesce(expired_at, slot_ends_at) >= slot_ends_at)), false) as seen
      from queue where concert_schedule_id = $1 group by user_id),
    bought as (
      select user_id, bool_or(status in ('COMPLETE', 'REFUNDED')) as paid,
             bool_or(status = 'PAYMENT_WAITING') as holding
      from reservation where concert_schedule_id = $1 group by user_id),
    people as (select q.*, b.user_id is not null as held, coalesce(paid, false) as paid,
                      coalesce(holding, false) as holding
               from queued q left join bought b using (user_id) where admitted)
    select jsonb_build_object('steps', jsonb_build_array((select count(*) from queued),
               (select count(*) from people), (select count(*) from bought),
               (select count(*) from bought where paid)),
             'admitted', jsonb_build_object('paid', count(*) filter (where paid),
               'open', count(*) filter (where not paid and (open or holding)),
               'held_not_paid', count(*) filter (where not paid and not open and not holding and held),
               'held_nothing', count(*) filter (where not open and not held and seen),
               'no_shows', count(*) filter (where not open and not held and not seen)))
    from people";
const SECTIONS: &str = "select jsonb_agg(f order by first) from (
    select s.section, count(*) as seats, count(*) filter (where s.blocked) as blocked,
           count(r.id) filter (where not r.guest) as sold,
           count(r.id) filter (where r.guest) as guests,
           coalesce(sum(r.amount), 0) as revenue, min(s.seat_number) as first
    from seat s left join reservation r on r.seat_id = s.id and r.status = 'COMPLETE'
    where s.concert_schedule_id = $1 group by s.section) f";
const REJECTIONS: &str = "select jsonb_agg(f order by times desc, wanted, reason) from (
    select wanted, reason, sum(times) as times from rejection_count
    where concert_schedule_id = $1 group by wanted, reason) f";
const COURSE: &str = "select jsonb_agg(f order by since) from (
    select extract(epoch from date_bin(make_interval(secs => $2::text::float8), at,
             'epoch'))::bigint as since,
           sum(joined) as joined, sum(admitted) as admitted, sum(sold) as sold, sum(paid) as paid,
           sum(refunded) as refunded, sum(rejections) as rejections
    from (
      select created_at as at, 1 as joined, 0 as admitted, 0 as sold, 0::bigint as paid,
             0 as refunded, 0::bigint as rejections from queue where concert_schedule_id = $1
      union all select entered_at, 0, 1, 0, 0, 0, 0
        from queue where concert_schedule_id = $1 and entered_at is not null
      union all select payment_at, 0, 0, 1, p.amount, 0, 0
        from payment p join reservation r on r.id = p.reservation_id
        where r.concert_schedule_id = $1
      union all select refunded_at, 0, 0, 0, 0, 1, 0
        from payment p join reservation r on r.id = p.reservation_id
        where r.concert_schedule_id = $1 and refunded_at is not null
      union all select since, 0, 0, 0, 0, 0, times
        from rejection_count where concert_schedule_id = $1) as happened group by 1) f";

async fn direct(world: &World, sql: &'static str, schedule: i64, second: Option<String>) -> Value {
    let query = sqlx::query_scalar(sql).bind(schedule);
    let query = if sql.contains("$2") { query.bind(second) } else { query };
    query.fetch_one(&world.pool).await.expect("figures")
}

#[track_caller]
fn assert_close(reported: &Value, direct: &Value) {
    let (one, other) = (reported.as_f64().expect("seconds"), direct.as_f64().expect("seconds"));
    assert!((one - other).abs() < 1e-6 * other.max(1.0), "{one} and {other}");
}

/// Checks `waits` of the report. The clock of the waits starts at `from` at the earliest.
async fn check_waits(world: &World, schedule: i64, waits: &Value, from: Option<String>) {
    let expected = direct(world, WAITS, schedule, from).await;
    assert_close(&waits["mean_seconds"], &expected[0]);
    assert_close(&waits["longest_seconds"], &expected[1]);
    for at in 0..6 {
        assert_close(&waits["percentiles"][at]["seconds"], &expected[2][at]);
    }
}

/// Checks every figure of a report against direct SQL.
pub async fn check_report(world: &World, schedule: i64, report: &Value) {
    let text = |name: &str| report[name].as_str().map(str::to_owned);
    let mut line = report["line"].clone();
    let in_vain = line.as_object_mut().expect("a line").remove("longest_in_vain_seconds");
    assert_eq!(line, direct(world, LINE, schedule, None).await);
    let until = direct(world, IN_VAIN, schedule, text("computed_at")).await;
    assert_close(&in_vain.expect("a wait"), &until);
    check_waits(world, schedule, &report["waits"], None).await;
    let opening = text("reservation_available_at");
    check_waits(world, schedule, &report["waits_from_opening"], opening).await;
    assert_eq!(report["sales"], direct(world, SALES, schedule, None).await);
    let mut people = report["people"].clone();
    for step in people["steps"].as_array_mut().expect("steps") {
        *step = step["people"].clone();
    }
    assert_eq!(people, direct(world, PEOPLE, schedule, None).await);
    let mut sections = direct(world, SECTIONS, schedule, None).await;
    for section in sections.as_array_mut().expect("sections") {
        section.as_object_mut().expect("a section").remove("first");
    }
    assert_eq!(report["sections"], sections);
    assert_eq!(report["rejections"], direct(world, REJECTIONS, schedule, None).await);
    let interval = Some(report["interval_seconds"].to_string());
    let course = direct(world, COURSE, schedule, interval).await;
    let (course, parts) = (course.as_array().expect("parts"), report["course"].as_array());
    assert_eq!(parts.expect("parts").len(), course.len());
    for (part, expected) in parts.into_iter().flatten().zip(course) {
        let since: DateTime<Utc> = part["since"].as_str().expect("a time").parse().expect("a time");
        assert_eq!(since.timestamp(), expected["since"]);
        for name in ["joined", "admitted", "sold", "paid", "refunded", "rejections"] {
            assert_eq!(part[name], expected[name], "{name} of {part}");
        }
    }
}

#[tokio::test]
async fn stored_figures_equal_direct_sql_for_every_kind_of_end() {
    let world = World::new().await;
    let process = world.start().await;
    for (schedule, settled) in [(running(&world).await, false), (closed(&world).await, true)] {
        let report = fetch(&process, schedule).await;
        assert_eq!(report["settled"], settled);
        let line = &report["line"];
        assert_eq!(line["joined"], 25_000);
        for name in
            ["completed", "expired_inside", "left_inside", "expired_waiting", "left_waiting"]
        {
            assert!(line[name].as_i64() > Some(3000), "{name} of {line}");
        }
        check_report(&world, schedule, &report).await;
    }
    // A sale in which nothing happened.
    let empty = sale::open(&process.admin().await, 1, 3, json!({})).await.schedule;
    let report = fetch(&process, empty).await;
    assert_eq!((&report["line"]["joined"], &report["sales"]["seats"]), (&json!(0), &json!(3)));
    assert_eq!((&report["course"], &report["waits"]["mean_seconds"]), (&json!([]), &Value::Null));
}
