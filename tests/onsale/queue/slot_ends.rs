//! The end of an active slot never moves, after any loss of Redis and with any ticket of the entry.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order};
use crate::support::faults::wipe;
use crate::support::sale::{self, Sale, merged};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// A sale with one slot, which the second of two buyers has.
struct Scene {
    world: World,
    process: Process,
    sale: Sale,
    active: Client,
    /// The same buyer with the ticket from before admission.
    before: Client,
    ends: Value,
}

impl Scene {
    async fn set(queue: Value) -> Self {
        let world = World::new().await;
        let process = world.start().await;
        let settings = merged(json!({"capacity": 1}), &queue);
        let sale = sale::open(&process.admin().await, 1, 9, settings).await;
        let crowd = create_users(&world, &[process.addr], 2, 0).await;
        let mut crowd = join_in_order(crowd, sale.schedule).await;
        let before = crowd[1].clone();
        crowd[0].leave().await;
        let ends = crowd[1].wait_for_status("ACTIVE").await["active_expires_at"].clone();
        let archived = "select count(*) from queue where slot_ends_at is not null";
        until("both slots are archived", async || {
            (world.number(archived).await == 2).then_some(())
        })
        .await;
        let active = crowd.remove(1);
        Self { world, process, sale, active, before, ends }
    }

    async fn lose_redis(&self) {
        wipe(&mut self.world.raw_redis().await).await;
    }
}

/// Polls as soon as polling works again.
async fn poll(person: &Client) -> Value {
    let mut person = person.clone();
    until("polling works", async || {
        let answer = person.poll().await;
        (answer.status == 200).then_some(answer.body)
    })
    .await
}

#[tokio::test]
async fn after_redis_is_lost_a_ticket_from_before_admission_restores_the_slot_and_its_end() {
    let scene = Scene::set(json!({})).await;
    let queue = format!("/v1/admin/schedules/{}/queue", scene.sale.schedule);
    // A new duration does not change a slot that has begun.
    let longer = json!({"active_ttl_seconds": 3000});
    scene.process.admin().await.patch(&queue, longer).await.ok(200);
    scene.lose_redis().await;
    let back = poll(&scene.before).await;
    assert_eq!((&back["status"], &back["active_expires_at"]), (&json!("ACTIVE"), &scene.ends));
    // The same without a ticket.
    scene.lose_redis().await;
    let mut without = scene.before.without_ticket();
    let back = until("joining works", async || {
        let answer = without.join(scene.sale.schedule).await;
        (answer.status == 200).then_some(answer.body)
    })
    .await;
    assert_eq!((&back["status"], &back["active_expires_at"]), (&json!("ACTIVE"), &scene.ends));
    // The same by a hold, without a poll before it.
    scene.lose_redis().await;
    let path = format!("/v1/schedules/{}/reservations", scene.sale.schedule);
    let wish = json!({"seat_ids": [scene.sale.seats[0]]});
    scene.before.keyed().post_with_retries(&path, wish).await.ok(201);
    assert_eq!(poll(&scene.active).await["active_expires_at"], scene.ends);
}

#[tokio::test]
async fn a_slot_that_expired_while_redis_was_lost_stays_expired_for_every_ticket() {
    let scene = Scene::set(json!({})).await;
    sqlx::query("update queue set slot_ends_at = now() - interval '1 second' where slot_ends_at is not null")
        .execute(&scene.world.pool)
        .await
        .expect("an update");
    scene.lose_redis().await;
    assert_eq!(poll(&scene.before).await["status"], "EXPIRED");
    let ended = "select count(*) from queue where status = 'EXPIRED'";
    until("it is archived", async || (scene.world.number(ended).await == 1).then_some(())).await;
}

/// The archive is up to a second behind: PostgreSQL still has the entry as waiting.
#[tokio::test]
async fn a_slot_whose_admission_was_not_archived_is_restored_by_the_active_ticket() {
    let scene = Scene::set(json!({})).await;
    let before = "update queue set status = 'WAITING', entered_at = null, slot_ends_at = null
                  where status = 'ACTIVE'";
    let forgotten = sqlx::query(before).execute(&scene.world.pool).await.expect("an update");
    assert_eq!(forgotten.rows_affected(), 1);
    scene.lose_redis().await;
    let path = format!("/v1/schedules/{}/reservations", scene.sale.schedule);
    let wish = json!({"seat_ids": [scene.sale.seats[0]]});
    scene.active.keyed().post_with_retries(&path, wish).await.ok(201);
    let back = poll(&scene.before).await;
    assert_eq!((&back["status"], &back["active_expires_at"]), (&json!("ACTIVE"), &scene.ends));
}

#[tokio::test]
async fn a_passed_over_buyer_has_no_slot_that_a_rebuild_could_restore() {
    let scene = Scene::set(json!({"claim_window_seconds": 1})).await;
    let slot: Option<DateTime<Utc>> =
        sqlx::query_scalar("select slot_ends_at from queue order by sequence desc limit 1")
            .fetch_one(&scene.world.pool)
            .await
            .expect("an entry");
    assert!(slot.is_some(), "the buyer polled within the claim window");
    // The next buyer is admitted and does not poll.
    scene.active.leave().await;
    let mut late = create_users(&scene.world, &[scene.process.addr], 1, 0).await.remove(0);
    let queue = format!("/v1/admin/schedules/{}/queue", scene.sale.schedule);
    let admin = scene.process.admin().await;
    admin.patch(&queue, json!({"paused": true})).await.ok(200);
    until("the sale is paused", async || {
        let board = format!("/v1/schedules/{}/queue", scene.sale.schedule);
        let board = admin.get(&board).await.ok(200);
        (board["phase"] == "PAUSED").then_some(())
    })
    .await;
    late.join(scene.sale.schedule).await.ok(201);
    admin.patch(&queue, json!({"paused": false})).await.ok(200);
    let passed_over =
        "select count(*) from queue where status = 'WAITING' and entered_at is not null
                         and slot_ends_at is null";
    until("the absence is archived", async || {
        (scene.world.number(passed_over).await == 1).then_some(())
    })
    .await;
    scene.lose_redis().await;
    let back = poll(&late).await;
    assert_eq!(back["status"], "WAITING", "{back}");
}
