//! After a loss of Redis: which entries wait again at once, and which have to wait for a poll.

use redis::AsyncCommands;

use super::loss::{Loss, Scene};
use crate::support::faults::{key, wipe};
use crate::support::servers::Raw;
use crate::support::wait::until;
use crate::support::world::World;

/// The ten who wait, in order, as Redis has them.
async fn waiting_users(redis: &mut Raw, schedule: i64) -> Vec<i64> {
    redis.zrange(key(schedule, "waiting"), 0, -1).await.expect("Redis")
}

#[tokio::test]
async fn after_a_loss_archived_entries_wait_again_before_their_users_poll() {
    let world = World::new().await;
    let scene = Scene::set(&world, Loss::Wiped).await;
    let schedule = scene.sale.schedule;
    until("the queue is archived", async || {
        let waiting = "select count(*) from queue where status = 'WAITING'";
        (world.number(waiting).await == 10).then_some(())
    })
    .await;
    let mut redis = world.raw_redis().await;
    let before = waiting_users(&mut redis, schedule).await;
    assert_eq!(before.len(), 10);
    wipe(&mut redis).await;
    let mut newcomer = scene.processes[0].buyer().await;
    let ticket = until("joining works", async || {
        let answer = newcomer.join(schedule).await;
        (answer.status == 201).then_some(answer.body)
    })
    .await;
    assert_eq!(ticket["status"], "WAITING");
    let after = waiting_users(&mut redis, schedule).await;
    assert_eq!(after, [before, vec![newcomer.user]].concat());
}

/// The reason for the pause of admission after a loss.
#[tokio::test]
async fn without_the_recovery_pause_a_newcomer_would_overtake_buyers_who_were_not_archived() {
    let world = World::new().await;
    let scene = Scene::set(&world, Loss::Wiped).await;
    let mut redis = world.raw_redis().await;
    let forget = "delete from queue where status = 'WAITING'";
    until("the queue was archived", async || {
        let rows = sqlx::query(forget).execute(&world.pool).await.expect("deleted rows");
        (rows.rows_affected() == 10).then_some(())
    })
    .await;
    let meta = key(scene.sale.schedule, "meta");
    wipe(&mut redis).await;
    until("the keys are rebuilt", async || {
        let pause: Option<i64> = redis.hget(&meta, "pause_until").await.expect("Redis");
        pause.is_some_and(|at| at > 0).then_some(())
    })
    .await;
    let mut newcomer = scene.processes[0].buyer().await;
    let ticket = newcomer.join(scene.sale.schedule).await.ok(201);
    assert_eq!(ticket["status"], "WAITING");
    redis.hset::<_, _, _, ()>(&meta, "pause_until", 0).await.expect("Redis");
    newcomer.wait_for_status("ACTIVE").await;
    let overtaken = scene.waiting[0].clone().poll().await.ok(200);
    assert_eq!(overtaken["status"], "WAITING");
    assert!(overtaken["sequence"].as_u64() < ticket["sequence"].as_u64());
}
