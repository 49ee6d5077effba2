//! New codes: to the place in a queue, and to the session.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::client::Client;
use crate::support::sale;
use crate::support::shape;
use crate::support::wait::until;

fn place(user: i64, schedule: i64) -> String {
    format!("/buyers/{user}/places/{schedule}")
}

fn why() -> Value {
    json!({"reason": "Showed an identity card"})
}

/// The device that continues with a code.
async fn open(scene: &Scene, code: &Value) -> Client {
    let taken = scene.process.anonymous().post("/v1/handoffs", json!({"code": code})).await.ok(201);
    let text = |name: &str| taken[name].as_str().expect("a text").to_owned();
    let device = scene.process.anonymous().with_token(&text("access_token"));
    device.with_ticket(&text("queue_token"))
}

#[tokio::test]
async fn a_buyer_who_lost_everything_continues_at_the_same_place() {
    let scene = Scene::new(6).await;
    let full = sale::open(&scene.admin, 1, 4, json!({"capacity": 1})).await;
    let mut first = scene.process.rich_buyer().await;
    assert_eq!(first.join(full.schedule).await.ok(201)["status"], "ACTIVE");
    let mut lost = scene.process.rich_buyer().await;
    let joined = lost.join(full.schedule).await.ok(201);
    assert_eq!(joined["status"], "WAITING");
    let made = scene.post(&place(lost.user, full.schedule), why()).await;
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.ok(201);
    let shape = "code:text expires_at:time user_id:int schedule_id:int ticket_id:uuid sequence:int";
    shape::check(&made, shape);
    assert_eq!(made["ticket_id"], joined["ticket_id"]);
    assert_eq!(made["sequence"], joined["sequence"]);
    let expires_at: DateTime<Utc> = made["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(expires_at - Utc::now() > TimeDelta::minutes(14));

    let device = open(&scene, &made["code"]).await;
    let seen = device.get("/v1/queue/ticket").await.ok(200);
    assert_eq!((&seen["ticket_id"], &seen["position"]), (&joined["ticket_id"], &json!(1)));
    let used = scene.process.anonymous().post("/v1/handoffs", json!({"code": made["code"]})).await;
    used.refused(409, "handoff_used");
    let waiting = "select count(*) from queue where status = 'WAITING'";
    until("the one entry is archived", async || {
        (scene.world.number(waiting).await == 1).then_some(())
    })
    .await;

    // An active slot is opened too, and keeps its end.
    let made = scene.post(&place(first.user, full.schedule), why()).await.ok(201);
    let mut device = open(&scene, &made["code"]).await;
    let before = first.poll().await.ok(200);
    let seen = device.poll().await.ok(200);
    assert_eq!(seen["status"], "ACTIVE");
    assert_eq!(seen["active_expires_at"], before["active_expires_at"]);
    let hold = device.hold(full.schedule, json!({"quantity": 1})).await.ok(201);
    device.pay(&hold).await.ok(201);
    let audit = scene.admin.get("/v1/admin/audit?action=box_office.reissue_place").await.ok(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 2);
    assert!(!audit.to_string().contains(made["code"].as_str().unwrap()), "no code is stored");
}

#[tokio::test]
async fn a_place_that_there_is_not_is_not_reissued_and_none_is_made() {
    let scene = Scene::new(2).await;
    let buyer = scene.process.buyer().await;
    let schedule = scene.sale.schedule;
    scene.post(&place(buyer.user, schedule), why()).await.refused(409, "not_in_queue");
    scene.post(&place(999_999, schedule), why()).await.refused(404, "user_not_found");
    scene.post(&place(buyer.user, 999_999), why()).await.refused(404, "schedule_not_found");
    scene.post(&place(buyer.user, schedule), json!({})).await.refused(422, "invalid_request");
    let bought = scene.buy(&[0]).await;
    until("the entry has ended", async || {
        let answer = scene.post(&place(bought.buyer.user, schedule), why()).await;
        (answer.code() == "not_in_queue").then_some(())
    })
    .await;
    let entries = "select count(*) from queue";
    let count = scene.world.number(entries).await;
    assert!(count <= 1, "only the entry of the buyer: {count}");
    let early = sale::create(&scene.admin, (600, 3600), 1, 2, json!({})).await;
    scene.post(&place(buyer.user, early.schedule), why()).await.refused(409, "not_in_queue");
}

#[tokio::test]
async fn a_place_from_before_a_loss_of_redis_is_found_in_the_archive() {
    let scene = Scene::new(4).await;
    let full = sale::open(&scene.admin, 1, 4, json!({"capacity": 0})).await;
    let mut lost = scene.process.buyer().await;
    let joined = lost.join(full.schedule).await.ok(201);
    until("the entry is archived", async || {
        let count = "select count(*) from queue where status = 'WAITING'";
        (scene.world.number(count).await == 1).then_some(())
    })
    .await;
    let mut redis = scene.world.raw_redis().await;
    redis::cmd("FLUSHALL").query_async::<()>(&mut redis).await.expect("an empty Redis");
    let made = until("the place", async || {
        let answer = scene.post(&place(lost.user, full.schedule), why()).await;
        (answer.status == 201).then_some(answer.body)
    })
    .await;
    assert_eq!(made["ticket_id"], joined["ticket_id"]);
    assert_eq!(made["sequence"], joined["sequence"]);
}

#[tokio::test]
async fn a_new_recovery_code_signs_the_buyer_in_and_ends_the_old_code() {
    let scene = Scene::new(2).await;
    let bought = scene.buy(&[0]).await;
    let old = bought.buyer.post("/v1/users/me/recovery-code", json!({})).await.ok(201);
    let path = format!("/buyers/{}/recovery-code", bought.buyer.user);
    let made = scene.post(&path, why()).await;
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.ok(201);
    shape::check(&made, "code:text created_at:time user_id:int");
    let recover = "/v1/users/recover";
    let anybody = scene.process.anonymous();
    let refused = anybody.post(recover, json!({"code": old["code"]})).await;
    refused.refused(403, "recovery_code_invalid");
    let session = anybody.post(recover, json!({"code": made["code"]})).await.ok(201);
    let device = anybody.with_token(session["access_token"].as_str().unwrap());
    let tickets = device.get("/v1/reservations").await.ok(200);
    assert_eq!(tickets["items"][0]["id"], bought.reservation(0));
    let me = device.get("/v1/users/me").await.ok(200);
    assert_eq!(me["role"], "user");
    scene.post("/buyers/999999/recovery-code", why()).await.refused(404, "user_not_found");

    let provided =
        "insert into \"user\" (name, issuer, subject) values ('Park', 'idp', '7') returning id";
    let provided: i64 =
        sqlx::query_scalar(provided).fetch_one(&scene.world.pool).await.expect("a user");
    let path = format!("/buyers/{provided}/recovery-code");
    scene.post(&path, why()).await.refused(409, "signs_in_elsewhere");
    assert_eq!(scene.get(&format!("/buyers/{provided}")).await["signs_in_elsewhere"], true);
}
