//! Joins by new users: over HTTP, against the same script without a service, and against the two
//! writes that every queue needs.

use std::time::Duration;

use onsale::store::id::{ScheduleId, UserId};
use onsale::store::script::Script;
use serde_json::json;

use crate::benchmark::Benchmark;
use crate::join_load::{JoinLoad, JoinRound};
use crate::load::Round;
use crate::pairs::{Pairs, Spread, middle};
use crate::stage::Stage;
use crate::table::Row;
use crate::writes::Writes;
use crate::{Args, Outcome};

/// Callers of the comparisons with the script, and of those with the two writes.
const FEW: u32 = 64;
const MANY: u32 = 256;

/// Rounds of joins and of a yardstick.
#[derive(Default)]
struct Rounds {
    pairs: Pairs,
    joins: Vec<JoinRound>,
}

/// Compares joins by new users.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let schedule = stage.sale(500, json!({"capacity": 0})).await?;
    let mut joins = JoinLoad::new(&stage, schedule);
    let script = ScriptSale::new(&stage).await?;
    let mut rows = Vec::new();
    for (deep, against, target) in [
        (1, "redis-benchmark, same script", "≥ 0.95"),
        (16, "redis-benchmark, same script, 16 deep", "≥ 0.50"),
    ] {
        let benchmark = script.benchmark(&stage, deep).await?;
        let alone = async || script.round(args, &stage, &benchmark).await;
        let rounds = in_turns(args, &mut joins, FEW, alone).await?;
        let found = format!("{} of its rate", rounds.pairs.rate());
        rows.push(Row::new("join", against, found, target));
        rows.extend(costs(&format!("join, {FEW} callers"), &rounds));
    }
    let writes = Writes::new(&stage)?;
    let time = Duration::from_secs(args.seconds.into());
    let alone = async || stage.without_onsale(writes.run(&stage, time)).await;
    let rounds = in_turns(args, &mut joins, MANY, alone).await?;
    let what = format!("join, {MANY} callers");
    let of_redis = rounds.joins.iter().zip(&rounds.pairs.other);
    let ratio = Spread::of(of_redis.map(|(join, other)| join.cpu[1] / other.cpu[1]).collect());
    let against = "ZADD and SETBIT, 16 deep";
    rows.push(Row::new(&what, against, format!("{ratio} of the CPU of Redis"), "≤ 1.0"));
    rows.extend(costs(&what, &rounds));
    stage.strike().await?;
    Ok(rows)
}

/// Runs rounds of joins and of a yardstick in turns, after a warm-up of each.
async fn in_turns(
    args: &Args,
    joins: &mut JoinLoad<'_>,
    callers: u32,
    mut other: impl AsyncFnMut() -> Outcome<Round>,
) -> Outcome<Rounds> {
    let mut rounds = Rounds::default();
    for round in 0..=args.rounds {
        let (join, other) = (joins.round(callers, args.seconds).await?, other().await?);
        if round > 0 {
            rounds.pairs.ours.push(join.round);
            rounds.pairs.other.push(other);
            rounds.joins.push(join);
        }
    }
    Ok(rounds)
}

/// A queue that only redis-benchmark joins. Its users do not exist, so onsale is stopped meanwhile,
/// and its log is deleted afterwards.
struct ScriptSale {
    schedule: ScheduleId,
}

impl ScriptSale {
    async fn new(stage: &Stage) -> Outcome<Self> {
        let schedule = stage.sale(500, json!({"capacity": 0})).await?;
        // Run the script once, so that Redis has it.
        let user: UserId = stage.users(1).await?[0];
        stage.line(schedule).await?.join(user, false).await?;
        Ok(Self { schedule })
    }

    async fn benchmark(&self, stage: &Stage, deep: u32) -> Outcome<Benchmark> {
        let line = stage.line(self.schedule).await?;
        let keys = line.keyspace.keys.queue();
        Ok(Benchmark::new(stage, &line, Script::Join, keys, &["__rand_int__"], deep))
    }

    /// Runs the script alone.
    ///
    /// # Errors
    /// Fails unless nearly each call created an entry: random users may repeat.
    async fn round(&self, args: &Args, stage: &Stage, benchmark: &Benchmark) -> Outcome<Round> {
        let before = stage.waiting(self.schedule).await?;
        let time = Duration::from_secs(args.seconds.into());
        let round = stage
            .without_onsale(async {
                let round = benchmark.run(time).await?;
                let line = stage.line(self.schedule).await?;
                let mut trim = redis::cmd("XTRIM");
                trim.arg(line.keyspace.keys.named("log")).arg(&["MAXLEN", "0"]);
                stage.redis.bulk::<()>(&trim).await?;
                Ok(round)
            })
            .await?;
        let joined = stage.waiting(self.schedule).await? - before;
        if joined < round.answers * 99 / 100 {
            return Err(format!("{} calls of the script, {joined} entries", round.answers).into());
        }
        Ok(round)
    }
}

/// What joins cost, and how far the archive was behind.
fn costs(what: &str, rounds: &Rounds) -> [Row; 2] {
    let of = |part: usize| Spread::of(rounds.joins.iter().map(|join| join.cpu[part]).collect());
    let (ours, other) = (&rounds.pairs.ours, &rounds.pairs.other);
    let (rate, alone) = (middle(ours, |r| r.rate), middle(other, |r| r.cpu[1]));
    let [onsale, redis, postgres] = [of(0), of(1), of(2)].map(|spread| spread.median);
    let found = format!(
        "{rate:.0}/s; CPU with the archive: {onsale:.1} µs of onsale, {redis:.1} µs of Redis \
         (yardstick {alone:.1} µs), {postgres:.1} µs of PostgreSQL"
    );
    let seconds = |time: fn(&JoinRound) -> Duration| {
        Spread::of(rounds.joins.iter().map(|join| time(join).as_secs_f64()).collect())
    };
    let (delay, backlog) = (seconds(|join| join.delay), seconds(|join| join.backlog));
    let archive = format!(
        "every join became a row; {delay} s from the last join until the log was empty; highest \
         backlog {backlog} s"
    );
    [Row::new(what, "itself", found, ""), Row::new(what, "archive", archive, "")]
}
