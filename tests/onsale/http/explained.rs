//! The API's description explains every operation, with examples, and has only valid defaults.

use serde_json::Value;

use crate::http::description::operations;
use crate::support::world::World;

/// What a described response lacks.
fn missing_in_response(status: &str, response: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    if response["description"].as_str().is_none_or(str::is_empty) {
        missing.push(format!("{status}: no description"));
    }
    for (kind, content) in response["content"].as_object().into_iter().flatten() {
        let examples = content["examples"].as_object().is_some_and(|them| !them.is_empty());
        if content["example"].is_null() && !examples {
            missing.push(format!("{status} {kind}: no example"));
        }
    }
    let waits = ["429", "503"].contains(&status);
    if waits && response["headers"].get("Retry-After").is_none() {
        missing.push(format!("{status}: no Retry-After"));
    }
    missing
}

#[tokio::test]
async fn every_operation_has_a_description_and_examples() {
    let world = World::new().await;
    let api = world.start().await.anonymous().get("/openapi.json").await.ok(200);
    let mut missing = Vec::new();
    for (id, operation) in operations(&api) {
        for text in ["summary", "description"] {
            if operation[text].as_str().is_none_or(str::is_empty) {
                missing.push(format!("{id}: no {text}"));
            }
        }
        let body = operation.pointer("/requestBody/content/application~1json");
        if body.is_some_and(|body| body["example"].is_null()) {
            missing.push(format!("{id}: no example of a request"));
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let example = !parameter["example"].is_null();
            if parameter["required"] == true && (!example || parameter["description"].is_null()) {
                missing.push(format!("{id}: {} is not explained", parameter["name"]));
            }
        }
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let lacks = missing_in_response(status, response);
            missing.extend(lacks.into_iter().map(|what| format!("{id} {what}")));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    let tags: Vec<_> = api["tags"].as_array().expect("tags").iter().map(|it| &it["name"]).collect();
    assert_eq!(tags[0], "Catalogue");
    for (id, operation) in operations(&api) {
        assert!(tags.contains(&&operation["tags"][0]), "{id} has a tag that is not listed");
    }
    assert_eq!(api["info"]["license"]["identifier"], "MIT OR Apache-2.0");
    assert!(api["servers"][0]["url"].is_string());
}

#[tokio::test]
async fn every_schema_default_is_a_valid_value() {
    fn defaults<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
        match value {
            Value::Object(members) => {
                if members.contains_key("default") {
                    found.push(value);
                }
                members.values().for_each(|member| defaults(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| defaults(item, found)),
            _ => {}
        }
    }
    let world = World::new().await;
    let api = world.start().await.anonymous().get("/openapi.json").await.ok(200);
    let mut found = Vec::new();
    defaults(&api, &mut found);
    assert!(!found.is_empty(), "lists have a default limit");
    for schema in found {
        let value = &schema["default"];
        let is_valid = match schema["type"].as_str() {
            Some("integer") => value.is_i64(),
            Some("boolean") => value.is_boolean(),
            _ => false,
        };
        assert!(is_valid, "{schema}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_utf8_is_a_problem_too() {
    let world = World::new().await;
    let process = world.start().await;
    for path in ["/problems/%ff", "/problems/%C0%80", "/docs/%ff", "/v1/concerts/%ff", "/%ff"] {
        process.anonymous().get(path).await.refused(404, "not_found");
    }
}
