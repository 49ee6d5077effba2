use super::*;
use crate::store::Store;

#[test]
fn a_problem_has_the_members_of_the_rfc_and_those_of_its_code() {
    let problem = Problem::new(ProblemCode::SeatTaken)
        .detail("another buyer was faster")
        .with("seat_ids", json!([7]));
    let body: Value = serde_json::from_str(&problem.render("request-1")).unwrap();
    let expected = json!({
        "type": "/problems/seat_taken", "title": "Another buyer has these seats", "status": 409,
        "detail": "another buyer was faster", "code": "seat_taken", "instance": "request-1",
        "seat_ids": [7],
    });
    assert_eq!(body, expected);
}

#[test]
fn an_added_member_cannot_replace_one_of_the_rfc() {
    let problem = Problem::not_found().with("status", json!(200));
    let body: Value = serde_json::from_str(&problem.render("")).unwrap();
    assert_eq!(body["status"], 404);
}

#[test]
fn a_store_that_is_down_gives_retry_after_and_a_defect_hides_its_reason() {
    let store = Store::PostgreSql;
    let reason = "password".to_owned();
    let down = Problem::from(StoreError::Unavailable { store, reason: reason.clone() });
    assert_eq!((down.status().as_u16(), down.code()), (503, "store_unavailable"));
    assert!(down.into_response().headers().contains_key(RETRY_AFTER));

    let defect = Problem::from(StoreError::Defect { store, reason });
    assert_eq!((defect.status().as_u16(), defect.code()), (500, "internal_error"));
    assert!(!defect.render("").contains("password"));
}

#[test]
fn retry_after_is_random_and_never_shorter_than_asked() {
    let waits: std::collections::HashSet<_> =
        (0..200).filter_map(|_| Problem::not_found().retry_after(10).retry_after).collect();
    assert!(waits.iter().all(|wait| (10..=16).contains(wait)), "{waits:?}");
    assert!(waits.len() > 1);
}

#[test]
fn an_unauthenticated_caller_learns_how_to_authenticate() {
    let response = Problem::unauthenticated().into_response();
    assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
}
