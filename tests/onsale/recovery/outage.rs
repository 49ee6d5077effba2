//! A store that is down, silent or cut off: which requests are refused, which continue, and that
//! everything works afterwards.

use std::time::Duration;

use onsale_dev::pg::PostgresServer;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::support::client::{Answer, Client};
use crate::support::crowd::{create_users, join_in_order};
use crate::support::disk;
use crate::support::faults::{assert_consistent, wipe};
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale::{self, Sale};
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// Three active buyers, three who wait, and two who join later.
pub struct Scene {
    pub process: Process,
    sale: Sale,
    crowd: Vec<Client>,
    late: Vec<Client>,
}

impl Scene {
    pub async fn set(world: &World) -> Self {
        let process = world.start().await;
        let queue = json!({"capacity": 3, "max_seats_per_user": 10});
        let sale = sale::open(&process.admin().await, 1, 20, queue).await;
        let mut crowd = create_users(world, &[process.addr], 8, 1000).await;
        let late = crowd.split_off(6);
        let crowd = join_in_order(crowd, sale.schedule).await;
        for person in &crowd[3..] {
            until("the board shows who waits", async || {
                let board = process.anonymous();
                let board = board.get(&format!("/v1/schedules/{}/queue", sale.schedule)).await;
                (board.ok(200)["waiting"] == 3).then_some(())
            })
            .await;
            assert_eq!(person.clone().poll().await.ok(200)["status"], "WAITING");
        }
        Self { process, sale, crowd, late }
    }

    pub async fn hold(&self, person: usize, seat: usize) -> Answer {
        let wish = json!({"seat_ids": [self.sale.seats[seat]]});
        self.crowd[person].hold(self.sale.schedule, wish).await
    }

    /// Checks that polls of waiting buyers are answered as before.
    pub(super) async fn polls_continue(&self) {
        for (index, person) in self.crowd[3..].iter().enumerate() {
            let ticket = person.clone().poll().await.ok(200);
            assert_eq!(
                (&ticket["status"], &ticket["position"]),
                (&json!("WAITING"), &json!(index + 1))
            );
        }
    }

    /// Checks that joins are refused within 2 s, with `Retry-After`.
    async fn joins_are_refused(&self) {
        for late in &self.late {
            let mut late = late.clone();
            let answer =
                tokio::time::timeout(Duration::from_secs(2), late.join(self.sale.schedule));
            assert_unavailable(&answer.await.expect("an answer within 2 s"));
        }
    }

    /// Waits until everything works again: joins, holds, payments and admission.
    pub async fn everything_works(&mut self) {
        let schedule = self.sale.schedule;
        for late in &mut self.late {
            until("joining works", async || {
                let answer = late.clone().join(schedule).await;
                matches!(answer.status, 200 | 201).then_some(())
            })
            .await;
        }
        let buyer = &self.crowd[2];
        let held = until("holding works", async || {
            buyer.clone().poll().await;
            let answer = buyer.hold(schedule, json!({"seat_ids": [self.sale.seats[15]]})).await;
            (answer.status == 201).then_some(answer.body)
        })
        .await;
        until("paying works", async || (buyer.pay(&held).await.status == 201).then_some(())).await;
        let mut next = self.crowd[3].clone();
        until("the next buyer is admitted", async || {
            let ticket = next.poll().await;
            (ticket.body["status"] == "ACTIVE").then_some(())
        })
        .await;
        let ready = self.process.anonymous().get("/readyz").await;
        assert_eq!((ready.status, ready.text.as_str()), (200, "ready\n"));
    }
}

pub(super) fn assert_unavailable(answer: &Answer) {
    answer.refused(503, "store_unavailable");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds >= 1));
}

/// Without Redis joins are refused; polls, payments, and holds of active buyers continue.
async fn check_without_redis(scene: &Scene, held: &serde_json::Value) {
    scene.joins_are_refused().await;
    scene.polls_continue().await;
    assert_eq!(scene.crowd[0].pay(held).await.ok(201)["total_amount"], 100);
    for person in [1, 2] {
        for seat in 0..4 {
            let seat = 4 * person + seat;
            scene.hold(person, seat).await.ok(201);
            scene.hold(3 - person, seat).await.refused(409, "seat_taken");
        }
    }
    scene.hold(3, 0).await.refused(503, "store_unavailable");
    scene.polls_continue().await;
    let ready = scene.process.anonymous().get("/readyz").await;
    assert_eq!((ready.status, &ready.body["failing"]), (503, &json!(["redis"])));
}

#[tokio::test]
async fn with_redis_down_active_buyers_continue_and_everything_works_afterwards() {
    let mut world = World::new().await;
    let mut scene = Scene::set(&world).await;
    let held = scene.hold(0, 0).await.ok(201);
    world.redis.kill().await.expect("it ends");
    check_without_redis(&scene, &held).await;
    world.redis.restart().await.expect("it starts");
    scene.everything_works().await;
    assert_consistent(&world).await;
}

#[tokio::test]
async fn with_redis_silent_active_buyers_continue_and_everything_works_afterwards() {
    let world = World::new().await;
    let mut scene = Scene::set(&world).await;
    let held = scene.hold(0, 0).await.ok(201);
    world.redis.pause();
    check_without_redis(&scene, &held).await;
    world.redis.resume();
    scene.everything_works().await;
    assert_eq!(world.epoch().await, 1, "nothing was lost, and nothing was rebuilt");
    assert_consistent(&world).await;
}

/// A process that reaches PostgreSQL through a proxy.
async fn behind_proxy() -> (World, Proxy, Scene) {
    let mut world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let direct = std::mem::replace(&mut world.database_url, through);
    let scene = Scene::set(&world).await;
    world.database_url = direct;
    wait_for_archive(&world).await;
    (world, proxy, scene)
}

/// Waits until the archive worker has written the queue: then the loops process the schedule.
async fn wait_for_archive(world: &World) {
    until("the queue is archived", async || {
        (world.number("select count(*) from queue").await == 6).then_some(())
    })
    .await;
}

/// Without PostgreSQL the queue continues; everything else is refused.
async fn check_without_postgresql(scene: &mut Scene, held: &serde_json::Value) {
    assert_unavailable(&scene.hold(1, 5).await);
    assert_unavailable(&scene.crowd[0].pay(held).await);
    let charge = json!({"amount": 5});
    assert_unavailable(&scene.crowd[0].keyed().post("/v1/points/charges", charge).await);
    let sign_up = json!({"name": "Lee"});
    assert_unavailable(&scene.process.anonymous().post("/v1/users", sign_up).await);
    scene.polls_continue().await;
    let ticket = scene.late[0].join(scene.sale.schedule).await.ok(201);
    assert_eq!((&ticket["status"], &ticket["position"]), (&json!("WAITING"), &json!(4)));
    scene.crowd[1].leave().await;
    let mut next = scene.crowd.remove(3);
    next.wait_for_status("ACTIVE").await;
    scene.crowd[1] = next; // active instead of the one who left
    let ready = scene.process.anonymous().get("/readyz").await;
    assert_eq!((ready.status, &ready.body["failing"]), (503, &json!(["postgresql"])));
}

#[tokio::test]
async fn with_postgresql_down_the_queue_continues_and_everything_works_afterwards() {
    check_outage_of_postgresql(Mode::Refuse).await;
}

#[tokio::test]
async fn with_postgresql_silent_the_queue_continues_and_everything_works_afterwards() {
    check_outage_of_postgresql(Mode::HoleDown).await;
}

/// Cuts PostgreSQL off in this way for a while.
async fn check_outage_of_postgresql(mode: Mode) {
    let (world, proxy, mut scene) = behind_proxy().await;
    let held = scene.hold(0, 0).await.ok(201);
    proxy.set(mode);
    check_without_postgresql(&mut scene, &held).await;
    proxy.set(Mode::Pass);
    scene.everything_works().await;
    scene.crowd[0].pay(&held).await.ok(201);
    assert_consistent(&world).await;
}

#[tokio::test]
async fn with_postgresql_down_after_a_loss_of_redis_newcomers_can_join() {
    let (world, proxy, scene) = behind_proxy().await;
    let schedule = scene.sale.schedule;
    wipe(&mut world.raw_redis().await).await;
    let (mut first, mut second) = (scene.late[0].clone(), scene.late[1].clone());
    let first = until("the queue is rebuilt", async || {
        let answer = first.join(schedule).await;
        [200, 201].contains(&answer.status).then_some(answer.body)
    })
    .await;
    assert_eq!(world.epoch().await, 2, "from here on, joins look newcomers up in PostgreSQL");
    proxy.set(Mode::Refuse);
    let second = second.join(schedule).await.ok(201);
    assert_eq!(second["status"], "WAITING");
    assert!(second["sequence"].as_u64() > first["sequence"].as_u64(), "{second} behind {first}");
    proxy.set(Mode::Pass);
}

#[tokio::test]
async fn with_a_full_disk_postgresql_is_down_and_each_payment_is_made_once_after_it() {
    let mut postgres = PostgresServer::throwaway().await.expect("PostgreSQL");
    let world = World::beside(&postgres.url("postgres"), Servers::new().await).await;
    let mut scene = Scene::set(&world).await;
    wait_for_archive(&world).await;
    let held = scene.hold(0, 0).await.ok(201);
    let (keyed, wish) = (scene.crowd[0].with_key("pay"), json!({"hold_id": held["hold_id"]}));
    disk::fill(&postgres).await;
    let refused = keyed.post("/v1/payments", wish.clone()).await;
    // Or in progress, while the backend that runs it ends.
    assert!(refused.status == 503 || refused.code() == "request_in_progress", "{}", refused.text);
    until("PostgreSQL has panicked and does not recover", async || {
        PgConnection::connect(&postgres.url("postgres")).await.is_err().then_some(())
    })
    .await;
    check_without_postgresql(&mut scene, &held).await;
    postgres.kill().await.expect("it ends");
    postgres.restart().await.expect("it starts");
    scene.everything_works().await;
    keyed.post("/v1/payments", wish).await.ok(201);
    assert_eq!(world.number("select count(*) from payment").await, 2, "one each");
    assert_consistent(&world).await;
}

#[tokio::test]
async fn connections_that_died_silently_are_replaced_in_requests_and_loops() {
    let (world, proxy, mut scene) = behind_proxy().await;
    let held = scene.hold(0, 0).await.ok(201);
    // Long enough for every loop to use its connection while that is dead.
    proxy.set(Mode::HoleUp);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    proxy.silence_open_connections();
    scene.everything_works().await;
    scene.crowd[0].pay(&held).await.ok(201);
    until("both payments are archived", async || {
        let ended = "select count(*) from queue where status = 'COMPLETED'";
        (world.number(ended).await == 2).then_some(())
    })
    .await;
    world.wait_for_empty_outbox().await;
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_slow_network_breaks_nothing() {
    let (world, proxy, mut scene) = behind_proxy().await;
    proxy.set(Mode::Delay(Duration::from_millis(20)));
    let held = scene.hold(0, 0).await.ok(201);
    scene.hold(1, 0).await.refused(409, "seat_taken");
    scene.crowd[0].pay(&held).await.ok(201);
    scene.everything_works().await;
    assert_consistent(&world).await;
}
