//! The form of the waiting page, for browsers without scripts: it signs up only users who can join.

use reqwest::Method;
use serde_json::json;

use crate::http::hostile::PROXY;
use crate::pages::page::{OURS, open, send};
use crate::support::client::{Answer, RETRIES};
use crate::support::sale::{self, Unjoinable};
use crate::support::wait::until;
use crate::support::world::{Process, World};

async fn user_count(world: &World) -> i64 {
    world.number(r#"select count(*) from "user""#).await
}

#[tokio::test]
async fn a_form_signs_nobody_up_for_a_schedule_that_cannot_be_joined() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let Unjoinable { early, over, sold_out, withdrawn } = sale::unjoinable(&admin).await;
    let sold_out = sold_out.schedule;
    until("the board shows that it is sold out", async || {
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
        assert_eq!(answer.status, refusal.status, "as in the API: {}", refusal.text);
        assert_eq!(answer.header("set-cookie"), "", "{}", refusal.text);
        assert_eq!(user_count(&world).await, before, "{}", refusal.text);
    }
}

#[tokio::test]
async fn sign_ups_by_form_count_towards_the_address_limit_of_the_api() {
    let world = World::new().await;
    let open = world.start().await;
    let sale = sale::open(&open.admin().await, 1, 5, json!({"capacity": 0})).await;
    let process = world.start_with(&[PROXY, "--address-joins=2"]).await;
    let path = format!("/schedules/{}/wait", sale.schedule);
    let from = |address: &'static str| [OURS, ("x-forwarded-for", address)];
    // Joins have a separate limit, so the API makes one of the two sign-ups.
    let anybody = process.anonymous();
    let sign_up = anybody.request(Method::POST, "/v1/users").json(&json!({"name": "Kim"}));
    anybody.send(sign_up.header("x-forwarded-for", "203.0.113.9")).await.ok(201);
    let first = send(&process, &path, "do=join&name=Kim", &from("203.0.113.9")).await;
    assert_eq!(first.status, 303, "{}", first.text);
    let before = user_count(&world).await;
    let refused = send(&process, &path, "do=join&name=Kim", &from("203.0.113.9")).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert_eq!(refused.header("ratelimit-policy"), "\"sign-ups\";q=2;w=60");
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    assert_eq!(user_count(&world).await, before);
    let other = send(&process, &path, "do=join&name=Kim", &from("198.51.100.4")).await;
    assert_eq!(other.status, 303);
}

#[tokio::test]
async fn a_form_resent_after_a_failed_join_uses_the_same_user() {
    let mut world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({"capacity": 0})).await;
    let path = format!("/schedules/{}/wait", sale.schedule);
    process.anonymous().get(&format!("/v1/schedules/{}/queue", sale.schedule)).await.ok(200);
    let before = user_count(&world).await;
    // The board is still recent when Redis stops, so that the form gets as far as the sign-up.
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
        assert_eq!(set_cookie(&page, "onsale_place"), None, "the cookie is kept");
        let joined = until("the join succeeds", async || {
            let headers = [OURS, ("cookie", cookie.as_str())];
            let answer = send(&process, &path, "do=join&name=Kim", &headers).await;
            (answer.status == 303).then_some(answer)
        })
        .await;
        assert!(!joined.header("set-cookie").starts_with("onsale_place=~"));
        assert_eq!(user_count(&world).await, before + 1, "no second user");
    }
}

/// The cookie with this name that an answer sets, as a browser sends it.
fn set_cookie(answer: &Answer, name: &str) -> Option<String> {
    let values = answer.headers.get_all("set-cookie").into_iter();
    let mut texts = values.filter_map(|value| value.to_str().ok());
    let cookie = texts.find(|text| text.starts_with(&format!("{name}=")))?;
    cookie.split(';').next().map(str::to_owned)
}

/// Sends a form, and again after each `503` as late as its `Retry-After` says.
async fn send_with_retries(
    process: &Process,
    path: &str,
    form: &str,
    headers: &[(&str, &str)],
) -> Answer {
    for _ in 0..RETRIES {
        let answer = send(process, path, form, headers).await;
        let Some(pause) = answer.retry_after() else { return answer };
        tokio::time::sleep(pause).await;
    }
    send(process, path, form, headers).await
}

#[tokio::test]
async fn a_form_sent_twice_creates_one_user_with_one_queue_entry() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let sale = sale::open(&process.admin().await, 1, 5, json!({"capacity": 0})).await;
    let path = format!("/schedules/{}/wait", sale.schedule);
    let before = user_count(&world).await;
    let page = open(&process.anonymous(), &path, &[]).await;
    let form = set_cookie(&page, "onsale_form").expect("a form's cookie");
    let cookie = page.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", &format!("Path=/schedules/{}", sale.schedule)] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let headers = [OURS, ("cookie", form.as_str())];
    let (first, other, headers) = (&process, &second, &headers[..]);
    let path = path.as_str();
    let presses = (0..6).map(|n| {
        let process = if n % 2 == 0 { first } else { other };
        send_with_retries(process, path, "do=join&name=Kim", headers)
    });
    let answers = futures_util::future::join_all(presses).await;
    assert_eq!(user_count(&world).await, before + 1);
    for answer in &answers {
        assert_eq!(answer.status, 303, "{}", answer.text);
        let place = set_cookie(answer, "onsale_place").expect("a place");
        let page = open(&process.anonymous(), path, &[("cookie", &place)]).await;
        assert!(page.text.contains("<p class=\"big figure\">1</p>"), "the first in the queue");
        assert_eq!(set_cookie(answer, "onsale_form").as_deref(), Some("onsale_form="), "used up");
    }
    // Two minutes later the same form creates a new user, and so does each browser without a form.
    let age = "update sign_up_form set created_at = created_at - interval '2 minutes'";
    sqlx::query(age).execute(&world.pool).await.expect("an update");
    send_with_retries(&process, path, "do=join&name=Lee", headers).await;
    assert_eq!(user_count(&world).await, before + 2);
    for _ in 0..2 {
        let headers = [OURS, ("cookie", "onsale_form=short")];
        send_with_retries(&process, path, "do=join&name=Park", &headers).await;
    }
    assert_eq!(user_count(&world).await, before + 4);
    let kept = "select count(*) from sign_up_form where length(form) = 32";
    assert_eq!(world.number(kept).await, 1, "only hashes are stored");
}

#[tokio::test]
async fn sign_in_redirects_return_only_to_pages_of_this_site() {
    let world = World::new().await;
    let process = world.start_with(&["--sign-in-url=https://shop.example/sign-in?client=7"]).await;
    let client = reqwest::Client::builder().no_proxy();
    let client = client.redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let to = async |query: &str, proto: &str| {
        let address = format!("http://{}/sign-in{query}", process.addr);
        let answer = client.get(address).header("x-forwarded-proto", proto).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status().as_u16(), 303);
        answer.headers()["location"].to_str().expect("a text").to_owned()
    };
    let shop = "https://shop.example/sign-in?client=7&return_to=";
    let encoded = |scheme: &str, path: &str| {
        let address = format!("{scheme}://{}{path}", process.addr);
        format!("{shop}{}", form_urlencoded::byte_serialize(address.as_bytes()).collect::<String>())
    };
    assert_eq!(
        to("?return_to=/schedules/7/wait", "https").await,
        encoded("https", "/schedules/7/wait")
    );
    for bad in [
        "?return_to=//evil.example",
        "?return_to=https://evil.example",
        "?return_to=/%5Cevil.example",
        "",
        "?x=1",
    ] {
        assert_eq!(to(bad, "http").await, encoded("http", "/"), "{bad}");
    }
    let page = open(&process.anonymous(), "/me", &[]).await;
    assert!(page.text.contains("\"sign_in\":true"));
    let without = world.start().await;
    let page = open(&without.anonymous(), "/me", &[]).await;
    assert!(page.text.contains("\"sign_in\":false"));
}
