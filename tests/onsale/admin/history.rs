//! The history of a sale: recorded by one process at a time, rolled up once, with gaps and markers.

use chrono::{DateTime, TimeDelta, Utc};
use onsale::admin::history::rollup::Rollup;
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::faults::wipe;
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::World;

const HISTORY: &str = "from:time until:time step:int series:object markers:list \
     recorded_until:time? server_time:time";
const MARKER: &str =
    "at:time kind:text by:text? action:text? before:object? after:object? epoch:int?";

async fn history(admin: &Client, sale: &Sale, query: &str) -> Value {
    let path = format!("/v1/admin/schedules/{}/history{query}", sale.schedule);
    let history = admin.get(&path).await.ok(200);
    shape::check(&history, HISTORY);
    history
}

/// The values of a series that are known.
fn known(history: &Value, name: &str) -> Vec<f64> {
    let values = history["series"][name].as_array().unwrap_or_else(|| panic!("{name}"));
    values.iter().filter_map(Value::as_f64).collect()
}

fn kinds(history: &Value) -> Vec<&str> {
    let markers = history["markers"].as_array().expect("markers");
    for marker in markers {
        shape::check(marker, MARKER);
    }
    markers.iter().map(|marker| marker["kind"].as_str().expect("a kind")).collect()
}

fn ago(seconds: i64) -> String {
    let at: DateTime<Utc> = Utc::now() - TimeDelta::seconds(seconds);
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Checks the markers of what the administrator changed, and of the sell-out.
fn check_markers(found: &Value) {
    let kinds = kinds(found);
    for kind in ["MESSAGE", "PAUSED", "RESUMED", "CHANGED", "SOLD_OUT"] {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
    let markers = found["markers"].as_array().expect("markers");
    let marker = |kind: &str| markers.iter().find(|it| it["kind"] == kind).expect("a marker");
    assert_eq!(marker("PAUSED")["by"], "Kim");
    assert_eq!(marker("MESSAGE")["after"], json!({"message": "soon"}));
    let capacity = markers.iter().find(|it| it["after"] == json!({"capacity": 5}));
    assert_eq!(capacity.expect("the new capacity")["before"], json!({"capacity": 3}));
    let time = |it: &Value| it["at"].as_str().unwrap().parse::<DateTime<Utc>>().expect("a time");
    assert!(markers.is_sorted_by_key(time));
}

#[tokio::test]
async fn a_sale_is_recorded_once_a_second_by_two_processes_with_markers_of_what_changed() {
    let world = World::new().await;
    let (one, two) = (world.start().await, world.start().await);
    let admin = one.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({"capacity": 3})).await;
    let buyer = active_buyer(&one, &sale).await;
    let recorded = async |count: usize| {
        until("readings", async || {
            let history = history(&admin, &sale, "").await;
            (known(&history, "active").len() >= count).then_some(history)
        })
        .await
    };
    recorded(2).await;
    let queue = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&queue, json!({"paused": true, "message": "soon"})).await.ok(200);
    admin.patch(&queue, json!({"paused": false, "capacity": 5})).await.ok(200);
    let mut others = Vec::new();
    for process in [&one, &two] {
        let mut other = process.buyer().await;
        other.join(sale.schedule).await.ok(201);
        others.push(other);
    }
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": sale.seats})).await.ok(201);
    buyer.pay(&hold).await.ok(201);
    let found = until("the sale is sold out", async || {
        let history = history(&admin, &sale, "").await;
        kinds(&history).contains(&"SOLD_OUT").then_some(history)
    })
    .await;
    check_markers(&found);

    let found = recorded(8).await;
    assert_eq!(known(&found, "sold").last(), Some(&4.0));
    let revenue =
        async || known(&history(&admin, &sale, "").await, "revenue").last() == Some(&400.0);
    until("the revenue", async || revenue().await.then_some(())).await;
    // Totals, whichever process admitted whom.
    assert!(known(&found, "joins_per_second").iter().sum::<f64>() > 1.0, "{found}");
    let close = "select count(*) from (select at - lag(at) over (order by at) as gap
                 from sale_sample where step = 1) g where gap < interval '0.8 s'";
    assert_eq!(world.number(close).await, 0, "two processes wrote the same second");
    assert!(world.number("select max(processes)::bigint from sale_sample").await == 2);
    let unknown = "/v1/admin/schedules/999999/history";
    admin.get(unknown).await.refused(404, "schedule_not_found");
    for wrong in [
        "?step=7",
        "?from=2026-01-01T00:00:00Z&until=2026-01-01T00:00:00Z",
        "?step=1&from=2020-01-01T00:00:00Z",
    ] {
        let path = format!("/v1/admin/schedules/{}/history{wrong}", sale.schedule);
        admin.get(&path).await.refused(422, "invalid_request");
    }
}

#[tokio::test]
async fn the_history_survives_every_process_and_has_a_gap_where_nothing_was_recorded() {
    let mut world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    active_buyer(&process, &sale).await;
    let len = async |admin: &Client| known(&history(admin, &sale, "").await, "active").len();
    until("readings", async || (len(&admin).await >= 3).then_some(())).await;
    process.stop().await;
    let again = world.start().await;
    let admin = admin.at(again.addr);
    let before = len(&admin).await;
    assert!(before >= 3, "{before} values are left");
    until("more readings", async || (len(&admin).await > before + 1).then_some(())).await;

    let from = Utc::now();
    world.redis.kill().await.expect("it dies");
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    world.redis.restart().await.expect("it lives");
    let mut redis = world.raw_redis().await;
    wipe(&mut redis).await;
    let query = format!("?from={}", ago((Utc::now() - from).num_seconds() + 3));
    let found = until("the queue was rebuilt", async || {
        let history = history(&admin, &sale, &query).await;
        let rebuilt = kinds(&history).contains(&"REBUILT");
        let values = history["series"]["active"].as_array()?;
        let last = values.iter().rposition(|value| !value.is_null())?;
        (rebuilt && values[..last].iter().any(Value::is_null)).then_some(history)
    })
    .await;
    let marker = found["markers"].as_array().unwrap().iter().find(|it| it["kind"] == "REBUILT");
    assert_eq!(marker.expect("a marker")["epoch"], 2);
}

/// Writes a reading per second of the last `seconds`: at each, 3 more were admitted.
async fn write_readings(world: &World, sale: &Sale, seconds: i32) {
    sqlx::query(
        "insert into sale_sample (concert_schedule_id, step, at, counted_at, stands, phase, recovering,
           drawing, epoch, waiting, active, parked, held, capacity, rate, joined, admitted, expired, sold)
         select $1, 1, now() - (n - 0.5) * interval '1 s', now() - (n - 0.5) * interval '1 s', 2,
                'OPEN', false, false, 1, 7, 5, 0, 0, 10, 3, 50000, 50000 - 3 * n, 0, 0
         from generate_series(1, $2) n",
    )
    .bind(sale.schedule)
    .bind(seconds)
    .execute(&world.pool)
    .await
    .expect("readings");
    for step in [10, 60] {
        sqlx::query(
            "update sale_sample_progress set done_until =
               date_bin(make_interval(secs => $1), clock_timestamp() - make_interval(secs => $2 + 60),
                        'epoch') where step = $1",
        )
        .bind(step)
        .bind(seconds)
        .execute(&world.pool)
        .await
        .expect("progress");
    }
}

#[tokio::test]
async fn readings_are_rolled_up_once_however_many_processes_do_it_and_old_ones_are_deleted() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    process.stop().await;
    write_readings(&world, &sale, 2 * 3600).await;
    // As if a process wrote readings until now.
    let turn = "update sale_sample_progress set done_until = clock_timestamp() where step = 1";
    sqlx::query(turn).execute(&world.pool).await.expect("a turn");
    let (one, two) = (Rollup::new(world.pg.clone()), Rollup::new(world.pg.clone()));
    until("everything is rolled up", async || {
        let (one, two) = tokio::join!(one.step(), two.step());
        (!one.expect("a step") && !two.expect("a step")).then_some(())
    })
    .await;
    let buckets = "select count(*) from sale_sample where step = 10";
    let count = world.number(buckets).await;
    assert!((717..=721).contains(&count), "two hours have {count} buckets of 10 s");
    let minutes = world.number("select count(*) from sale_sample where step = 60").await;
    assert!((117..=121).contains(&minutes), "{minutes} minutes");
    let old = "select count(*) from sale_sample where step = 1 and at < clock_timestamp() - interval '66 min'";
    assert_eq!(world.number(old).await, 0);
    let new = "select count(*) from sale_sample where step = 1 and at > clock_timestamp() - interval '1 h'";
    assert!(world.number(new).await >= 3590, "an hour of readings stays");

    let process = world.start().await;
    let admin = admin.at(process.addr);
    for (step, hours) in [(1, 2), (10, 2), (60, 2)] {
        let query = format!("?step={step}&from={}&until={}", ago(hours * 3600 - 300), ago(20));
        let found = history(&admin, &sale, &query).await;
        let values = found["series"]["waiting"].as_array().expect("values");
        assert!(values.iter().all(|value| *value == 7.0), "a gap at step {step}: {values:?}");
        let rates = found["series"]["admissions_per_second"].as_array().expect("values");
        let odd = rates
            .iter()
            .enumerate()
            .find(|(_, rate)| rate.as_f64().is_none_or(|rate| (rate - 3.0).abs() > 0.4));
        assert_eq!(odd, None, "at step {step}: the rate is the same in readings and buckets");
    }
}

#[tokio::test]
async fn a_sale_in_which_nothing_happens_is_written_seldom() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    buyer.leave().await;
    let rows = "select count(*) from sale_sample where step = 1 and active = 0";
    until("the quiet begins", async || (world.number(rows).await >= 2).then_some(())).await;
    let before = world.number(rows).await;
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert!(world.number(rows).await <= before + 1, "more than one row in six seconds");
    let found = history(&admin, &sale, &format!("?from={}", ago(5))).await;
    assert!(known(&found, "active").len() >= 4, "and the chart has no gap: {found}");
}
