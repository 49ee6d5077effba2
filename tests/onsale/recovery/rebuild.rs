//! The cost of a rebuild of Redis, when a process may begin one, and which keys are never rebuilt.

use onsale::store::id::ScheduleId;
use onsale::store::keys::ScheduleKeys;
use onsale::store::pg::Pg;
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order};
use crate::support::faults::{key, wipe};
use crate::support::parts::Parts;
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale::{self, Sale};
use crate::support::servers::{Raw, Servers};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// Seats and ended entries of a sale that is large for a test.
const SEATS: u32 = 8_000;
const ENDED: i64 = 60_000;

/// Half of the seats are held, each by a separate hold; every fourth is sold; many entries have
/// ended.
async fn fill(world: &World, sale: &Sale, user: i64) {
    let holds = "with live as (
          insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount,
                                   status, queue_sequence, reservation_at, expires_at)
          select $1, $2, id, $3, gen_random_uuid(), seat_price,
                 case when seat_number % 2 = 0 then 'PAYMENT_WAITING' else 'COMPLETE' end,
                 (1::bigint << 40) + seat_number, now(), now() + interval '1 hour'
          from seat where concert_schedule_id = $2 and (seat_number % 2 = 0 or seat_number % 4 = 1)
          returning seat_id, status)
        update seat s set fence = 1,
               status = case live.status when 'COMPLETE' then 'UNAVAILABLE' else 'AVAILABLE' end
        from live where s.id = live.seat_id";
    let holds = sqlx::query(holds).bind(sale.concert).bind(sale.schedule).bind(user);
    assert!(holds.execute(&world.pool).await.expect("holds").rows_affected() > 0);
    let ended =
        "insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at,
                                    entered_at, expired_at)
        select $1, $2, gen_random_uuid(), 'EXPIRED', (1::bigint << 40) + n, now(), now(),
               now() + interval '1 hour'
        from generate_series(2, $3) n";
    let ended = sqlx::query(ended).bind(user).bind(sale.schedule).bind(ENDED);
    ended.execute(&world.pool).await.expect("ended entries");
}

/// How often Redis ran a script since its statistics were reset.
async fn script_calls(redis: &mut Raw) -> u64 {
    let info: String =
        redis::cmd("INFO").arg("commandstats").query_async(redis).await.expect("INFO");
    let calls = |line: &str| {
        let rest = line.strip_prefix("cmdstat_evalsha:calls=")?;
        rest.split(',').next()?.parse().ok()
    };
    info.lines().find_map(calls).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_sale_is_rebuilt_by_two_processes_in_few_calls_and_under_one_epoch() {
    let world = World::on(Servers::single().await).await;
    let processes = [world.start().await, world.start().await];
    let sale = sale::open(&processes[0].admin().await, SEATS / 100, 100, json!({})).await;
    let mut buyer = processes[0].buyer().await;
    buyer.join(sale.schedule).await.ok(201);
    for process in processes {
        process.stop().await;
    }
    fill(&world, &sale, buyer.user).await;
    let mut redis = world.raw_redis().await;
    wipe(&mut redis).await;
    redis::cmd("CONFIG").arg("RESETSTAT").query_async::<()>(&mut redis).await.expect("Redis");
    let processes = [world.start().await, world.start().await];
    let path = format!("/v1/schedules/{}", sale.schedule);
    for process in &processes {
        until("the seats are back", async || {
            let seats = process.anonymous().get(&path).await.body["seats"].clone();
            let expected = (json!(SEATS / 2), json!(SEATS / 4));
            ((seats["held"].clone(), seats["sold"].clone()) == expected).then_some(())
        })
        .await;
    }
    let calls = script_calls(&mut redis).await;
    assert!(calls < u64::from(SEATS / 4), "{calls} calls for {} holds", SEATS / 2);
    assert_eq!(world.epoch().await, 2, "rebuilt once, by one process");
    let done: Vec<u8> = redis.get(key(sale.schedule, "done:1")).await.expect("Redis");
    let ended: u32 = done.iter().map(|byte| (byte & 0x55).count_ones()).sum();
    // The first entry is the buyer's, which has not ended.
    assert_eq!(i64::from(ended), ENDED - 1, "every ended entry stays ended");
}

#[tokio::test]
async fn of_many_processes_that_find_one_loss_at_once_one_rebuilds() {
    let world = World::on(Servers::single().await).await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 9, json!({})).await;
    process.buyer().await.join(sale.schedule).await.ok(201);
    process.stop().await;
    let schedule = ScheduleId(sale.schedule);
    // Few connections, so that the processes interleave between any two of their steps.
    let pg = Pg::lazy(&world.database_url, 2).expect("a pool");
    let mut redis = world.raw_redis().await;
    for losses in 1..=8 {
        wipe(&mut redis).await;
        let parts: Vec<Parts> = (0..8).map(|_| Parts::of(&world, &pg)).collect();
        let healing = parts.iter().map(|parts| parts.recovery.recover_keys(schedule));
        // One of them may give up on a busy machine: only the epoch counts.
        let _ = futures_util::future::join_all(healing).await;
        until("the keys are rebuilt", async || parts[0].recovery.recover_keys(schedule).await.ok())
            .await;
        assert_eq!(world.epoch().await, 1 + losses, "rebuilt once, by one process");
    }
}

/// A process dies after it has taken the epoch: its keys stay half-built.
#[tokio::test]
async fn a_rebuild_whose_process_died_is_restarted_after_its_lease_ends() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 9, json!({"capacity": 0})).await;
    let mut crowd =
        join_in_order(create_users(&world, &[process.addr], 1, 0).await, sale.schedule).await;
    process.stop().await;
    let mut redis = world.raw_redis().await;
    let raise = "update concert_schedule set queue_epoch = 2";
    sqlx::query(raise).execute(&world.pool).await.expect("an epoch");
    let (seconds, _): (i64, i64) =
        redis::cmd("TIME").query_async(&mut redis).await.expect("Redis's clock");
    let fields = [("epoch", 2), ("loading_until", (seconds + 3) * 1000)];
    redis
        .hset_multiple::<_, _, _, ()>(key(sale.schedule, "meta"), &fields)
        .await
        .expect("half-built keys");
    let process = world.start().await;
    let mut newcomer = process.buyer().await;
    newcomer.join(sale.schedule).await.refused(503, "store_unavailable");
    until("joining works", async || {
        (newcomer.join(sale.schedule).await.status == 201).then_some(())
    })
    .await;
    assert_eq!(world.epoch().await, 3, "restarted once");
    crowd[0] = crowd[0].at(process.addr);
    let back = crowd[0].poll().await.ok(200);
    assert_eq!(back["sequence"], json!((1u64 << 40) + 1), "the same entry");
}

/// Moves the deadline of a sale to 40 days ago, and its concert to `concert_in` from now.
pub(super) async fn end_sale(world: &World, sale: &Sale, concert_in: &str) {
    sqlx::query(
        "update concert_schedule set queue_opens_at = now() - interval '60 days',
           reservation_available_at = now() - interval '50 days',
           deadline_at = now() - interval '40 days', concert_at = now() + $1::text::interval
         where id = $2",
    )
    .bind(concert_in)
    .bind(sale.schedule)
    .execute(&world.pool)
    .await
    .expect("a sale of long ago");
}

/// The number of keys of a schedule.
pub(crate) async fn keys_of(redis: &mut Raw, schedule: i64) -> i64 {
    let mut exists = redis::cmd("EXISTS");
    exists.arg(ScheduleKeys::new(ScheduleId(schedule), 9).all());
    exists.query_async(redis).await.expect("Redis")
}

#[tokio::test]
async fn no_request_rebuilds_the_keys_of_a_sale_that_ended_long_ago() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 2, 10, json!({})).await;
    let mut buyer = process.buyer().await;
    buyer.join(sale.schedule).await.ok(201);
    process.stop().await;
    end_sale(&world, &sale, "10 days").await;
    let mut redis = world.raw_redis().await;
    wipe(&mut redis).await;
    // An event of the sale is still in the outbox.
    sqlx::query("insert into outbox (kind, payload) values ('settings_changed', $1)")
        .bind(json!({"schedule": sale.schedule}))
        .execute(&world.pool)
        .await
        .expect("an entry");

    let process = world.start().await;
    let (schedule, admin) = (sale.schedule, process.admin().await);
    let mut buyer = buyer.at(process.addr);
    for _ in 0..3 {
        buyer.join(schedule).await.refused(409, "schedule_closed");
    }
    let wish = json!({"seat_ids": [sale.seats[0]]});
    let hold = buyer.hold(schedule, wish).await;
    assert!([401, 409].contains(&hold.status), "{}", hold.text);
    // The ticket is valid until the original deadline: only the sale has ended.
    let poll = buyer.poll().await;
    assert!(poll.status == 401 || poll.body["status"] == "EXPIRED", "{}", poll.text);
    buyer.leave().await;
    let next = format!("/v1/admin/schedules/{schedule}/next");
    assert_eq!(admin.get(&next).await.ok(200)["blocked_by"], "CLOSED");
    for path in [
        format!("/v1/schedules/{schedule}"),
        format!("/v1/schedules/{schedule}/queue"),
        format!("/v1/schedules/{schedule}/seats"),
        format!("/v1/admin/schedules/{schedule}/stats"),
    ] {
        let answer = admin.get(&path).await.ok(200);
        assert!(answer.is_object(), "{path}");
    }
    world.wait_for_empty_outbox().await;
    assert_eq!(keys_of(&mut redis, schedule).await, 0);
    assert_eq!(world.epoch().await, 1, "nothing was rebuilt");
}

#[tokio::test]
async fn without_postgresql_only_schedules_already_loaded_are_served() {
    let mut world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let direct = std::mem::replace(&mut world.database_url, through);
    let process = world.start().await;
    world.database_url = direct;
    let sale = sale::open(&process.admin().await, 1, 9, json!({})).await;
    let mut crowd = create_users(&world, &[process.addr], 2, 0).await;
    crowd[0].join(sale.schedule).await.ok(201);
    let anonymous = process.anonymous();
    let board = |schedule: i64| format!("/v1/schedules/{schedule}/queue");
    anonymous.get(&board(sale.schedule + 1)).await.refused(404, "schedule_not_found");
    proxy.set(Mode::Refuse);
    for made_up in sale.schedule + 100..sale.schedule + 120 {
        anonymous.get(&board(made_up)).await.refused(503, "store_unavailable");
        crowd[1].join(made_up).await.refused(503, "store_unavailable");
    }
    anonymous.get(&board(sale.schedule)).await.ok(200);
    crowd[1].join(sale.schedule).await.ok(201);
}

/// The epoch in the sequence of a ticket.
fn epoch_of(ticket: &Value) -> u64 {
    ticket["sequence"].as_u64().expect("a sequence") >> 40
}

/// Joins as a new user; returns the epoch of the entry, or `None` if the join is refused.
async fn joined_under(process: &Process, schedule: i64) -> Option<u64> {
    let mut newcomer: Client = process.buyer().await;
    let answer = newcomer.join(schedule).await;
    (answer.status == 201).then(|| epoch_of(&answer.body))
}

/// One process has another Redis by mistake. The keys on the first Redis must not be used beside
/// those on the second: otherwise each of them would admit up to the full capacity.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_rebuilt_on_another_redis_are_no_longer_used_on_the_first() {
    let world = World::on(Servers::single().await).await;
    let other = Servers::single().await;
    let first = world.start().await;
    let sale = sale::open(&first.admin().await, 1, 9, json!({"capacity": 1})).await;
    assert_eq!(joined_under(&first, sale.schedule).await, Some(1));
    let second = world.start_with(&[&format!("--redis-url={}", other.url())]).await;
    until("the second process has rebuilt the keys on its Redis", async || {
        joined_under(&second, sale.schedule).await.filter(|epoch| *epoch == 2)
    })
    .await;
    until("the first process no longer uses its keys", async || {
        let epoch = joined_under(&first, sale.schedule).await;
        (epoch != Some(1)).then_some(())
    })
    .await;
    for _ in 0..10 {
        assert_ne!(joined_under(&first, sale.schedule).await, Some(1), "its keys are stale");
    }
}
