//! Invalid requests at every route of the description: each invalid field is listed, and no answer
//! has words of the implementation.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::support::client::{Answer, Client};
use crate::support::sale::{self, Sale};
use crate::support::world::{Process, World};

/// Words that only readers of the code understand.
const INTERNAL: [&str; 40] = [
    "invalid type",
    "invalid value",
    "invalid length",
    "invalid digit",
    "expected",
    "unknown variant",
    "unknown field",
    "missing field",
    "duplicate field",
    "did not match",
    "untagged",
    "variant",
    "struct ",
    "enum ",
    "newtype",
    "tuple",
    "sequence",
    "map",
    "u8",
    "u16",
    "u32",
    "u64",
    "i32",
    "i64",
    "usize",
    "f64",
    "PhantomData",
    "Option",
    "Vec",
    "::",
    "serde",
    "garde",
    "line 1 column",
    "EOF",
    "UUID parsing failed",
    "premature end",
    "invalid characters",
    "out of range",
    "lower than",
    "greater than",
];

/// Values that are invalid for most fields.
const VALUES: [&str; 17] = [
    "null",
    "true",
    "-1",
    "0",
    "1.5",
    "1e400",
    "99999999999999999999",
    "9223372036854775807",
    "\"\"",
    "\"x\"",
    "\"a\\u0000b\"",
    "\"2026-13-45T99:99:99Z\"",
    "[]",
    "[[]]",
    "[null]",
    "{}",
    "{\"x\": {\"y\": []}}",
];

/// Bodies that are invalid as a whole.
const WHOLE: [&str; 12] = [
    "",
    "{",
    "nil",
    "[1,",
    "{\"a\": 1} 2",
    "[]",
    "7",
    "\"x\"",
    "null",
    "{}",
    "{\"surprise\": 1}",
    "{\"a\": \"\\ud800\"}",
];

/// One operation of the description.
struct Operation {
    method: Method,
    path: String,
    description: Value,
}

impl Operation {
    fn all(api: &Value) -> Vec<Self> {
        let mut all = Vec::new();
        for (path, item) in api["paths"].as_object().expect("paths") {
            for (method, description) in item.as_object().expect("operations") {
                let method = method.to_ascii_uppercase().parse().expect("a method");
                all.push(Self { method, path: path.clone(), description: description.clone() });
            }
        }
        all
    }

    /// The schema of its body; follows references.
    fn body<'a>(&self, api: &'a Value) -> Option<&'a Value> {
        let schema = self.description.pointer("/requestBody/content/application~1json/schema")?;
        let schema = schema["$ref"].as_str().expect("a named schema");
        Some(api.pointer(&schema[1..]).expect("a schema"))
    }

    fn path(&self, sale: &Sale) -> String {
        let id = if self.path.contains("/concerts/") { sale.concert } else { sale.schedule };
        let hold = uuid::Uuid::nil().to_string();
        let path = self.path.replace("{hold_id}", &hold).replace("{id}", &id.to_string());
        path.replace("{schedule_id}", &sale.schedule.to_string())
    }

    async fn send(&self, caller: &Client, path: &str, body: &str) -> Answer {
        let request = caller.keyed().request(self.method.clone(), path);
        let request = request.header("content-type", "application/json");
        let answer = caller.head(request.body(body.to_owned())).await;
        is_plain(&answer, &format!("{} {path} {body}", self.method));
        answer
    }
}

/// Fails if a refusal shows words of the implementation, or if the answer is a 5xx.
fn is_plain(answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {}", answer.text);
    if answer.status < 400 {
        return;
    }
    let details = answer.body["errors"].as_array().into_iter().flatten();
    let details = details.map(|error| &error["detail"]).chain([&answer.body["detail"]]);
    for detail in details.filter_map(Value::as_str) {
        let shown = INTERNAL.iter().find(|word| detail.contains(**word));
        assert_eq!(shown, None, "{what}: {detail}");
    }
}

/// A value of another type than the schema's.
fn of_another_type(api: &Value, schema: &Value) -> Value {
    let schema = schema["$ref"].as_str().map_or(schema, |path| api.pointer(&path[1..]).unwrap());
    let is = |kind: &str| schema["type"].to_string().contains(kind);
    if is("string") { json!(7) } else { json!("x") }
}

/// An administrator with an active ticket, who may call every operation.
async fn caller() -> (World, Process, Client, Sale, Value) {
    let world = World::new().await;
    let free = ["--user-requests=0", "--address-joins=0", "--address-requests=0"];
    let process = world.start_with(&free).await;
    let mut admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    admin.join(sale.schedule).await.ok(201);
    let api = admin.get("/openapi.json").await.ok(200);
    (world, process, admin, sale, api)
}

#[tokio::test]
async fn every_wrong_field_of_every_body_is_listed() {
    let (_world, _process, admin, sale, api) = caller().await;
    let mut bodies = 0;
    for operation in Operation::all(&api) {
        let Some(schema) = operation.body(&api) else { continue };
        let properties = schema["properties"].as_object().expect("properties");
        let mut body: Map<String, Value> = properties
            .iter()
            .map(|(name, schema)| (name.clone(), of_another_type(&api, schema)))
            .collect();
        body.insert("surprise".to_owned(), json!(1));
        let sent: BTreeSet<String> = body.keys().map(|name| format!("/{name}")).collect();
        let text = Value::Object(body).to_string();
        let answer = operation.send(&admin, &operation.path(&sale), &text).await;
        answer.refused(422, "invalid_request");
        let errors = answer.body["errors"].as_array().expect("errors").iter();
        let listed: Vec<String> =
            errors.map(|error| error["pointer"].as_str().unwrap().to_owned()).collect();
        let unique: BTreeSet<String> = listed.iter().cloned().collect();
        assert_eq!(unique, sent, "{} {}: {}", operation.method, operation.path, answer.text);
        assert_eq!(unique.len(), listed.len(), "a field is listed twice: {}", answer.text);
        bodies += 1;
    }
    assert!(bodies >= 12, "the description has bodies: {bodies}");
}

#[tokio::test]
async fn no_answer_to_an_invalid_body_shows_implementation_details() {
    let (_world, _process, admin, sale, api) = caller().await;
    let mut refused = 0;
    for operation in Operation::all(&api) {
        let Some(schema) = operation.body(&api) else { continue };
        let path = operation.path(&sale);
        for body in WHOLE {
            let answer = operation.send(&admin, &path, body).await;
            refused += usize::from(answer.status >= 400);
        }
        for name in schema["properties"].as_object().expect("properties").keys() {
            for value in VALUES {
                let answer =
                    operation.send(&admin, &path, &format!("{{\"{name}\": {value}}}")).await;
                refused += usize::from(answer.status >= 400);
            }
        }
    }
    assert!(refused > 500, "most of these are refused: {refused}");
}

#[tokio::test]
async fn no_answer_to_an_invalid_query_path_or_header_shows_implementation_details() {
    let (_world, _process, admin, sale, api) = caller().await;
    let mut listed = 0;
    for operation in Operation::all(&api) {
        let path = operation.path(&sale);
        for parameter in operation.description["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            let wrong = ["x", "", "-1", "1.5", "99999999999999999999", "%00", "%ff"];
            for value in wrong {
                let path = match parameter["in"].as_str() {
                    Some("query") => format!("{path}?{name}={value}&{name}={value}"),
                    Some("path") => operation.path.replace(&format!("{{{name}}}"), value),
                    _ => continue,
                };
                let answer = operation.send(&admin, &path, "{}").await;
                listed += usize::from(answer.code() == "invalid_request");
            }
        }
        if operation.description["parameters"].to_string().contains("Idempotency-Key") {
            for key in ["", "a b", &"k".repeat(256)] {
                let request = admin.with_key(key).request(operation.method.clone(), &path);
                is_plain(&admin.send(request.json(&json!({}))).await, &path);
            }
        }
    }
    assert!(listed > 50, "{listed}");
    let answer = admin.get("/v1/reservations?status=PAID&limit=0&cursor=%20").await;
    answer.refused(422, "invalid_request");
    let errors = answer.body["errors"].as_array().expect("errors");
    let pointers = errors.iter().map(|error| error["pointer"].as_str().unwrap());
    let pointers: BTreeSet<_> = pointers.collect();
    assert_eq!(pointers, ["/cursor", "/limit", "/status"].into(), "{}", answer.text);
}

#[tokio::test]
async fn every_route_refuses_a_body_that_is_compressed_or_in_another_charset() {
    let (_world, _process, admin, sale, api) = caller().await;
    let mut bodies = 0;
    for operation in Operation::all(&api) {
        if operation.body(&api).is_none() {
            continue;
        }
        let path = operation.path(&sale);
        let request = || admin.keyed().request(operation.method.clone(), &path).body("{}");
        for coding in ["gzip", "br", "unheard-of", "identity, gzip"] {
            let request = request().header("content-type", "application/json");
            let answer = admin.send(request.header("content-encoding", coding)).await;
            answer.refused(415, "unsupported_encoding");
        }
        for kind in ["application/json; charset=utf-16", "application/json; charset=euc-kr"] {
            let answer = admin.send(request().header("content-type", kind)).await;
            answer.refused(415, "unsupported_media_type");
        }
        bodies += 1;
    }
    assert!(bodies >= 12, "{bodies}");
}
