//! Going on with another device: a code is good once, for its owner's place, and for two minutes.

use onsale::queue::code::{CodeKeys, Purpose};
use onsale::queue::token::TicketKeys;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::world::{Process, QUEUE_SECRET, World};

const MAKE: &str = "/v1/queue/ticket/handoff";
const TAKE: &str = "/v1/handoffs";

/// A code for the ticket of somebody.
async fn code(owner: &Client) -> String {
    let made = owner.post(MAKE, json!({})).await;
    assert_eq!(made.header("cache-control"), "no-store");
    made.ok(201)["code"].as_str().expect("a code").to_owned()
}

async fn take(process: &Process, code: &str) -> Answer {
    process.anonymous().post(TAKE, json!({ "code": code })).await
}

/// The device that goes on with an answer.
fn device(process: &Process, taken: &Value) -> Client {
    let text = |name: &str| taken[name].as_str().expect("a text").to_owned();
    let client = process.anonymous().with_token(&text("access_token"));
    client.with_ticket(&text("queue_token"))
}

#[tokio::test]
async fn another_device_goes_on_in_the_same_place_in_the_same_name() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let mut owner = process.rich_buyer().await;
    let joined = owner.join(sale.schedule).await.ok(201);
    let taken = take(&process, &code(&owner).await).await.ok(201);
    assert_eq!(
        (&taken["schedule_id"], &taken["user"]["id"]),
        (&json!(sale.schedule), &json!(owner.user))
    );
    let other = device(&process, &taken);
    let seen = other.get("/v1/queue/ticket").await.ok(200);
    assert_eq!((&seen["ticket_id"], &seen["status"]), (&joined["ticket_id"], &json!("ACTIVE")));
    let hold = other.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    assert_eq!(owner.pay(&hold).await.status, 201, "both devices are the owner's");
}

#[tokio::test]
async fn of_all_who_have_a_code_one_goes_on() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let mut owner = process.buyer().await;
    owner.join(sale.schedule).await.ok(201);
    let code = code(&owner).await;
    let tries = (0..20).map(|n| take(if n % 2 == 0 { &process } else { &second }, &code));
    let answers = futures_util::future::join_all(tries).await;
    let (first, rest): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((first.len(), rest.len()), (1, 19));
    for answer in rest {
        answer.refused(409, "handoff_used");
    }
}

#[tokio::test]
async fn what_is_no_code_or_none_any_more_lets_nobody_go_on() {
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
    let old = chrono::Utc::now() - chrono::TimeDelta::seconds(122);
    let expired = keys.sign(&read, 1, old).expect("a code").0;
    let of_before_a_loss = keys.sign(&read, 0, chrono::Utc::now()).expect("a code").0;
    let stream = stream["code"].as_str().expect("a code");
    for wrong in ["x", &ticket, stream, &expired, &of_before_a_loss, &format!("{good}x")] {
        take(&process, wrong).await.refused(409, "handoff_invalid");
    }
    take(&process, "").await.refused(422, "invalid_request");
    assert_eq!(take(&process, &good).await.status, 201, "the good one still is");

    let stranger = process.buyer().await.with_ticket(&ticket);
    stranger.post(MAKE, json!({})).await.refused(403, "ticket_not_yours");
}
