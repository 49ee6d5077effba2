//! Sales in which nothing happens: how seldom Redis is called for them, and what ends their rest.

use std::time::{Duration, Instant};

use onsale::queue::admission_loop::AdmissionLoop;
use onsale::queue::keyspaces::{Keyspaces, ScheduleScripts};
use onsale::queue::model::Sequence;
use onsale::store::id::{ScheduleId, UserId};
use redis::AsyncCommands;
use serde_json::json;

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order};
use crate::support::events::Events;
use crate::support::faults::key;
use crate::support::parts::Parts;
use crate::support::sale;
use crate::support::servers::{Raw, Servers};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// How often Redis has run a command, in scripts too.
async fn calls(redis: &mut Raw, command: &str) -> u64 {
    let info: String =
        redis::cmd("INFO").arg("commandstats").query_async(redis).await.expect("statistics");
    let prefix = format!("cmdstat_{command}:calls=");
    let line = info.lines().find_map(|line| line.strip_prefix(&prefix));
    line.map_or(0, |rest| rest.split(',').next().expect("a count").parse().expect("a number"))
}

/// A sale before its opening with `count` users in its queue.
async fn sale_with(world: &World, process: &Process, count: u32) -> (i64, Vec<Client>) {
    let queue = json!({"queue_opens_at": sale::in_seconds(-60)});
    let sale = sale::create(&process.admin().await, (3600, 7200), 1, 10, queue).await;
    let crowd = create_users(world, &[process.addr], count, 0).await;
    (sale.schedule, join_in_order(crowd, sale.schedule).await)
}

/// How many processes have a lease in a queue: they have merged the presence up to a sequence.
async fn leases(redis: &mut Raw, schedule: i64) -> usize {
    redis.hlen(key(schedule, "mergers")).await.expect("Redis")
}

/// Waits until a process reads the board of a schedule and has merged its presence.
async fn until_awake(redis: &mut Raw, schedule: i64) {
    until("the board is read", async || (leases(redis, schedule).await > 0).then_some(())).await;
}

/// As [`until_awake`], then until no process reads the board.
async fn until_asleep(redis: &mut Raw, schedule: i64) {
    until_awake(redis, schedule).await;
    until("the board is asleep", async || (leases(redis, schedule).await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_quiet_sale_costs_one_script_call_a_second() {
    const SALES: u64 = 4;
    let world = World::on(Servers::single().await).await;
    let process = world.start().await;
    let mut redis = world.raw_redis().await;
    for _ in 0..SALES {
        let (schedule, _) = sale_with(&world, &process, 3).await;
        until_asleep(&mut redis, schedule).await;
        until("the log is archived", async || {
            let left: u64 = redis.xlen(key(schedule, "log")).await.expect("Redis");
            (left == 0).then_some(())
        })
        .await;
    }
    // The archive reads the log once more, until admission has seen that it is empty.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = (calls(&mut redis, "evalsha").await, calls(&mut redis, "xrange").await);
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let after = (calls(&mut redis, "evalsha").await, calls(&mut redis, "xrange").await);
    let most = 2 * SALES * (begun.elapsed().as_secs() + 1);
    let made = after.0 - before.0;
    assert!((SALES..=most).contains(&made), "{made} script calls, more than {most} or too few");
    assert_eq!(after.1 - before.1, 0, "logs were read");
}

/// A sale with one slot and two users, without a process.
struct OneSlot {
    world: World,
    redis: Raw,
    schedule: i64,
    users: [i64; 2],
    /// The sequence of the first user, who has the slot.
    sequence: u64,
}

impl OneSlot {
    async fn new() -> Self {
        let world = World::on(Servers::single().await).await;
        let process = world.start().await;
        let sale = sale::open(&process.admin().await, 1, 10, json!({"capacity": 1})).await;
        let mut crowd = create_users(&world, &[process.addr], 2, 0).await;
        let first = crowd[0].join(sale.schedule).await.ok(201);
        crowd[1].join(sale.schedule).await.ok(201);
        process.stop().await;
        let (redis, users) = (world.raw_redis().await, [crowd[0].user, crowd[1].user]);
        let sequence = first["sequence"].as_u64().expect("a sequence");
        Self { world, redis, schedule: sale.schedule, users, sequence }
    }

    /// Runs rounds until one calls no script: the sale rests.
    async fn rest(&mut self, admission: &AdmissionLoop) {
        until("the sale rests", async || {
            admission.step().await.expect("a round");
            let before = calls(&mut self.redis, "evalsha").await;
            admission.step().await.expect("a round");
            (calls(&mut self.redis, "evalsha").await == before).then_some(())
        })
        .await;
    }

    /// Ends the entry of the first user.
    async fn leave(&self, keyspaces: &Keyspaces) {
        let (user, sequence) = (UserId(self.users[0]), Sequence(self.sequence));
        let leave = |scripts: ScheduleScripts| async move {
            scripts.leave(user, sequence).await.map(|_| ())
        };
        keyspaces.run(ScheduleId(self.schedule), leave).await.expect("the first leaves");
    }

    async fn active(&mut self) -> Vec<i64> {
        self.redis.zrange(key(self.schedule, "active"), 0, -1).await.expect("Redis")
    }
}

#[tokio::test]
async fn a_slot_that_a_process_frees_is_used_in_its_next_round() {
    let mut sale = OneSlot::new().await;
    let Parts { keyspaces, admission, .. } = Parts::of(&sale.world, &sale.world.pg);
    sale.rest(&admission).await;
    sale.leave(&keyspaces).await;
    admission.step().await.expect("a round");
    assert_eq!(sale.active().await, [sale.users[1]]);
}

#[tokio::test]
async fn a_slot_that_a_dead_process_freed_is_used_after_the_rest() {
    let mut sale = OneSlot::new().await;
    let Parts { admission, .. } = Parts::of(&sale.world, &sale.world.pg);
    let Parts { keyspaces: of_dead, .. } = Parts::of(&sale.world, &sale.world.pg);
    sale.rest(&admission).await;
    sale.leave(&of_dead).await;
    until("the second is admitted", async || {
        admission.step().await.expect("a round");
        (sale.active().await == [sale.users[1]]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_board_that_was_asleep_is_read_again_before_it_is_shown() {
    let world = World::new().await;
    let (process, other) = (world.start().await, world.start().await);
    let (schedule, mut crowd) = sale_with(&world, &process, 3).await;
    let mut redis = world.raw_redis().await;
    let path = format!("/v1/schedules/{schedule}/queue");
    until_asleep(&mut redis, schedule).await;
    crowd[0].at(other.addr).leave().await;
    let board = process.anonymous().get(&path).await.ok(200);
    assert_eq!(board["waiting"], 2, "the first answer shows that one has left");
    until_asleep(&mut redis, schedule).await;
    crowd[1].at(other.addr).leave().await;
    let ticket = crowd[2].poll().await.ok(200);
    assert_eq!((&ticket["ahead"], &ticket["waiting"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn an_open_stream_keeps_the_board_awake() {
    let world = World::new().await;
    let process = world.start().await;
    let (quiet, _) = sale_with(&world, &process, 1).await;
    let (schedule, crowd) = sale_with(&world, &process, 2).await;
    let mut events = Events::of_ticket(process.addr, &crowd[1], None).await;
    events.expect("ticket").await;
    let mut redis = world.raw_redis().await;
    until_awake(&mut redis, schedule).await;
    // Twice: without the stream, its board would be asleep by then.
    for _ in 0..2 {
        process.anonymous().get(&format!("/v1/schedules/{quiet}/queue")).await.ok(200);
        until_asleep(&mut redis, quiet).await;
    }
    assert_eq!(leases(&mut redis, schedule).await, 1);
    crowd[0].leave().await;
    events.until("ticket", |ticket| ticket["position"] == 1).await;
}
