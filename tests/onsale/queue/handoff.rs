//! Hand-off to another device: a code works once, for its owner's queue entry, for two minutes.

use chrono::{DateTime, TimeDelta, Utc};
use onsale::caller::{Lifetime, Role};
use onsale::queue::ticket::jwt::TicketKeys;
use onsale::queue::ticket::short_code::{CodeKeys, Purpose};
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::world::{Process, QUEUE_SECRET, World, token, token_within};

const MAKE: &str = "/v1/queue/ticket/handoff";
const REDEEM: &str = "/v1/handoffs";

/// A code for the ticket of a user.
async fn code(owner: &Client) -> String {
    let made = owner.post(MAKE, json!({})).await;
    assert_eq!(made.header("cache-control"), "no-store");
    made.ok(201)["code"].as_str().expect("a code").to_owned()
}

async fn redeem(process: &Process, code: &str) -> Answer {
    process.anonymous().post(REDEEM, json!({ "code": code })).await
}

/// The device that continues with a redeemed code.
fn device(process: &Process, redeemed: &Value) -> Client {
    let text = |name: &str| redeemed[name].as_str().expect("a text").to_owned();
    let client = process.anonymous().with_token(&text("access_token"));
    client.with_ticket(&text("queue_token"))
}

#[tokio::test]
async fn another_device_continues_with_the_same_queue_entry_and_user() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let mut owner = process.rich_buyer().await;
    let joined = owner.join(sale.schedule).await.ok(201);
    let redeemed = redeem(&process, &code(&owner).await).await.ok(201);
    assert_eq!(
        (&redeemed["schedule_id"], &redeemed["user"]["id"]),
        (&json!(sale.schedule), &json!(owner.user))
    );
    let other = device(&process, &redeemed);
    let seen = other.get("/v1/queue/ticket").await.ok(200);
    assert_eq!((&seen["ticket_id"], &seen["status"]), (&joined["ticket_id"], &json!("ACTIVE")));
    let hold = other.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    assert_eq!(owner.pay(&hold).await.status, 201, "both devices act as the owner");
}

#[tokio::test]
async fn a_hand_off_code_can_be_redeemed_once() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let mut owner = process.buyer().await;
    owner.join(sale.schedule).await.ok(201);
    let code = code(&owner).await;
    let tries = (0..20).map(|n| redeem(if n % 2 == 0 { &process } else { &second }, &code));
    let answers = futures_util::future::join_all(tries).await;
    let (first, rest): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((first.len(), rest.len()), (1, 19));
    for answer in rest {
        answer.refused(409, "handoff_used");
    }
}

#[tokio::test]
async fn invalid_and_expired_hand_off_codes_are_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let mut owner = process.buyer().await;
    owner.join(sale.schedule).await.ok(201);
    let ticket = owner.ticket.clone().expect("a ticket");
    let stream = owner.post("/v1/queue/ticket/stream-code", json!({})).await.ok(201);
    let good = code(&owner).await;
    let secrets = [QUEUE_SECRET.to_owned()];
    let read = TicketKeys::new(&secrets, "onsale").verify(&ticket).expect("a ticket");
    let keys = CodeKeys::new(Purpose::HandOff, &secrets, "onsale");
    let old = Utc::now() - TimeDelta::seconds(122);
    let access = Some(Lifetime { expires_at: Utc::now(), renew_until: None });
    let expired = keys.sign_with(&read, 1, access, old).expect("a code").0;
    let from_before_a_loss = keys.sign_with(&read, 0, access, Utc::now()).expect("a code").0;
    let without_access = keys.sign(&read, 1, Utc::now()).expect("a code").0;
    let stream = stream["code"].as_str().expect("a code");
    let changed = format!("{good}x");
    for wrong in ["x", &ticket, stream, &expired, &from_before_a_loss, &without_access, &changed] {
        redeem(&process, wrong).await.refused(409, "handoff_invalid");
    }
    redeem(&process, "").await.refused(422, "invalid_request");
    assert_eq!(redeem(&process, &good).await.status, 201, "the valid code still works");

    let stranger = process.buyer().await.with_ticket(&ticket);
    stranger.post(MAKE, json!({})).await.refused(403, "ticket_not_yours");
}

#[tokio::test]
async fn a_chain_of_hand_offs_never_outlives_the_token_it_began_with() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let mut owner = process.buyer().await;
    let expires_at = DateTime::from_timestamp(Utc::now().timestamp() + 60, 0).expect("a time");
    let short = Lifetime { expires_at, renew_until: None };
    owner.token = Some(token_within(owner.user, short));
    owner.join(sale.schedule).await.ok(201);
    for hop in 1..=3 {
        let redeemed = redeem(&process, &code(&owner).await).await.ok(201);
        assert_eq!(sale::expires_at(&redeemed), expires_at, "hop {hop}");
        owner = device(&process, &redeemed);
        owner.get("/v1/users/me").await.ok(200);
        let renewed = owner.post("/v1/users/me/token", json!({})).await;
        renewed.refused(403, "session_not_renewable");
        let coded = owner.post("/v1/users/me/recovery-code", json!({})).await;
        coded.refused(403, "session_not_renewable");
    }
}

#[tokio::test]
async fn a_handed_off_session_ends_at_the_same_time_on_both_devices() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let mut owner = process.buyer().await;
    let at = |seconds| DateTime::from_timestamp(Utc::now().timestamp() + seconds, 0);
    let (expires_at, end) = (at(60).expect("a time"), at(3600).expect("a time"));
    owner.token = Some(token_within(owner.user, Lifetime { expires_at, renew_until: Some(end) }));
    owner.join(sale.schedule).await.ok(201);
    let redeemed = redeem(&process, &code(&owner).await).await.ok(201);
    assert_eq!(sale::expires_at(&redeemed), expires_at);
    let other = device(&process, &redeemed);
    for device in [&owner, &other] {
        let renewed = device.post("/v1/users/me/token", json!({})).await;
        assert_eq!(renewed.header("cache-control"), "no-store");
        let renewed = sale::expires_at(&renewed.ok(201));
        assert_eq!(renewed, end, "the session's end, which is less than a day away");
    }
}

#[tokio::test]
async fn an_operators_session_cannot_be_handed_off() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let mut owner = process.buyer().await;
    owner.join(sale.schedule).await.ok(201);
    let operator = owner.with_token(&token(owner.user, Role::Admin));
    let refused = operator.post(MAKE, json!({})).await;
    refused.refused(403, "forbidden");
    assert!(refused.body["detail"].as_str().unwrap_or_default().contains("operator"));
    code(&owner).await;
}
