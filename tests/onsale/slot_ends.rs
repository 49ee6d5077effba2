//! The end of an active slot never moves, whatever Redis loses and whichever ticket is shown.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{join_in_turn, people};
use crate::support::faults::wipe;
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// One slot, which the second of two people has now; and the ticket that they had while they waited.
struct Scene {
    world: World,
    process: Process,
    sale: Sale,
    inside: Client,
    before: Client,
    ends: Value,
}

impl Scene {
    async fn set(queue: Value) -> Self {
        let world = World::new().await;
        let process = world.start().await;
        let mut settings = json!({"capacity": 1});
        for (name, value) in queue.as_object().expect("settings") {
            settings[name] = value.clone();
        }
        let sale = sale::open(&process.admin().await, 1, 9, settings).await;
        let crowd = people(&world, &[process.addr], 2, 0).await;
        let mut crowd = join_in_turn(crowd, sale.schedule).await;
        let before = crowd[1].clone();
        assert_eq!(crowd[0].delete("/v1/queue/ticket").await.status, 204);
        let inside = &mut crowd[1];
        let ends = until("the second is admitted", async || {
            let ticket = inside.poll().await.ok(200);
            (ticket["status"] == "ACTIVE").then(|| ticket["active_expires_at"].clone())
        })
        .await;
        let known = "select count(*) from queue where slot_ends_at is not null";
        until("PostgreSQL knows the slots of both", async || {
            (world.number(known).await == 2).then_some(())
        })
        .await;
        let inside = crowd.remove(1);
        Self { world, process, sale, inside, before, ends }
    }

    async fn lose_redis(&self) {
        wipe(&mut self.world.raw_redis().await).await;
    }
}

/// Asks, once that works again.
async fn ask(person: &Client) -> Value {
    let mut person = person.clone();
    until("asking works", async || {
        let answer = person.poll().await;
        (answer.status == 200).then_some(answer.body)
    })
    .await
}

#[tokio::test]
async fn a_ticket_from_before_admission_brings_the_slot_back_with_its_end_after_a_loss() {
    let scene = Scene::set(json!({})).await;
    let queue = format!("/v1/admin/schedules/{}/queue", scene.sale.schedule);
    // What slots last from now on changes nothing for a slot that there is.
    let longer = json!({"active_ttl_seconds": 3000});
    scene.process.admin().await.patch(&queue, longer).await.ok(200);
    scene.lose_redis().await;
    let back = ask(&scene.before).await;
    assert_eq!((&back["status"], &back["active_expires_at"]), (&json!("ACTIVE"), &scene.ends));
    // And without any ticket.
    scene.lose_redis().await;
    let mut without = scene.before.without_ticket();
    let back = until("joining works", async || {
        let answer = without.join(scene.sale.schedule).await;
        (answer.status == 200).then_some(answer.body)
    })
    .await;
    assert_eq!((&back["status"], &back["active_expires_at"]), (&json!("ACTIVE"), &scene.ends));
    // And by holding, without having asked.
    scene.lose_redis().await;
    let wish = json!({"seat_ids": [scene.sale.seats[0]]});
    let held = until("holding works", async || {
        let answer = scene.before.hold(scene.sale.schedule, wish.clone()).await;
        (answer.status != 503).then_some(answer)
    })
    .await;
    held.ok(201);
    assert_eq!(ask(&scene.inside).await["active_expires_at"], scene.ends);
}

#[tokio::test]
async fn a_slot_that_ran_out_while_redis_was_lost_is_over_whichever_ticket_is_shown() {
    let scene = Scene::set(json!({})).await;
    sqlx::query("update queue set slot_ends_at = now() - interval '1 second' where slot_ends_at is not null")
        .execute(&scene.world.pool)
        .await
        .expect("as if time had passed");
    scene.lose_redis().await;
    assert_eq!(ask(&scene.before).await["status"], "EXPIRED");
    let ended = "select count(*) from queue where status = 'EXPIRED'";
    until("it is written", async || (scene.world.number(ended).await == 1).then_some(())).await;
}

#[tokio::test]
async fn whoever_is_passed_over_has_no_slot_that_could_come_back() {
    let scene = Scene::set(json!({"claim_window_seconds": 1})).await;
    let slot: Option<DateTime<Utc>> =
        sqlx::query_scalar("select slot_ends_at from queue order by sequence desc limit 1")
            .fetch_one(&scene.world.pool)
            .await
            .expect("a place");
    assert!(slot.is_some(), "seen within the claim window");
    // The next one is admitted, and does not come.
    assert_eq!(scene.inside.delete("/v1/queue/ticket").await.status, 204);
    let mut late = people(&scene.world, &[scene.process.addr], 1, 0).await.remove(0);
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
    until("the table knows that nobody came", async || {
        (scene.world.number(passed_over).await == 1).then_some(())
    })
    .await;
    scene.lose_redis().await;
    let back = ask(&late).await;
    assert_eq!(back["status"], "WAITING", "{back}");
}
