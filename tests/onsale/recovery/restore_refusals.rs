//! `onsale restore` refuses what it must not do, and can be repeated after being cut off.

use std::time::Duration;

use onsale::store::process_records;
use onsale::store::redis::Redis;
use redis::AsyncCommands;
use serde_json::json;

use super::restore::{Scene, buy};
use crate::sale::refusals::active_buyer;
use crate::support::program::Program;
use crate::support::proxy::{Mode, Proxy};
use crate::support::restored::{Restorable, name, restore_command, run, until_nothing_runs};
use crate::support::sale;
use crate::support::servers::{Servers, clusters_requested};
use crate::support::tools::folder;
use crate::support::wait::until;
use crate::support::world::{JWT_SECRET, QUEUE_SECRET, World};

/// Of other installations.
const OTHERS: [(&str, &str); 2] = [
    ("ONSALE_JWT_SECRET", "0c6e4c4a2f1d5b8e9a7f3d2c1b0a99887766554433221100ffeeddccbbaa9988"),
    ("ONSALE_QUEUE_SECRETS", "93b1c7d5e2f4068a1b3c5d7e9f1a2b4c6d8e0f1234567890abcdef0123456789"),
];

/// A sale with one sold seat and no process.
pub async fn sold_one() -> Restorable {
    let mut stage = Restorable::new().await;
    let process = stage.world.start().await;
    let sale = sale::open(&process.admin().await, 1, 3, json!({})).await;
    process.stop().await;
    stage.back_up().await;
    let process = stage.world.start().await;
    let buyer = active_buyer(&process, &sale).await;
    let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    buyer.pay(&held).await.ok(201);
    stage.world.wait_for_empty_outbox().await;
    process.stop().await;
    stage
}

#[tokio::test]
async fn a_finish_that_was_killed_is_repeated_and_a_second_one_changes_nothing() {
    let mut stage = sold_one().await;
    stage.prepare().await;
    stage.restore().await;
    let pool = stage.world.pool.clone();
    let epochs = "select sum(queue_epoch)::bigint from concert_schedule";
    let epoch = stage.world.number(epochs).await;

    // It has moved the ids, and waits for a schedule.
    let mut lock = pool.begin().await.expect("a transaction");
    sqlx::query("select from concert_schedule for update").execute(&mut *lock).await.expect("it");
    let file = stage.file();
    let arguments = ["finish", "--block-missing", "--from", name(&file)];
    let mut child = restore_command(&stage.world, &arguments).spawn().expect("onsale");
    until("it waits for the schedule", async || {
        let waiting = "select count(*) from pg_stat_activity
             where application_name = 'onsale' and wait_event_type = 'Lock'";
        (stage.world.number(waiting).await == 1).then_some(())
    })
    .await;
    child.kill().await.expect("it ends");
    lock.rollback().await.expect("released");
    until("its session has ended", async || {
        let sessions = "select count(*) from pg_stat_activity where application_name = 'onsale'";
        (stage.world.number(sessions).await == 0).then_some(())
    })
    .await;
    for nothing in [
        "select count(*) from restore",
        "select count(*) from seat where blocked",
        "select count(*) from audit where action = 'restore.finish'",
    ] {
        assert_eq!(stage.world.number(nothing).await, 0, "{nothing}");
    }
    assert_eq!(stage.world.number(epochs).await, epoch);

    let first = stage.finish(&["--block-missing"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    let state =
        "select concat_ws(' ', (select last_value from user_id_seq), (select last_value from
                   reservation_id_seq), (select sum(queue_epoch) from concert_schedule),
                   (select max(generation) from restore), (select count(*) from audit),
                   (select count(*) from \"user\"), (select count(*) from seat where blocked))";
    let read = async || -> String { sqlx::query_scalar(state).fetch_one(&pool).await.expect("it") };
    let after_first = read().await;
    let second = stage.finish(&["--block-missing"]).await;
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.text.starts_with("an earlier run finished the restore"), "{second:?}");
    assert_eq!(read().await, after_first);
}

#[tokio::test]
async fn processes_that_serve_are_found_and_with_force_they_refuse_old_tokens_within_seconds() {
    let mut stage = sold_one().await;
    stage.prepare().await;
    stage.restore().await;
    let process = stage.world.start().await;
    let early = process.buyer().await;
    early.get("/v1/users/me").await.ok(200);
    until("it has a record", async || {
        let refused = stage.finish(&["--block-missing"]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        refused.errors.contains("processes run at").then_some(())
    })
    .await;
    assert_eq!(stage.world.number("select count(*) from restore").await, 0);

    // Its session alone is enough, such as with another Redis.
    let mut redis = stage.world.raw_redis().await;
    let _: () = redis.del("onsale:{processes}:records").await.expect("Redis");
    let refused = stage.finish(&["--block-missing"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.errors.contains("onsale are connected to PostgreSQL")
            || refused.errors.contains("processes run at"),
        "{refused:?}"
    );

    let forced = stage.finish(&["--block-missing", "--end-all-tokens", "--force"]).await;
    assert_eq!(forced.code, Some(0), "{forced:?}");
    until("the running process refuses the token", async || {
        let answer = early.get("/v1/users/me").await;
        if answer.status == 401 {
            answer.refused(401, "unauthenticated");
            return Some(());
        }
        answer.ok(200);
        None
    })
    .await;
    let new = process.buyer().await;
    assert_eq!(new.get("/v1/users/me").await.ok(200)["id"], new.user);
}

#[tokio::test]
async fn a_wrong_file_and_a_redis_that_is_down_are_refused() {
    let mut stage = sold_one().await;
    stage.prepare().await;
    let file = stage.file();
    let whole = std::fs::read(&file).expect("the file");

    let again = run(&stage.world, &["prepare", "--to", name(&file)], &[]).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.errors.contains("exists and is kept"), "{again:?}");
    assert_eq!(std::fs::read(&file).expect("the file"), whole);

    stage.restore().await;
    for (step, more) in [("compare", &[][..]), ("finish", &["--block-missing"][..])] {
        let arguments = [&[step, "--from", name(&file)][..], more].concat();
        let other = run(&stage.world, &arguments, &OTHERS).await;
        assert_eq!(other.code, Some(1), "{other:?}");
        assert!(other.errors.contains("another installation"), "{other:?}");
        for secret in [JWT_SECRET, QUEUE_SECRET, OTHERS[0].1, OTHERS[1].1] {
            assert!(!other.errors.contains(secret), "{other:?}");
        }
        for length in [0, whole.len() / 2, whole.len() - 2] {
            std::fs::write(&file, &whole[..length]).expect("cut off");
            let damaged = run(&stage.world, &arguments, &[]).await;
            assert_eq!(damaged.code, Some(1), "{damaged:?}");
            assert!(damaged.errors.contains("is not a whole file"), "{damaged:?}");
        }
        let text = String::from_utf8(whole.clone()).expect("text");
        let changed = text.replacen("\"number\": 1,", "\"number\": 2,", 1);
        assert_ne!(changed, text);
        std::fs::write(&file, changed).expect("changed");
        let damaged = run(&stage.world, &arguments, &[]).await;
        assert!(damaged.errors.contains("do not match their checksum"), "{damaged:?}");
        std::fs::write(&file, &whole).expect("whole again");
    }
    assert_eq!(stage.world.number("select count(*) from restore").await, 0);

    // One rotated secret is no other installation.
    let rotated = format!("{},{QUEUE_SECRET}", OTHERS[1].1);
    let rotated = [OTHERS[0], ("ONSALE_QUEUE_SECRETS", rotated.as_str())];
    let compared = run(&stage.world, &["compare", "--from", name(&file)], &rotated).await;
    assert_eq!(compared.code, Some(3), "{compared:?}");

    stage.world.redis.kill().await.expect("it ends");
    let missing = stage.folder.join("none.json");
    let prepared = run(&stage.world, &["prepare", "--to", name(&missing)], &[]).await;
    assert_eq!(prepared.code, Some(1), "{prepared:?}");
    assert!(prepared.errors.contains("Redis is unavailable"), "{prepared:?}");
    assert_eq!(std::fs::read_dir(&stage.folder).expect("it").count(), 1, "no file is left");
    let refused = stage.finish(&["--block-missing"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.errors.contains("--force goes on"), "{refused:?}");
    // The epochs of the file are enough.
    let forced = stage.finish(&["--block-missing", "--force"]).await;
    assert_eq!(forced.code, Some(0), "{forced:?}");
    let epoch = "select max(queue_epoch)::bigint from concert_schedule";
    assert_eq!(stage.world.number(epoch).await, 2);
}

/// Such a file lists the later sales nowhere, so their seats would be sold again.
#[tokio::test]
async fn a_file_that_lacks_later_sales_is_refused() {
    let mut scene = Scene::set().await;
    scene.stage.prepare().await;
    let process = scene.stage.world.start().await;
    let mut late = active_buyer(&process, &scene.sale).await;
    buy(&mut late, &scene.sale, 4).await;
    scene.stage.world.wait_for_empty_outbox().await;
    process.stop().await;
    scene.stage.restore().await;
    until_nothing_runs(&scene.stage.world).await;
    let file = scene.stage.file();
    for step in [&["compare"][..], &["finish", "--block-missing"]] {
        let refused = [step, &["--from", name(&file)]].concat();
        let refused = run(&scene.stage.world, &refused, &[]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.errors.contains("1 seats of schedule"), "{refused:?}");
    }
    assert_eq!(scene.stage.world.number("select count(*) from restore").await, 0);

    std::fs::remove_file(&file).expect("the outdated file");
    scene.stage.prepare().await;
    let (code, _) = scene.stage.compare().await;
    assert_eq!(code, Some(3));
    let finished = scene.stage.finish(&["--block-missing"]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let blocked = "select count(*) from seat where blocked";
    assert_eq!(scene.stage.world.number(blocked).await, 3);
}

/// A Redis user with the documented rights needs one more.
#[tokio::test]
async fn a_redis_user_who_may_not_list_keys_is_told_which_right_is_missing() {
    if clusters_requested() {
        return;
    }
    let stage = sold_one().await;
    let server = &stage.world.redis.all()[0];
    server.call::<()>(&["ACL", "SETUSER", "default", "-scan"]).await.expect("Redis");
    let file = stage.file();
    let refused = run(&stage.world, &["prepare", "--to", name(&file)], &[]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.errors.contains("add +scan"), "{refused:?}");
    server.call::<()>(&["ACL", "SETUSER", "default", "+scan"]).await.expect("Redis");
    stage.prepare().await;
}

/// A record that is being written as its process stops is removed after it was written.
#[tokio::test]
async fn a_process_that_has_stopped_leaves_no_record_and_a_killed_one_is_named() {
    let mut world = World::on(Servers::single().await).await;
    let redis = Redis::lazy(&world.redis_url).expect("a URL");
    let (proxy, through) = Proxy::of_url(&world.redis_url).await;
    let direct = std::mem::replace(&mut world.redis_url, through);
    // Writing a record is several round trips, and removing it is one.
    proxy.set(Mode::Delay(Duration::from_millis(50)));
    world.start().await.stop().await;
    assert_eq!(process_records::list(&redis).await.expect("Redis"), []);

    world.redis_url = direct;
    let file = folder("records").join("known.json");
    let prepared = run(&world, &["prepare", "--to", name(&file)], &[]).await;
    assert_eq!(prepared.code, Some(0), "{prepared:?}");
    let killed = Program::start(&world, &[]).await;
    let place = until("it has a record", async || {
        let records = process_records::list(&redis).await.expect("Redis");
        records.first().map(|record| record.place.clone())
    })
    .await;
    drop(killed);
    let refused = run(&world, &["finish", "--from", name(&file)], &[]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let text = format!("processes run at {place}, or were killed within the last 45 s");
    assert!(refused.errors.contains(&text), "{refused:?}");
}
