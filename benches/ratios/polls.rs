//! Polls of waiting tickets, against a server with the same bytes, against Redis, and against a
//! short queue.

use std::time::Duration;

use onsale::queue::model::QueueEntry;
use onsale::store::id::{ScheduleId, UserId};
use serde_json::json;

use crate::load::{Load, Request};
use crate::pairs::{Pairs, middle};
use crate::stage::{QUEUE_SECRET, Server, Stage, ticket};
use crate::table::Row;
use crate::{Args, Outcome, yardstick};

/// Distinct tickets in a load.
const TICKETS: usize = 20_000;
const CONNECTIONS: u32 = 64;
const PATH: &str = "/v1/queue/ticket";
const COUNTER: &str =
    r#"onsale_http_requests_total{route="/v1/queue/ticket",method="GET",status="200"}"#;

/// A queue, and a load of polls by users at all positions.
pub struct PolledQueue {
    pub load: Load,
    first: String,
    schedule: ScheduleId,
}

/// All comparisons of polls.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let mut rows = Vec::new();
    let before = stage.redis_memory().await?;
    let long = PolledQueue::of(&stage, u32::try_from(args.people)?).await?;
    let each = (stage.redis_memory().await? - before) / args.people;
    rows.push(Row::new("Redis memory per waiting person", "", format!("{each} B"), "≤ 130 B"));
    let bare = stage.folder.join("bare.json");
    let answer = stage.answer(PATH, &[("queue-token", &long.first)]).await?;
    std::fs::write(&bare, answer.to_string())?;
    let bare = yardstick::start(&["bare", &bare.display().to_string()]).await?;

    let pairs = pairs(args, &stage, (&long.load, &stage.onsale), (&long.load, &bare)).await?;
    let what = format!("poll, {} in the queue", args.people);
    let against = "bare axum route, the same bytes";
    rows.push(Row::new(&what, against, format!("{} of its rate", pairs.rate()), "≥ 0.80"));
    rows.push(Row::new(&what, against, format!("{} of its CPU", pairs.cpu()), "≤ 1.35"));
    let ours = |index: usize| middle(&pairs.ours, |round| round.cpu[index]);
    rows.push(Row::new(&what, "itself", format!("{:.1} µs of CPU of onsale", ours(0)), ""));
    rows.push(Row::new(&what, "itself", format!("{:.2} µs of CPU of Redis", ours(1)), "≤ 0.2"));
    let rate = middle(&pairs.ours, |round| round.rate);
    rows.push(Row::new(&what, "itself", format!("{rate:.0} polls/s"), ""));
    drop(bare);

    let key = format!("onsale:{{{}}}:waiting", long.schedule);
    for (name, what, target) in [
        ("zrank-pool", "ZRANK, pool of 16", "≥ 3.3"),
        ("zrank-one", "ZRANK, one connection", "≥ 1.5"),
    ] {
        let other =
            yardstick::start(&[name, &stage.stores.redis_url(), &key, QUEUE_SECRET]).await?;
        let pairs =
            self::pairs(args, &stage, (&long.load, &stage.onsale), (&long.load, &other)).await?;
        let found = format!("{} of its rate", pairs.rate());
        rows.push(Row::new(&format!("poll, {} in the queue", args.people), what, found, target));
    }

    let short = PolledQueue::of(&stage, 1000).await?;
    let longest = PolledQueue::laid(&stage, args.longest).await?;
    for (long, people) in [(&long, args.people), (&longest, args.longest)] {
        let ours = (&long.load, &stage.onsale);
        let pairs = self::pairs(args, &stage, ours, (&short.load, &stage.onsale)).await?;
        let (what, against) = (format!("poll, {people} in the queue"), "1,000 in the queue");
        rows.push(Row::new(&what, against, format!("{} of its rate", pairs.rate()), "≥ 0.93"));
        rows.push(Row::new(&what, against, format!("{} of its CPU", pairs.cpu()), "≤ 1.10"));
    }
    stage.strike().await?;
    Ok(rows)
}

/// Compares a pool of exclusive connections that checks each connection before its use with one
/// that does not, and both with one multiplexed connection.
pub async fn pools(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let queue = PolledQueue::of(&stage, 1000).await?;
    let key = format!("onsale:{{{}}}:waiting", queue.schedule);
    let url = stage.stores.redis_url();
    let start = async |name: &str| yardstick::start(&[name, &url, &key, QUEUE_SECRET]).await;
    let checked = start("zrank-pool").await?;
    let unchecked = start("zrank-pool-unchecked").await?;
    let one = start("zrank-one").await?;
    let mut rows = Vec::new();
    for (what, ours, against, other) in [
        ("ZRANK, pool of 16 with its check", &checked, "the same pool without", &unchecked),
        ("ZRANK, pool of 16 with its check", &checked, "one connection", &one),
        ("ZRANK, pool of 16 without its check", &unchecked, "one connection", &one),
    ] {
        let pairs = pairs(args, &stage, (&queue.load, ours), (&queue.load, other)).await?;
        rows.push(Row::new(what, against, format!("{} of its rate", pairs.rate()), ""));
        rows.push(Row::new(what, against, format!("{} of its CPU", pairs.cpu()), ""));
    }
    stage.strike().await?;
    Ok(rows)
}

impl PolledQueue {
    /// Creates a sale without admission, and lets `people` new users join.
    pub async fn of(stage: &Stage, people: u32) -> Outcome<Self> {
        let schedule = stage.sale(500, json!({"capacity": 0})).await?;
        let users = stage.users(people).await?;
        let waiting = stage.fill(schedule, &users).await?;
        stage.assert_archived(schedule, people.into()).await?;
        Self::polled(stage, schedule, &waiting).await
    }

    /// Like `of`, but writes the users into Redis at once. Ten million joins would take longer than
    /// all measurements.
    async fn laid(stage: &Stage, people: u64) -> Outcome<Self> {
        let schedule = stage.sale(500, json!({"capacity": 0})).await?;
        let waiting = stage.lay(schedule, people).await?;
        Self::polled(stage, schedule, &waiting).await
    }

    /// Creates a load of polls by evenly distributed users.
    async fn polled(
        stage: &Stage,
        schedule: ScheduleId,
        waiting: &[(UserId, QueueEntry)],
    ) -> Outcome<Self> {
        let people = waiting.len();
        let step = (people / TICKETS).max(1);
        let some = waiting.iter().step_by(step);
        let deadline = stage.deadline(schedule).await?;
        let tickets: Vec<String> =
            some.map(|waiting| ticket(schedule, *waiting, deadline)).collect::<Outcome<_>>()?;
        let requests = tickets.iter().map(|ticket| Request {
            method: "GET",
            path: PATH,
            headers: vec![("Queue-Token", ticket)],
            body: None,
        });
        let name = format!("polls-{people}");
        let load = Load::new(&stage.folder, (&name, COUNTER), requests, CONNECTIONS)?;
        let first = tickets.first().ok_or("nobody waits")?.clone();
        for ticket in [&first, tickets.last().ok_or("nobody waits")?] {
            let answer = stage.answer(PATH, &[("queue-token", ticket)]).await?;
            let body = answer["body"].as_str().ok_or("no body")?;
            if !body.contains("\"status\":\"WAITING\"") {
                return Err(format!("a polled ticket does not wait: {body}").into());
            }
        }
        Ok(Self { load, first, schedule })
    }
}

/// A load and the server that gets it.
type Side<'a> = (&'a Load, &'a Server);

/// Runs rounds of onsale and of another server in turns, after a warm-up of each.
pub async fn pairs(args: &Args, stage: &Stage, ours: Side<'_>, other: Side<'_>) -> Outcome<Pairs> {
    let redis = stage.stores.redis.pid();
    let once = async |(load, server): Side<'_>, seconds: u32| {
        let time = Duration::from_secs(seconds.into());
        if server.pid == stage.onsale.pid {
            return stage.send(load, time).await;
        }
        load.run(server.addr, time, [server.pid, redis]).await
    };
    once(ours, 1).await?;
    once(other, 1).await?;
    let mut pairs = Pairs::default();
    for _ in 0..args.rounds {
        pairs.ours.push(once(ours, args.seconds).await?);
        pairs.other.push(once(other, args.seconds).await?);
    }
    Ok(pairs)
}
