//! Endpoints: creating, changing, rotating secrets, and the addresses that are refused.

use serde_json::json;

use super::{LOCAL, create, deliveries, path, wait_for, write_event};
use crate::support::receiver::{Received, Receiver, Reply};
use crate::support::wait::until;
use crate::support::world::World;

#[tokio::test]
async fn an_endpoint_is_created_listed_changed_and_deleted_and_its_secret_is_shown_once() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let new = json!({"url": "https://shop.example/hooks", "description": "Shop",
                     "types": ["reservation.completed"], "ed25519": true});
    let answer = admin.post("/v1/admin/webhooks", new).await;
    let location = answer.header("location").to_owned();
    let created = answer.ok(201);
    assert_eq!(location, path(&created, ""));
    assert!(created["secret"].as_str().unwrap().starts_with("whsec_"));
    assert!(created["public_key"].as_str().unwrap().starts_with("whpk_"));
    let mut shown = created.clone();
    shown.as_object_mut().unwrap().remove("secret");
    assert_eq!(admin.get(&location).await.ok(200), shown);
    assert_eq!(admin.get("/v1/admin/webhooks").await.ok(200)["items"], json!([shown]));

    let change = json!({"types": [], "enabled": false});
    let changed = admin.patch(&location, change).await.ok(200);
    assert_eq!(changed["disabled_reason"], "ADMIN");
    assert_eq!((&changed["types"], &changed["url"]), (&json!([]), &created["url"]));
    admin.post(&path(&created, "/test"), json!({})).await.refused(409, "webhook_disabled");
    let changed = admin.patch(&location, json!({"enabled": true})).await.ok(200);
    assert!(changed["disabled_reason"].is_null());

    assert_eq!(admin.delete(&location).await.status, 204);
    admin.get(&location).await.refused(404, "webhook_not_found");
    admin.delete(&location).await.refused(404, "webhook_not_found");
    assert_eq!(admin.get("/v1/admin/webhooks").await.ok(200)["items"], json!([]));
    let audit = admin.get("/v1/admin/audit").await;
    for action in ["webhook.create", "webhook.change", "webhook.delete"] {
        assert!(audit.text.contains(action), "{action}");
    }
    assert!(!audit.text.contains("whsec_"));
}

#[tokio::test]
async fn urls_that_could_reach_private_services_are_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    for url in [
        "http://shop.example/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://user:password@shop.example/",
        "ftp://shop.example/",
        "shop",
    ] {
        let answer = admin.post("/v1/admin/webhooks", json!({"url": url})).await;
        assert_eq!(answer.body["errors"][0]["pointer"], "/url", "{url}: {}", answer.text);
        answer.refused(422, "invalid_request");
    }
    assert_eq!(world.number("select count(*) from webhook_endpoint").await, 0);
}

#[tokio::test]
async fn a_name_with_a_private_address_is_not_connected_to_unless_its_network_is_allowed() {
    let world = World::new().await;
    let receiver = Receiver::willing().await;
    let strict =
        world.start_with(&["--webhook-retry-pause=20ms", "--webhook-retry-for=200ms"]).await;
    let admin = strict.admin().await;
    let url = format!("https://localhost:{}/hooks", receiver.port());
    let webhook = admin.post("/v1/admin/webhooks", json!({"url": url})).await.ok(201);
    admin.post(&path(&webhook, "/test"), json!({})).await.ok(202);
    let dead = deliveries(&admin, &webhook, "DEAD", 1).await;
    let error = dead[0]["last_error"].as_str().unwrap();
    assert!(error.contains("the address is not allowed"), "{error}");
    assert!(receiver.all().is_empty());
    strict.stop().await;

    // The control: the same name by http, where its network is allowed.
    let flags = ["--webhook-allow=127.0.0.0/8,::1/128"];
    let process = world.start_with(&flags).await;
    let admin = admin.at(process.addr);
    let url = format!("http://localhost:{}/hooks", receiver.port());
    let webhook = admin.post("/v1/admin/webhooks", json!({"url": url})).await.ok(201);
    admin.post(&path(&webhook, "/test"), json!({})).await.ok(202);
    deliveries(&admin, &webhook, "DELIVERED", 1).await;
    assert_eq!(receiver.all().len(), 1);
}

#[tokio::test]
async fn during_a_rotation_messages_are_signed_with_both_secrets() {
    let world = World::new().await;
    let process = world.start_with(&LOCAL).await;
    let admin = process.admin().await;
    let receiver = Receiver::willing().await;
    let webhook = create(&admin, &receiver, &[]).await;
    let secret = |webhook: &serde_json::Value| webhook["secret"].as_str().unwrap().to_owned();
    let next = async |count: usize| -> Received {
        admin.post(&path(&webhook, "/test"), json!({})).await.ok(202);
        until("a test event", async || receiver.accepted().get(count).cloned()).await
    };
    let first = secret(&webhook);
    let message = next(0).await;
    assert_eq!(message.kind(), "webhook.test");
    assert!(message.is_signed_with(&first) && message.signatures.len() == 1);

    let rotated = admin.post(&path(&webhook, "/secret"), json!({})).await.ok(200);
    assert!(rotated["previous_valid_until"].is_string());
    let second = secret(&rotated);
    let message = next(1).await;
    assert!(message.is_signed_with(&first) && message.is_signed_with(&second));
    assert_eq!(message.signatures.len(), 2);

    let at_once = json!({"keep_previous_seconds": 0});
    let rotated = admin.post(&path(&webhook, "/secret"), at_once).await.ok(200);
    assert!(rotated["previous_valid_until"].is_null());
    let message = next(2).await;
    assert!(!message.is_signed_with(&first) && !message.is_signed_with(&second));
    assert!(message.is_signed_with(&secret(&rotated)) && message.signatures.len() == 1);
}

#[tokio::test]
async fn a_message_has_an_ed25519_signature_if_its_endpoint_wants_one() {
    let world = World::new().await;
    let process = world.start_with(&LOCAL).await;
    let admin = process.admin().await;
    let receiver = Receiver::willing().await;
    let new = json!({"url": receiver.url(), "ed25519": true});
    let webhook = admin.post("/v1/admin/webhooks", new).await.ok(201);
    let rotated = admin.post(&path(&webhook, "/secret"), json!({})).await.ok(200);
    admin.post(&path(&webhook, "/test"), json!({})).await.ok(202);
    let message = &wait_for(&receiver, &["webhook.test"]).await[0];
    for keys in [&webhook, &rotated] {
        assert!(message.is_signed_by(keys["public_key"].as_str().unwrap()));
        assert!(message.is_signed_with(keys["secret"].as_str().unwrap()));
    }
    let other = admin.post(&path(&webhook, "/secret"), json!({})).await.ok(200);
    assert!(!message.is_signed_by(other["public_key"].as_str().unwrap()));
}

#[tokio::test]
async fn there_are_at_most_fifty_endpoints() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let new = json!({"url": "https://shop.example/hooks"});
    for _ in 0..50 {
        admin.post("/v1/admin/webhooks", new.clone()).await.ok(201);
    }
    let refused = admin.post("/v1/admin/webhooks", new).await;
    assert_eq!(refused.body["limit"], 50);
    refused.refused(409, "webhook_limit");
}

#[tokio::test]
async fn an_endpoint_that_is_disabled_and_enabled_at_once_gets_nothing_from_before() {
    let world = World::new().await;
    let process = world.start_with(&["--webhook-allow=127.0.0.0/8"]).await;
    let admin = process.admin().await;
    let receiver = Receiver::start(|_| Reply::status(500)).await;
    let webhook = create(&admin, &receiver, &[]).await;
    for number in 0..20 {
        write_event(&world.pool, &format!("hold:{number}"), number).await;
    }
    deliveries(&admin, &webhook, "PENDING", 20).await;
    // More than one page, far from being due.
    sqlx::query(
        "insert into webhook_delivery (endpoint_id, event_id, entity, due_at)
           select d.endpoint_id, d.event_id, 'hold:x', now() + interval '1 day'
             from (select * from webhook_delivery limit 1) d, generate_series(1, 12000)",
    )
    .execute(&world.pool)
    .await
    .expect("deliveries");
    let pending = "select count(*) from webhook_delivery where status = 'PENDING'";
    for enabled in [false, true] {
        admin.patch(&path(&webhook, ""), json!({"enabled": enabled})).await.ok(200);
    }
    assert_eq!(world.number(pending).await, 0);
    let dead = "select count(*) from webhook_delivery where status = 'DEAD'";
    assert_eq!(world.number(dead).await, 12_020);

    // The same after a 410, before the upkeep has run again.
    write_event(&world.pool, "hold:late", 1).await;
    deliveries(&admin, &webhook, "PENDING", 1).await;
    let gone = "update webhook_endpoint set enabled = false, disabled_reason = 'GONE'";
    sqlx::query(gone).execute(&world.pool).await.expect("a disabled endpoint");
    admin.patch(&path(&webhook, ""), json!({"enabled": true})).await.ok(200);
    assert_eq!(world.number(pending).await, 0);

    // What happens from now on is sent.
    receiver.behave(|_| Reply::status(200));
    write_event(&world.pool, "hold:new", 2).await;
    deliveries(&admin, &webhook, "DELIVERED", 1).await;
}
