use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use tower::ServiceExt;
use utoipa_axum::routes;

use super::*;

#[utoipa::path(
    post, path = "/v1/things",
    security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header)), request_body = String,
    responses((status = 204), (status = 409, description = "`thing_taken`"))
)]
async fn make() {}

/// List things.
///
/// All of them.
#[utoipa::path(get, path = "/v1/things", responses((status = 200)))]
async fn list() {}

/// Count things.
///
/// All of them.
#[utoipa::path(get, path = "/v1/things/count", security(("bearer" = ["operator"])),
    responses((status = 200), (status = 403, description = "`forbidden`")))]
async fn count() {}

fn api() -> Value {
    let routes: OpenApiRouter =
        OpenApiRouter::new().routes(routes!(make, list)).routes(routes!(count));
    describe(routes, OpenApi::default()).1
}

#[test]
fn every_operation_has_the_common_refusals_and_its_own_refusals_have_a_body() {
    let api = api();
    assert_eq!(api["openapi"], "3.1.0");
    let post = &api["paths"]["/v1/things"]["post"]["responses"];
    let statuses: Vec<_> = post.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["204", "400", "401", "408", "409", "413", "415", "422", "429", "500", "503"];
    assert_eq!(statuses, expected);
    let description = post["409"]["description"].as_str().unwrap();
    assert!(description.starts_with("`thing_taken`; `request_in_progress`"), "{description}");
    let body = &post["409"]["content"]["application/problem+json"]["schema"]["$ref"];
    assert_eq!(body, "#/components/schemas/Problem");
    assert!(api["paths"]["/v1/things"]["get"]["responses"].get("401").is_none());
}

#[test]
fn an_operation_of_staff_names_its_least_role() {
    let api = api();
    let count = &api["paths"]["/v1/things/count"]["get"];
    let text = count["description"].as_str().unwrap();
    assert!(
        text.ends_with("\n\nNeeds a token with the role `operator` or a higher one."),
        "{text}"
    );
    let forbidden = &count["responses"]["403"]["description"];
    assert_eq!(forbidden, "`forbidden`: the role is lower than operator");
    assert_eq!(api["paths"]["/v1/things"]["get"]["description"], "All of them.");
}

#[test]
fn every_reference_has_a_target() {
    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let api = api();
    let mut found = Vec::new();
    references(&api, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(api.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_page_is_served_from_the_binary_and_names_no_other_host() {
    let pages: Router = pages(Value::default());
    for (path, kind) in [
        ("/openapi.json", "application/json"),
        ("/docs/", "text/html"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/swagger-initializer.js", "text/javascript"),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = pages.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(content_type.starts_with(kind), "{path}: {content_type}");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&body);
        let outside = ["src=\"http", "href=\"http", "url(http"];
        assert!(!outside.iter().any(|link| text.contains(link)), "{path}");
        if path.ends_with("initializer.js") {
            assert!(text.contains(r#""validatorUrl": "none""#), "{text}");
        }
    }
}
