//! Rehearsals: the sheets of small ones, what is refused, and that nothing is left of them.

use std::time::Duration;

use onsale::store::id::RehearsalId;
use onsale::store::keys::ScheduleKeys;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::{until, until_within};
use crate::support::world::World;

const REHEARSAL: &str = "id:int schedule_id:int? admin:int plan:object state:text progress:object? \
     sheet:object? started_at:time ended_at:time? removed_at:time?";
const SHEET: &str = "passed:bool lines:list steps:list slowest_step:text? buyers:int seats:int \
     seats_sold:int requests:int refused:int unreached:int refused_holds:int ends:object \
     nearly_sold:object sold_out:object redis_bytes:int examples:list";
/// Long enough for a rehearsal of some seconds, and for its removal.
const LIMIT: Duration = Duration::from_secs(90);
/// Tables with rows of a shadow, and the column with its schedule or user.
const TABLES: [(&str, &str); 17] = [
    ("concert", "id"),
    ("concert_schedule", "id"),
    ("seat", "concert_schedule_id"),
    ("reservation", "concert_schedule_id"),
    ("payment", "user_id"),
    ("queue", "concert_schedule_id"),
    ("queue_archive", "concert_schedule_id"),
    ("draw", "concert_schedule_id"),
    ("draw_entrant", "concert_schedule_id"),
    ("draw_lease", "concert_schedule_id"),
    ("rejection_count", "concert_schedule_id"),
    ("sale_report", "concert_schedule_id"),
    ("\"user\"", "id"),
    ("point", "user_id"),
    ("point_history", "user_id"),
    ("idempotency_key", "user_id"),
    ("lost_sale", "concert_schedule_id"),
];

pub(super) async fn start(admin: &Client, sale: &Sale, plan: Value) -> Value {
    let path = format!("/v1/admin/schedules/{}/rehearsals", sale.schedule);
    let begun = admin.post(&path, plan).await.ok(201);
    shape::check(&begun, REHEARSAL);
    assert_eq!(begun["state"], "RUNNING");
    begun
}

pub(super) async fn find(admin: &Client, rehearsal: &Value) -> Value {
    let path = format!("/v1/admin/rehearsals/{}", rehearsal["id"]);
    let found = admin.send_with_retries(admin.request(Method::GET, &path)).await.ok(200);
    shape::check(&found, REHEARSAL);
    found
}

async fn until_state(admin: &Client, rehearsal: &Value, what: &str, member: &str) -> Value {
    until_within(LIMIT, what, async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let found = find(admin, rehearsal).await;
        (!found[member].is_null()).then_some(found)
    })
    .await
}

/// Waits until it has ended; returns it.
pub(super) async fn ended(admin: &Client, rehearsal: &Value) -> Value {
    until_state(admin, rehearsal, "the rehearsal has ended", "ended_at").await
}

/// Rows of shadows in all tables, and keys in Redis.
pub(super) async fn remains(world: &World, rehearsal: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (table, column) in TABLES {
        let sql = AssertSqlSafe(format!("select count(*) from {table} where {column} < 0"));
        let rows: i64 = sqlx::query_scalar(sql).fetch_one(&world.pool).await.expect("a count");
        if rows > 0 {
            found.push(format!("{rows} rows of {table}"));
        }
    }
    let outbox = "select count(*) from outbox where (payload ->> 'schedule')::bigint < 0";
    if world.number(outbox).await > 0 {
        found.push("the outbox".to_owned());
    }
    let id = RehearsalId(rehearsal["id"].as_i64().expect("an id"));
    let keys = ScheduleKeys::new(id.schedule(), 8).all();
    let mut redis = world.raw_redis().await;
    let count: i64 = redis::cmd("EXISTS").arg(&keys).query_async(&mut redis).await.expect("Redis");
    if count > 0 {
        found.push(format!("{count} keys"));
    }
    found
}

pub(super) async fn until_removed(world: &World, admin: &Client, rehearsal: &Value) {
    until_state(admin, rehearsal, "the shadow is removed", "removed_at").await;
    let left = remains(world, rehearsal).await;
    assert!(left.is_empty(), "{left:?}");
}

/// The lines of a sheet that failed, without those that a busy machine may fail.
fn broken_lines(sheet: &Value) -> Vec<String> {
    let lines = sheet["lines"].as_array().expect("lines").iter();
    let failed = lines.filter(|line| line["passed"] == false);
    let names = failed.map(|line| line["name"].as_str().expect("a name").to_owned());
    let slow = |name: &String| {
        name.starts_with("p99_") || ["forecast", "generator"].contains(&name.as_str())
    };
    names.filter(|name| !slow(name)).collect()
}

pub(super) fn quick(buyers: u32) -> Value {
    json!({"buyers": buyers, "early_seconds": 2, "late_seconds": 2, "choose_seconds": 0.2,
        "pay_seconds": 0.2, "no_shows": 0.0, "pays": 1.0, "max_minutes": 1})
}

/// A sale that opens in an hour, with 24 seats of which 4 are blocked.
pub(super) async fn coming_sale(admin: &Client, settings: Value) -> Sale {
    let sale = sale::create(admin, (3600, 7200), 2, 12, settings).await;
    let blocked = json!({"seat_ids": sale.seats[..4], "blocked": true});
    admin.patch(&format!("/v1/admin/schedules/{}/seats", sale.schedule), blocked).await.ok(200);
    sale
}

#[tokio::test]
async fn a_rehearsal_sells_the_shadow_and_leaves_nothing() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    admin.patch("/v1/admin/event-feed", json!({"enabled": true})).await.ok(200);
    let sale = coming_sale(&admin, json!({"capacity": 10, "admit_per_second": 20})).await;
    let begun = start(&admin, &sale, quick(60)).await;
    let path = format!("/v1/admin/schedules/{}/rehearsals", sale.schedule);
    admin.post(&path, quick(1)).await.refused(409, "rehearsal_running");
    until("figures are live", async || {
        let progress = find(&admin, &begun).await["progress"].clone();
        (progress["came"].as_u64() > Some(0)).then_some(())
    })
    .await;

    let done = ended(&admin, &begun).await;
    let sheet = &done["sheet"];
    shape::check(sheet, SHEET);
    assert_eq!(broken_lines(sheet), [""; 0], "{sheet:#}");
    let state = if sheet["passed"] == true { "PASSED" } else { "FAILED" };
    assert_eq!((&done["state"], &sheet["seats"]), (&json!(state), &json!(20)), "{sheet:#}");
    assert_eq!(sheet["seats_sold"], 20, "{sheet:#}");
    assert!(sheet["sold_out"]["measured"].as_f64() > Some(0.0), "{sheet:#}");
    let ends = sheet["ends"].as_object().expect("ends").values();
    assert_eq!(ends.filter_map(Value::as_u64).sum::<u64>(), 60, "each buyer has an end: {sheet:#}");
    let requests = sheet["steps"].as_array().expect("steps").iter();
    let requests: u64 = requests.filter_map(|step| step["requests"].as_u64()).sum();
    assert_eq!(Some(requests), sheet["requests"].as_u64());

    until_removed(&world, &admin, &begun).await;
    let events = "select count(*) from sale_event where (data ->> 'schedule_id')::bigint < 0";
    assert_eq!(world.number(events).await, 0, "no event of a shadow");
    let seats = format!("/v1/schedules/{}", sale.schedule);
    let of_sale = admin.get(&seats).await.ok(200)["seats"].clone();
    assert_eq!((&of_sale["available"], &of_sale["sold"]), (&json!(20), &json!(0)));
    let audit = admin.get("/v1/admin/audit?action=rehearsal.start").await.ok(200);
    assert_eq!(audit["items"][0]["subject"], format!("schedule {}", sale.schedule));
    let listed = admin.get(&path).await.ok(200);
    assert_eq!(listed["items"][0]["id"], begun["id"], "the sheet stays");
    if state == "PASSED" {
        let readiness = format!("/v1/admin/schedules/{}/readiness", sale.schedule);
        let text = admin.get(&readiness).await.text;
        assert!(text.contains("schedule.test_purchase.rehearsed"), "{text}");
    }
}

#[tokio::test]
async fn a_rehearsal_of_a_draw_loses_no_place() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let settings = json!({"capacity": 10, "admit_per_second": 20, "entry_order": "DRAW"});
    let sale = coming_sale(&admin, settings).await;
    let begun = start(&admin, &sale, quick(40)).await;
    let done = ended(&admin, &begun).await;
    assert_eq!(broken_lines(&done["sheet"]), [""; 0], "{done:#}");
    assert_eq!(done["sheet"]["seats_sold"], 20, "{done:#}");
    until_removed(&world, &admin, &begun).await;
}

#[tokio::test]
async fn a_rehearsal_that_would_slow_an_open_sale_needs_a_confirmation_and_wrong_plans_are_refused()
{
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let coming = coming_sale(&admin, json!({})).await;
    let open = sale::open(&admin, 1, 4, json!({})).await;
    active_buyer(&process, &open).await;
    let path = format!("/v1/admin/schedules/{}/rehearsals", coming.schedule);
    until("the sale counts as open", async || {
        (world.number("select count(*) from queue").await == 1).then_some(())
    })
    .await;
    let refused = admin.post(&path, quick(1)).await;
    refused.refused(409, "sale_is_open");
    assert_eq!(refused.body["schedule_ids"], json!([open.schedule]));
    for (plan, pointer) in [
        (json!({"buyers": 0}), "/buyers"),
        (json!({"buyers": 50_001}), "/buyers"),
        (json!({"buyers": 1, "pays": 1.1}), "/pays"),
        (json!({"buyers": 1, "base_url": "http://shop.example"}), "/base_url"),
        (json!({"buyers": 1, "base_url": "file:///etc/passwd"}), "/base_url"),
    ] {
        let refused = admin.post(&path, plan).await;
        refused.refused(422, "invalid_request");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
    let empty = sale::create(&admin, (3600, 7200), 0, 0, json!({})).await;
    let empty = format!("/v1/admin/schedules/{}/rehearsals", empty.schedule);
    admin.post(&empty, quick(1)).await.refused(422, "invalid_request");
    let unknown = "/v1/admin/schedules/999999/rehearsals";
    admin.post(unknown, quick(1)).await.refused(404, "schedule_not_found");
    process.buyer().await.post(&path, quick(1)).await.refused(403, "forbidden");
    admin.get("/v1/admin/rehearsals/999999").await.refused(404, "rehearsal_not_found");
    let mut confirmed = quick(1);
    confirmed["beside_open_sales"] = json!(true);
    let begun = start(&admin, &coming, confirmed).await;
    ended(&admin, &begun).await;
}
