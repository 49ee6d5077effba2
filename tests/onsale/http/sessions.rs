//! Sessions: renewing an access token, and recovering a session with a recovery code.

use chrono::{DateTime, TimeDelta, Utc};
use onsale::caller::{Lifetime, Role};
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::shape;
use crate::support::world::{Process, World, token, token_within};

const CODE: &str = "/v1/users/me/recovery-code";
const RENEW: &str = "/v1/users/me/token";

fn time(answer: &Value, name: &str) -> DateTime<Utc> {
    answer[name].as_str().expect("a time").parse().expect("a time")
}

/// Creates a recovery code of a user.
async fn code(owner: &Client) -> String {
    let made = owner.post(CODE, json!({})).await;
    assert_eq!(made.header("cache-control"), "no-store");
    made.ok(201)["code"].as_str().expect("a code").to_owned()
}

async fn recover(process: &Process, code: &str) -> Answer {
    process.anonymous().post("/v1/users/recover", json!({ "code": code })).await
}

/// The code with another last symbol.
fn mistype(code: &str) -> String {
    let last = if code.ends_with('7') { '8' } else { '7' };
    format!("{}{last}", &code[..code.len() - 1])
}

#[tokio::test]
async fn a_token_of_a_sign_up_is_renewed_within_its_session_and_other_tokens_are_not() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    let renewed = buyer.post(RENEW, json!({})).await.ok(201);
    shape::check(&renewed, "access_token:text expires_at:time");
    assert!(time(&renewed, "expires_at") > Utc::now() + TimeDelta::hours(23));
    let next = buyer.with_token(renewed["access_token"].as_str().expect("a token"));
    let me = next.get("/v1/users/me").await.ok(200);
    assert_eq!(me["id"], buyer.user);

    let now = DateTime::from_timestamp(Utc::now().timestamp(), 0).expect("a time");
    let end = now + TimeDelta::hours(2);
    let almost = Lifetime { expires_at: now + TimeDelta::minutes(1), renew_until: Some(end) };
    let late = buyer.with_token(&token_within(buyer.user, almost));
    let renewed = late.post(RENEW, json!({})).await.ok(201);
    assert_eq!(time(&renewed, "expires_at"), end);
    let last = late.with_token(renewed["access_token"].as_str().expect("a token"));
    assert_eq!(time(&last.post(RENEW, json!({})).await.ok(201), "expires_at"), end);

    let plain = Lifetime { renew_until: None, ..almost };
    for other in [token_within(buyer.user, plain), token(buyer.user, Role::Admin)] {
        buyer.with_token(&other).post(RENEW, json!({})).await.refused(403, "session_not_renewable");
    }
    let nobody = token_within(buyer.user + 1_000_000, almost);
    buyer.with_token(&nobody).post(RENEW, json!({})).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_recovery_code_gives_a_session_of_the_same_user_with_queue_entry_and_points() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let sale = sale::open(&process.admin().await, 1, 6, json!({"capacity": 0})).await;
    let mut owner = process.rich_buyer().await;
    let joined = owner.join(sale.schedule).await.ok(201);
    assert_eq!(owner.get(CODE).await.ok(200), json!({ "created_at": null }));
    let code = code(&owner).await;
    let known = owner.get(CODE).await.ok(200);
    assert!(time(&known, "created_at") > Utc::now() - TimeDelta::minutes(5));

    // Redeemed twice, as by a client that lost the answer, and at another process.
    for (process, typed) in
        [(&process, code.clone()), (&second, code.to_lowercase().replace('-', " "))]
    {
        let back = recover(process, &typed).await;
        assert_eq!(back.header("cache-control"), "no-store");
        let back = back.ok(201);
        shape::check(&back, "id:int name:text access_token:text expires_at:time");
        assert_eq!(back["id"], owner.user);
        let mut back =
            process.anonymous().with_token(back["access_token"].as_str().expect("a token"));
        assert_eq!(back.get("/v1/points").await.ok(200)["amount"], 1_000_000);
        let ticket = back.join(sale.schedule).await.ok(200);
        assert_eq!(ticket["ticket_id"], joined["ticket_id"]);
        back.post(RENEW, json!({})).await.ok(201);
    }
}

#[tokio::test]
async fn a_new_recovery_code_replaces_the_old_one_and_only_its_hash_is_stored() {
    let world = World::new().await;
    let process = world.start().await;
    let owner = process.buyer().await;
    let (old, new) = (code(&owner).await, code(&owner).await);
    recover(&process, &old).await.refused(403, "recovery_code_invalid");
    recover(&process, &new).await.ok(201);
    assert_eq!(world.number("select count(*) from recovery_code").await, 1);
    let row = "select row_to_json(r)::text from recovery_code r";
    let row: String = sqlx::query_scalar(row).fetch_one(&world.pool).await.expect("a row");
    let symbols = new.replace('-', "");
    assert!(row.contains(&symbols[..8]) && !row.contains(&symbols[8..]), "{row}");
    for text in ["x", &mistype(&new), &new[1..], "0000-0000-0000-0000-0000-0000"] {
        recover(&process, text).await.refused(403, "recovery_code_invalid");
    }
    recover(&process, "").await.refused(422, "invalid_request");
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_creates_no_recovery_code() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    let short = Lifetime { expires_at: Utc::now() + TimeDelta::minutes(1), renew_until: None };
    for other in [token_within(buyer.user, short), token(buyer.user, Role::Admin)] {
        let refused = buyer.with_token(&other).post(CODE, json!({})).await;
        refused.refused(403, "session_not_renewable");
    }
    assert_eq!(world.number("select count(*) from recovery_code").await, 0);
}

#[tokio::test]
async fn a_recovery_code_allows_ten_attempts_an_hour_across_all_processes() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let owner = process.buyer().await;
    let code = code(&owner).await;
    let guess = mistype(&code);
    let tries = (0..20).map(|n| recover(if n % 2 == 0 { &process } else { &second }, &guess));
    let answers = futures_util::future::join_all(tries).await;
    let (answered, limited): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 403);
    assert_eq!((answered.len(), limited.len()), (10, 10));
    let right = recover(&process, &code).await;
    right.refused(429, "rate_limited");
    assert!(right.header("retry-after").parse::<u64>().expect("seconds") > 60);
    // An hour later attempts are answered again, and correct ones do not count.
    let hour = "update recovery_code set attempts_since = attempts_since - interval '1 hour'";
    sqlx::query(hour).execute(&world.pool).await.expect("an update");
    for _ in 0..12 {
        recover(&process, &code).await.ok(201);
    }
}
