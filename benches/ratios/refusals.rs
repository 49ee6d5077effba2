//! Holds of taken seats: over HTTP, against the same script without a service.

use std::time::Duration;

use onsale::caller::Role;
use onsale::queue::keyspaces::ScheduleScripts;
use onsale::store::id::ScheduleId;
use onsale::store::script::Script;
use serde_json::json;

use crate::benchmark::Benchmark;
use crate::load::{Load, Request};
use crate::pairs::{Pairs, middle};
use crate::stage::{Stage, ticket, token};
use crate::table::Row;
use crate::{Args, Outcome};

const CONNECTIONS: u32 = 64;
/// Users who try to hold. There are enough that none reaches the rate limit of holds.
const HOLDERS: u32 = 4_000;
/// Queue settings with a slot for each user, which lasts for the whole bench.
pub fn slots_for_all() -> serde_json::Value {
    json!({
        "capacity": 1_000_000, "admit_per_second": 10_000, "active_ttl_seconds": 7200,
        "claim_window_seconds": 3600, "hold_ttl_seconds": 3600,
    })
}

/// A sale with four taken seats, and a load of holds of these.
pub struct Refusals {
    pub load: Load,
    line: ScheduleScripts,
}

/// Compares refused holds of four taken seats.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let Refusals { load, line } = Refusals::new(&stage).await?;
    let keys = line.keyspace.keys.claim();
    let hold = uuid::Uuid::now_v7().to_string();
    let call = ["1", "1", hold.as_str(), "4", "1", "2", "3", "4"];
    let benchmark = Benchmark::new(&stage, &line, Script::ClaimSeats, keys, &call, 16);
    let time = Duration::from_secs(args.seconds.into());
    let mut pairs = Pairs::default();
    for round in 0..=args.rounds {
        let ours = stage.send(&load, time).await?;
        // A call of the script changes nothing: each has the same reply.
        benchmark.assert_reply(&stage, "TAKEN").await?;
        let other = stage.without_onsale(benchmark.run(time)).await?;
        if round > 0 {
            pairs.ours.push(ours);
            pairs.other.push(other);
        }
    }
    stage.strike().await?;
    let what = "refused hold of 4 seats";
    let against = "redis-benchmark, same script, 16 deep";
    let rate = Row::new(what, against, format!("{} of its rate", pairs.rate()), "≥ 0.65");
    let (rate_of, of) =
        (middle(&pairs.ours, |r| r.rate), |n: usize| middle(&pairs.ours, |r| r.cpu[n]));
    let (onsale, redis, alone) = (of(0), of(1), middle(&pairs.other, |r| r.cpu[1]));
    let found = format!(
        "{rate_of:.0}/s; {onsale:.1} µs of CPU of onsale, {redis:.1} µs of Redis (alone \
         {alone:.1} µs)"
    );
    Ok(vec![rate, Row::new(what, "itself", found, "")])
}

impl Refusals {
    /// Creates the sale, and lets the users join and be admitted.
    pub async fn new(stage: &Stage) -> Outcome<Self> {
        let schedule = stage.sale(500, slots_for_all()).await?;
        let line = stage.line(schedule).await?;
        let seats = stage.seats(schedule, 4).await?;
        let blocked = json!({"seat_ids": seats, "blocked": true});
        let path = format!("/v1/admin/schedules/{schedule}/seats");
        stage.admin(reqwest::Method::PATCH, &path, &blocked).await?;
        let path = format!("/v1/schedules/{schedule}/reservations");
        let body = json!({"seat_ids": seats}).to_string();
        let holders = holders(stage, schedule, HOLDERS).await?;
        let requests = holders.iter().map(|(token, ticket)| Request {
            method: "POST",
            path: &path,
            headers: vec![
                ("Authorization", token),
                ("Queue-Token", ticket),
                ("Idempotency-Key", "the-same-for-all"),
                ("Content-Type", "application/json"),
            ],
            body: Some(&body),
        });
        let counter = r#"onsale_holds_refused_total{reason="seat_taken"}"#;
        let load = Load::new(&stage.folder, ("refusals", counter), requests, CONNECTIONS)?;
        Ok(Self { load: load.refused(), line })
    }
}

/// Lets new users join and be admitted. Returns the `Authorization` header and the ticket of each.
pub async fn holders(
    stage: &Stage,
    schedule: ScheduleId,
    count: u32,
) -> Outcome<Vec<(String, String)>> {
    let deadline = stage.deadline(schedule).await?;
    let users = stage.users(count).await?;
    let entries = stage.fill(schedule, &users).await?;
    // Those who could not be admitted at once are admitted within seconds.
    while stage.waiting(schedule).await? > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stage.settled(schedule).await?;
    let holder = |(user, entry)| {
        let ticket = ticket(schedule, (user, entry), deadline)?;
        Ok((format!("Bearer {}", token(user, Role::User)?), ticket))
    };
    entries.into_iter().map(holder).collect()
}
