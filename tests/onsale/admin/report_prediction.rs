//! The prediction in the report: the simulation of the sale with its real people and settings, or the
//! reason why there is none.

use std::sync::Arc;

use onsale::admin::sales_report::job::ReportJob;
use onsale::store::id::ScheduleId;
use onsale::store::pg::Pg;
use onsale_model::simulation::{Arrivals, Curve, SimulationInput, Summary};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::report_explained::small;
use super::report_sale::{fetch, running};
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

fn job(world: &World) -> ReportJob {
    let pg = Pg::lazy(&world.database_url, 4).expect("a pool");
    ReportJob::new(pg, Arc::new(Notify::new()))
}

/// The simulation of the small sale: 19 people, of whom none came before the opening, and 19 of 20
/// entries within 200 s of it.
fn simulated() -> Summary {
    let mut input = SimulationInput::new(19, 10);
    input.rules.closes_after_seconds = 7200.0;
    input.arrivals =
        Arrivals { early_share: 0.0, early_seconds: 0.0, late_seconds: 200.0, curve: Curve::Rush };
    input.summary(3)
}

async fn execute(world: &World, sql: &'static str) {
    sqlx::query(sql).execute(&world.pool).await.expect("an update");
}

#[tokio::test]
async fn a_closed_sale_is_simulated_with_its_people_seats_settings_and_arrivals() {
    let world = World::new().await;
    let process = world.start().await;
    let schedule = small(&world, 500).await;
    let report = fetch(&process, schedule).await;
    assert_eq!((&report["no_prediction"], &report["updating"]), (&Value::Null, &json!(false)));
    let prediction = &report["prediction"];
    for (name, value) in [
        ("people", json!(19)),
        ("seats", json!(10)),
        ("capacity", json!(500)),
        ("admit_per_second", json!(50)),
        ("hold_seconds", json!(300.0)),
        ("settings_changed", json!(false)),
        ("runs", json!(3)),
        ("arrivals", json!({"early_share": 0.0, "early_seconds": 0.0, "late_seconds": 200.0})),
    ] {
        assert_eq!(prediction[name], value, "{name}");
    }
    assert_eq!(prediction["assumed"]["pays"], 0.85);
    let model = simulated();
    assert_eq!(prediction["waits"]["p90"], json!(model.waits.nine_of_ten));
    assert_eq!(prediction["sold"], json!(model.sold));
}

#[tokio::test]
async fn without_what_the_simulation_needs_the_report_says_why_there_is_no_prediction() {
    let world = World::new().await;
    let process = world.start().await;
    let reason = async |schedule: i64| {
        let report = fetch(&process, schedule).await;
        assert_eq!(report["prediction"], Value::Null);
        report["no_prediction"].as_str().expect("a reason").to_owned()
    };
    let empty = sale::open(&process.admin().await, 1, 3, json!({})).await.schedule;
    assert_eq!(reason(empty).await, "no_people");
    assert_eq!(reason(running(&world).await).await, "sale_running");
    assert_eq!(reason(small(&world, 0).await).await, "no_admission");
    let blocked = small(&world, 500).await;
    let block = "update seat set blocked = true
                 where concert_schedule_id = (select max(id) from concert_schedule)";
    execute(&world, block).await;
    assert_eq!(reason(blocked).await, "no_seats");
}

#[tokio::test]
async fn the_prediction_says_that_capacity_changed_during_the_sale() {
    let world = World::new().await;
    let process = world.start().await;
    let schedule = small(&world, 500).await;
    execute(
        &world,
        "insert into sale_sample (concert_schedule_id, step, at, counted_at, stands, phase,
                                  recovering, drawing, capacity, rate)
         select id, 60, t, t, 60, 'OPEN', false, false, c, 50 from concert_schedule s,
         lateral (values (reservation_available_at + interval '1 min', 500),
                         (reservation_available_at + interval '2 min', 20)) v (t, c)
         where id = (select max(id) from concert_schedule)",
    )
    .await;
    assert_eq!(fetch(&process, schedule).await["prediction"]["settings_changed"], true);
}

#[tokio::test]
async fn one_process_simulates_a_sale_and_another_does_if_that_one_dies() {
    let world = World::new().await;
    let schedule = ScheduleId(small(&world, 500).await);
    let job = job(&world);
    let made = "select count(*) from sale_report where figures #> '{prediction,Made}' is not null";
    assert!(job.compute(schedule).await.expect("figures"));
    assert_eq!(world.number(made).await, 0, "it is only wanted");
    execute(
        &world,
        "update sale_report set figures = jsonb_set(figures, '{prediction}',
             jsonb_build_object('Running', clock_timestamp()))",
    )
    .await;
    job.predictor().predict(schedule).await.expect("a look");
    assert_eq!(world.number(made).await, 0, "another process simulates it");
    execute(
        &world,
        "update sale_report set figures = jsonb_set(figures, '{prediction}',
             jsonb_build_object('Running', to_char(clock_timestamp() at time zone 'UTC'
                 - interval '2 min', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')))",
    )
    .await;
    job.predictor().predict(schedule).await.expect("a prediction");
    assert_eq!(world.number(made).await, 1);
}

#[tokio::test]
async fn the_prediction_stays_while_only_other_figures_change() {
    let world = World::new().await;
    let process = world.start().await;
    let schedule = small(&world, 500).await;
    // Entries may still be archived, so that the figures are not final.
    execute(
        &world,
        "insert into queue_archive (concert_schedule_id) select max(id) from concert_schedule",
    )
    .await;
    assert_eq!(fetch(&process, schedule).await["prediction"]["runs"], 3);
    let mark = "update sale_report set figures = jsonb_set(figures, '{prediction,Made,runs}', '7')";
    execute(&world, mark).await;
    execute(&world, "update rejection_count set times = times + 1 where wanted = 'join'").await;
    let job = job(&world);
    assert!(job.compute(ScheduleId(schedule)).await.expect("figures"));
    let report = fetch(&process, schedule).await;
    assert_eq!(report["rejections"][0]["times"], 3, "the figures are new");
    assert_eq!(report["prediction"]["runs"], 7, "nothing was simulated again");
    execute(&world, "update seat set blocked = true, fence = fence + 1 where seat_number = 10")
        .await;
    assert!(job.compute(ScheduleId(schedule)).await.expect("figures"));
    until("a prediction for nine seats", async || {
        let report = fetch(&process, schedule).await;
        (report["prediction"]["seats"] == 9 && report["prediction"]["runs"] == 3).then_some(())
    })
    .await;
}
