//! Who calls: tokens, tickets, and that nobody gets at what is another's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use onsale::http::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::refusals::{active, hold_path};
use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::shape;
use crate::support::state;
use crate::support::world::{JWT_SECRET, QUEUE_SECRET, World, token};

/// A JWT with these claims over good ones.
fn signed(header: &Header, key: &EncodingKey, change: &Value) -> String {
    let now = Utc::now().timestamp();
    let mut claims = json!({"aud": "onsale", "iss": "onsale", "sub": "1", "role": "admin",
        "iat": now, "exp": now + 600});
    for (name, value) in change.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    encode(header, &claims, key).expect("a token")
}

/// Tokens that say something else, or are signed otherwise, than a good one of `user`.
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

/// Tokens made of parts of a good one.
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
async fn people_sign_up_while_that_is_open_and_a_token_says_who_calls() {
    let world = World::new().await;
    let process = world.start().await;
    let made = process.anonymous().post("/v1/users", json!({"name": "  김 서연 "})).await;
    let made = made.ok(201);
    shape::is(&made, "id:int name:text access_token:text expires_at:time");
    assert_eq!(made["name"], "김 서연");
    let me = process.anonymous().with_token(made["access_token"].as_str().unwrap());
    let who = me.get("/v1/users/me").await.ok(200);
    assert_eq!(who, json!({"id": made["id"], "name": "김 서연"}));

    let closed = world.start_with(&["--open-signup=false"]).await;
    let before = state::of(&world, &[]).await;
    let refused = closed.anonymous().post("/v1/users", json!({"name": "Kim"})).await;
    refused.refused(403, "signup_closed");
    assert_eq!(state::of(&world, &[]).await, before);
    me.at(closed.addr).get("/v1/users/me").await.ok(200);
}

#[tokio::test]
async fn only_a_token_that_is_whole_current_and_meant_for_us_is_accepted() {
    let world = World::new().await;
    let process = world.start().await;
    let user = process.buyer().await.user;
    let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let good = signed(&Header::new(Algorithm::HS256), &key, &json!({"sub": user.to_string()}));
    let me = |token: &str| process.anonymous().with_token(token);
    me(&good).get("/v1/users/me").await.ok(200);

    for token in misclaimed(user).into_iter().chain(malformed(&good)) {
        let refused = me(&token).get("/v1/users/me").await;
        refused.refused(401, "unauthenticated");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    // A ticket is no access token, nor the other way round.
    let sale = sale::open(&process.admin().await, 1, 1, json!({})).await;
    let mut buyer = process.buyer().await;
    buyer.join(sale.schedule).await.ok(201);
    let ticket = buyer.ticket.clone().unwrap();
    me(&ticket).get("/v1/users/me").await.refused(401, "unauthenticated");
    buyer.with_ticket(&good).get("/v1/queue/ticket").await.refused(401, "ticket_invalid");
}

/// Claims that a good ticket for `schedule` does not make.
fn elsewise(schedule: i64) -> Vec<Value> {
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
async fn only_a_ticket_that_is_whole_current_and_ours_is_accepted() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 2, json!({})).await;
    let buyer = active(&process, &sale).await;
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
        elsewise(sale.schedule).into_iter().map(|change| made(change, &key)).collect();
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

/// Everything that `owner` may do, tried without a token.
async fn anonymously(owner: &Client, schedule: i64, own: &[&str], refund: &str) -> Vec<Answer> {
    let nobody = owner.keyed().without_token();
    let mut answers = Vec::new();
    let lists = ["/v1/users/me", "/v1/reservations", "/v1/payments", "/v1/points"];
    for path in lists.iter().chain(&["/v1/points/history"]).chain(own) {
        answers.push(nobody.get(path).await);
    }
    for path in [own[own.len() - 1], "/v1/queue/ticket"] {
        answers.push(nobody.delete(path).await);
    }
    let pay = json!({"hold_id": own[own.len() - 1].rsplit('/').next()});
    answers.push(nobody.post("/v1/payments", pay).await);
    answers.push(nobody.post(refund, json!({})).await);
    answers.push(nobody.post("/v1/points/charges", json!({"amount": 5})).await);
    answers.push(nobody.clone().join(schedule).await);
    answers.push(nobody.hold(schedule, json!({"quantity": 1})).await);
    answers
}

#[tokio::test]
async fn nobody_gets_at_what_is_anothers() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 6, json!({})).await;
    let other = sale::open(&admin, 1, 2, json!({})).await;
    let owner = active(&process, &sale).await;
    let stranger = active(&process, &sale).await;
    let elsewhere = active(&process, &other).await;
    let paid = owner.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    let paid = owner.pay(&paid).await.ok(201);
    // The first payment completed the ticket: to go on, the owner joins again.
    let mut owner = owner;
    owner.join(sale.schedule).await.ok(201);
    let hold = owner.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    let reservation = format!("/v1/reservations/{}", hold["reservations"][0]["id"]);
    let refund = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    let before = state::of(&world, &[sale.schedule, other.schedule]).await;

    for person in [&stranger, &elsewhere, &admin] {
        person.get(&hold_path(&hold)).await.refused(404, "hold_not_found");
        person.delete(&hold_path(&hold)).await.refused(404, "hold_not_found");
        person.get(&reservation).await.refused(404, "reservation_not_found");
        person.pay(&hold).await.refused(404, "hold_not_found");
        person.keyed().post(&refund, json!({})).await.refused(404, "payment_not_found");
        for list in ["/v1/reservations", "/v1/payments"] {
            assert_eq!(person.get(list).await.ok(200)["items"], json!([]));
        }
        let stolen = person.with_ticket(owner.ticket.as_deref().unwrap());
        stolen.delete("/v1/queue/ticket").await.refused(403, "ticket_not_yours");
        stolen.hold(sale.schedule, json!({"quantity": 1})).await.refused(403, "ticket_not_yours");
    }
    elsewhere.hold(sale.schedule, json!({"quantity": 1})).await.refused(403, "ticket_not_active");
    for answer in
        anonymously(&owner, sale.schedule, &[&reservation, &hold_path(&hold)], &refund).await
    {
        answer.refused(401, "unauthenticated");
    }
    assert_eq!(state::of(&world, &[sale.schedule, other.schedule]).await, before);

    let seen = owner.get(&hold_path(&hold)).await.ok(200);
    shape::is(&seen, &format!("status:text {}", shape::HOLD));
    shape::is(&owner.get(&reservation).await.ok(200), shape::RESERVATION);
    shape::page(&owner.get("/v1/reservations").await.ok(200), shape::RESERVATION);
    let payments = shape::page(&owner.get("/v1/payments").await.ok(200), shape::PAYMENT);
    assert_eq!(json!(payments), paid["payments"]);
    owner.delete(&hold_path(&hold)).await.ok(204);
}

#[tokio::test]
async fn administration_is_for_administrators_only() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let user = process.buyer().await;
    let before = state::of(&world, &[sale.schedule]).await;
    let described = process.anonymous().get("/openapi.json").await.ok(200);
    let mut asked = 0;
    for (path, item) in described["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/admin/") {
            continue;
        }
        let path = path.replace("{id}", &sale.schedule.to_string());
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
            let send = async |client: &Client| {
                let request = client.request(method.clone(), &path);
                client.send(request.json(&json!({}))).await
            };
            send(&user).await.refused(403, "forbidden");
            send(&process.anonymous()).await.refused(401, "unauthenticated");
            asked += 1;
        }
    }
    assert!(asked >= 10, "every route of administration: {asked}");
    assert_eq!(state::of(&world, &[sale.schedule]).await, before);
    assert_ne!(token(user.user, Role::User), token(user.user, Role::Admin));
}
