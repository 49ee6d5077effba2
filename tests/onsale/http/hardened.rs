//! Security headers and cache headers of answers, and the audit of administration.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sale::{self, Sale, in_seconds};
use crate::support::wait::until;
use crate::support::world::{Process, World};

#[tokio::test]
async fn every_answer_has_nosniff_and_private_answers_are_not_cached() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 2, json!({"capacity": 0})).await;
    let mut person = process.buyer().await;
    let mut private = vec![person.join(sale.schedule).await];
    until("the board shows the entry", async || {
        (person.poll().await.body["waiting"] == 1).then_some(())
    })
    .await;
    private.push(person.poll().await);
    for path in ["/v1/users/me", "/v1/points", "/v1/reservations", "/v1/payments", "/nowhere"] {
        private.push(person.get(path).await);
    }
    private.push(person.post("/v1/users", json!({"name": "Kim"})).await);
    private.push(process.anonymous().get("/v1/points").await);
    for answer in &private {
        assert_eq!(answer.header("cache-control"), "no-store", "{}", answer.text);
    }
    let schedule = format!("/v1/schedules/{}", sale.schedule);
    let mut answers = private;
    for path in [schedule.as_str(), &format!("{schedule}/queue"), "/v1/concerts"] {
        let public = person.get(path).await;
        assert_eq!(public.header("cache-control"), "public, max-age=1", "{path}");
        assert!(public.header("ratelimit").is_empty(), "a cache would send it to others");
        answers.push(public);
    }
    let page = person.get("/docs/").await;
    for (name, value) in [("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")] {
        assert_eq!(page.header(name), value);
    }
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!page.text.contains("<script>"), "no script that the policy refuses");
    answers.extend([page, person.get("/livez").await, person.get("/openapi.json").await]);
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{}", answer.text);
    }
}

/// One change of each kind, and whether its audit entry has a `before`.
fn changes(sale: &Sale) -> Vec<(&'static str, &'static str, Value, bool)> {
    let times = json!({"reservation_available_at": in_seconds(-9), "deadline_at": in_seconds(900),
                       "concert_at": in_seconds(1_800)});
    let section = json!({"name": "B", "rows": 1, "seats_per_row": 2, "seat_price": 5});
    let block = json!({"seat_ids": [sale.seats[0]], "blocked": true});
    vec![
        ("post", "/v1/admin/concerts", json!({"title": "Day"}), false),
        ("patch", "/v1/admin/concerts/{id}", json!({"title": "Noon"}), true),
        ("post", "/v1/admin/concerts/{id}/schedules", times.clone(), false),
        ("patch", "/v1/admin/schedules/{id}", times, true),
        ("post", "/v1/admin/schedules/{id}/seats", json!({"sections": [section]}), false),
        ("patch", "/v1/admin/schedules/{id}/seats", block, false),
        ("patch", "/v1/admin/schedules/{id}/queue", json!({"capacity": 7}), true),
        ("patch", "/v1/admin/event-feed", json!({"enabled": true}), true),
        ("post", "/v1/admin/webhooks", json!({"url": "https://shop.example/new"}), false),
        ("patch", "/v1/admin/webhooks/{id}", json!({"description": "Shop"}), true),
        ("post", "/v1/admin/webhooks/{id}/secret", json!({"keep_previous_seconds": 60}), true),
        ("post", "/v1/admin/webhooks/{id}/replay", json!({"from": in_seconds(-9)}), false),
        ("delete", "/v1/admin/webhooks/{id}", Value::Null, true),
        ("post", "/v1/admin/jobs/{id}/cancel", Value::Null, false),
        (
            "post",
            "/v1/admin/schedules/{id}/refund",
            json!({"seats": "FREE", "reason": "The artist is ill."}),
            false,
        ),
        (
            "post",
            "/v1/admin/users/{id}/erase",
            json!({"give_up_entitlements": false, "reason": "Asked."}),
            false,
        ),
    ]
}

/// The ids that the changes are about.
struct Ids {
    sale: Sale,
    webhook: i64,
    job: i64,
    user: i64,
}

impl Ids {
    async fn make(world: &World, process: &Process, admin: &Client) -> Self {
        let sale = sale::open(&process.admin().await, 1, 2, json!({})).await;
        let webhook =
            admin.post("/v1/admin/webhooks", json!({"url": "https://shop.example"})).await;
        let webhook = webhook.ok(201)["id"].as_i64().expect("an id");
        // It is not due before the test ends.
        let job = "insert into job (kind, requested_by, cancellable, due_at)
                   select 'REFUND_SCHEDULE', min(id), true, now() + interval '1 h' from \"user\"
                   returning id";
        let job = world.number(job).await;
        Self { sale, webhook, job, user: process.buyer().await.user }
    }

    fn path(&self, pattern: &str) -> String {
        let id = match pattern {
            _ if pattern.contains("/concerts/") => self.sale.concert,
            _ if pattern.contains("/webhooks/") => self.webhook,
            _ if pattern.contains("/jobs/") => self.job,
            _ if pattern.contains("/users/") => self.user,
            _ => self.sale.schedule,
        };
        pattern.replace("{id}", &id.to_string())
    }
}

async fn newest(admin: &Client) -> Value {
    admin.get("/v1/admin/audit?limit=1").await.ok(200)["items"][0].clone()
}

#[tokio::test]
async fn every_administrative_change_is_audited_and_refused_ones_are_not() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let ids = Ids::make(&world, &process, &admin).await;
    let described = admin.get("/openapi.json").await.ok(200);
    let mut unchecked: Vec<(String, String)> = Vec::new();
    for (path, item) in described["paths"].as_object().expect("paths") {
        let methods = item.as_object().expect("operations").keys();
        let changes = methods.filter(|method| path.starts_with("/v1/admin/") && *method != "get");
        unchecked.extend(changes.map(|method| (method.clone(), path.clone())));
    }
    // It sends a message, and changes nothing.
    unchecked.retain(|(_, path)| path != "/v1/admin/webhooks/{id}/test");
    for (method, pattern, body, has_before) in changes(&ids.sale) {
        let path = ids.path(pattern);
        let verb = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).expect("a method");
        let last = newest(&admin).await;
        let mut request = admin.keyed().request(verb.clone(), &path);
        if !body.is_null() {
            let wrong = admin.keyed().request(verb, &path).json(&json!({"x": 1}));
            admin.send(wrong).await.refused(422, "invalid_request");
            request = request.json(&body);
        }
        assert_eq!(newest(&admin).await, last, "nothing was changed");
        let done = admin.send(request).await;
        assert_eq!(done.status / 100, 2, "{path}: {}", done.text);
        let entry = newest(&admin).await;
        assert!(entry["id"].as_i64() > last["id"].as_i64(), "{method} {path} is not audited");
        assert_eq!(entry["admin"], admin.user, "who");
        assert!(entry["action"].as_str().is_some_and(|what| what.contains('.')), "what: {entry}");
        assert!(entry["subject"].as_str().is_some_and(|subject| subject.contains(' ')), "{entry}");
        let from = &entry["before"];
        assert!(!has_before || from.is_object() && *from != entry["after"], "from: {entry}");
        assert!(entry["after"].is_object(), "to: {entry}");
        unchecked.retain(|one| *one != (method.to_owned(), pattern.to_owned()));
        if pattern.ends_with("/refund") {
            // The end of the job is audited too, a moment later.
            let finished = async || (newest(&admin).await["action"] == "job.finish").then_some(());
            until("the refund is done", finished).await;
        }
    }
    assert_eq!(unchecked, [], "operations whose audit this test does not check");
}
