//! CPU of onsale for a join and for a refused hold, relative to a poll, in one run.

use std::time::Duration;

use serde_json::json;

use crate::join_load::JoinLoad;
use crate::pairs::Spread;
use crate::polls::PolledQueue;
use crate::refusals::Refusals;
use crate::stage::Stage;
use crate::table::Row;
use crate::{Args, Outcome};

/// Entries in the queue that is polled.
const PEOPLE: u32 = 20_000;
const CALLERS: u32 = 64;

/// CPU of onsale per operation in one round, in microseconds.
struct Costs {
    poll: f64,
    /// With the archive.
    join: f64,
    refusal: f64,
}

/// Polls, joins and tries to hold in turns.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let polled = PolledQueue::of(&stage, PEOPLE).await?;
    let joined = stage.sale(500, json!({"capacity": 0})).await?;
    let mut joins = JoinLoad::new(&stage, joined);
    let refusals = Refusals::new(&stage).await?;
    let time = Duration::from_secs(args.seconds.into());
    let mut costs = Vec::new();
    for round in 0..=args.rounds {
        let poll = stage.send(&polled.load, time).await?.cpu[0];
        let join = joins.round(CALLERS, args.seconds).await?.cpu[0];
        let refusal = stage.send(&refusals.load, time).await?.cpu[0];
        if round > 0 {
            costs.push(Costs { poll, join, refusal });
        }
    }
    stage.strike().await?;
    let median = |of: fn(&Costs) -> f64| Spread::of(costs.iter().map(of).collect()).median;
    let row = |what: &str, of: fn(&Costs) -> f64| {
        let ratio = Spread::of(costs.iter().map(|cost| of(cost) / cost.poll).collect());
        let micros = median(of);
        Row::new(what, "poll", format!("{ratio} of the CPU of onsale, {micros:.1} µs"), "≤ 2.5")
    };
    let poll = format!("{:.1} µs of CPU of onsale", median(|cost| cost.poll));
    Ok(vec![
        Row::new("poll, 20,000 in the queue", "itself", poll, ""),
        row("join, archive included", |cost| cost.join),
        row("refused hold of 4 seats", |cost| cost.refusal),
    ])
}
