//! Many sales in which nothing happens: what they cost Redis, without polls and with them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use onsale::store::id::ScheduleId;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Outcome;
use crate::cpu::as_float;
use crate::http::{Connection, request};
use crate::stage::{Stage, ticket};
use crate::table::Row;

/// Sales, and waiting users in each.
const SALES: usize = 500;
const WAITING: usize = 3;
/// Connections of the users who poll.
const CALLERS: usize = 16;
/// Time before each measurement, and its length. Without requests, boards are dropped meanwhile.
const SETTLE: Duration = Duration::from_secs(70);
const MEASURED: Duration = Duration::from_secs(20);
/// Pause after the three requests that create a sale: an administrator may send 100 per second.
const APART: Duration = Duration::from_millis(30);

const POLLS: &str =
    r#"onsale_http_requests_total{route="/v1/queue/ticket",method="GET",status="200"}"#;

/// Script calls, polls and the CPU of Redis in some time.
struct Cost {
    calls: f64,
    redis: f64,
    onsale: f64,
    polls: u64,
}

/// Measures the sales at rest, then with every waiting user polling as asked.
pub async fn compare() -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let users = stage.users(u32::try_from(SALES * WAITING)?).await?;
    let mut tickets = Vec::new();
    let mut sales = Vec::new();
    for _ in 0..SALES {
        // The queue has been open for five minutes.
        sales.push(stage.sale_that_opens(TimeDelta::minutes(25), 1, json!({})).await?);
        tokio::time::sleep(APART).await;
    }
    for (schedule, users) in sales.into_iter().zip(users.chunks(WAITING)) {
        for joined in stage.fill(schedule, users).await? {
            let expires_at = Utc::now() + TimeDelta::hours(24);
            tickets.push((schedule, ticket(schedule, joined, expires_at)?));
        }
    }
    for (schedule, _) in &tickets {
        stage.settled(*schedule).await?;
    }
    let alone = measure(&stage).await?;
    let stop = CancellationToken::new();
    let polling = poll(&stage, &tickets, &stop).await?;
    let polled = measure(&stage).await?;
    stop.cancel();
    polling.join_all().await.into_iter().collect::<Outcome<()>>()?;
    stage.strike().await?;

    let what = format!("{SALES} sales before their opening, {WAITING} users waiting in each");
    let row = |who: &str, cost: &Cost, target| {
        let Cost { calls, redis, onsale, polls } = cost;
        let shares = format!("Redis {redis:.1} %, onsale {onsale:.1} % of a core");
        let found = format!("{shares}; {calls:.2} script calls per second and sale; {polls} polls");
        Row::new(&format!("{what}{who}"), "itself", found, target)
    };
    Ok(vec![row("", &alone, "Redis ≤ 3 %"), row(", who poll as asked", &polled, "")])
}

/// Measures the costs of [`MEASURED`].
async fn measure(stage: &Stage) -> Outcome<Cost> {
    tokio::time::sleep(SETTLE).await;
    let polls = stage.counter(POLLS).await?;
    let (used, calls, begun) = (stage.used()?, script_calls(stage).await?, Instant::now());
    tokio::time::sleep(MEASURED).await;
    let (used, calls) = (stage.used()? - used, script_calls(stage).await? - calls);
    let polls = stage.counter(POLLS).await? - polls;
    let seconds = begun.elapsed().as_secs_f64();
    let share = |used: Duration| 100.0 * used.as_secs_f64() / seconds;
    let calls = as_float(calls) / seconds / as_float(u64::try_from(SALES)?);
    Ok(Cost { calls, redis: share(used.redis), onsale: share(used.onsale), polls })
}

/// Returns how many scripts Redis has run.
async fn script_calls(stage: &Stage) -> Outcome<u64> {
    let info: String = stage.redis.hot(redis::cmd("INFO").arg("commandstats")).await?;
    let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    let calls = line.and_then(|rest| rest.split(',').next()).ok_or("no script was called")?;
    Ok(calls.parse()?)
}

/// Starts users who poll when the last answer says. Their first polls are spread over some seconds.
async fn poll(
    stage: &Stage,
    tickets: &[(ScheduleId, String)],
    stop: &CancellationToken,
) -> Outcome<JoinSet<Outcome<()>>> {
    let mut callers = JoinSet::new();
    for tickets in tickets.chunks(tickets.len().div_ceil(CALLERS)) {
        let connection = Connection::open(stage.onsale.addr).await?;
        let polls = tickets.iter().map(|(_, ticket)| {
            request(("GET", "/v1/queue/ticket"), &[("queue-token", ticket)], None)
        });
        let (polls, stop) = (polls.collect(), stop.clone());
        callers.spawn(async move {
            let polling = keep_polling(connection, polls);
            stop.run_until_cancelled(polling).await.unwrap_or(Ok(()))
        });
    }
    Ok(callers)
}

async fn keep_polling(mut connection: Connection, polls: Vec<Vec<u8>>) -> Outcome<()> {
    let (begun, apart) = (Instant::now(), SETTLE / 2 / u32::try_from(polls.len())?);
    let first = (0..).zip(0..polls.len()).map(|(at, number)| Reverse((begun + apart * at, number)));
    let mut due: BinaryHeap<_> = first.collect();
    while let Some(Reverse((at, number))) = due.pop() {
        tokio::time::sleep_until(at.into()).await;
        let answer = connection.send(&polls[number]).await?;
        if answer.status != 200 {
            return Err(format!("a poll: {} {}", answer.status, answer.body).into());
        }
        let pause = answer.json()?["poll_after_ms"].as_u64().ok_or("no pause")?;
        due.push(Reverse((Instant::now() + Duration::from_millis(pause), number)));
    }
    Ok(())
}
