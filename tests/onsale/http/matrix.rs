//! Access control: every operation of the description, called without a token, with a forged token,
//! by a user without a role, and by another user than the owner of the data. A new operation fails
//! here until this file says what another user gets.

use reqwest::Method;
use serde_json::{Value, json};

use crate::sale::refusals::{active_buyer, hold_path};
use crate::support::client::{Answer, Client};
use crate::support::sale::{self, Sale};
use crate::support::state;
use crate::support::world::{Process, World};

/// The answer to another user who uses the owner's ids, wherever a call takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Foreign {
    /// Everybody may call it, and gets the same answer.
    Public,
    /// The answer has only the caller's data, nothing of the owner's.
    Own,
    /// The owner's resource is not found.
    Absent(&'static str),
    /// The owner's ticket is refused.
    NotYours,
    /// Everybody who has the ticket may call it.
    Bearer,
    /// Only administrators may call it.
    Forbidden,
}

/// Every operation except those of administration.
const OPERATIONS: [(&str, &str, Foreign); 42] = [
    ("post", "/v1/users", Foreign::Public),
    ("get", "/v1/users/me", Foreign::Own),
    ("post", "/v1/users/me/token", Foreign::Own),
    ("post", "/v1/users/me/recovery-code", Foreign::Own),
    ("get", "/v1/users/me/recovery-code", Foreign::Own),
    ("post", "/v1/users/recover", Foreign::Public),
    ("get", "/v1/concerts", Foreign::Public),
    ("get", "/v1/concerts/{id}", Foreign::Public),
    ("get", "/v1/concerts/{id}/schedules", Foreign::Public),
    ("get", "/v1/schedules/{id}", Foreign::Public),
    ("get", "/v1/schedules/{id}/seats", Foreign::Public),
    ("get", "/v1/schedules/{id}/seats/stream", Foreign::Public),
    ("get", "/v1/schedules/{id}/seats/layout", Foreign::Public),
    ("get", "/v1/schedules/{id}/seats/status", Foreign::Public),
    ("get", "/v1/schedules/{id}/seats/best", Foreign::Public),
    ("get", "/v1/schedules/{id}/queue", Foreign::Public),
    ("get", "/v1/schedules/{id}/queue/draw", Foreign::Public),
    ("get", "/v1/schedules/{id}/queue/draw/entrants", Foreign::Public),
    ("post", "/v1/schedules/{id}/queue", Foreign::Own),
    ("get", "/v1/queue/ticket", Foreign::Bearer),
    ("post", "/v1/queue/ticket/stream-code", Foreign::Bearer),
    ("get", "/v1/queue/ticket/stream", Foreign::Bearer),
    ("post", "/v1/queue/ticket/handoff", Foreign::NotYours),
    ("post", "/v1/handoffs", Foreign::Public),
    ("delete", "/v1/queue/ticket", Foreign::NotYours),
    ("post", "/v1/schedules/{id}/reservations", Foreign::NotYours),
    ("get", "/v1/holds/{hold_id}", Foreign::Absent("hold_not_found")),
    ("delete", "/v1/holds/{hold_id}", Foreign::Absent("hold_not_found")),
    ("get", "/v1/reservations", Foreign::Own),
    ("get", "/v1/reservations/{id}", Foreign::Absent("reservation_not_found")),
    ("post", "/v1/payments", Foreign::Absent("hold_not_found")),
    ("get", "/v1/payments", Foreign::Own),
    ("post", "/v1/payments/{id}/refund", Foreign::Absent("payment_not_found")),
    ("get", "/v1/points", Foreign::Own),
    ("post", "/v1/points/charges", Foreign::Own),
    ("get", "/v1/points/history", Foreign::Own),
    ("get", "/v1/events", Foreign::Forbidden),
    ("get", "/problems", Foreign::Public),
    ("get", "/problems/{code}", Foreign::Public),
    ("get", "/livez", Foreign::Public),
    ("get", "/readyz", Foreign::Public),
    ("get", "/metrics", Foreign::Public),
];

fn foreign(method: &str, path: &str) -> Foreign {
    if path.starts_with("/v1/admin/") {
        return Foreign::Forbidden;
    }
    let known = OPERATIONS.iter().find(|(with, known, _)| *with == method && *known == path);
    known.unwrap_or_else(|| panic!("{method} {path}: add what another user gets")).2
}

/// The owner's data, which others try to name.
struct Owned {
    sale: Sale,
    hold: Value,
    payment: i64,
    ticket: String,
    owner: Client,
}

impl Owned {
    async fn make(process: &Process) -> Self {
        let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
        let mut owner = active_buyer(process, &sale).await;
        let paid = owner.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
        let paid = owner.pay(&paid).await.ok(201);
        owner.join(sale.schedule).await.ok(201);
        let hold = owner.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
        let payment = paid["payments"][0]["id"].as_i64().expect("an id");
        let ticket = owner.ticket.clone().expect("a ticket");
        Self { sale, hold, payment, ticket, owner }
    }

    /// A path with the owner's ids in it.
    fn path(&self, pattern: &str) -> String {
        let id = match pattern {
            _ if pattern.contains("/reservations/") => self.hold["reservations"][0]["id"].clone(),
            _ if pattern.contains("/payments/") => self.payment.into(),
            _ if pattern.contains("/concerts/") => self.sale.concert.into(),
            _ => self.sale.schedule.into(),
        };
        let hold = self.hold["hold_id"].as_str().expect("a hold");
        let query = if pattern.ends_with("/seats/best") { "?quantity=1" } else { "" };
        pattern
            .replace("{hold_id}", hold)
            .replace("{code}", "seat_taken")
            .replace("{schedule_id}", &self.sale.schedule.to_string())
            .replace("{id}", &id.to_string())
            + query
    }

    /// A valid body, so that only the caller can be a reason for refusal.
    fn body(&self, pattern: &str) -> Value {
        match pattern {
            "/v1/users" => json!({"name": "Kim"}),
            "/v1/users/recover" => json!({"code": "x"}),
            "/v1/payments" => json!({"hold_id": self.hold["hold_id"]}),
            "/v1/points/charges" => json!({"amount": 7}),
            "/v1/schedules/{id}/reservations" => json!({"quantity": 1}),
            _ => json!({}),
        }
    }

    /// Calls an operation; of a stream it reads only the head, because a stream does not end.
    async fn call(&self, client: &Client, method: &str, pattern: &str) -> Answer {
        let verb = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).expect("a method");
        let request = client.keyed().request(verb, &self.path(pattern));
        let takes_body = ["post", "patch"].contains(&method);
        let request = if takes_body { request.json(&self.body(pattern)) } else { request };
        if pattern.ends_with("/stream") {
            client.head(request).await
        } else {
            client.send(request).await
        }
    }

    /// Fails if an answer has data of the owner.
    #[track_caller]
    fn not_in(&self, answer: &Answer, what: &str) {
        let hold = self.hold["hold_id"].as_str().expect("a hold");
        for secret in [hold, &self.ticket, self.owner.token.as_deref().expect("a token")] {
            assert!(!answer.text.contains(secret), "{what}: {}", answer.text);
        }
        let theirs = answer.body["id"] == self.owner.user || answer.body["amount"] == 999_900;
        assert!(!theirs, "{what}: {}", answer.text);
        // The other user's history has only charges.
        let items = answer.body["items"].as_array().into_iter().flatten();
        assert!(items.map(|item| &item["kind"]).all(|kind| kind == "CHARGE"), "{what}");
    }
}

/// Every operation of the description: its method, its path, and whether it needs an access token
/// and a ticket.
async fn described(process: &Process) -> Vec<(String, String, bool, bool)> {
    let api = process.anonymous().get("/openapi.json").await.ok(200);
    let mut operations = Vec::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let schemes = operation["security"].as_array().cloned().unwrap_or_default();
            let needs = |name: &str| schemes.iter().any(|scheme| scheme.get(name).is_some());
            let (bearer, ticket) = (needs("bearer"), needs("queue_token"));
            operations.push((method.clone(), path.clone(), bearer, ticket));
        }
    }
    operations
}

#[tokio::test]
async fn every_route_that_is_not_public_refuses_missing_and_forged_tokens() {
    let world = World::new().await;
    let process = world.start_with(&["--open-signup=false"]).await;
    let maker = world.start().await;
    let owned = Owned::make(&maker).await;
    let before = state::snapshot(&world, &[owned.sale.schedule]).await;
    let operations = described(&process).await;
    for (method, path, bearer, ticket) in &operations {
        let what = format!("{method} {path}");
        let public = foreign(method, path) == Foreign::Public;
        assert_eq!(public, !bearer && !ticket, "{what}: the description has another security");
        let anonymous = process.anonymous();
        let forged = anonymous.with_token("e30.e30.e30").with_ticket("e30.e30.e30");
        let with_ticket = anonymous.with_ticket(&owned.ticket);
        for caller in [&anonymous, &forged, &with_ticket] {
            let answer = owned.call(caller, method, path).await;
            let code = if *bearer { "unauthenticated" } else { "ticket_invalid" };
            match (public, caller.ticket.as_ref() == Some(&owned.ticket) && !bearer) {
                (true, _) => assert!(![401, 500].contains(&answer.status), "{what}"),
                (false, true) => assert_eq!(answer.status / 100, 2, "{what}: a ticket is enough"),
                (false, false) => answer.refused(401, code),
            }
            assert!(public || answer.header("cache-control") == "no-store", "{what}");
        }
    }
    assert_eq!(operations.len() - OPERATIONS.len(), 74, "every route of administration");
    assert_eq!(state::snapshot(&world, &[owned.sale.schedule]).await, before);
}

#[tokio::test]
async fn no_route_shows_or_changes_what_belongs_to_another_user() {
    let world = World::new().await;
    let process = world.start().await;
    let owned = Owned::make(&process).await;
    let stranger = active_buyer(&process, &owned.sale).await;
    let with_ticket = stranger.with_ticket(&owned.ticket);
    let (mut asked, mut before) = (0, state::snapshot(&world, &[owned.sale.schedule]).await);
    for (method, path, ..) in described(&process).await {
        let what = format!("{method} {path}");
        let answer = owned.call(&with_ticket, &method, &path).await;
        match foreign(&method, &path) {
            Foreign::Public | Foreign::Bearer => continue,
            Foreign::Own => {
                owned.not_in(&answer, &what);
                assert_eq!(answer.status / 100, 2, "{what}: {}", answer.text);
                before = state::snapshot(&world, &[owned.sale.schedule]).await;
            }
            Foreign::Absent(code) => answer.refused(404, code),
            Foreign::NotYours => answer.refused(403, "ticket_not_yours"),
            Foreign::Forbidden => answer.refused(403, "forbidden"),
        }
        assert_eq!(state::snapshot(&world, &[owned.sale.schedule]).await, before, "{what}");
        asked += 1;
    }
    assert!(asked >= 25, "every route that is not public: {asked}");
    owned.owner.get(&hold_path(&owned.hold)).await.ok(200);
    assert_eq!(owned.owner.get("/v1/points").await.ok(200)["amount"], 999_900);
}
