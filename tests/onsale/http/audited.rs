//! The audit of administration: every operation of staff that changes something.

use reqwest::Method;
use serde_json::{Value, json};

use crate::box_office::scene::{BASE, Bought, Scene};
use crate::support::client::Client;
use crate::support::sale::{self, in_seconds};
use crate::support::wait::until;

/// Operations that are no change: they send a message, or calculate.
const NO_CHANGES: [&str; 3] =
    ["/v1/admin/webhooks/{id}/test", "/v1/admin/plan", "/v1/admin/simulations"];

/// One change: its method, its path in the description, the id in it, and its body.
type Change = (&'static str, &'static str, i64, Value);

/// Changes whose audit entry says what was before.
const WITH_BEFORE: [(&str, &str); 12] = [
    ("patch", "/v1/admin/concerts/{id}"),
    ("post", "/v1/admin/concerts/{id}/publish"),
    ("patch", "/v1/admin/schedules/{id}"),
    ("post", "/v1/admin/schedules/{id}/publish"),
    ("patch", "/v1/admin/schedules/{id}/queue"),
    ("put", "/v1/admin/schedules/{id}/seats"),
    ("delete", "/v1/admin/schedules/{id}/seats"),
    ("patch", "/v1/admin/schedules/{id}/seats/prices"),
    ("patch", "/v1/admin/event-feed"),
    ("patch", "/v1/admin/webhooks/{id}"),
    ("post", "/v1/admin/webhooks/{id}/secret"),
    ("delete", "/v1/admin/webhooks/{id}"),
];

fn section(name: &str, rows: u32) -> Value {
    json!({"sections": [{"name": name, "rows": rows, "seats_per_row": 2, "seat_price": 5}]})
}

fn times() -> Value {
    json!({"reservation_available_at": in_seconds(-9), "deadline_at": in_seconds(900),
           "concert_at": in_seconds(1_800)})
}

fn id_of(answer: &Value) -> i64 {
    answer["id"].as_i64().expect("an id")
}

/// Changes of concerts and schedules, and their removal.
async fn catalogue_changes(admin: &Client) -> Vec<Change> {
    let sale = sale::open(admin, 1, 2, json!({})).await;
    let block = json!({"seat_ids": [sale.seats[0]], "blocked": true});
    let draft = json!({"title": "Secret", "draft": true});
    let concert = id_of(&admin.post("/v1/admin/concerts", draft.clone()).await.ok(201));
    let other = id_of(&admin.post("/v1/admin/concerts", draft).await.ok(201));
    let hidden = sale::merged(times(), &json!({"draft": true}));
    let schedules = format!("/v1/admin/concerts/{concert}/schedules");
    let schedule = id_of(&admin.post(&schedules, hidden).await.ok(201));
    let prices = json!({"prices": [{"section": "C", "seat_price": 7}]});
    vec![
        ("post", "/v1/admin/concerts", 0, json!({"title": "Day"})),
        ("patch", "/v1/admin/concerts/{id}", sale.concert, json!({"title": "Noon"})),
        ("post", "/v1/admin/concerts/{id}/schedules", sale.concert, times()),
        ("patch", "/v1/admin/schedules/{id}", sale.schedule, times()),
        ("patch", "/v1/admin/schedules/{id}/seats", sale.schedule, block),
        ("patch", "/v1/admin/schedules/{id}/queue", sale.schedule, json!({"capacity": 7})),
        ("post", "/v1/admin/schedules/{id}/seats", schedule, section("B", 1)),
        ("put", "/v1/admin/schedules/{id}/seats", schedule, section("C", 2)),
        ("patch", "/v1/admin/schedules/{id}/seats/prices", schedule, prices),
        ("post", "/v1/admin/schedules/{id}/publish", schedule, json!({"concert": true})),
        ("post", "/v1/admin/concerts/{id}/publish", other, Value::Null),
        ("delete", "/v1/admin/schedules/{id}/seats", schedule, Value::Null),
        ("delete", "/v1/admin/schedules/{id}", schedule, Value::Null),
        ("delete", "/v1/admin/concerts/{id}", other, Value::Null),
    ]
}

/// Changes by the box office, for a buyer with four seats and a guest.
async fn box_office_changes(scene: &Scene) -> Vec<Change> {
    let Bought { buyer, hold, paid } = scene.buy(&[0, 1, 2, 3]).await;
    let payment = id_of(&paid["payments"][0]);
    let reservation = id_of(&hold["reservations"][1]);
    let give = |seat: usize| json!({"name": "Press", "seat_ids": [scene.sale.seats[seat]], "reason": "For the paper."});
    let guests = format!("/schedules/{}/guests", scene.sale.schedule);
    let given = scene.post(&guests, give(6)).await.ok(201);
    let guest = id_of(&given["reservations"][0]);
    let why = json!({"reason": "Asked."});
    let to = json!({"seat_id": scene.sale.seats[5], "reason": "The seat is broken."});
    let schedule = scene.sale.schedule;
    let mut waiting = scene.process.buyer().await;
    let full = sale::open(&scene.admin, 1, 2, json!({"capacity": 0})).await;
    waiting.join(full.schedule).await.ok(201);
    vec![
        ("post", "/v1/admin/box-office/payments/{id}/refund", payment, why.clone()),
        ("post", "/v1/admin/box-office/reservations/{id}/move", reservation, to),
        ("post", "/v1/admin/box-office/schedules/{id}/guests", schedule, give(7)),
        ("post", "/v1/admin/box-office/guests/{id}/revoke", guest, why.clone()),
        ("post", "/v1/admin/box-office/buyers/{id}/recovery-code", buyer.user, why.clone()),
        (
            "post",
            "/v1/admin/box-office/buyers/{id}/places/{schedule_id}",
            waiting.user,
            json!({"reason": "Asked.", "schedule_id": full.schedule}),
        ),
        (
            "post",
            "/v1/admin/box-office/holds/{hold_id}/refund",
            0,
            json!({"reason": "Asked.", "hold_id": hold["hold_id"]}),
        ),
    ]
}

/// The other changes: events, jobs and rehearsals.
async fn other_changes(scene: &Scene) -> Vec<Change> {
    let Scene { world, process, admin, sale, .. } = scene;
    let made = admin.post("/v1/admin/webhooks", json!({"url": "https://shop.example"})).await;
    let webhook = id_of(&made.ok(201));
    // It is not due before the test ends.
    let job = "insert into job (kind, requested_by, cancellable, due_at)
               select 'REFUND_SCHEDULE', min(id), true, now() + interval '1 h' from \"user\"
               returning id";
    let job = world.number(job).await;
    let user = process.buyer().await.user;
    let refund = json!({"seats": "FREE", "reason": "The artist is ill."});
    let erase = json!({"give_up_entitlements": false, "reason": "Asked."});
    let rehearse = json!({"buyers": 1, "early_seconds": 600, "late_seconds": 600,
                          "beside_open_sales": true});
    vec![
        ("patch", "/v1/admin/event-feed", 0, json!({"enabled": true})),
        ("post", "/v1/admin/webhooks", 0, json!({"url": "https://shop.example/new"})),
        ("patch", "/v1/admin/webhooks/{id}", webhook, json!({"description": "Shop"})),
        ("post", "/v1/admin/webhooks/{id}/secret", webhook, json!({"keep_previous_seconds": 60})),
        ("post", "/v1/admin/webhooks/{id}/replay", webhook, json!({"from": in_seconds(-9)})),
        ("delete", "/v1/admin/webhooks/{id}", webhook, Value::Null),
        ("post", "/v1/admin/jobs/{id}/cancel", job, Value::Null),
        ("post", "/v1/admin/schedules/{id}/rehearsals", sale.schedule, rehearse),
        ("delete", "/v1/admin/rehearsals/{id}", 1, Value::Null),
        ("post", "/v1/admin/schedules/{id}/refund", sale.schedule, refund),
        ("post", "/v1/admin/users/{id}/erase", user, erase),
    ]
}

async fn newest(admin: &Client) -> Value {
    admin.get("/v1/admin/audit?limit=1").await.ok(200)["items"][0].clone()
}

/// Sends a change, and before it a wrong one if it has a body. Checks the audit.
async fn check(admin: &Client, (method, pattern, id, mut body): Change) {
    let mut path = pattern.replace("{id}", &id.to_string());
    for name in ["schedule_id", "hold_id"] {
        if pattern.contains(name) {
            let value = body.as_object_mut().and_then(|body| body.remove(name));
            let value = value.expect("an id").to_string();
            path = path.replace(&format!("{{{name}}}"), value.trim_matches('"'));
        }
    }
    let verb = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).expect("a method");
    let last = newest(admin).await;
    let mut request = admin.keyed().request(verb.clone(), &path);
    if !body.is_null() {
        let wrong = admin.keyed().request(verb, &path).json(&json!({"x": 1}));
        admin.send(wrong).await.refused(422, "invalid_request");
        request = request.json(&body);
    }
    assert_eq!(newest(admin).await, last, "nothing was changed");
    let done = admin.send(request).await;
    assert_eq!(done.status / 100, 2, "{method} {path}: {}", done.text);
    let entry = newest(admin).await;
    assert!(entry["id"].as_i64() > last["id"].as_i64(), "{method} {path} is not audited");
    assert_eq!(entry["admin"], admin.user, "who");
    assert!(entry["action"].as_str().is_some_and(|what| what.contains('.')), "what: {entry}");
    assert!(entry["subject"].as_str().is_some_and(|subject| subject.contains(' ')), "{entry}");
    let from = &entry["before"];
    let has_before = WITH_BEFORE.contains(&(method, pattern));
    assert!(!has_before || from.is_object() && *from != entry["after"], "from: {entry}");
    assert!(entry["after"].is_object(), "to: {entry}");
    if pattern == "/v1/admin/schedules/{id}/refund" {
        // The end of the job is audited too, a moment later.
        let finished = async || (newest(admin).await["action"] == "job.finish").then_some(());
        until("the refund is done", finished).await;
    }
}

#[tokio::test]
async fn every_administrative_change_is_audited_and_refused_ones_are_not() {
    let scene = Scene::new(8).await;
    let admin = &scene.admin;
    let described = admin.get("/openapi.json").await.ok(200);
    let mut unchecked: Vec<(String, String)> = Vec::new();
    for (path, item) in described["paths"].as_object().expect("paths") {
        let methods = item.as_object().expect("operations").keys();
        let changes = methods.filter(|method| path.starts_with("/v1/admin/") && *method != "get");
        unchecked.extend(changes.map(|method| (method.clone(), path.clone())));
    }
    unchecked.retain(|(_, path)| !NO_CHANGES.contains(&path.as_str()));
    assert!(unchecked.iter().any(|(_, path)| path.starts_with(BASE)));
    let mut changes = catalogue_changes(admin).await;
    changes.extend(box_office_changes(&scene).await);
    changes.extend(other_changes(&scene).await);
    for change in changes {
        let (method, pattern) = (change.0.to_owned(), change.1.to_owned());
        check(admin, change).await;
        unchecked.retain(|one| *one != (method.clone(), pattern.clone()));
    }
    assert_eq!(unchecked, [], "operations whose audit this test does not check");
}
