//! Asking for jobs, following them, and cancelling them.

use std::collections::BTreeSet;

use serde_json::json;

use super::books::{check_refunded, lock_seat, sell, until_stopped};
use super::{refund, wait_for};
use crate::support::sale;
use crate::support::shape;
use crate::support::world::World;

const JOB: &str = "id:int kind:text schedule_id:int? user_id:int? parameters:object \
     requested_by:int requested_by_name:text state:text cancellable:bool total:int? done:int \
     figures:object error:text? failures:int created_at:time started_at:time? finished_at:time?";

#[tokio::test]
async fn a_cancelled_job_does_nothing_more_and_another_one_goes_on() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let schedule = sale::open(&admin, 5, 100, json!({})).await.schedule;
    sell(&world, schedule, 2).await;
    let lock = lock_seat(&world, schedule, 250).await;
    let first = refund(&admin, schedule, "BLOCK").await.ok(202);
    until_stopped(&world).await;
    let path = format!("/v1/admin/jobs/{}/cancel", first["id"]);
    let cancelled = admin.post(&path, json!({})).await.ok(200);
    assert_eq!(
        (&cancelled["state"], &cancelled["cancellable"]),
        (&json!("CANCELLED"), &json!(false))
    );
    assert_eq!(cancelled["done"], 200, "{cancelled}");
    assert_eq!(admin.post(&path, json!({})).await.ok(200), cancelled, "a repeat changes nothing");
    lock.rollback().await.expect("unlocked");

    let second = refund(&admin, schedule, "BLOCK").await.ok(202);
    let second = wait_for(&admin, &second, "DONE").await;
    assert_eq!((&second["total"], &second["done"]), (&json!(300), &json!(300)), "{second}");
    assert_eq!(admin.get(&format!("/v1/admin/jobs/{}", first["id"])).await.ok(200), cancelled);
    check_refunded(&world, 500, true).await;
    let path = format!("/v1/admin/jobs/{}/cancel", second["id"]);
    admin.post(&path, json!({})).await.refused(409, "job_not_cancellable");
    let audit = admin.get("/v1/admin/audit?limit=20").await.ok(200);
    let actions: Vec<&str> =
        audit["items"].as_array().unwrap().iter().filter_map(|it| it["action"].as_str()).collect();
    let expected = ["job.finish", "schedule.refund", "job.cancel", "schedule.refund"];
    assert_eq!(actions[..4], expected);
    assert_eq!(audit["items"][0]["after"]["state"], "DONE");
    assert_eq!(audit["items"][3]["subject"], format!("schedule {schedule}"));
    assert_eq!(audit["items"][3]["after"]["reason"], "The concert is cancelled.");
}

#[tokio::test]
async fn a_repeat_under_the_same_key_has_the_same_job_as_it_is_then() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let schedule = sale::open(&admin, 1, 10, json!({})).await.schedule;
    sell(&world, schedule, 2).await;
    let path = format!("/v1/admin/schedules/{schedule}/refund");
    let body = json!({"seats": "FREE", "reason": "Asked by the artist."});
    admin.post(&path, body.clone()).await.refused(400, "idempotency_key_required");
    let keyed = admin.keyed();
    let first = keyed.post(&path, body.clone()).await;
    assert_eq!(first.header("location"), format!("/v1/admin/jobs/{}", first.body["id"]));
    let first = first.ok(202);
    shape::check(&first, JOB);
    assert_eq!(first["parameters"], body);
    let done = wait_for(&admin, &first, "DONE").await;
    let again = keyed.post(&path, body).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.ok(202), done);
    let other = json!({"seats": "BLOCK", "reason": "Asked by the artist."});
    keyed.post(&path, other).await.refused(422, "idempotency_key_reused");
    let page = admin.get("/v1/admin/jobs").await.ok(200);
    assert_eq!(shape::check_page(&page, JOB), std::slice::from_ref(&done));
    for (query, found) in [
        (format!("?state=DONE&schedule={schedule}"), 1),
        ("?state=FAILED".to_owned(), 0),
        ("?schedule=999999".to_owned(), 0),
    ] {
        let page = admin.get(&format!("/v1/admin/jobs{query}")).await.ok(200);
        assert_eq!(page["items"].as_array().map(Vec::len), Some(found), "{query}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    admin.get("/v1/admin/jobs/999999").await.refused(404, "job_not_found");
    admin.post("/v1/admin/jobs/999999/cancel", json!({})).await.refused(404, "job_not_found");
    refund(&admin, 999_999, "FREE").await.refused(404, "schedule_not_found");
    let path = "/v1/admin/schedules/999999/refund";
    admin.get(path).await.refused(404, "schedule_not_found");
    let wrong = json!({"seats": "GONE", "reason": ""});
    let answer = admin.keyed().post(path, wrong).await;
    answer.refused(422, "invalid_request");
    let errors = answer.body["errors"].as_array().expect("errors").iter();
    let pointers: BTreeSet<&str> = errors.filter_map(|it| it["pointer"].as_str()).collect();
    assert_eq!(pointers, BTreeSet::from(["/reason", "/seats"]));
    let unknown = json!({"give_up_entitlements": false, "reason": "Asked."});
    admin
        .keyed()
        .post("/v1/admin/users/999999/erase", unknown)
        .await
        .refused(404, "user_not_found");
    admin.get("/v1/admin/users/999999/data").await.refused(404, "user_not_found");
}
