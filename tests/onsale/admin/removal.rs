//! Removing test events: what is refused, what is deleted, and what those who wait get.

use redis::AsyncCommands;
use reqwest::Method;
use serde_json::json;

use onsale::store::pg::Pg;
use onsale::store::redis::Redis;
use onsale::upkeep::removal::RemovalLoop;

use crate::recovery::rebuild::keys_of;
use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order};
use crate::support::faults::{Blocker, assert_consistent, key};
use crate::support::patch::Patch;
use crate::support::sale::{self, Sale};
use crate::support::state;
use crate::support::wait::until;
use crate::support::world::{Process, World};

fn path(sale: &Sale) -> String {
    format!("/v1/admin/schedules/{}", sale.schedule)
}

/// The tables that have rows of a schedule, by their columns.
async fn tables_with_rows(world: &World, schedule: i64) -> Vec<String> {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select c.table_name::text, c.column_name::text from information_schema.columns c
           join information_schema.tables t using (table_schema, table_name)
          where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
            and c.column_name in ('concert_schedule_id', 'schedule_id')",
    )
    .fetch_all(&world.pool)
    .await
    .expect("the tables");
    assert!(tables.len() > 10, "the tables are found: {tables:?}");
    let mut found = Vec::new();
    for (table, column) in tables {
        let sql = format!("select count(*) from \"{table}\" where \"{column}\" = $1");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(schedule)
            .fetch_one(&world.pool)
            .await
            .expect("a count");
        if count > 0 {
            found.push(table);
        }
    }
    found
}

/// A test event: a purchase, a hold, a blocked seat, and four people who wait.
struct TestEvent {
    sale: Sale,
    buyer: Client,
    payment: i64,
    rival: Client,
    hold: String,
    crowd: Vec<Client>,
}

impl TestEvent {
    async fn make(world: &World, processes: [&Process; 2]) -> Self {
        let [process, second] = processes;
        let admin = process.admin().await;
        let sale = sale::open(&admin, 2, 3, json!({"capacity": 2})).await;
        let buyer = active_buyer(process, &sale).await;
        let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
        let paid = buyer.pay(&held).await.ok(201);
        let payment = paid["payments"][0]["id"].as_i64().expect("an id");
        let rival = active_buyer(process, &sale).await;
        let unpaid = rival.hold(sale.schedule, json!({"seat_ids": [sale.seats[1]]})).await.ok(201);
        let hold = format!("/v1/holds/{}", unpaid["hold_id"].as_str().expect("an id"));
        let block = json!({"seat_ids": [sale.seats[5]], "blocked": true});
        admin.patch(&format!("{}/seats", path(&sale)), block).await.ok(200);
        // The slot that the purchase has freed is taken, so that the others wait.
        active_buyer(process, &sale).await;
        let crowd = create_users(world, &[process.addr, second.addr], 4, 0).await;
        let crowd = join_in_order(crowd, sale.schedule).await;
        Self { sale, buyer, payment, rival, hold, crowd }
    }

    /// Refunds the purchase and releases the hold: then nobody has a seat.
    async fn settle(&self) {
        let refund = format!("/v1/payments/{}/refund", self.payment);
        self.buyer.keyed().post(&refund, json!({})).await.ok(200);
        self.rival.delete(&self.hold).await.ok(204);
    }
}

#[tokio::test]
async fn a_test_event_is_removed_once_nobody_has_a_seat_and_those_who_wait_see_the_end() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let admin = process.admin().await;
    let mut event = TestEvent::make(&world, [&process, &second]).await;
    let schedule = event.sale.schedule;
    let place = path(&event.sale);
    let before = state::snapshot(&world, &[schedule]).await;
    let refused = admin.delete(&place).await;
    refused.refused(409, "has_buyers");
    assert_eq!((&refused.body["paid"], &refused.body["held"]), (&json!(1), &json!(1)));
    assert_eq!(state::snapshot(&world, &[schedule]).await, before);
    event.settle().await;

    let dry = admin.delete(&format!("{place}?dry_run=true")).await.ok(202);
    assert_eq!((&dry["removing"], &dry["seats"]), (&json!(false), &json!(6)));
    assert_eq!((&dry["reservations"], &dry["payments"]), (&json!(2), &json!(1)));
    assert_eq!(admin.delete(&place).await.ok(202)["removing"], true);
    // At once nobody can see it or join, and nothing about it can be changed.
    let public = format!("/v1/schedules/{schedule}");
    process.anonymous().get(&public).await.refused(404, "schedule_not_found");
    let mut late = process.buyer().await;
    late.join(schedule).await.refused(404, "schedule_not_found");
    let change = json!({"paused": true});
    admin.patch(&format!("{place}/queue"), change).await.refused(409, "being_removed");
    for waiting in &mut event.crowd {
        waiting.wait_for_status("EXPIRED").await;
    }
    until("it is removed", async || (admin.delete(&place).await.status == 404).then_some(())).await;

    // A poll at a process that never had it has the same end, with the marker and without.
    let mut redis = world.raw_redis().await;
    let third = world.start().await;
    event.crowd[0].at(third.addr).wait_for_status("EXPIRED").await;
    redis.del::<_, ()>(key(schedule, "meta")).await.expect("Redis");
    let fourth = world.start().await;
    for addr in [process.addr, third.addr, fourth.addr] {
        event.crowd[1].at(addr).wait_for_status("EXPIRED").await;
    }
    assert_eq!(keys_of(&mut redis, schedule).await, 0, "no call makes its keys again");
}

#[tokio::test]
async fn a_removal_leaves_no_row_and_no_key_of_the_event_and_everything_of_others() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let admin = process.admin().await;
    let event = TestEvent::make(&world, [&process, &second]).await;
    let other = sale::open(&admin, 1, 2, json!({})).await;
    event.settle().await;
    let (schedule, place) = (event.sale.schedule, path(&event.sale));
    until("the queue is archived, so that there is something to remove", async || {
        let tables = tables_with_rows(&world, schedule).await;
        (tables.len() > 3 && tables.iter().any(|table| table == "queue")).then_some(())
    })
    .await;
    admin.delete(&place).await.ok(202);
    until("it is removed", async || (admin.delete(&place).await.status == 404).then_some(())).await;
    assert_eq!(tables_with_rows(&world, schedule).await, [""; 0]);
    let mut redis = world.raw_redis().await;
    assert_eq!(keys_of(&mut redis, schedule).await, 1, "only a marker is left");
    let lifetime: i64 = redis.pttl(key(schedule, "meta")).await.expect("Redis");
    assert!((1..=600_000).contains(&lifetime), "it expires: {lifetime} ms");

    assert!(!tables_with_rows(&world, other.schedule).await.is_empty(), "the other sale stays");
    active_buyer(&process, &other).await;
    for (what, sql, count) in [
        ("audit rows", "select count(*) from audit where action = 'schedule.remove'", 1),
        (
            "changes of points",
            "select count(*) from point_history where kind in ('PAYMENT', 'REFUND')",
            2,
        ),
        ("parked events", "select count(*) from outbox where parked_at is not null", 0),
    ] {
        assert_eq!(world.number(sql).await, count, "{what}");
    }
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_concert_is_removed_with_all_its_schedules_or_not_at_all() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let concert = format!("/v1/admin/concerts/{}", sale.concert);
    let times = json!({"reservation_available_at": sale::in_seconds(10), "draft": true,
        "deadline_at": sale::in_seconds(20), "concert_at": sale::in_seconds(30)});
    let second = admin.post(&format!("{concert}/schedules"), times).await.ok(201);
    let buyer = active_buyer(&process, &sale).await;
    let held = buyer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    admin.delete(&concert).await.refused(409, "has_buyers");
    let hold = format!("/v1/holds/{}", held["hold_id"].as_str().expect("an id"));
    buyer.delete(&hold).await.ok(204);
    let removal = admin.delete(&concert).await.ok(202);
    assert_eq!(removal["schedules"], 2);
    let again = admin.delete(&concert).await;
    assert!([202, 404].contains(&again.status), "{}", again.text);
    until("it is removed", async || (admin.delete(&concert).await.status == 404).then_some(()))
        .await;
    for schedule in [sale.schedule, second["id"].as_i64().expect("an id")] {
        assert_eq!(tables_with_rows(&world, schedule).await, [""; 0]);
    }
    assert_eq!(world.number("select count(*) from concert").await, 0);
}

#[tokio::test]
async fn a_large_removal_that_is_interrupted_is_finished_by_another_process() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 100, 100, json!({})).await;
    process.stop().await;
    let more =
        "insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at)
        select $1, $2, gen_random_uuid(), 'EXPIRED', (1::bigint << 40) + n, now()
        from generate_series(1, 12000) n";
    let insert = sqlx::query(more).bind(admin.user).bind(sale.schedule);
    insert.execute(&world.pool).await.expect("entries");
    let marked = "update concert_schedule set removed_at = now() - interval '1 minute'";
    sqlx::query(marked).execute(&world.pool).await.expect("a mark");
    // A loop that is dropped in the middle, as by a killed process.
    let pg = Pg::lazy(&world.database_url, 2).expect("a pool");
    let redis = Redis::lazy(&world.redis_url).expect("a Redis");
    let removal = RemovalLoop::new(pg.clone(), redis);
    let left = "select count(*) from queue";
    let interrupted = tokio::select! {
        done = removal.step() => { done.expect("a step"); false }
        () = until("the first page", async || (world.number(left).await < 12_000).then_some(())) => true,
    };
    if interrupted {
        assert!(world.number("select count(*) from concert_schedule").await == 1);
    }
    // Two at once do no harm.
    let (one, two) = tokio::join!(removal.step(), removal.step());
    one.and(two).expect("steps");
    removal.step().await.expect("a step");
    assert_eq!(tables_with_rows(&world, sale.schedule).await, [""; 0]);
    pg.close().await;
}

/// Removes a schedule while a hold waits for its buyer's balance. Returns the statuses of the hold and
/// of the removal.
async fn remove_during_a_hold(
    world: &World,
    buyer: &Client,
    sale: &Sale,
    admin: &Client,
) -> (u16, u16) {
    let blocker = Blocker::of_balance(&world.pool, buyer.user).await;
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]}));
    let remove = async {
        blocker.wait_for_waiter(&world.pool).await;
        let removal = admin.send(admin.request(Method::DELETE, &path(sale)));
        let release = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            blocker.release().await;
        };
        tokio::join!(removal, release).0
    };
    let (held, removed) = tokio::join!(hold, remove);
    (held.status, removed.status)
}

#[tokio::test]
async fn a_hold_in_progress_comes_before_a_removal_and_a_later_one_is_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    assert_eq!(remove_during_a_hold(&world, &buyer, &sale, &admin).await, (201, 409));
    assert_consistent(&world).await;

    // The control: without the lock, the removal does not see the hold that is being written.
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    Patch::of("write_hold")
        .replace("lock_schedule", "perform from concert_schedule where id = p_schedule;")
        .apply(&world.pool)
        .await;
    let without = remove_during_a_hold(&world, &buyer, &sale, &admin).await;
    assert_eq!(without.1, 202, "the removal begins in spite of the hold: {without:?}");
}
