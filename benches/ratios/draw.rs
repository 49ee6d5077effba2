//! The draw: the time from the opening until the first entrant of a whole queue is admitted, and
//! the latency of joins in another queue meanwhile.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use onsale::caller::Role;
use onsale::store::id::ScheduleId;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cpu::micros_each;
use crate::http::{Connection, request};
use crate::stage::{self, Stage};
use crate::table::Row;
use crate::{Args, Outcome};

/// Time from setting the opening until the opening.
const NOTICE: TimeDelta = TimeDelta::seconds(2);
/// Time between two checks.
const LOOK: Duration = Duration::from_millis(20);
/// Users who may join elsewhere meanwhile: more than join in the time that a draw takes.
const BYSTANDERS: u32 = 20_000;

/// Draws a queue of `args.people` users.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let settings = json!({
        "entry_order": "DRAW", "queue_opens_at": Utc::now() - TimeDelta::hours(1),
        // Filling the queue takes minutes, and its users do not poll.
        "presence_window_seconds": 600,
    });
    let drawn = stage.sale_that_opens(TimeDelta::hours(2), 10, settings).await?;
    let other = stage.sale(10, json!({"capacity": 1})).await?;
    let users = stage.users(u32::try_from(args.people)?).await?;
    stage.fill(drawn, &users).await?;
    // Only entries with a row take part in the draw.
    stage.assert_archived(drawn, args.people).await?;

    let (before, calm) = (stage.used()?, bystander(&stage, other, LOOK * 100).await?);
    let opening = Utc::now() + NOTICE;
    let path = format!("/v1/admin/schedules/{drawn}");
    let patch = json!({"reservation_available_at": opening});
    stage.admin(reqwest::Method::PATCH, &path, &patch).await?;
    let done = CancellationToken::new();
    let notice = NOTICE.to_std()?;
    let watch = watch(&stage, drawn, &done);
    let (times, busy) = tokio::try_join!(watch, bystanding(&stage, other, &done))?;
    let after_opening = |time: Duration| time.saturating_sub(notice).as_secs_f64();
    let used = stage.used()? - before;
    assert_drawn(&stage, drawn, args.people).await?;
    stage.strike().await?;

    let what = format!("draw of {}", args.people);
    let each =
        used.parts().map(|(name, used)| format!("{name} {:.1} µs", micros_each(used, args.people)));
    let row = |found| Row::new(&what, "itself", found, "");
    Ok(vec![
        Row::new(
            &what,
            "itself",
            format!("{:.1} s until the first is admitted", after_opening(times.first)),
            "≤ 5 s",
        ),
        row(format!("{:.1} s until the secret is public", after_opening(times.secret))),
        row(format!("{:.1} s until all have positions", after_opening(times.moved))),
        row(format!("{} entrants, each with a drawn position of its own", args.people)),
        row(format!("CPU per entrant: {}", each.join(", "))),
        row(format!("slowest join elsewhere {busy:.0?} meanwhile, {calm:.0?} just before")),
    ])
}

/// Fails unless each user is an entrant, and the drawn positions are 1 to `people`, each once.
async fn assert_drawn(stage: &Stage, schedule: ScheduleId, people: u64) -> Outcome<()> {
    let counts = "select count(*), count(distinct place), coalesce(min(place), 0)::bigint,
                         coalesce(max(place), 0)::bigint
                  from draw_entrant where concert_schedule_id = $1";
    let counts = sqlx::query_as(counts).bind(schedule.0).fetch_one(&stage.pool).await?;
    let (entrants, distinct, first, last): (i64, i64, i64, i64) = counts;
    let all = people.cast_signed();
    if [entrants, distinct, first, last] != [all, all, 1, all] {
        let positions = format!("{distinct} positions from {first} to {last}");
        return Err(format!("{people} joined: {entrants} entrants, {positions}").into());
    }
    Ok(())
}

/// Times from the setting of the opening on.
struct Watched {
    /// Until the first user is admitted.
    first: Duration,
    /// Until the secret is public.
    secret: Duration,
    /// Until all this is done and the board shows positions.
    moved: Duration,
}

/// Measures how long the steps of the draw take.
async fn watch(stage: &Stage, schedule: ScheduleId, done: &CancellationToken) -> Outcome<Watched> {
    let begun = Instant::now();
    let (mut secret, mut first) = (None, None);
    let _done = done.clone().drop_guard();
    loop {
        tokio::time::sleep(LOOK).await;
        if secret.is_none() {
            let proof = read_json(stage, &format!("/v1/schedules/{schedule}/queue/draw")).await?;
            secret = proof.get("secret").map(|_| begun.elapsed());
        }
        let board = read_json(stage, &format!("/v1/schedules/{schedule}/queue")).await?;
        if first.is_none() && board["admitted_total"].as_u64() > Some(0) {
            first = Some(begun.elapsed());
        }
        if let (Some(secret), Some(first)) = (secret, first)
            && !board["ranks"].as_array().is_none_or(Vec::is_empty)
        {
            return Ok(Watched { first, secret, moved: begun.elapsed() });
        }
    }
}

/// Reads one answer as JSON.
async fn read_json(stage: &Stage, path: &str) -> Outcome<Value> {
    let answer = stage.answer(path, &[]).await?;
    Ok(serde_json::from_str(answer["body"].as_str().ok_or("no body")?)?)
}

/// Returns the slowest join within `time`.
async fn bystander(stage: &Stage, schedule: ScheduleId, time: Duration) -> Outcome<Duration> {
    let done = CancellationToken::new();
    let ends = done.clone();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        ends.cancel();
    });
    bystanding(stage, schedule, &done).await
}

/// Returns the slowest join until `done`. Each is by another user.
async fn bystanding(
    stage: &Stage,
    schedule: ScheduleId,
    done: &CancellationToken,
) -> Outcome<Duration> {
    let users = stage.users(BYSTANDERS).await?;
    let path = format!("/v1/schedules/{schedule}/queue");
    let mut connection = Connection::open(stage.onsale.addr).await?;
    let mut slowest = Duration::ZERO;
    for user in users {
        if done.is_cancelled() {
            break;
        }
        tokio::time::sleep(LOOK).await;
        let bearer = format!("Bearer {}", stage::token(user, Role::User)?);
        let join = request(("POST", &path), &[("authorization", &bearer)], None);
        let begun = Instant::now();
        let answer = connection.send(&join).await?;
        slowest = slowest.max(begun.elapsed());
        if answer.status != 201 {
            return Err(format!("a join elsewhere: {} {}", answer.status, answer.body).into());
        }
    }
    Ok(slowest)
}
