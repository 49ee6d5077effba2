//! Joins, and holds of taken seats: over HTTP, against the same script without a service.

use std::time::Duration;

use onsale::caller::Role;
use onsale::queue::keyspaces::ScheduleScripts;
use onsale::queue::redis::JoinReply;
use onsale::store::id::{ScheduleId, UserId};
use onsale::store::script::Script;
use serde_json::json;

use crate::benchmark::Benchmark;
use crate::load::{Load, Request, Round};
use crate::pairs::{Pairs, middle};
use crate::stage::{Stage, ticket, token};
use crate::table::Row;
use crate::{Args, Outcome};

const CONNECTIONS: u32 = 64;
/// Users who try to hold. There are enough that none reaches the rate limit of holds.
const HOLDERS: i64 = 4_000;

/// Compares joins by new users.
pub async fn joins(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let ours = stage.sale(500, json!({"capacity": 0})).await?;
    let other = stage.sale(500, json!({"capacity": 0})).await?;
    let line = stage.line(other).await?;
    // Run the script once, so that Redis has it.
    line.join(UserId(1), false).await?;
    let keys = line.keyspace.keys.queue();
    let mut rows = Vec::new();
    let mut people = Newcomers { next: 1, schedule: ours, per_second: 50_000 };
    for (deep, against, target) in [
        (1, "redis-benchmark, same script", "≥ 0.95"),
        (16, "redis-benchmark, same script, 16 deep", "≥ 0.50"),
    ] {
        let benchmark = Benchmark::new(&stage, &line, Script::Join, keys, &["__rand_int__"], deep);
        let mut pairs = Pairs::default();
        for round in 0..=args.rounds {
            let load = people.load(&stage, args.seconds)?;
            let (a, b) = once(args, &stage, &load, &benchmark).await?;
            if round > 0 {
                pairs.ours.push(a);
                pairs.other.push(b);
            }
        }
        rows.push(Row::new("join", against, format!("{} of its rate", pairs.rate()), target));
        rows.push(costs("join", &pairs));
    }
    stage.strike().await?;
    Ok(rows)
}

/// Compares refused holds of four taken seats.
pub async fn refusals(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let schedule =
        stage.sale(500, json!({"capacity": 1_000_000, "admit_per_second": 10_000})).await?;
    let line = stage.line(schedule).await?;
    let seats = stage.seats(schedule, 4).await?;
    let blocked = json!({"seat_ids": seats, "blocked": true});
    let path = format!("/v1/admin/schedules/{schedule}/seats");
    stage.admin(reqwest::Method::PATCH, &path, &blocked).await?;
    let (path, body) =
        (format!("/v1/schedules/{schedule}/reservations"), json!({"seat_ids": seats}).to_string());
    let holders = holders(&stage, &line, schedule).await?;
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
    let load = Load::new(&stage.folder, "refusals", requests, CONNECTIONS)?.refused();
    let keys = line.keyspace.keys.claim();
    let hold = uuid::Uuid::now_v7().to_string();
    let call = ["1", "1", hold.as_str(), "4", "1", "2", "3", "4"];
    let benchmark = Benchmark::new(&stage, &line, Script::ClaimSeats, keys, &call, 16);
    let mut pairs = Pairs::default();
    once(args, &stage, &load, &benchmark).await?;
    for _ in 0..args.rounds {
        let (a, b) = once(args, &stage, &load, &benchmark).await?;
        pairs.ours.push(a);
        pairs.other.push(b);
    }
    stage.strike().await?;
    let what = "refused hold of 4 seats";
    let against = "redis-benchmark, same script, 16 deep";
    let rate = Row::new(what, against, format!("{} of its rate", pairs.rate()), "≥ 0.65");
    Ok(vec![rate, costs(what, &pairs)])
}

/// Lets users join and be admitted. Returns the `Authorization` header and the ticket of each.
async fn holders(
    stage: &Stage,
    line: &ScheduleScripts,
    schedule: ScheduleId,
) -> Outcome<Vec<(String, String)>> {
    let deadline = stage.deadline(schedule).await?;
    let mut holders = Vec::new();
    for user in 1..=HOLDERS {
        let user = UserId(user);
        let JoinReply::Joined(joined) = line.join(user, false).await? else {
            return Err("a join was refused".into());
        };
        let ticket = ticket(schedule, user, joined.entry.sequence, deadline)?;
        holders.push((format!("Bearer {}", token(user, Role::User)?), ticket));
    }
    Ok(holders)
}

/// Runs one round of each.
async fn once(
    args: &Args,
    stage: &Stage,
    load: &Load,
    benchmark: &Benchmark,
) -> Outcome<(Round, Round)> {
    let time = Duration::from_secs(args.seconds.into());
    let pids = [stage.onsale.pid, stage.stores.redis.pid()];
    Ok((load.run(stage.onsale.addr, time, pids).await?, benchmark.run(time).await?))
}

fn costs(what: &str, pairs: &Pairs) -> Row {
    let (onsale, redis) = (middle(&pairs.ours, |r| r.cpu[0]), middle(&pairs.ours, |r| r.cpu[1]));
    let (rate, other) = (middle(&pairs.ours, |r| r.rate), middle(&pairs.other, |r| r.cpu[1]));
    let found = format!(
        "{rate:.0}/s; {onsale:.1} µs of CPU of onsale, {redis:.1} µs of Redis (alone {other:.1} µs)"
    );
    Row::new(what, "itself", found, "")
}

/// Users who have not joined yet.
struct Newcomers {
    next: i64,
    schedule: ScheduleId,
    /// Users per second of load. More than can join in a second.
    per_second: u32,
}

impl Newcomers {
    /// Creates a load of joins by the next users.
    fn load(&mut self, stage: &Stage, seconds: u32) -> Outcome<Load> {
        let count = i64::from(self.per_second * seconds);
        let path = format!("/v1/schedules/{}/queue", self.schedule);
        let tokens: Vec<String> = (self.next..self.next + count)
            .map(|user| Ok(format!("Bearer {}", token(UserId(user), Role::User)?)))
            .collect::<Outcome<_>>()?;
        self.next += count;
        let requests = tokens.iter().map(|token| Request {
            method: "POST",
            path: &path,
            headers: vec![("Authorization", token)],
            body: None,
        });
        Load::new(&stage.folder, "joins", requests, CONNECTIONS)
    }
}
