//! What the program writes for its operators, and what it never writes.

use serde_json::json;

use crate::sale::refusals::hold_path;
use crate::support::program::{self, Program};
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::{JWT_SECRET, QUEUE_SECRET, World};

/// Fails if one of the secrets is in the output; shows the line.
#[track_caller]
fn has_none(output: &str, secrets: &[String]) {
    let lower = output.to_ascii_lowercase();
    for secret in secrets {
        let at = lower.find(&secret.to_ascii_lowercase());
        let line = at.and_then(|at| output[at..].lines().next().map(|rest| (rest, &output[..at])));
        assert!(
            line.is_none(),
            "{secret}: {:?}",
            line.map(|(rest, before)| { format!("{}{rest}", before.lines().last().unwrap_or("")) })
        );
    }
}

#[tokio::test]
async fn nothing_secret_is_ever_logged() {
    let world = World::new().await;
    let program = Program::start(&world, &[("ONSALE_LOG", "debug"), ("RUST_BACKTRACE", "1")]).await;
    let process = program.anonymous();
    let mut people = Vec::new();
    for _ in 0..2 {
        let made = process.post("/v1/users", json!({"name": "Kim Secret"})).await.ok(201);
        let mut person = process.with_token(made["access_token"].as_str().unwrap());
        person.user = made["id"].as_i64().unwrap();
        people.push(person);
    }
    let mut secrets = vec![JWT_SECRET.to_owned(), QUEUE_SECRET.to_owned()];
    let role = onsale::caller::Role::Admin;
    let admin = process.with_token(&crate::support::world::token(people[0].user, role));
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    let mut buyer = people.pop().unwrap();
    buyer.join(sale.schedule).await.ok(201);
    let keyed = |key: &str| buyer.with_key(key);
    keyed("charge-key-7f3a").post("/v1/points/charges", json!({"amount": 500})).await.ok(201);
    let holds = format!("/v1/schedules/{}/reservations", sale.schedule);
    let hold = keyed("hold-key-9c1b").post(&holds, json!({"quantity": 1})).await.ok(201);
    let pay = json!({"hold_id": hold["hold_id"]});
    keyed("pay-key-22d0").post("/v1/payments", pay.clone()).await.ok(201);
    keyed("pay-key-22d1").post("/v1/payments", pay).await.refused(409, "already_paid");
    buyer.delete(&hold_path(&hold)).await.refused(409, "already_paid");
    let broken = format!("{}x", buyer.token.as_deref().unwrap());
    buyer.with_token(&broken).get("/v1/points").await.refused(401, "unauthenticated");
    let broken_ticket = format!("{}x", buyer.ticket.as_deref().unwrap());
    buyer.with_ticket(&broken_ticket).get("/v1/queue/ticket").await.refused(401, "ticket_invalid");
    buyer.get("/v1/concerts?limit=0&code=query-secret-1").await.refused(422, "invalid_request");
    buyer.clone().poll().await.ok(200);
    until("a request is in the log", async || {
        program.output().contains("/v1/payments").then_some(())
    })
    .await;

    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    for token in [&buyer.token, &buyer.ticket, &admin.token].into_iter().flatten() {
        // The header of a token is the same for all tokens, and is not secret.
        secrets.extend(parts(token).into_iter().skip(1));
    }
    secrets.extend(["-key-", "query-secret", "Kim Secret"].map(str::to_owned));
    secrets.extend(
        ["insert into", "select ", "update ", "delete from", "redis.call"].map(str::to_owned),
    );
    has_none(&program.output(), &secrets);
}

#[tokio::test]
async fn a_missing_or_invalid_setting_is_named_without_its_value() {
    let world = World::new().await;
    let run = |mut command: std::process::Command| {
        let output = command.output().expect("onsale runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let required = ["DATABASE_URL", "REDIS_URL", "ONSALE_JWT_SECRET", "ONSALE_QUEUE_SECRETS"];
    let (code, errors) = run(program::bare(&["serve"]));
    assert_eq!(code, Some(2));
    assert!(required.iter().all(|name| errors.contains(name)), "{errors}");
    for name in required {
        let mut command = program::command(&world, &["serve"]);
        command.env_remove(name);
        let (code, errors) = run(command);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(name), "{errors}");
        assert!(!errors.contains(JWT_SECRET) && !errors.contains(QUEUE_SECRET), "{errors}");
    }
    for (name, value) in [
        ("ONSALE_JWT_SECRET", "too-short-a-secret"),
        ("ONSALE_QUEUE_SECRETS", "too-short-a-secret"),
        ("ONSALE_QUEUE_SECRETS", JWT_SECRET),
        ("ONSALE_JWT_SECRET", "changemechangemechangemechangeme"),
        ("ONSALE_QUEUE_SECRETS", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("ONSALE_JWKS_PATH", "/nowhere/keys.json"),
        ("ONSALE_JWKS_URL", "http://id.example/keys"),
        ("ONSALE_SIGN_IN_URL", "http://shop.example/sign-in"),
        ("ONSALE_LISTEN", "nowhere"),
        ("ONSALE_CORS_ORIGINS", "*"),
        ("ONSALE_DB_POOL", "0"),
    ] {
        let mut command = program::command(&world, &["serve"]);
        command.env(name, value);
        let (code, errors) = run(command);
        assert_eq!(code, Some(2), "{name}={value}: {errors}");
        let flag = name.trim_start_matches("ONSALE_").to_ascii_lowercase().replace('_', "-");
        assert!(errors.contains(name) || errors.contains(&format!("--{flag}")), "{name}: {errors}");
        assert!(!name.contains("SECRET") || !errors.contains(value), "{errors}");
    }
    let mut command = program::command(&world, &["token", "--user", "999999"]);
    command.env("ONSALE_DB_POOL", "2");
    let (code, errors) = run(command);
    assert_eq!(code, Some(1), "an unknown user: {errors}");
}
