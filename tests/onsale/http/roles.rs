//! Roles: every operation of staff, called with every role. A new operation fails here until this
//! file names the least role that it needs.

use onsale::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::program::command;
use crate::support::sale;
use crate::support::world::{Process, World, token};

/// Every operation of staff, with the least role that it needs.
const OPERATIONS: [(&str, &str, Role); 75] = [
    ("post", "/v1/admin/concerts", Role::Admin),
    ("patch", "/v1/admin/concerts/{id}", Role::Operator),
    ("post", "/v1/admin/concerts/{id}/schedules", Role::Admin),
    ("patch", "/v1/admin/schedules/{id}", Role::Operator),
    ("get", "/v1/admin/schedules/{id}/queue", Role::Viewer),
    ("patch", "/v1/admin/schedules/{id}/queue", Role::Operator),
    ("post", "/v1/admin/schedules/{id}/seats", Role::Admin),
    ("patch", "/v1/admin/schedules/{id}/seats", Role::Operator),
    ("get", "/v1/admin/schedules/{id}/seats/blocked", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/stats", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/stats/stream", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/next", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/report", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/report.csv", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/report/entries.csv", Role::Viewer),
    ("get", "/v1/admin/audit", Role::Viewer),
    ("get", "/v1/admin/health", Role::Viewer),
    ("post", "/v1/admin/webhooks", Role::Admin),
    ("get", "/v1/admin/webhooks", Role::Admin),
    ("get", "/v1/admin/webhooks/{id}", Role::Admin),
    ("patch", "/v1/admin/webhooks/{id}", Role::Admin),
    ("delete", "/v1/admin/webhooks/{id}", Role::Admin),
    ("post", "/v1/admin/webhooks/{id}/secret", Role::Admin),
    ("post", "/v1/admin/webhooks/{id}/test", Role::Admin),
    ("get", "/v1/admin/webhooks/{id}/deliveries", Role::Admin),
    ("post", "/v1/admin/webhooks/{id}/replay", Role::Admin),
    ("get", "/v1/admin/box-office/search", Role::BoxOffice),
    ("get", "/v1/admin/box-office/buyers/{id}", Role::BoxOffice),
    ("get", "/v1/admin/box-office/buyers/{id}/reservations", Role::BoxOffice),
    ("get", "/v1/admin/box-office/buyers/{id}/entries", Role::BoxOffice),
    ("get", "/v1/admin/box-office/buyers/{id}/history", Role::BoxOffice),
    ("post", "/v1/admin/box-office/buyers/{id}/places/{schedule_id}", Role::BoxOffice),
    ("post", "/v1/admin/box-office/buyers/{id}/recovery-code", Role::BoxOffice),
    ("get", "/v1/admin/box-office/seats/{id}", Role::BoxOffice),
    ("get", "/v1/admin/box-office/seats/{id}/history", Role::BoxOffice),
    ("post", "/v1/admin/box-office/payments/{id}/refund", Role::BoxOffice),
    ("post", "/v1/admin/box-office/holds/{hold_id}/refund", Role::BoxOffice),
    ("post", "/v1/admin/box-office/reservations/{id}/move", Role::BoxOffice),
    ("post", "/v1/admin/box-office/schedules/{id}/guests", Role::BoxOffice),
    ("get", "/v1/admin/box-office/schedules/{id}/guests", Role::BoxOffice),
    ("post", "/v1/admin/box-office/guests/{id}/revoke", Role::BoxOffice),
    ("get", "/v1/admin/concerts", Role::Viewer),
    ("get", "/v1/admin/concerts/{id}", Role::Viewer),
    ("get", "/v1/admin/concerts/{id}/schedules", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/seats/layout", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/seats/status", Role::Viewer),
    ("post", "/v1/admin/concerts/{id}/publish", Role::Admin),
    ("post", "/v1/admin/schedules/{id}/publish", Role::Admin),
    ("get", "/v1/admin/schedules/{id}/seats", Role::Viewer),
    ("put", "/v1/admin/schedules/{id}/seats", Role::Admin),
    ("patch", "/v1/admin/schedules/{id}/seats/prices", Role::Admin),
    ("delete", "/v1/admin/schedules/{id}/seats", Role::Admin),
    ("delete", "/v1/admin/schedules/{id}", Role::Admin),
    ("delete", "/v1/admin/concerts/{id}", Role::Admin),
    ("get", "/v1/admin/schedules/{id}/exports/{file}", Role::BoxOffice),
    ("get", "/v1/admin/schedules/{id}/refund", Role::BoxOffice),
    ("post", "/v1/admin/schedules/{id}/refund", Role::Operator),
    ("get", "/v1/admin/jobs", Role::Viewer),
    ("get", "/v1/admin/jobs/{id}", Role::Viewer),
    ("post", "/v1/admin/jobs/{id}/cancel", Role::Operator),
    ("get", "/v1/admin/users/{id}/data", Role::Admin),
    ("post", "/v1/admin/users/{id}/erase", Role::Admin),
    ("get", "/v1/admin/schedules/{id}/history", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/alerts", Role::Viewer),
    ("get", "/v1/admin/schedules/{id}/readiness", Role::Viewer),
    ("post", "/v1/admin/plan", Role::Viewer),
    ("post", "/v1/admin/simulations", Role::Operator),
    ("post", "/v1/admin/schedules/{id}/rehearsals", Role::Operator),
    ("get", "/v1/admin/schedules/{id}/rehearsals", Role::Viewer),
    ("get", "/v1/admin/rehearsals/{id}", Role::Viewer),
    ("delete", "/v1/admin/rehearsals/{id}", Role::Operator),
    ("get", "/v1/events", Role::Admin),
    ("get", "/v1/admin/event-feed", Role::Admin),
    ("patch", "/v1/admin/event-feed", Role::Admin),
];

/// Calls an operation with an empty body. Of a stream it reads only the head.
async fn call(client: &Client, schedule: i64, method: &str, pattern: &str) -> Answer {
    let verb = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).expect("a method");
    let id = if pattern.contains("/schedules/{id}") { schedule } else { 999_999 };
    let path = pattern.replace("{hold_id}", "019a2f10-4c3b-7d52-9e61-2f0a8c1b7d34");
    let path = path.replace("{schedule_id}", &schedule.to_string());
    let request = client.keyed().request(verb, &path.replace("{id}", &id.to_string()));
    let takes_body = ["post", "put", "patch"].contains(&method);
    let request = if takes_body { request.json(&json!({})) } else { request };
    if pattern.ends_with("/stream") {
        client.head(request).await
    } else {
        client.send(request).await
    }
}

/// The operations of the description that need a role, each with the role.
async fn described(process: &Process) -> Vec<(String, String, String, Value)> {
    let api = process.anonymous().get("/openapi.json").await.ok(200);
    let mut operations = Vec::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let schemes = operation["security"].as_array().cloned().unwrap_or_default();
            let role = schemes.iter().find_map(|one| one["bearer"][0].as_str().map(str::to_owned));
            if path.starts_with("/v1/admin/") || role.is_some() {
                let role = role.unwrap_or_default();
                operations.push((method.clone(), path.clone(), role, operation.clone()));
            }
        }
    }
    operations
}

#[tokio::test]
async fn every_operation_of_staff_names_its_least_role_and_refuses_lower_ones() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 2, json!({})).await;
    let person = process.buyer().await;
    let clients = Role::ALL.map(|role| (role, person.with_token(&token(person.user, role))));
    let operations = described(&process).await;
    for (method, path, role, operation) in &operations {
        let what = format!("{method} {path}");
        let known = OPERATIONS.iter().find(|(with, known, _)| *with == method && *known == path);
        let least = known.unwrap_or_else(|| panic!("{what}: name the least role")).2;
        assert_eq!(role, least.as_str(), "{what}: the description names another role");
        let text = operation["description"].as_str().expect("a description");
        assert!(text.contains(&format!("Needs a token with the role `{role}`")), "{what}: {text}");
        for (role, client) in &clients {
            let answer = call(client, sale.schedule, method, path).await;
            if *role < least {
                answer.refused(403, "forbidden");
                assert_eq!(answer.body["required_role"], least.as_str(), "{what}");
            } else {
                assert!(![401, 403].contains(&answer.status), "{what}: {}", answer.text);
            }
        }
    }
    assert_eq!(operations.len(), OPERATIONS.len(), "an operation of this file does not exist");
}

#[tokio::test]
async fn the_commands_issue_tokens_of_each_role_and_a_token_shows_its_role() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    let me = buyer.get("/v1/users/me").await.ok(200);
    assert_eq!(me["role"], "user");
    let run = |args: &[&str]| {
        let ran = command(&world, args).output().expect("the program");
        let out = String::from_utf8(ran.stdout).expect("text").trim().to_owned();
        (ran.status.code(), out, String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let user = buyer.user.to_string();
    for role in Role::ALL.into_iter().filter(|role| role.is_staff()) {
        let name = role.as_str();
        for args in [
            &["token", "--user", &user, "--role", name][..],
            &["admin", "create", "--name", "Staff", "--role", name],
        ] {
            let (code, token, errors) = run(args);
            assert_eq!(code, Some(0), "{errors}");
            let me = process.anonymous().with_token(&token).get("/v1/users/me").await.ok(200);
            assert_eq!(me["role"], name, "{args:?}");
        }
    }
    for wrong in [
        &["token", "--user", &user, "--role", "user"][..],
        &["token", "--user", &user, "--role", "Admin"],
        &["token", "--user", &user, "--role", "viewer", "--admin"],
        &["token", "--user", &user, "--role", "viewer", "--ttl", "0s"],
        &["admin", "create", "--ttl", "999ms"],
    ] {
        let (code, out, errors) = run(wrong);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{wrong:?}: {errors}");
    }
}
