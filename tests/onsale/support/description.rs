//! Compares problems with the API's description: which codes it lists for an operation.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::sync::OnceCell;

/// The description, read once per test from the first process that was called.
static DESCRIPTION: OnceCell<Option<Value>> = OnceCell::const_new();
/// A proxy under test may keep the request; then the answers of this test are not compared.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// Fails if the description has the operation and does not list the code under this status.
pub async fn check(base: &str, method: &Method, path: &str, status: u16, code: &str) {
    let Some(api) = DESCRIPTION.get_or_init(async || read(base).await).await else { return };
    let Some((pattern, operation)) = find(api, method, path) else { return };
    let response = &operation["responses"][status.to_string()];
    let reference = response["$ref"].as_str().and_then(|reference| api.pointer(&reference[1..]));
    let response = reference.unwrap_or(response);
    let examples = &response["content"]["application/problem+json"]["examples"];
    assert!(
        examples.get(code).is_some(),
        "{method} {pattern} answered {status} {code}, which its description does not list"
    );
}

async fn read(base: &str) -> Option<Value> {
    let client =
        reqwest::Client::builder().no_proxy().timeout(READ_LIMIT).build().expect("a client");
    let answer = client.get(format!("{base}/openapi.json")).send().await.ok()?;
    answer.error_for_status().ok()?.json().await.ok()
}

/// The operation with this method whose pattern matches the path. A pattern without parameters
/// comes first.
fn find<'a>(api: &'a Value, method: &Method, path: &str) -> Option<(&'a str, &'a Value)> {
    let method = method.as_str().to_ascii_lowercase();
    let paths = api["paths"].as_object().expect("paths");
    let matching = paths.iter().filter(|(pattern, _)| matches(pattern, path));
    let of_method = matching.filter_map(|(pattern, item)| Some((&**pattern, item.get(&method)?)));
    of_method.min_by_key(|(pattern, _)| pattern.matches('{').count())
}

fn matches(pattern: &str, path: &str) -> bool {
    let (wanted, found) = (pattern.split('/'), path.split('/'));
    pattern.split('/').count() == path.split('/').count()
        && wanted.zip(found).all(|(wanted, found)| wanted.starts_with('{') || wanted == found)
}
