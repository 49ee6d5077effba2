use axum::http::Request;

use super::*;
use chrono::{DateTime, Utc};

use crate::caller::{Identified, Lifetime};
use crate::rate_limit::CallerKey;
use crate::store::id::UserId;

struct FixedTokens;

fn caller(user: i64, role: Role) -> Caller {
    let lifetime = Lifetime { expires_at: DateTime::<Utc>::MAX_UTC, renew_until: None };
    Caller { user: UserId(user), role, lifetime }
}

impl Identify for FixedTokens {
    fn identify<'a>(&'a self, token: &'a str) -> Identified<'a> {
        Box::pin(async move {
            match token {
                "ada" => Ok(caller(1, Role::User)),
                "root" => Ok(caller(2, Role::Admin)),
                "late" => Err(IdentifyError::Expired),
                _ => Err(IdentifyError::Refused("unknown".into())),
            }
        })
    }

    fn recognize(&self, _: &str) -> Option<CallerKey> {
        None
    }
}

fn parts(headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().extension(Identity(Arc::new(FixedTokens)));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

async fn code<T: FromRequestParts<(), Rejection = Problem>>(
    headers: &[(&str, &str)],
) -> Option<&'static str> {
    T::from_request_parts(&mut parts(headers), &()).await.err().map(|problem| problem.code())
}

#[tokio::test]
async fn a_caller_is_the_user_of_exactly_one_bearer_token() {
    assert_eq!(code::<Caller>(&[("authorization", "Bearer ada")]).await, None);
    assert_eq!(code::<Caller>(&[("authorization", "bearer ada")]).await, None);
    let long = format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES));
    for refused in [
        &[][..],
        &[("authorization", "ada")],
        &[("authorization", "Basic ada")],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer eve")],
        &[("authorization", "Bearer ada"), ("authorization", "Bearer root")],
        &[("authorization", &long)],
    ] {
        assert_eq!(code::<Caller>(refused).await, Some("unauthenticated"), "{refused:?}");
    }
}

#[tokio::test]
async fn only_a_token_with_the_role_admin_is_accepted_as_admin() {
    assert_eq!(code::<Admin>(&[("authorization", "Bearer root")]).await, None);
    assert_eq!(code::<Admin>(&[("authorization", "Bearer ada")]).await, Some("forbidden"));
    assert_eq!(code::<Admin>(&[]).await, Some("unauthenticated"));
}

#[tokio::test]
async fn a_queue_token_is_sent_exactly_once_or_the_ticket_is_invalid() {
    assert_eq!(code::<QueueToken>(&[("queue-token", "x.y.z")]).await, None);
    assert_eq!(code::<QueueToken>(&[]).await, Some("ticket_invalid"));
    let twice = &[("queue-token", "x"), ("queue-token", "y")];
    assert_eq!(code::<QueueToken>(twice).await, Some("ticket_invalid"));
}

#[test]
fn a_queue_token_is_not_printed() {
    assert!(!format!("{:?}", QueueToken("secret".into())).contains("secret"));
}

async fn detail<T: FromRequestParts<(), Rejection = Problem>>(
    headers: &[(&str, &str)],
) -> serde_json::Value {
    let problem = T::from_request_parts(&mut parts(headers), &()).await.err().unwrap();
    serde_json::from_str::<serde_json::Value>(&problem.render("")).unwrap()
}

#[tokio::test]
async fn missing_invalid_and_expired_tokens_have_different_details() {
    let bearer = async |value: &str| detail::<Caller>(&[("authorization", value)]).await;
    let missing = detail::<Caller>(&[]).await;
    let all = [
        (missing, "The access token is missing"),
        (bearer("Basic ada").await, "The Authorization header is not exactly one bearer token"),
        (bearer("Bearer eve").await, "The access token is not valid"),
        (bearer("Bearer late").await, "The access token has expired"),
    ];
    for (problem, expected) in all {
        assert!(problem["detail"].as_str().unwrap().starts_with(expected), "{problem}");
    }
    let missing = detail::<QueueToken>(&[]).await;
    let empty = detail::<QueueToken>(&[("queue-token", "")]).await;
    assert!(missing["detail"].as_str().unwrap().contains("missing"), "{missing}");
    assert_ne!(missing["detail"], empty["detail"]);
}

#[tokio::test]
async fn a_caller_without_the_role_gets_the_name_of_the_needed_role() {
    let problem = detail::<Admin>(&[("authorization", "Bearer ada")]).await;
    assert_eq!(problem["required_role"], "admin");
    assert!(problem["detail"].as_str().unwrap().contains("role admin"), "{problem}");
}
