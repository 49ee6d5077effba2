//! Plans and simulations of the API: the figures of the model, with a schedule's seats and settings.

use onsale_model::costs::Costs;
use onsale_model::plan::{Plan, PlanInput};
use onsale_model::simulation::SimulationInput;
use serde_json::{Value, json};

use crate::support::sale;
use crate::support::world::World;

/// Rounds all numbers, which pass through JSON.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().map(|it| format!("{it:.6e}"))),
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), rounded(value))).collect()
        }
        other => other.clone(),
    }
}

#[tokio::test]
async fn a_plan_is_the_models_with_the_seats_and_settings_of_the_schedule() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let settings = json!({"active_ttl_seconds": 300, "presence_window_seconds": 30});
    let sale = sale::create(&admin, (3600, 7200), 2, 50, settings).await;
    let blocked = json!({"seat_ids": sale.seats[..10], "blocked": true});
    admin.patch(&format!("/v1/admin/schedules/{}/seats", sale.schedule), blocked).await.ok(200);

    let body = json!({"schedule_id": sale.schedule, "people": 5000, "minutes": 10});
    let plan = admin.post("/v1/admin/plan", body).await.ok(200);
    let input =
        PlanInput { slot_minutes: 5.0, presence_seconds: 30, ..PlanInput::new(5000, 90, 10.0) };
    let expected = Plan::new(input, &Costs::measured().expect("costs"));
    assert_eq!(rounded(&plan), rounded(&json!(expected)));

    let free = json!({"people": 5000, "seats": 1000, "minutes": 10, "cores_per_process": 16});
    let plan = admin.post("/v1/admin/plan", free).await.ok(200);
    assert_eq!(plan["input"]["cores_per_process"], 16.0);
    assert_eq!(plan["settings"], json!({"admit_per_second": 2, "capacity": 276}), "FORECAST.md");
    for (body, pointer) in [
        (json!({"people": 5000}), "/seats"),
        (json!({"people": 0, "seats": 1}), "/people"),
        (json!({"people": 1, "seats": 1, "early_share": 1.5}), "/early_share"),
        (json!({"people": 1, "seats": 1, "minute": 1}), "/minute"),
    ] {
        let refused = admin.post("/v1/admin/plan", body).await;
        refused.refused(422, "invalid_request");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
    let unknown = json!({"people": 1, "schedule_id": 999_999});
    admin.post("/v1/admin/plan", unknown).await.refused(404, "schedule_not_found");
    let body = json!({"people": 1, "seats": 1});
    process.buyer().await.post("/v1/admin/plan", body).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_simulation_is_the_models_with_the_settings_of_the_schedule() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let settings = json!({"capacity": 40, "admit_per_second": 4, "max_seats_per_user": 2});
    let sale = sale::create(&admin, (3600, 10_800), 2, 50, settings).await;
    let body = json!({"schedule_id": sale.schedule, "people": 400, "seeds": 2, "pays": 0.9});
    let simulated = admin.post("/v1/admin/simulations", body).await.ok(200);
    let mut input = SimulationInput::new(400, 100);
    (input.rules.capacity, input.rules.admit_per_second) = (40, 4);
    input.rules.closes_after_seconds = 7200.0;
    input.crowd.pays = 0.9;
    input.crowd.baskets = vec![0.3, 0.5];
    input.most_simulated = 4_000;
    let mut simulated_input = simulated["summary"]["input"].clone();
    // The times of the schedule have milliseconds.
    let window = simulated_input["rules"]["closes_after_seconds"].as_f64().expect("a time");
    assert!((window - 7200.0).abs() < 1.0, "{window}");
    simulated_input["rules"]["closes_after_seconds"] = json!(7200.0);
    let expected = input.summary(2);
    assert_eq!(rounded(&simulated_input), rounded(&json!(expected.input)));
    for part in ["sold", "polls", "ends", "nearly_sold_seconds"] {
        assert_eq!(rounded(&simulated["summary"][part]), rounded(&json!(expected)[part]), "{part}");
    }
    assert_eq!(simulated["recommended"], Value::Null);
    assert_eq!(simulated["summary"]["plots"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn recommended_settings_sell_the_seats_in_time_and_impossible_wishes_are_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let wish = json!({"people": 600, "seats": 300, "within_minutes": 30, "seeds": 1});
    let found = admin.post("/v1/admin/simulations", wish).await.ok(200);
    assert!(found["recommended"]["admit_per_second"].as_u64() > Some(0), "{found}");
    let seconds = found["summary"]["nearly_sold_seconds"]["high"].as_f64().expect("a time");
    assert!(seconds <= 1800.0, "{seconds}");
    let too_few = json!({"people": 10, "seats": 300, "within_minutes": 30, "seeds": 1});
    admin.post("/v1/admin/simulations", too_few).await.refused(422, "no_settings_found");
}

#[tokio::test]
async fn one_simulation_runs_at_a_time_and_a_long_one_ends() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    // Slow on purpose: the crowd polls for a week, because nobody is admitted in time.
    let long = json!({"people": 1_000_000, "seats": 100_000_000_u64, "capacity": 1,
        "admit_per_second": 1, "most_simulated": 10_000, "seeds": 10, "late_minutes": 10_080});
    let running = tokio::spawn({
        let (admin, long) = (admin.clone(), long.clone());
        async move { admin.post("/v1/admin/simulations", long).await }
    });
    let small = json!({"people": 10, "seats": 10, "seeds": 1});
    crate::support::wait::until("the process is busy", async || {
        let answer = admin.post("/v1/admin/simulations", small.clone()).await;
        if answer.status == 200 {
            return None;
        }
        answer.refused(503, "simulation_busy");
        assert!(answer.retry_after().is_some());
        Some(())
    })
    .await;
    // Polls and plans go on meanwhile.
    admin.post("/v1/admin/plan", json!({"people": 10, "seats": 10})).await.ok(200);
    running.await.expect("an answer").refused(422, "simulation_too_long");
    admin.post("/v1/admin/simulations", small).await.ok(200);
}
