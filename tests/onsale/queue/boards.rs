//! The board of every process shows the queue as Redis has it, and no position grows.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use redis::AsyncCommands;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order, run_all};
use crate::support::faults::key;
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// A change of a queue.
#[derive(Debug, Clone, Copy)]
enum Op {
    /// `count` new users join, at process `at`.
    Join { count: u32, at: usize },
    /// One of the users in the queue leaves, at process `at`.
    Leave { who: usize, at: usize },
    /// The capacity rises by this number.
    Admit(i64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        3 => (1u32..8, 0usize..3).prop_map(|(count, at)| Op::Join { count, at }),
        3 => (any::<usize>(), 0usize..3).prop_map(|(who, at)| Op::Leave { who, at }),
        1 => (1i64..4).prop_map(Op::Admit),
    ];
    proptest::collection::vec(op, 6..14)
}

struct Played<'w> {
    world: &'w World,
    processes: &'w [Process; 3],
    admin: &'w Client,
    sale: Sale,
    line: Vec<Client>,
    capacity: i64,
}

impl Played<'_> {
    async fn play(&mut self, op: Op) {
        match op {
            Op::Join { count, at } => {
                let new = create_users(self.world, &[self.processes[at].addr], count, 0).await;
                self.line.extend(join_in_order(new, self.sale.schedule).await);
            }
            Op::Leave { who, at } if !self.line.is_empty() => {
                let gone = self.line.remove(who % self.line.len());
                let gone = gone.at(self.processes[at].addr);
                gone.leave().await;
            }
            Op::Leave { .. } => {}
            Op::Admit(more) => {
                self.capacity += more;
                let path = format!("/v1/admin/schedules/{}/queue", self.sale.schedule);
                self.admin.patch(&path, json!({"capacity": self.capacity})).await.ok(200);
            }
        }
    }

    /// Waits until each process shows every waiting user the rank that Redis has.
    async fn wait_for_boards(&self) {
        let mut redis = self.world.raw_redis().await;
        let waiting = key(self.sale.schedule, "waiting");
        until("all boards show what Redis has", async || {
            let members: Vec<i64> = redis.zrange(&waiting, 0, -1).await.expect("Redis");
            let ranks: HashMap<i64, usize> =
                members.iter().enumerate().map(|(rank, user)| (*user, rank)).collect();
            for process in self.processes {
                for person in &self.line {
                    let view = person.at(process.addr).poll().await;
                    let rank = ranks.get(&person.user);
                    let waits = view.body["status"] == "WAITING";
                    if waits != rank.is_some() || rank.is_some_and(|r| view.body["ahead"] != *r) {
                        return None;
                    }
                }
            }
            Some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_boards_of_three_processes_show_the_rank_that_redis_has() {
    let world = World::new().await;
    let processes = [world.start().await, world.start().await, world.start().await];
    let admin = processes[0].admin().await;
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..4 {
        let ops = ops().new_tree(&mut runner).expect("operations").current();
        let sale = sale::open(&admin, 2, 10, json!({"capacity": 1})).await;
        let (line, capacity) = (Vec::new(), 1);
        let (world, processes, admin) = (&world, &processes, &admin);
        let mut played = Played { world, processes, admin, sale, line, capacity };
        for op in &ops {
            played.play(*op).await;
        }
        println!("{ops:?}");
        played.wait_for_boards().await;
    }
}

/// Polls until `stop`; fails if the number of buyers ahead grows.
async fn watch(mut person: Client, stop: CancellationToken) {
    let mut best = u64::MAX;
    while !stop.is_cancelled() {
        let ticket = person.poll().await.ok(200);
        if let Some(ahead) = ticket["ahead"].as_u64() {
            assert!(ahead <= best, "{ahead} after {best}: {ticket}");
            best = ahead;
        }
        tokio::task::yield_now().await;
    }
}

/// Buyers who return after they were passed over raise nobody's position, and neither does a change
/// of settings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_position_shown_by_one_process_never_grows() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let queue = json!({"capacity": 1, "claim_window_seconds": 1});
    let sale = sale::open(&admin, 2, 10, queue).await;
    let crowd = create_users(&world, &[process.addr], 40, 0).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    let stop = CancellationToken::new();
    let watching: Vec<_> = (crowd.iter().skip(6).cloned())
        .map(|person| tokio::spawn(watch(person, stop.clone())))
        .collect();
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&path, json!({"capacity": 2})).await.ok(200);
    let mut redis = world.raw_redis().await;
    let parked = key(sale.schedule, "parked");
    until("the five silent buyers were passed over", async || {
        (redis.zcard::<_, usize>(&parked).await.expect("Redis") == 5).then_some(())
    })
    .await;
    let silent = crowd[1..6].to_vec();
    run_all(silent.clone(), |mut person: Client| async move { person.poll().await.ok(200) }).await;
    admin.patch(&path, json!({"capacity": 12, "message": "It goes on"})).await.ok(200);
    until("they are admitted before all others", async || {
        let active = run_all(silent.clone(), |mut person: Client| async move {
            person.poll().await.body["status"] == "ACTIVE"
        });
        active.await.into_iter().all(|active| active).then_some(())
    })
    .await;
    for leaver in crowd.iter().take(6) {
        leaver.delete("/v1/queue/ticket").await;
    }
    stop.cancel();
    for watched in watching {
        watched.await.expect("no position grew");
    }
}
