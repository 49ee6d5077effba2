//! The draw: the time from the opening until the first entrant of a whole queue is admitted, and
//! the latency of joins in another queue meanwhile.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use onsale::caller::Role;
use onsale::store::id::ScheduleId;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::stage::{self, Stage};
use crate::table::Row;
use crate::{Args, Outcome, cpu};

/// Time from setting the opening until the opening.
const NOTICE: TimeDelta = TimeDelta::seconds(2);
/// Time between two checks.
const LOOK: Duration = Duration::from_millis(20);

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
    stage.fill(drawn, args.people).await?;
    stage.settled(drawn).await?;

    let (before, calm) = (used(&stage)?, bystander(&stage, other, LOOK * 100).await?);
    let opening = Utc::now() + NOTICE;
    let path = format!("/v1/admin/schedules/{drawn}");
    let patch = json!({"reservation_available_at": opening});
    stage.admin(reqwest::Method::PATCH, &path, &patch).await?;
    let done = CancellationToken::new();
    let notice = NOTICE.to_std()?;
    let (secret, first, busy) = {
        let watch = watch(&stage, drawn, &done);
        let by = bystanding(&stage, other, &done);
        let ((secret, first), busy) = tokio::try_join!(watch, by)?;
        (secret.saturating_sub(notice), first.saturating_sub(notice), busy)
    };
    let after = used(&stage)?;
    stage.strike().await?;

    let what = format!("draw of {}", args.people);
    let per = |index: usize| {
        (after[index].saturating_sub(before[index])).as_secs_f64() * 1e6 / count(args.people)
    };
    let row = |found| Row::new(&what, "itself", found, "");
    Ok(vec![
        row(format!("{:.1} s from the opening until the order is drawn", secret.as_secs_f64())),
        row(format!("{:.1} s until the first is admitted", first.as_secs_f64())),
        row(format!("{:.1} µs of CPU of onsale, {:.1} µs of Redis, each entrant", per(0), per(1))),
        row(format!("slowest join elsewhere {busy:.0?} meanwhile, {calm:.0?} just before")),
    ])
}

/// Returns the CPU time of onsale and of Redis so far.
fn used(stage: &Stage) -> Outcome<[Duration; 2]> {
    Ok([cpu::used(stage.onsale.pid)?, cpu::used(stage.stores.redis.pid())?])
}

#[expect(clippy::cast_precision_loss, reason = "a count")]
fn count(people: u64) -> f64 {
    people as f64
}

/// Measures the time until the secret is public, and until the first user is admitted.
async fn watch(
    stage: &Stage,
    schedule: ScheduleId,
    done: &CancellationToken,
) -> Outcome<(Duration, Duration)> {
    let begun = Instant::now();
    let mut secret = None;
    let _done = done.clone().drop_guard();
    loop {
        tokio::time::sleep(LOOK).await;
        if secret.is_none() {
            let proof = read_json(stage, &format!("/v1/schedules/{schedule}/queue/draw")).await?;
            secret = proof.get("secret").map(|_| begun.elapsed());
        }
        let board = read_json(stage, &format!("/v1/schedules/{schedule}/queue")).await?;
        if let Some(secret) = secret
            && board["admitted_total"].as_u64() > Some(0)
        {
            return Ok((secret, begun.elapsed()));
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

/// Returns the slowest join until `done`.
async fn bystanding(
    stage: &Stage,
    schedule: ScheduleId,
    done: &CancellationToken,
) -> Outcome<Duration> {
    let user = stage.users(1).await?[0];
    let token = stage::token(user, Role::User)?;
    let url = format!("http://{}/v1/schedules/{schedule}/queue", stage.onsale.addr);
    let http = reqwest::Client::new();
    let mut slowest = Duration::ZERO;
    while !done.is_cancelled() {
        // Slow enough for the rate limit of one user.
        tokio::time::sleep(LOOK * 15).await;
        let begun = Instant::now();
        http.post(&url).bearer_auth(&token).send().await?.error_for_status()?;
        slowest = slowest.max(begun.elapsed());
    }
    Ok(slowest)
}
