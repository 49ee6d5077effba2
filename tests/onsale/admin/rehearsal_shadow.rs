//! The shadow of a rehearsal: nobody sees it, its passes are valid for nothing else, and another process
//! removes it after a crash.

use chrono::{TimeDelta, Utc};
use onsale::caller::Role;
use onsale::store::id::RehearsalId;
use onsale::user::rehearsal_pass::{Pass, RehearsalPasses};
use serde_json::{Value, json};

use super::rehearsal::{coming_sale, ended, find, quick, remains, start, until_removed};
use crate::support::client::Client;
use crate::support::program::Program;
use crate::support::sale::Sale;
use crate::support::wait::until;
use crate::support::world::{QUEUE_SECRET, World, token};

/// A rehearsal that lasts longer than a test, whose shadow is there: its id and its start.
async fn lasting(world: &World, admin: &Client, sale: &Sale) -> (RehearsalId, Value) {
    let plan = json!({"buyers": 3, "early_seconds": 600, "late_seconds": 600});
    let begun = start(admin, sale, plan).await;
    until("the shadow is there", async || {
        let shadows = "select count(*) from concert_schedule where id < 0 and queue_epoch > 0";
        (world.number(shadows).await == 1).then_some(())
    })
    .await;
    (RehearsalId(begun["id"].as_i64().expect("an id")), begun)
}

/// Ends a rehearsal, and waits until everything of it is removed.
async fn end(world: &World, admin: &Client, begun: &Value) {
    let path = format!("/v1/admin/rehearsals/{}", begun["id"]);
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(ended(admin, begun).await["state"], "STOPPED");
    assert_eq!(admin.delete(&path).await.status, 204, "it has ended");
    until_removed(world, admin, begun).await;
}

/// Staff find neither the shadow nor a synthetic buyer.
async fn staff_find_nothing(admin: &Client, id: RehearsalId) {
    let shadow = id.schedule();
    for path in [
        "",
        "/seats",
        "/stats",
        "/history",
        "/alerts",
        "/report",
        "/refund",
        "/exports/buyers.csv",
        "/readiness",
    ] {
        let path = format!("/v1/admin/schedules/{shadow}{path}");
        admin.get(&path).await.refused(404, "schedule_not_found");
    }
    let guests = format!("/v1/admin/box-office/schedules/{shadow}/guests");
    admin.get(&guests).await.refused(404, "schedule_not_found");
    let synthetic = id.buyer(0);
    for path in [
        format!("/v1/admin/users/{synthetic}/data"),
        format!("/v1/admin/box-office/buyers/{synthetic}"),
    ] {
        admin.get(&path).await.refused(404, "user_not_found");
    }
    for q in [synthetic.to_string(), "rehearsal".to_owned()] {
        let found = admin.get(&format!("/v1/admin/box-office/search?q={q}")).await.ok(200);
        assert_eq!(found["items"], json!([]), "{q}");
    }
}

#[tokio::test]
async fn nobody_sees_a_shadow() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = coming_sale(&admin, json!({})).await;
    let (id, begun) = lasting(&world, &admin, &sale).await;
    let mut buyer = process.buyer().await;
    let shadow = id.schedule();
    for client in [&process.anonymous(), &buyer, &admin] {
        for path in ["", "/seats", "/seats/status", "/seats/layout", "/queue", "/queue/draw"] {
            let path = format!("/v1/schedules/{shadow}{path}");
            client.get(&path).await.refused(404, "schedule_not_found");
        }
        let encoded = format!("/v1/schedules/%2D{id}");
        client.get(&encoded).await.refused(404, "schedule_not_found");
        client.get(&format!("/v1/concerts/{shadow}")).await.refused(404, "concert_not_found");
        let dates = format!("/v1/concerts/{shadow}/schedules");
        client.get(&dates).await.refused(404, "concert_not_found");
    }
    staff_find_nothing(&admin, id).await;
    for page in ["wait", "seats"] {
        let answer = buyer.get(&format!("/schedules/{shadow}/{page}")).await;
        assert_eq!(answer.status, 404, "{page}");
    }
    buyer.join(shadow.0).await.refused(404, "schedule_not_found");
    for list in
        ["concerts?limit=200", "concerts?sale=OPEN", "concerts?sale=UPCOMING", "admin/concerts"]
    {
        let listed = admin.get(&format!("/v1/{list}")).await.ok(200);
        let items = listed["items"].as_array().expect("items");
        assert!(items.iter().all(|item| item["id"].as_i64() > Some(0)), "{list}: {listed}");
    }
    end(&world, &admin, &begun).await;
}

#[tokio::test]
async fn the_pass_of_a_synthetic_buyer_is_valid_for_nothing_else() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = coming_sale(&admin, json!({})).await;
    let (id, begun) = lasting(&world, &admin, &sale).await;
    let (buyer, shadow) = (process.buyer().await, id.schedule());
    let forged = buyer.with_token(&token(id.buyer(1).0, Role::User));
    forged.get("/v1/users/me").await.refused(401, "unauthenticated");

    let passes = RehearsalPasses::new(&[QUEUE_SECRET.to_owned()], "onsale");
    let expires_at = Utc::now() + TimeDelta::minutes(5);
    let sign = |rehearsal, number| passes.sign(&Pass { rehearsal, number, expires_at }).unwrap();
    let mut synthetic = buyer.with_token(&sign(id, 1));
    assert_eq!(synthetic.join(shadow.0).await.ok(201)["schedule_id"], shadow.0);
    synthetic.poll().await.ok(200);
    synthetic.join(sale.schedule).await.refused(404, "schedule_not_found");
    for path in ["/v1/users/me", "/v1/points", "/v1/admin/health", "/v1/reservations"] {
        synthetic.get(path).await.refused(401, "unauthenticated");
    }
    let charge = synthetic.keyed().post("/v1/points/charges", json!({"amount": 1})).await;
    charge.refused(401, "unauthenticated");
    let code = synthetic.post("/v1/users/me/recovery-code", json!({})).await;
    code.refused(401, "unauthenticated");
    let mut other = buyer.with_token(&sign(RehearsalId(id.0 + 1), 1));
    other.join(shadow.0).await.refused(404, "schedule_not_found");
    end(&world, &admin, &begun).await;
    synthetic.join(shadow.0).await.refused(404, "schedule_not_found");
}

#[tokio::test]
async fn a_rehearsal_whose_process_was_killed_is_broken_and_removed_by_another() {
    let world = World::new().await;
    let program = Program::start(&world, &[]).await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = coming_sale(&admin, json!({})).await;
    let plan = json!({"buyers": 30, "early_seconds": 60, "late_seconds": 60});
    let begun = start(&admin.at(program.addr), &sale, plan).await;
    until("buyers have come", async || {
        let progress = find(&admin, &begun).await["progress"].clone();
        (progress["came"].as_u64() > Some(0)).then_some(())
    })
    .await;
    assert!(!remains(&world, &begun).await.is_empty(), "the shadow is there");
    drop(program);
    let done = ended(&admin, &begun).await;
    assert_eq!((&done["state"], &done["sheet"]), (&json!("BROKEN"), &Value::Null));
    until_removed(&world, &admin, &begun).await;
    let again = start(&admin, &sale, quick(5)).await;
    assert_ne!(again["id"], begun["id"], "the next one may start");
}

/// Tables with rows that keep a shadow from being removed, and why each is no hindrance: `removal.rs`
/// deletes its rows, or no row of it can belong to a rehearsal.
const REFERRING: [(&str, &str); 22] = [
    ("audit", "a synthetic buyer is no administrator"),
    ("barred_user", "a synthetic buyer is no user who can be erased"),
    ("box_office_action", "removed"),
    ("concert_schedule", "removed"),
    ("draw", "removed"),
    ("draw_lease", "removed"),
    ("guest_seat", "no call finds the schedule of a shadow"),
    ("job", "a synthetic buyer is no administrator"),
    ("payment", "removed"),
    ("point", "removed"),
    ("point_history", "removed"),
    ("queue", "removed"),
    ("queue_archive", "removed"),
    ("recovery_code", "a pass makes no recovery code"),
    ("rehearsal", "a synthetic buyer is no administrator"),
    ("rejection_count", "removed"),
    ("removed_seat", "no call finds the schedule of a shadow"),
    ("reservation", "removed"),
    ("sale_phase", "none is written for a shadow"),
    ("sale_report", "none is computed for a shadow"),
    ("seat", "removed"),
    ("sign_up_form", "a synthetic buyer does not sign up"),
];

#[tokio::test]
async fn every_table_that_refers_to_a_sale_or_a_buyer_is_known_to_the_removal() {
    let world = World::new().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select distinct conrelid::regclass::text from pg_constraint
         where contype = 'f' and confdeltype = 'a' and confrelid = any (array['concert',
           'concert_schedule', 'seat', 'reservation', 'payment', '\"user\"']::regclass[])
         order by 1",
    )
    .fetch_all(&world.pool)
    .await
    .expect("the foreign keys");
    assert_eq!(tables, REFERRING.map(|(table, _)| table), "remove its rows in removal.rs");
}
