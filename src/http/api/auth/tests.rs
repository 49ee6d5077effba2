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
                "late" => Err(IdentifyError::Expired),
                "user" => Ok(caller(3, Role::User)),
                name if Role::parse_staff(name).is_some() => {
                    Ok(caller(2, Role::parse_staff(name).unwrap()))
                }
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
        &[("authorization", "Bearer ada"), ("authorization", "Bearer admin")],
        &[("authorization", &long)],
    ] {
        assert_eq!(code::<Caller>(refused).await, Some("unauthenticated"), "{refused:?}");
    }
}

#[tokio::test]
async fn a_role_may_do_what_the_roles_below_it_may_do_and_no_more() {
    for (at, role) in Role::ALL.into_iter().enumerate() {
        let bearer = format!("Bearer {}", role.as_str());
        let headers = [("authorization", bearer.as_str())];
        let accepted = [
            code::<Caller>(&headers).await,
            code::<Viewer>(&headers).await,
            code::<BoxOffice>(&headers).await,
            code::<Operator>(&headers).await,
            code::<Admin>(&headers).await,
        ];
        for (least, code) in accepted.into_iter().enumerate() {
            assert_eq!(code, (at < least).then_some("forbidden"), "{role:?} of {least}");
        }
    }
    assert_eq!(code::<Viewer>(&[]).await, Some("unauthenticated"));
}

#[test]
fn only_the_names_of_staff_are_roles_of_staff() {
    for role in Role::ALL {
        let named = Role::parse_staff(role.as_str());
        assert_eq!(named, Some(role).filter(|role| role.is_staff()));
        assert_eq!(serde_json::json!(role), role.as_str());
    }
    assert_eq!(Role::parse_staff("Admin"), None);
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
    assert!(problem["detail"].as_str().unwrap().contains("role admin."), "{problem}");
    let problem = detail::<BoxOffice>(&[("authorization", "Bearer viewer")]).await;
    assert_eq!(problem["required_role"], "box_office");
    assert!(problem["detail"].as_str().unwrap().contains("role box_office or"), "{problem}");
}
