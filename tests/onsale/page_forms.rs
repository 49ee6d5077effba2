//! The form of the waiting page, for browsers without scripts: nobody is signed up for nothing.

use reqwest::Method;
use serde_json::json;

use crate::hostile::PROXY;
use crate::pages::{OURS, open, send};
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

async fn user_count(world: &World) -> i64 {
    world.number(r#"select count(*) from "user""#).await
}

#[tokio::test]
async fn a_form_signs_nobody_up_for_a_schedule_that_cannot_be_joined() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let early = sale::make(&admin, (7200, 10_800), 1, 2, json!({})).await;
    let over = sale::make(&admin, (-60, -30), 1, 2, json!({})).await;
    let sold_out = sale::open(&admin, 1, 2, json!({})).await;
    let withdrawn = sale::open(&admin, 1, 2, json!({})).await;
    let path = format!("/v1/admin/schedules/{}/seats", sold_out.schedule);
    admin.patch(&path, json!({"seat_ids": sold_out.seats, "blocked": true})).await.ok(200);
    let path = format!("/v1/admin/concerts/{}", withdrawn.concert);
    admin.patch(&path, json!({"status": "UNAVAILABLE"})).await.ok(200);
    let sold_out = sold_out.schedule;
    until("the board knows that it is sold out", async || {
        let seen = admin.get(&format!("/v1/schedules/{sold_out}")).await.ok(200);
        (seen["phase"] == "SOLD_OUT").then_some(())
    })
    .await;
    let mut buyer = process.buyer().await;
    let before = user_count(&world).await;
    let schedules = [early.schedule, over.schedule, sold_out, withdrawn.schedule];
    for schedule in schedules.into_iter().chain([999_999, 0]) {
        let refusal = buyer.join(schedule).await;
        let path = format!("/schedules/{schedule}/wait");
        let answer = send(&process, &path, "do=join&name=Kim", &[OURS]).await;
        assert_eq!(answer.status, refusal.status, "as the API: {}", refusal.text);
        assert_eq!(answer.header("set-cookie"), "", "{}", refusal.text);
        assert_eq!(user_count(&world).await, before, "{}", refusal.text);
    }
}

#[tokio::test]
async fn a_form_signs_up_as_often_as_the_api_lets_its_address() {
    let world = World::new().await;
    let open = world.start().await;
    let sale = sale::open(&open.admin().await, 1, 5, json!({"capacity": 0})).await;
    let process = world.start_with(&[PROXY, "--address-joins=2"]).await;
    let path = format!("/schedules/{}/wait", sale.schedule);
    let whom = |address: &'static str| [OURS, ("x-forwarded-for", address)];
    // Joins have an allowance of their own, so one of two sign-ups is made by the API.
    let anybody = process.anonymous();
    let sign_up = anybody.request(Method::POST, "/v1/users").json(&json!({"name": "Kim"}));
    anybody.send(sign_up.header("x-forwarded-for", "203.0.113.9")).await.ok(201);
    let first = send(&process, &path, "do=join&name=Kim", &whom("203.0.113.9")).await;
    assert_eq!(first.status, 303, "{}", first.text);
    let before = user_count(&world).await;
    let refused = send(&process, &path, "do=join&name=Kim", &whom("203.0.113.9")).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert_eq!(refused.header("ratelimit-policy"), "\"sign-ups\";q=2;w=60");
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    assert_eq!(user_count(&world).await, before);
    let other = send(&process, &path, "do=join&name=Kim", &whom("198.51.100.4")).await;
    assert_eq!(other.status, 303);
}

#[tokio::test]
async fn a_form_whose_join_fails_after_the_sign_up_is_sent_again_as_the_same_user() {
    let mut world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({"capacity": 0})).await;
    let path = format!("/schedules/{}/wait", sale.schedule);
    process.anonymous().get(&format!("/v1/schedules/{}/queue", sale.schedule)).await.ok(200);
    let before = user_count(&world).await;
    // The board is a moment old when Redis dies, so that the form gets as far as the sign-up.
    world.redis.kill().await.expect("it dies");
    let refused = send(&process, &path, "do=join&name=Kim", &[OURS]).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    let made = user_count(&world).await - before;
    let cookie = refused.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    assert_eq!(made == 1, cookie.starts_with("onsale_place=~"), "{made} {cookie}");
    world.redis.restart().await.expect("it lives");
    if made == 1 {
        let page = open(&process.anonymous(), &path, &[("cookie", &cookie)]).await;
        assert_eq!(page.header("set-cookie"), "", "it is kept");
        let joined = until("the join", async || {
            let headers = [OURS, ("cookie", cookie.as_str())];
            let answer = send(&process, &path, "do=join&name=Kim", &headers).await;
            (answer.status == 303).then_some(answer)
        })
        .await;
        assert!(!joined.header("set-cookie").starts_with("onsale_place=~"));
        assert_eq!(user_count(&world).await, before + 1, "no second user");
    }
}
