//! A refund of a whole schedule whose process is killed in the middle, twice.

use onsale::job::pg;
use onsale::store::id::JobId;
use serde_json::{Value, json};

use super::books::{check_job, check_refunded, lock_seat, sell, until_stopped};
use super::{refund, wait_for};
use crate::support::client::Client;
use crate::support::program::Program;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::{World, token};

/// Seats, or as many as `ONSALE_TEST_SEATS` says.
const SEATS: u32 = 2_000;
/// Seats of one buyer.
const PER: i64 = 4;

async fn done(world: &World) -> i64 {
    world.number("select coalesce(max(done), 0) from job").await
}

/// A sold schedule, whose process has stopped.
async fn sold(world: &World, seats: u32) -> (i64, i64) {
    let process = world.start().await;
    let admin = process.admin().await;
    let schedule = sale::open(&admin, seats / 100, 100, json!({})).await.schedule;
    process.stop().await;
    sell(world, schedule, PER).await;
    (schedule, admin.user)
}

/// The counts of seats that buyers see, from Redis.
async fn available(admin: &Client, schedule: i64) -> Value {
    admin.get(&format!("/v1/schedules/{schedule}")).await.ok(200)["seats"].clone()
}

#[tokio::test]
async fn a_refund_that_is_killed_twice_refunds_each_payment_once() {
    let seats = std::env::var("ONSALE_TEST_SEATS").map_or(SEATS, |it| it.parse().expect("seats"));
    let total = i64::from(seats);
    let world = World::new().await;
    let (schedule, user) = sold(&world, seats).await;

    // Killed in a page that waits for a seat, with other pages done.
    let first = Program::start(&world, &[]).await;
    let mut admin = first.anonymous();
    admin.token = Some(token(user, onsale::caller::Role::Admin));
    let lock = lock_seat(&world, schedule, total * 3 / 10).await;
    let job = refund(&admin, schedule, "FREE").await.ok(202);
    assert_eq!((&job["total"], &job["state"]), (&total.into(), &json!("PENDING")));
    until("some pages are done", async || (done(&world).await >= total / 10).then_some(())).await;
    until_stopped(&world).await;
    drop(first);
    lock.rollback().await.expect("unlocked");
    let after_first = done(&world).await;
    assert!(after_first < total * 3 / 10, "{after_first}");

    // The next process goes on where the first one was, and is killed too.
    let lock = lock_seat(&world, schedule, total * 7 / 10).await;
    let second = Program::start(&world, &[]).await;
    until("more pages are done", async || (done(&world).await >= total / 2).then_some(())).await;
    until_stopped(&world).await;
    drop(second);
    lock.rollback().await.expect("unlocked");
    let after_second = done(&world).await;
    assert!(after_second > after_first && after_second < total * 7 / 10, "{after_second}");

    let third = Program::start(&world, &[]).await;
    let admin = admin.at(third.addr);
    let job = wait_for(&admin, &job, "DONE").await;
    check_job(&job, total);
    check_refunded(&world, total, false).await;
    world.wait_for_empty_outbox().await;
    until("Redis has every seat as free", async || {
        (available(&admin, schedule).await["available"] == total).then_some(())
    })
    .await;
    // The lease is what the page checks: it rose with each process that took the job.
    assert!(world.number("select lease from job").await >= 3);
}

#[tokio::test]
async fn a_process_that_lost_its_lease_commits_no_page() {
    let world = World::new().await;
    let (schedule, user) = sold(&world, 400).await;
    let program = Program::start(&world, &[]).await;
    let mut admin = program.anonymous();
    admin.token = Some(token(user, onsale::caller::Role::Admin));
    let lock = lock_seat(&world, schedule, 1).await;
    refund(&admin, schedule, "BLOCK").await.ok(202);
    until_stopped(&world).await;
    drop(program);
    lock.rollback().await.expect("unlocked");

    // A page of an earlier lease, as of a process that was asleep, gets no lock.
    let (id, lease) = (
        JobId(world.number("select id from job").await),
        world.number("select lease from job").await,
    );
    let mut tx = world.pg.begin("late_page").await.expect("a transaction");
    assert!(pg::lock(&mut tx, id, lease - 1).await.expect("an answer").is_none());
    assert!(pg::lock(&mut tx, id, lease).await.expect("an answer").is_some());
    drop(tx);
    let other = world.start().await;
    let admin = admin.at(other.addr);
    let jobs = admin.get("/v1/admin/jobs").await.ok(200);
    let job = wait_for(&admin, &jobs["items"][0], "DONE").await;
    check_job(&job, 400);
    check_refunded(&world, 400, true).await;
}
