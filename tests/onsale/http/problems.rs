//! The pages of problem codes, and the `Location` of created resources.

use onsale::http::api::problem::ProblemCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::world::World;

async fn page(client: &Client, path: &str, language: &str) -> Answer {
    let request = client.request(Method::GET, path).header("accept", "text/html,*/*;q=0.8");
    client.send(request.header("accept-language", language)).await
}

#[tokio::test]
async fn the_type_of_a_problem_links_to_its_description() {
    let world = World::new().await;
    let process = world.start().await;
    let anybody = process.anonymous();
    let refused = anybody.get("/v1/users/me").await;
    refused.refused(401, "unauthenticated");
    let meaning = anybody.get(refused.body["type"].as_str().expect("a type")).await.ok(200);
    assert_eq!(meaning["code"], "unauthenticated");
    assert_eq!(meaning["title"], refused.body["title"]);
    assert_eq!(meaning["example"]["type"], refused.body["type"]);

    let all = anybody.get("/problems").await.ok(200);
    let all = all["items"].as_array().expect("items");
    assert_eq!(all.len(), ProblemCode::ALL.len());
    for described in all {
        let path = described["type"].as_str().expect("a type");
        let answer = anybody.get(path).await;
        assert_eq!(answer.header("vary"), "accept", "{path}");
        assert_eq!(answer.ok(200), *described, "{path}");
    }
    anybody.get("/problems/no_such_code").await.refused(404, "not_found");
}

#[tokio::test]
async fn a_browser_gets_a_page_for_every_problem_code() {
    let world = World::new().await;
    let process = world.start().await;
    let anybody = process.anonymous();
    for (language, heading) in [("en", "What to do"), ("ko", "조치 방법")] {
        let list = page(&anybody, "/problems", language).await;
        assert_eq!(list.status, 200);
        for code in ProblemCode::ALL {
            let kind = code.kind();
            assert!(list.text.contains(&format!("href=\"/problems/{}\"", kind.code)));
            let one = page(&anybody, &code.reference(), language).await;
            assert_eq!(one.status, 200, "{}", kind.code);
            assert!(one.header("content-type").starts_with("text/html"));
            for text in [kind.code, heading, &format!("<html lang=\"{language}\"")] {
                assert!(one.text.contains(text), "{}: {text} is not in the page", kind.code);
            }
        }
    }
    let absent = page(&anybody, "/problems/no_such_code", "en").await;
    assert_eq!(absent.status, 404);
    assert!(absent.header("content-type").starts_with("text/html"));
}

/// Fails unless the answer is a 201 whose `Location` the client can fetch; returns the body.
async fn created(client: &Client, answer: Answer) -> Value {
    let location = answer.header("location").to_owned();
    assert!(location.starts_with("/v1/"), "{location:?}: {}", answer.text);
    let body = answer.ok(201);
    client.get(&location).await.ok(200);
    body
}

#[tokio::test]
async fn the_location_of_a_created_resource_can_be_fetched() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let concert = admin.post("/v1/admin/concerts", json!({"title": "Night"})).await;
    let concert = created(&admin, concert).await["id"].clone();
    let times = json!({"reservation_available_at": sale::in_seconds(600),
        "deadline_at": sale::in_seconds(1200), "concert_at": sale::in_seconds(1800)});
    let schedule = admin.post(&format!("/v1/admin/concerts/{concert}/schedules"), times).await;
    let schedule = created(&admin, schedule).await["id"].clone();
    let section = json!({"name": "A", "rows": 1, "seats_per_row": 2, "seat_price": 5});
    let path = format!("/v1/admin/schedules/{schedule}/seats");
    created(&admin, admin.post(&path, json!({"sections": [section]})).await).await;

    let signed_up = process.anonymous().post("/v1/users", json!({"name": "Kim"})).await;
    let token = signed_up.body["access_token"].as_str().expect("a token").to_owned();
    created(&process.anonymous().with_token(&token), signed_up).await;

    let sale = sale::open(&admin, 1, 3, json!({})).await;
    let mut buyer = process.buyer().await;
    let joined = buyer.join(sale.schedule).await;
    created(&buyer, joined).await;
    let path = format!("/v1/schedules/{}/reservations", sale.schedule);
    let buyer = buyer.keyed();
    let held = buyer.post(&path, json!({"quantity": 1})).await;
    let location = held.header("location").to_owned();
    created(&buyer, held).await;
    let again = buyer.post(&path, json!({"quantity": 1})).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("location"), location, "a replay has the same location");

    let code = buyer.post("/v1/queue/ticket/handoff", json!({})).await.ok(201)["code"].clone();
    let taken = process.anonymous().post("/v1/handoffs", json!({"code": code})).await;
    let ticket = taken.body["queue_token"].as_str().expect("a ticket").to_owned();
    created(&process.anonymous().with_ticket(&ticket), taken).await;
}

/// Creations without a path: codes are shown once; charges, payments and guests are in lists.
const WITHOUT_PATH: [&str; 7] = [
    "make_stream_code",
    "make_handoff",
    "pay",
    "charge",
    "reissue_place",
    "reissue_recovery_code",
    "give_seats",
];

#[tokio::test]
async fn every_creation_is_described_with_its_location_or_has_no_path() {
    let world = World::new().await;
    let api = world.start().await.anonymous().get("/openapi.json").await.ok(200);
    let items = api["paths"].as_object().expect("paths").values();
    let mut creations = 0;
    for operation in items.flat_map(|item| item.as_object().expect("operations").values()) {
        let Some(answer) = operation["responses"].get("201") else { continue };
        let id = operation["operationId"].as_str().expect("an id");
        let described = answer["headers"].get("Location").is_some();
        assert_eq!(described, !WITHOUT_PATH.contains(&id), "{id}");
        creations += 1;
    }
    assert_eq!(creations, 19);
}

#[tokio::test]
async fn an_answer_says_whether_a_token_is_missing_or_not_valid_and_which_role_is_needed() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 3, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let detail = async |client: &Client, path: &str, status: u16, code: &str| {
        let refused = client.get(path).await;
        refused.refused(status, code);
        refused.body["detail"].as_str().expect("a detail").to_owned()
    };
    let me = "/v1/users/me";
    let missing = detail(&buyer.without_token(), me, 401, "unauthenticated").await;
    let invalid = detail(&buyer.with_token("e30.e30.e30"), me, 401, "unauthenticated").await;
    assert!(missing.contains("missing") && invalid.contains("not valid"), "{missing} {invalid}");
    let ticket = "/v1/queue/ticket";
    let missing = detail(&buyer.without_ticket(), ticket, 401, "ticket_invalid").await;
    let invalid = detail(&buyer.with_ticket("e30.e30.e30"), ticket, 401, "ticket_invalid").await;
    assert!(missing.contains("missing") && invalid.contains("not valid"), "{missing} {invalid}");
    let refused = buyer.get("/v1/admin/health").await;
    refused.refused(403, "forbidden");
    assert_eq!(refused.body["required_role"], "viewer");
    assert!(refused.body["detail"].as_str().unwrap().contains("role viewer"));
}
