//! The readiness checklist of a sale: the same checks as `onsale check`, for one schedule.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::sale::{self, Sale};
use crate::support::servers::Servers;
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::World;

const READINESS: &str =
    "schedule_id:int passes:bool failures:int warnings:int findings:list server_time:time";
const FINDING: &str = "level:text name:text code:text values:object text:text advice:text?";

async fn readiness(admin: &Client, sale: &Sale, query: &str) -> Value {
    let path = format!("/v1/admin/schedules/{}/readiness{query}", sale.schedule);
    let found = admin.get(&path).await.ok(200);
    shape::check(&found, READINESS);
    for finding in found["findings"].as_array().expect("findings") {
        shape::check(finding, FINDING);
        let is_ok = finding["level"] == "ok";
        assert_eq!(
            finding["advice"].is_null(),
            is_ok,
            "advice for all that is not well: {finding}"
        );
    }
    found
}

/// The codes of all findings, without their order.
fn codes(found: &Value) -> BTreeSet<String> {
    let findings = found["findings"].as_array().expect("findings").iter();
    findings.map(|finding| finding["code"].as_str().expect("a code").to_owned()).collect()
}

#[track_caller]
fn has(found: &Value, code: &str) {
    assert!(codes(found).contains(code), "{code}: {:#?}", codes(found));
}

/// The codes for which the console has texts in `language`.
fn texts(language: &str, part: &str) -> BTreeSet<String> {
    let path = format!("{}/web/lang/{language}/admin.json", env!("CARGO_MANIFEST_DIR"));
    let texts: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let keys = texts.as_object().expect("texts").keys();
    keys.filter_map(|key| key.strip_prefix(part)).map(str::to_owned).collect()
}

/// Fails unless each finding has its texts and its line in docs/OPERATIONS.md.
fn are_described(found: &Value) {
    let manual = format!("{}/docs/OPERATIONS.md", env!("CARGO_MANIFEST_DIR"));
    let manual = std::fs::read_to_string(manual).unwrap();
    for finding in found["findings"].as_array().expect("findings") {
        let [name, code] = ["name", "code"].map(|part| finding[part].as_str().expect("a text"));
        let case = code.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')).expect("a case");
        let line = manual.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let level = finding["level"].as_str().expect("a level");
        let cases = line.and_then(|line| line.split_once(&format!("{level}: "))).map(|(_, of)| of);
        let cases = cases.and_then(|of| of.split([';', '|']).next()).unwrap_or_default();
        assert!(cases.contains(&format!("`{case}`")), "OPERATIONS.md lacks {code} as {level}");
        for language in ["en", "ko"] {
            assert!(texts(language, "admin.ready.name.").contains(name), "{language}: {name}");
            assert!(texts(language, "admin.ready.code.").contains(code), "{language}: {code}");
            let has_advice = texts(language, "admin.ready.do.").contains(code);
            assert_eq!(has_advice, level != "ok", "{language}: the advice for {code}");
        }
    }
}

#[tokio::test]
async fn a_sale_that_may_begin_passes_and_each_finding_is_described() {
    let world = World::on(Servers::single().await).await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::create(&admin, (3600, 7200), 2, 10, json!({"capacity": 15})).await;
    let found = until("the process has announced itself", async || {
        let found = readiness(&admin, &sale, "").await;
        codes(&found).contains("processes.running.ok").then_some(found)
    })
    .await;
    assert_eq!((&found["passes"], &found["failures"]), (&json!(true), &json!(0)), "{found:#}");
    for code in [
        "schedule.times.ok",
        "schedule.queue.ok",
        "schedule.seats.ok",
        "schedule.prices.ok",
        "schedule.crowd.ok",
        "schedule.pace.ok",
        "schedule.slots.ok",
        "schedule.test_purchase.warning",
        "proxy.address.direct",
        "alerts.metrics.never",
        "alerts.webhooks.none",
        "keys.jwks.own",
        "redis.memory.unlimited",
        "postgresql.schema.ok",
    ] {
        has(&found, code);
    }
    are_described(&found);
    process.anonymous().get("/metrics").await;
    has(&readiness(&admin, &sale, "").await, "alerts.metrics.ok");
    let path = format!("/v1/admin/schedules/{}/readiness", sale.schedule);
    process.buyer().await.get(&path).await.refused(403, "forbidden");
    admin.get("/v1/admin/schedules/999999/readiness").await.refused(404, "schedule_not_found");
    admin.get(&format!("{path}?expect=-1")).await.refused(422, "invalid_request");
}

#[tokio::test]
async fn each_mistake_of_a_sale_is_found_and_only_in_this_sale() {
    let world = World::on(Servers::single().await).await;
    let process = world.start_with(&["--trusted-proxies=198.51.100.0/24"]).await;
    let admin = process.admin().await;
    let good = sale::create(&admin, (3600, 7200), 2, 10, json!({"capacity": 15})).await;
    let settings = json!({"paused": true, "hold_ttl_seconds": 600, "active_ttl_seconds": 600,
        "queue_opens_at": sale::in_seconds(3600)});
    let bad = sale::create(&admin, (3600, 3700), 1, 4, settings).await;
    let blocked = json!({"seat_ids": bad.seats, "blocked": true});
    admin.patch(&format!("/v1/admin/schedules/{}/seats", bad.schedule), blocked).await.ok(200);
    let withdrawn = json!({"status": "UNAVAILABLE"});
    admin.patch(&format!("/v1/admin/concerts/{}", bad.concert), withdrawn).await.ok(200);

    let found = readiness(&admin, &bad, "").await;
    let of_bad = [
        "schedule.times.warning",
        "schedule.queue.warning",
        "schedule.status.failure",
        "schedule.paused.warning",
        "schedule.seats.all_blocked",
        "schedule.slots.warning",
    ];
    for code in of_bad {
        has(&found, code);
        assert!(!codes(&readiness(&admin, &good, "").await).contains(code), "{code}");
    }
    assert_eq!(found["passes"], false);
    has(&found, "proxy.address.past_proxies");
    are_described(&found);
    let path = format!("/v1/admin/schedules/{}/readiness", good.schedule);
    let forwarded = admin.request(reqwest::Method::GET, &path);
    let forwarded = admin.send(forwarded.header("x-forwarded-for", "203.0.113.9")).await.ok(200);
    has(&forwarded, "proxy.address.untrusted");
    are_described(&forwarded);

    let mut redis = world.raw_redis().await;
    redis::cmd("CONFIG").arg(&["SET", "maxmemory", "100mb"]).exec_async(&mut redis).await.unwrap();
    has(&readiness(&admin, &good, "").await, "redis.memory.not_compared");
    has(&readiness(&admin, &good, "?expect=1000").await, "redis.memory.ok");
    let many = readiness(&admin, &good, "?expect=1000000").await;
    has(&many, "redis.memory.short");
    are_described(&many);
}

#[tokio::test]
async fn a_purchase_that_was_refunded_counts_as_a_test() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    has(&readiness(&admin, &sale, "").await, "schedule.test_purchase.open");
    let buyer = active_buyer(&process, &sale).await;
    let charged = buyer.keyed().post("/v1/points/charges", json!({"amount": 1000})).await;
    assert_eq!(charged.status, 201);
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    let paid = buyer.pay(&hold).await.ok(201);
    has(&readiness(&admin, &sale, "").await, "schedule.test_purchase.open");
    let refund = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    buyer.keyed().post(&refund, json!({})).await.ok(200);
    has(&readiness(&admin, &sale, "").await, "schedule.test_purchase.refunded");
}

#[tokio::test]
async fn an_endpoint_that_refused_its_last_message_is_a_finding() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::create(&admin, (3600, 7200), 1, 4, json!({})).await;
    let run = async |sql: &'static str| {
        sqlx::query(sql).execute(&world.pool).await.expect("a change");
    };
    run("insert into webhook_endpoint (url, types, secret)
         values ('https://shop.example', '{queue.admitted}', decode(repeat('ab', 32), 'hex'))")
    .await;
    has(&readiness(&admin, &sale, "").await, "alerts.webhooks.untried");
    run("with made as (insert into sale_event (type, entity, data)
                       values ('webhook.test', 'webhook:1', '{}') returning id)
         insert into webhook_delivery (endpoint_id, event_id, entity, status, due_at, ended_at,
                                       last_status, last_error)
         select w.id, made.id, 'webhook:1', 'DEAD', now(), now(), 500, 'the status is 500'
         from made, webhook_endpoint w")
    .await;
    let found = readiness(&admin, &sale, "").await;
    has(&found, "alerts.webhooks.failure");
    are_described(&found);
    assert!(found.to_string().contains("the status is 500"), "{found}");
    run("update webhook_delivery set status = 'DELIVERED'").await;
    has(&readiness(&admin, &sale, "").await, "alerts.webhooks.ok");
}

#[tokio::test]
async fn a_store_that_is_down_is_a_finding() {
    let mut world = World::on(Servers::single().await).await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::create(&admin, (3600, 7200), 1, 4, json!({})).await;
    world.redis.kill().await.expect("Redis ends");
    let found = readiness(&admin, &sale, "").await;
    has(&found, "redis.reachable.failure");
    has(&found, "schedule.seats.ok");
    are_described(&found);
}
