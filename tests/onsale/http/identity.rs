//! The identity of clients: access tokens and tickets.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::sale;
use crate::support::shape;
use crate::support::state;
use crate::support::world::{JWT_SECRET, QUEUE_SECRET, World};

/// A JWT with valid claims, some of which `change` replaces.
fn signed(header: &Header, key: &EncodingKey, change: &Value) -> String {
    let now = Utc::now().timestamp();
    let mut claims = json!({"aud": "onsale", "iss": "onsale", "sub": "1", "role": "admin",
        "iat": now, "exp": now + 600});
    for (name, value) in change.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    encode(header, &claims, key).expect("a token")
}

/// Tokens that differ from a valid one of `user` in one claim or in the signature.
fn misclaimed(user: i64) -> Vec<String> {
    let sub = user.to_string();
    let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let header = Header::new(Algorithm::HS256);
    let now = Utc::now().timestamp();
    let mut bad: Vec<String> = [
        json!({"exp": now - 60}),
        json!({"exp": null}),
        json!({"exp": "never"}),
        json!({"nbf": now + 600}),
        json!({"aud": "onsale-queue"}),
        json!({"aud": "other"}),
        json!({"aud": null}),
        json!({"iss": "elsewhere"}),
        json!({"iss": null}),
        json!({"sub": null}),
        json!({"sub": user}),
        json!({"sub": ""}),
        json!({"sub": "0"}),
        json!({"sub": "-1"}),
        json!({"sub": format!("0{sub}")}),
        json!({"sub": format!("{sub} ")}),
        json!({"sub": "1 or 1=1"}),
        json!({"sub": "999999"}),
        json!({"role": "root"}),
    ]
    .into_iter()
    .map(|change| {
        let mut claims = json!({"sub": sub});
        change.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        signed(&header, &key, &claims)
    })
    .collect();
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        bad.push(signed(&Header::new(algorithm), &key, &json!({"sub": sub})));
    }
    for secret in [QUEUE_SECRET, "", "another secret of 32 bytes and more"] {
        bad.push(signed(
            &header,
            &EncodingKey::from_secret(secret.as_bytes()),
            &json!({"sub": sub}),
        ));
    }
    bad
}

/// Malformed tokens that are made from a valid one.
fn malformed(good: &str) -> Vec<String> {
    let mut bad = Vec::new();
    let (_, rest) = good.split_once('.').unwrap();
    let payload = rest.split_once('.').unwrap().0;
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": none, "typ": "JWT"}).to_string());
        bad.extend([
            format!("{header}.{payload}."),
            format!("{header}.{rest}"),
            format!("{header}.{payload}"),
        ]);
    }
    let crit = json!({"alg": "HS256", "typ": "JWT", "crit": ["b64"], "b64": false}).to_string();
    bad.push(format!("{}.{rest}", URL_SAFE_NO_PAD.encode(crit)));
    bad.extend([
        "x".to_owned(),
        "..".to_owned(),
        good.to_ascii_uppercase(),
        format!("{good}x"),
        good.replace('.', ".."),
        "a".repeat(9000),
    ]);
    bad
}

#[tokio::test]
async fn sign_up_works_while_it_is_open_and_the_token_identifies_the_user() {
    let world = World::new().await;
    let process = world.start().await;
    let made = process.anonymous().post("/v1/users", json!({"name": "  김 서연 "})).await;
    let made = made.ok(201);
    shape::check(&made, "id:int name:text access_token:text expires_at:time");
    assert_eq!(made["name"], "김 서연");
    let me = process.anonymous().with_token(made["access_token"].as_str().unwrap());
    let who = me.get("/v1/users/me").await.ok(200);
    assert_eq!(who, json!({"id": made["id"], "name": "김 서연", "role": "user"}));

    let closed = world.start_with(&["--open-signup=false"]).await;
    let before = state::snapshot(&world, &[]).await;
    let refused = closed.anonymous().post("/v1/users", json!({"name": "Kim"})).await;
    refused.refused(403, "signup_closed");
    assert_eq!(state::snapshot(&world, &[]).await, before);
    me.at(closed.addr).get("/v1/users/me").await.ok(200);
}

#[tokio::test]
async fn only_a_valid_unexpired_token_for_this_audience_is_accepted() {
    let world = World::new().await;
    let process = world.start().await;
    let user = process.buyer().await.user;
    let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let good = signed(&Header::new(Algorithm::HS256), &key, &json!({"sub": user.to_string()}));
    let me = |token: &str| process.anonymous().with_token(token);
    me(&good).get("/v1/users/me").await.ok(200);

    let past = json!({"sub": user.to_string(), "exp": Utc::now().timestamp() - 60});
    let expired = me(&signed(&Header::new(Algorithm::HS256), &key, &past));
    let refused = expired.get("/v1/users/me").await;
    refused.refused(401, "unauthenticated");
    assert_eq!(refused.body["detail"], "The access token has expired.");
    for token in misclaimed(user).into_iter().chain(malformed(&good)) {
        let refused = me(&token).get("/v1/users/me").await;
        refused.refused(401, "unauthenticated");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    // A ticket is not accepted as an access token, nor the other way round.
    let sale = sale::open(&process.admin().await, 1, 1, json!({})).await;
    let mut buyer = process.buyer().await;
    buyer.join(sale.schedule).await.ok(201);
    let ticket = buyer.ticket.clone().unwrap();
    me(&ticket).get("/v1/users/me").await.refused(401, "unauthenticated");
    buyer.with_ticket(&good).get("/v1/queue/ticket").await.refused(401, "ticket_invalid");
}

/// Claims that make a valid ticket for `schedule` invalid.
fn invalid_claims(schedule: i64) -> Vec<Value> {
    let past = Utc::now().timestamp() - 60;
    vec![
        json!({"exp": past}),
        json!({"aud": "onsale"}),
        json!({"iss": "elsewhere"}),
        json!({"sub": "999"}),
        json!({"sub": "x"}),
        json!({"sch": schedule + 1}),
        json!({"seq": 1}),
        json!({"epo": 99}),
        json!({"jti": uuid::Uuid::nil()}),
        json!({"role": "admin"}),
        json!({"sta": "OWNER"}),
    ]
}

#[tokio::test]
async fn only_a_valid_unexpired_ticket_of_this_service_is_accepted() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 2, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let good = buyer.ticket.clone().unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let read = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (head, claims) = (read(parts[0]), read(parts[1]));
    let header: Header = serde_json::from_value(head.clone()).expect("a header");
    let key = EncodingKey::from_secret(QUEUE_SECRET.as_bytes());
    let made = |change: Value, key: &EncodingKey| {
        let mut claims = claims.clone();
        change.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        encode(&header, &claims, key).expect("a ticket")
    };
    buyer.with_ticket(&made(json!({}), &key)).get("/v1/queue/ticket").await.ok(200);
    assert_eq!(claims["aud"], "onsale-queue");
    assert_eq!(
        (&claims["sub"], &claims["sch"]),
        (&json!(buyer.user.to_string()), &json!(sale.schedule))
    );
    let mut bad: Vec<String> =
        invalid_claims(sale.schedule).into_iter().map(|change| made(change, &key)).collect();
    bad.push(made(json!({}), &EncodingKey::from_secret(JWT_SECRET.as_bytes())));
    for change in
        [json!({"alg": "none"}), json!({"alg": "HS512"}), json!({"kid": "x"}), json!({"kid": null})]
    {
        let mut head = head.clone();
        change.as_object().unwrap().iter().for_each(|(name, value)| head[name] = value.clone());
        let head = URL_SAFE_NO_PAD.encode(head.to_string());
        bad.extend([format!("{head}.{}.{}", parts[1], parts[2]), format!("{head}.{}.", parts[1])]);
    }
    bad.extend(["x".to_owned(), format!("{good}x"), "a".repeat(5000)]);
    for ticket in &bad {
        let with = buyer.with_ticket(ticket);
        with.get("/v1/queue/ticket").await.refused(401, "ticket_invalid");
        with.delete("/v1/queue/ticket").await.refused(401, "ticket_invalid");
        with.hold(sale.schedule, json!({"quantity": 1})).await.refused(401, "ticket_invalid");
    }
    let none = buyer.without_ticket();
    none.get("/v1/queue/ticket").await.refused(401, "ticket_invalid");
    buyer.get("/v1/queue/ticket").await.ok(200);
}
