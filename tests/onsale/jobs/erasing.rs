//! The erasure of one person: what goes, what stays, and when it is refused.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::wait_for;
use crate::sale::refusals::active_buyer;
use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// A name that is nothing else, with what JSON escapes.
const NAME: &str = "Zebedee \"Z\" Quux-김";

/// Where [`write_name`] and the sign-up put it.
const PLACES: [&str; 5] =
    ["audit.after", "box_office_action.reason", "guest_seat.reason", "job.parameters", "user.name"];

/// Every column of text or JSON in every table.
const COLUMNS: &str = "select c.table_name::text, c.column_name::text
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
      and c.data_type in ('text', 'jsonb', 'json', 'character varying', 'ARRAY') order by 1, 2";

/// Where the name is: tables and columns.
async fn found(world: &World) -> Vec<String> {
    let columns: Vec<(String, String)> =
        sqlx::query_as(COLUMNS).fetch_all(&world.pool).await.expect("columns");
    assert!(columns.len() > 30, "{columns:?}");
    let escaped = NAME.replace('"', "\\\"");
    let mut found = Vec::new();
    for (table, column) in columns {
        let sql = format!(
            "select exists (select from \"{table}\" where strpos(\"{column}\"::text, $1) > 0
                              or strpos(\"{column}\"::text, $2) > 0)"
        );
        let asked = sqlx::query_scalar::<_, bool>(AssertSqlSafe(sql)).bind(NAME).bind(&escaped);
        if asked.fetch_one(&world.pool).await.expect("an answer") {
            found.push(format!("{table}.{column}"));
        }
    }
    found
}

/// The values of all keys in Redis that have the name in them.
async fn found_in_redis(world: &World) -> usize {
    let mut redis = world.raw_redis().await;
    let keys: Vec<String> =
        redis::cmd("KEYS").arg("*").query_async(&mut redis).await.expect("keys");
    assert!(!keys.is_empty());
    let mut found = 0;
    for key in keys {
        let dumped: Option<Vec<u8>> =
            redis::cmd("DUMP").arg(&key).query_async(&mut redis).await.expect("a value");
        let name = "Zebedee".as_bytes();
        found += usize::from(dumped.is_some_and(|it| it.windows(name.len()).any(|at| at == name)));
    }
    found
}

/// The person, with points.
async fn person(process: &Process) -> Client {
    let mut person = process.anonymous();
    let made = person.post("/v1/users", json!({"name": NAME})).await.ok(201);
    person.user = made["id"].as_i64().expect("an id");
    person.token = made["access_token"].as_str().map(str::to_owned);
    person.keyed().post("/v1/points/charges", json!({"amount": 1_000})).await.ok(201);
    person
}

async fn erase(admin: &Client, user: i64, give_up: bool) -> Answer {
    let body = json!({"give_up_entitlements": give_up, "reason": format!("{NAME} asked for it.")});
    admin.keyed().post(&format!("/v1/admin/users/{user}/erase"), body).await
}

/// Writes the name where operators may have written it.
async fn write_name(world: &World, admin: &Client, user: i64) {
    let note = json!({"reason": format!("{NAME} called twice."), "title": "A night"});
    let own = json!({"seat": "A 1", "greeting": format!("Dear {NAME}"), "user_id": user});
    for (subject, after) in [("schedule 1".to_owned(), &note), ("reservation 7".to_owned(), &own)] {
        let sql = "insert into audit (admin, action, subject, before, after)
                   values ($1, 'seat.note', $2, null, $3)";
        let row = sqlx::query(sql).bind(admin.user).bind(subject).bind(after);
        row.execute(&world.pool).await.expect("an entry");
    }
    let sql = "insert into job (kind, requested_by, cancellable, parameters, state, finished_at)
               values ('REFUND_SCHEDULE', $1, false, $2, 'DONE', now())";
    sqlx::query(sql).bind(admin.user).bind(&note).execute(&world.pool).await.expect("a job");
    let reason = format!("{NAME} lost the telephone.");
    for sql in [
        "insert into box_office_action (kind, admin, user_id, reason)
         values ('REISSUE_CODE', $1, $2, $3)",
        "insert into guest_seat (reservation_id, concert_schedule_id, was_blocked, given_by, reason)
         select id, concert_schedule_id, false, $1, $3 from reservation where user_id = $2 limit 1",
    ] {
        let row = sqlx::query(sql).bind(admin.user).bind(user).bind(&reason);
        row.execute(&world.pool).await.expect("a reason");
    }
}

/// Makes a recovery code, and joins a queue; returns the code.
async fn wait_elsewhere(world: &World, person: &mut Client, schedule: i64) -> Value {
    let code = person.post("/v1/users/me/recovery-code", json!({})).await.ok(201);
    person.join(schedule).await.ok(201);
    until("the entry is archived", async || {
        let waiting = "select count(*) from queue where status = 'WAITING'";
        (world.number(waiting).await == 1).then_some(())
    })
    .await;
    code
}

#[tokio::test]
async fn nothing_has_the_name_afterwards_and_the_numbers_stay() {
    let world = World::new().await;
    let process = world.start().await;
    let other = world.start().await;
    let admin = process.admin().await;
    let past = sale::open(&admin, 1, 4, json!({})).await;
    let waiting = sale::open(&admin, 1, 4, json!({"capacity": 0})).await;
    let mut person = person(&process).await;
    person.join(past.schedule).await.ok(201);
    let hold = person.hold(past.schedule, json!({"quantity": 2})).await.ok(201);
    erase(&admin, person.user, true).await.refused(409, "user_has_entitlements");
    person.pay(&hold).await.ok(201);
    let refused = erase(&admin, person.user, false).await;
    refused.refused(409, "user_has_entitlements");
    let has = |name: &str| refused.body[name].as_i64();
    assert_eq!((has("held_seats"), has("tickets"), has("balance")), (Some(0), Some(2), Some(800)));
    let code = wait_elsewhere(&world, &mut person, waiting.schedule).await;
    write_name(&world, &admin, person.user).await;
    let before = found(&world).await;
    assert_eq!(before, PLACES, "where the search finds it");

    admin.patch("/v1/admin/event-feed", json!({"enabled": true})).await.ok(200);
    let job = erase(&admin, person.user, true).await.ok(202);
    erase(&admin, person.user, true).await.refused(409, "job_exists");
    let cancel = format!("/v1/admin/jobs/{}/cancel", job["id"]);
    admin.post(&cancel, json!({})).await.refused(409, "job_not_cancellable");
    let job = wait_for(&admin, &job, "DONE").await;
    assert_eq!((&job["done"], &job["figures"]["texts"]), (&json!(1), &json!(7)), "{job}");
    assert_eq!(found(&world).await, [""; 0]);
    assert_eq!(found_in_redis(&world).await, 0);

    // Every process refuses what the person has.
    for at in [process.addr, other.addr] {
        let person = person.at(at);
        person.get("/v1/users/me").await.refused(401, "unauthenticated");
        person.get("/v1/queue/ticket").await.refused(401, "ticket_invalid");
        person.hold(past.schedule, json!({"quantity": 1})).await.refused(401, "unauthenticated");
    }
    let recover = json!({"code": code["code"]});
    process
        .anonymous()
        .post("/v1/users/recover", recover)
        .await
        .refused(403, "recovery_code_invalid");
    erase(&admin, person.user, true).await.refused(404, "user_not_found");
    until("the entry has ended", async || {
        let left = "select count(*) from queue where status = 'LEFT'";
        (world.number(left).await == 1).then_some(())
    })
    .await;
    stayed(&world, &admin, person.user).await;
}

/// The numbers of an erased person, and the texts about others, are as before.
async fn stayed(world: &World, admin: &Client, user: i64) {
    let data = admin.get(&format!("/v1/admin/users/{user}/data")).await.ok(200);
    let count = |list: &str| data[list].as_array().map(Vec::len);
    assert_eq!((&data["user"]["name"], &data["user"]["balance"]), (&json!("erased"), &json!(800)));
    assert!(data["user"]["erased_at"].is_string());
    assert_eq!((count("reservations"), count("payments")), (Some(2), Some(2)));
    assert_eq!(count("point_history"), Some(2));
    let audit = admin.get("/v1/admin/audit?action=seat.note").await.ok(200);
    assert_eq!(audit["items"][0]["after"]["greeting"], "Dear erased");
    assert_eq!(audit["items"][0]["after"]["seat"], "A 1");
    assert_eq!(
        audit["items"][1]["after"],
        json!({"reason": "erased called twice.", "title": "A night"})
    );
    let events = "select count(*) from sale_event where type = 'user.erased'
                    and data = jsonb_build_object('user_id', (select max(user_id) from barred_user))";
    assert_eq!(world.number(events).await, 1);
}

#[tokio::test]
async fn an_erasure_is_lifted_if_the_person_gets_something_in_the_last_moment() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let person = process.buyer().await;
    let job = erase(&admin, person.user, false).await.ok(202);
    until("the person is barred", async || {
        (world.number("select count(*) from barred_user where not lifted").await == 1).then_some(())
    })
    .await;
    until("the tokens are refused", async || {
        (person.get("/v1/users/me").await.status == 401).then_some(())
    })
    .await;
    let charge = "select point_change($1, 'CHARGE', 5, 'late')";
    sqlx::query(charge).bind(person.user).execute(&world.pool).await.expect("points");
    let job = wait_for(&admin, &job, "FAILED").await;
    assert_eq!(job["error"], "user_has_entitlements");
    until("the tokens work again", async || {
        (person.get("/v1/users/me").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(person.get("/v1/users/me").await.ok(200)["name"], "Kim");
}

#[tokio::test]
async fn an_administrator_cannot_erase_themselves() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    erase(&admin, admin.user, true).await.refused(409, "own_user");
    // A short name is a part of many words: it is replaced in texts about the person alone.
    let one = process.anonymous().post("/v1/users", json!({"name": "K"})).await.ok(201);
    let path = format!("/v1/admin/users/{}/erase", one["id"]);
    let body = json!({"give_up_entitlements": false, "reason": "K asked."});
    let other = json!({"reason": "Kim asked."});
    let sql =
        "insert into audit (admin, action, subject, after) values (1, 'seat.note', 'seat 1', $1)";
    sqlx::query(sql).bind(&other).execute(&world.pool).await.expect("an entry");
    let job = admin.keyed().post(&path, body).await.ok(202);
    wait_for(&admin, &job, "DONE").await;
    let audit = admin.get("/v1/admin/audit").await.ok(200);
    let reasons: Vec<&Value> =
        audit["items"].as_array().unwrap().iter().map(|it| &it["after"]["reason"]).collect();
    assert!(reasons.contains(&&json!("Kim asked.")), "{reasons:?}");
    assert!(reasons.contains(&&json!("erased asked.")), "{reasons:?}");
}

#[tokio::test]
async fn retention_erases_names_of_users_without_activity_and_keeps_the_others() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(process.buyer().await.user);
    }
    let rich = process.rich_buyer().await;
    let old: DateTime<Utc> = Utc::now() - TimeDelta::days(500);
    sqlx::query("update \"user\" set created_at = $1")
        .bind(old)
        .execute(&world.pool)
        .await
        .unwrap();
    until("the entry is archived", async || {
        (world.number("select count(*) from queue").await == 1).then_some(())
    })
    .await;
    let prune = |more: &[&str]| {
        let arguments = [&["prune", "--keep-users", "400d"], more].concat();
        let done =
            crate::support::program::command(&world, &arguments).output().expect("the program");
        String::from_utf8(done.stdout).expect("a text")
    };
    let dry = prune(&[]);
    assert!(dry.contains("user: would erase 3 rows (kept: 400 days)"), "{dry}");
    let done = prune(&["--apply"]);
    assert!(done.contains("user: erased 3 rows"), "{done}");
    let again = prune(&["--apply"]);
    assert!(again.contains("user: erased 0 rows"), "{again}");
    let erased = "select array_agg(id order by id) from \"user\" where erased_at is not null";
    let erased: Vec<i64> = sqlx::query_scalar(erased).fetch_one(&world.pool).await.unwrap();
    assert_eq!(erased, idle, "and not {} {} {}", admin.user, buyer.user, rich.user);
}
