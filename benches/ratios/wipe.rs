//! Redis loses all data while a long queue waits: the time until every entry is back, if each user
//! polls with their ticket, the first in the queue first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use onsale::queue::model::QueueEntry;
use onsale::queue::ticket::jwt::TicketKeys;
use onsale::store::id::{ScheduleId, UserId};
use onsale::store::keys::ScheduleKeys;
use serde_json::json;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::http::{Connection, request};
use crate::stage::{Stage, ticket_keys};
use crate::table::Row;
use crate::{Args, Outcome};

const CALLERS: usize = 256;
/// Entries at the front, which have to be back sooner.
const FIRST: usize = 100_000;
/// Pause before a poll is repeated that was refused.
const PAUSE: Duration = Duration::from_millis(50);
/// Time in which the keys have to be rebuilt.
const REBUILD: Duration = Duration::from_secs(30);
/// Entries per read, when the order is checked.
const PAGE: usize = 10_000;

/// A queue whose users poll after the loss.
struct Line {
    schedule: ScheduleId,
    keys: TicketKeys,
    deadline: chrono::DateTime<chrono::Utc>,
    entries: Vec<(UserId, QueueEntry)>,
    next: AtomicUsize,
    refused: AtomicU64,
    /// How many of the first have polled, and when the last of them had.
    first: (AtomicUsize, OnceCell<Instant>),
}

/// Wipes Redis once.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let schedule = stage.sale(500, json!({"capacity": 0})).await?;
    let users = stage.users(u32::try_from(args.people)?).await?;
    let entries = stage.fill(schedule, &users).await?;
    stage.assert_archived(schedule, args.people).await?;
    let (keys, deadline) = (ticket_keys(), stage.deadline(schedule).await?);
    let (next, refused, first) = Default::default();
    let line = Arc::new(Line { schedule, keys, deadline, entries, next, refused, first });

    let (used, begun) = (stage.used()?, Instant::now());
    stage.redis.hot::<()>(&redis::cmd("FLUSHALL")).await?;
    rebuilt(&stage, schedule).await?;
    let rebuilt = begun.elapsed();
    poll(&stage, &line).await?;
    let (all, used) = (begun.elapsed(), stage.used()? - used);
    let first = line.first.1.get().map(|at| at.duration_since(begun));
    assert_order(&stage, &line).await?;
    stage.assert_archived(schedule, args.people).await?;
    stage.strike().await?;

    let what = format!("wipe of Redis, {} in the queue", args.people);
    let row = |found, target| Row::new(&what, "itself", found, target);
    let seconds = |time: Option<Duration>| time.unwrap_or(all).as_secs_f64();
    let parts = used.parts().map(|(name, used)| format!("{name} {:.1} s", used.as_secs_f64()));
    Ok(vec![
        row(format!("{:.1} s until the first {FIRST} entries are back", seconds(first)), "≤ 10 s"),
        row(format!("{:.1} s until all are back, in order", seconds(None)), "≤ 45 s"),
        row(
            format!(
                "keys rebuilt after {:.2} s; {} polls refused; CPU: {}",
                seconds(Some(rebuilt)),
                line.refused.load(Ordering::Relaxed),
                parts.join(", ")
            ),
            "",
        ),
    ])
}

/// Waits until the service shows the rebuilt queue. Until then it answers from its last board, and
/// a poll brings nothing back.
async fn rebuilt(stage: &Stage, schedule: ScheduleId) -> Outcome<()> {
    let path = format!("/v1/schedules/{schedule}/queue");
    let board = request(("GET", &path), &[], None);
    let mut connection = Connection::open(stage.onsale.addr).await?;
    let begun = Instant::now();
    while begun.elapsed() < REBUILD {
        let answer = connection.send(&board).await?;
        if answer.status == 200 && answer.json()?["epoch"].as_u64() > Some(1) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err("the keys were not rebuilt in time".into())
}

/// Lets each user poll until the answer shows the entry.
async fn poll(stage: &Stage, line: &Arc<Line>) -> Outcome<()> {
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let connection = Connection::open(stage.onsale.addr).await?;
        callers.spawn(Arc::clone(line).call(connection));
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(())
}

impl Line {
    async fn call(self: Arc<Self>, mut connection: Connection) -> Outcome<()> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((user, entry)) = self.entries.get(number) else {
                return Ok(());
            };
            let ticket = self.keys.sign(self.schedule, *user, *entry, self.deadline)?;
            let poll = request(("GET", "/v1/queue/ticket"), &[("queue-token", &ticket)], None);
            let shown = format!("\"sequence\":{},", entry.sequence.0);
            loop {
                let answer = connection.send(&poll).await?;
                match answer.status {
                    200 if answer.body.contains(&shown) => break,
                    429 | 503 => self.refused.fetch_add(1, Ordering::Relaxed),
                    status => return Err(format!("a poll: {status} {}", answer.body).into()),
                };
                tokio::time::sleep(PAUSE).await;
            }
            let first = number < FIRST.min(self.entries.len());
            if first && self.first.0.fetch_add(1, Ordering::Relaxed) + 1 == FIRST {
                self.first.1.set(Instant::now())?;
            }
        }
    }
}

/// Checks that Redis has exactly the entries of the line, in their order.
async fn assert_order(stage: &Stage, line: &Line) -> Outcome<()> {
    let key = ScheduleKeys::new(line.schedule, 1).named("waiting");
    for (page, entries) in line.entries.chunks(PAGE).enumerate() {
        let mut range = redis::cmd("ZRANGE");
        range.arg(&key).arg(page * PAGE).arg(page * PAGE + entries.len() - 1);
        let users: Vec<i64> = stage.redis.bulk(&range).await?;
        if !users.iter().eq(entries.iter().map(|(user, _)| &user.0)) {
            return Err(
                format!("the entries from {} on are others than before", page * PAGE).into()
            );
        }
    }
    if stage.waiting(line.schedule).await? != u64::try_from(line.entries.len())? {
        return Err("the queue has entries that it did not have before".into());
    }
    Ok(())
}
