//! Adds the parts of the description that are not routes: licence, server, tags, headers and
//! examples.

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::http::api::problem::{ProblemCode, ProblemKind};

/// Tags, in the order in which a buyer needs them; the operator's tags come last.
const TAGS: [(&str, &str); 10] = [
    ("Catalogue", "Concerts, schedules and seat maps. Open to everybody."),
    ("Queue", "The waiting room of a schedule: join, poll, stream, hand over, leave."),
    ("Reservations", "Hold seats, and read holds and reservations."),
    ("Payments", "Pay a hold with points, and refund a payment."),
    ("Points", "The balance: charge it, read its history."),
    ("Identity", "Sign up, renew the token, and sign in with a recovery code."),
    (
        "Administration",
        "Create, control and settle sales. Each call names the least role it needs.",
    ),
    ("Box office", "Serve single buyers: find, refund, move, reissue; and the guest list."),
    ("Webhooks", "Events out: signed webhooks, and a feed. Needs a token with the role `admin`."),
    ("Operations", "Health, metrics, and the meaning of every problem code."),
];

/// A request and an answer of each operation, by operation id, recorded from a running service.
const EXAMPLES: &str = include_str!("examples.json");

/// Name of the security scheme of an access token: `security(("bearer" = []))` in a handler.
pub const BEARER: &str = "bearer";

/// The security scheme whose calls count against a user's quota.
const COUNTED: &str = BEARER;

/// Operations that count against a separate quota of the address.
const SCARCE: [&str; 3] = ["sign_up", "join", "redeem_recovery_code"];

/// Operations whose answers have `Retry-After`: the pause before the next poll.
const POLLED: [&str; 2] = ["poll", "join"];

/// Completes the description and returns it as JSON.
pub(super) fn finish(api: OpenApi) -> Value {
    let mut api = serde_json::to_value(api).unwrap_or_default();
    drop_null_defaults(&mut api);
    let license = env!("CARGO_PKG_LICENSE");
    api["info"]["license"] = json!({ "name": license, "identifier": license });
    api["servers"] =
        json!([{ "url": "/", "description": "The host that serves this description" }]);
    let tags = TAGS.map(|(name, description)| json!({ "name": name, "description": description }));
    api["tags"] = Value::Array(tags.to_vec());
    api["components"]["headers"] = headers();
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let paths =
        api.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
    for operation in paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        complete(operation, &id, &examples[&id]);
    }
    api
}

/// The components that describe response headers.
fn headers() -> Value {
    let header = |description: &str, kind: &str, example: Value| json!({ "description": description, "schema": { "type": kind }, "example": example });
    json!({
        "x-request-id": header(
            "The request's id, also in the problem's `instance`", "string",
            json!("01a204a3-6085-71f0-926c-0b548a1543cc")),
        "Retry-After": header("Seconds to wait before the next request", "integer", json!(2)),
        "RateLimit-Policy": header(
            "Each quota that applies: how many requests (`q`) in how many seconds (`w`)",
            "string", json!("\"user\";q=500;w=5")),
        "RateLimit": header(
            "What is left of each quota (`r`), and in how many seconds it is full again (`t`)",
            "string", json!("\"user\";r=499;t=1")),
        "Idempotency-Replayed": header(
            "`true` if this repeats the answer to an earlier request with the same key", "string",
            json!("true")),
        "WWW-Authenticate": header("How to authenticate", "string", json!("Bearer")),
    })
}

/// Removes every default of null. serde's attribute for an optional member creates it, and it is
/// not valid for most of these schemas.
fn drop_null_defaults(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("default") == Some(&Value::Null) {
                members.remove("default");
            }
            members.values_mut().for_each(drop_null_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_null_defaults),
        _ => {}
    }
}

fn complete(operation: &mut Value, id: &str, example: &Value) {
    for parameter in
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
    {
        describe_parameter(parameter);
    }
    let counted = operation["security"].to_string().contains(COUNTED) || SCARCE.contains(&id);
    let keyed = operation["parameters"].to_string().contains("Idempotency-Key");
    if let Some(request) = operation.pointer_mut("/requestBody/content/application~1json") {
        request["example"] = example["request"].clone();
    }
    for (status, response) in
        operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten()
    {
        let mut headers = vec!["x-request-id"];
        if status.starts_with(['2', '3']) {
            add_example(response, &example["response"]);
            headers
                .extend(counted.then_some(["RateLimit-Policy", "RateLimit"]).into_iter().flatten());
            headers.extend(keyed.then_some("Idempotency-Replayed"));
            headers.extend(POLLED.contains(&id).then_some("Retry-After"));
        } else {
            let codes = codes(response, status);
            add_problems(response, &codes);
            match status.as_str() {
                "401" => headers.push("WWW-Authenticate"),
                "429" => headers.extend(["Retry-After", "RateLimit-Policy", "RateLimit"]),
                "503" => headers.push("Retry-After"),
                _ => {}
            }
            headers
                .extend(codes.contains(&ProblemCode::RequestInProgress).then_some("Retry-After"));
        }
        for name in headers {
            response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
        }
    }
}

/// Adds an example to a common parameter, and a description if its handler has none.
fn describe_parameter(parameter: &mut Value) {
    let (description, example) = match parameter["name"].as_str().unwrap_or_default() {
        "id" => ("The id", json!(7)),
        "hold_id" => ("The hold", json!("019a2f10-4c3b-7d52-9e61-2f0a8c1b7d34")),
        "Idempotency-Key" => (
            "1 to 255 visible ASCII characters, the same in every retry of this request",
            json!("hold-5f0c1d"),
        ),
        "file" => ("The file", json!("payments.csv")),
        "If-Match" => (
            "The `ETag` of the state that this change is based on. If the state is another one by \
             now, the change is refused. Without this header it always applies",
            json!("\"4mJ0aN1c9cN1Zc0n\""),
        ),
        "schedule_id" => ("The schedule", json!(3)),
        "quantity" => ("Number of seats", json!(2)),
        "code" if parameter["in"] == "path" => ("The code", json!("seat_taken")),
        _ => return,
    };
    if parameter["description"].is_null() {
        parameter["description"] = json!(description);
    }
    parameter["example"] = example;
}

/// The codes of this status that a refusal's description names.
fn codes(response: &Value, status: &str) -> Vec<ProblemCode> {
    let words = response["description"].as_str().unwrap_or_default().split('`').skip(1).step_by(2);
    let of_status = |code: &ProblemCode| code.kind().status.as_str() == status;
    words.filter_map(ProblemCode::find).filter(of_status).collect()
}

fn add_example(response: &mut Value, example: &Value) {
    for (kind, content) in
        response.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten()
    {
        content["example"] = match kind.as_str() {
            "text/html" => json!("<!doctype html>…"),
            _ => example.clone(),
        };
    }
}

fn add_problems(response: &mut Value, codes: &[ProblemCode]) {
    let Some(content) = response.pointer_mut("/content/application~1problem+json") else {
        return;
    };
    for code in codes {
        let ProblemKind { code: name, title, .. } = code.kind();
        content["examples"][name] = json!({ "summary": title, "value": code.example() });
    }
}
