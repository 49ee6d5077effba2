//! A store that is away, silent or cut off: who is refused, who goes on, and that all is well after.

use std::time::Duration;

use onsale::dev::pg::PostgresServer;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::support::client::{Answer, Client};
use crate::support::crowd::{join_in_turn, people};
use crate::support::disk;
use crate::support::faults::sound;
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale::{self, Sale};
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// Three people inside, three who wait and know it, and two who have yet to come.
struct Scene {
    process: Process,
    sale: Sale,
    crowd: Vec<Client>,
    late: Vec<Client>,
}

impl Scene {
    async fn set(world: &World) -> Self {
        let process = world.start().await;
        let queue = json!({"capacity": 3, "max_seats_per_user": 10});
        let sale = sale::open(&process.admin().await, 1, 20, queue).await;
        let mut crowd = people(world, &[process.addr], 8, 1000).await;
        let late = crowd.split_off(6);
        let crowd = join_in_turn(crowd, sale.schedule).await;
        for person in &crowd[3..] {
            until("the board knows who waits", async || {
                let board = process.anonymous();
                let board = board.get(&format!("/v1/schedules/{}/queue", sale.schedule)).await;
                (board.ok(200)["waiting"] == 3).then_some(())
            })
            .await;
            assert_eq!(person.clone().poll().await.ok(200)["status"], "WAITING");
        }
        Self { process, sale, crowd, late }
    }

    async fn hold(&self, person: usize, seat: usize) -> Answer {
        let wish = json!({"seat_ids": [self.sale.seats[seat]]});
        self.crowd[person].hold(self.sale.schedule, wish).await
    }

    /// Those who wait are answered as before.
    async fn polls_go_on(&self) {
        for (place, person) in self.crowd[3..].iter().enumerate() {
            let ticket = person.clone().poll().await.ok(200);
            assert_eq!(
                (&ticket["status"], &ticket["position"]),
                (&json!("WAITING"), &json!(place + 1))
            );
        }
    }

    /// Whoever comes now is refused, soon and politely.
    async fn joins_are_refused(&self) {
        for late in &self.late {
            let mut late = late.clone();
            let answer =
                tokio::time::timeout(Duration::from_secs(2), late.join(self.sale.schedule));
            unavailable(&answer.await.expect("an answer within 2 s"));
        }
    }

    /// Everything works again: joining, holding, paying, being let in.
    async fn all_is_well(&mut self) {
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
        until("the next is let in", async || {
            let ticket = next.poll().await;
            (ticket.body["status"] == "ACTIVE").then_some(())
        })
        .await;
        let ready = self.process.anonymous().get("/readyz").await;
        assert_eq!((ready.status, ready.text.as_str()), (200, "ready\n"));
    }
}

fn unavailable(answer: &Answer) {
    answer.refused(503, "store_unavailable");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds >= 1));
}

/// What goes on without Redis: polls, payments, and holds by those inside.
async fn without_redis(scene: &Scene, held: &serde_json::Value) {
    scene.joins_are_refused().await;
    scene.polls_go_on().await;
    assert_eq!(scene.crowd[0].pay(held).await.ok(201)["total_amount"], 100);
    for person in [1, 2] {
        for seat in 0..4 {
            let seat = 4 * person + seat;
            scene.hold(person, seat).await.ok(201);
            scene.hold(3 - person, seat).await.refused(409, "seat_taken");
        }
    }
    scene.hold(3, 0).await.refused(503, "store_unavailable");
    scene.polls_go_on().await;
    let ready = scene.process.anonymous().get("/readyz").await;
    assert_eq!((ready.status, &ready.body["failing"]), (503, &json!(["redis"])));
}

#[tokio::test]
async fn with_redis_down_those_inside_go_on_and_after_it_all_do() {
    let mut world = World::new().await;
    let mut scene = Scene::set(&world).await;
    let held = scene.hold(0, 0).await.ok(201);
    world.redis.kill().await.expect("it ends");
    without_redis(&scene, &held).await;
    world.redis.restart().await.expect("it starts");
    scene.all_is_well().await;
    sound(&world).await;
}

#[tokio::test]
async fn with_redis_silent_those_inside_go_on_and_after_it_all_do() {
    let world = World::new().await;
    let mut scene = Scene::set(&world).await;
    let held = scene.hold(0, 0).await.ok(201);
    world.redis.pause();
    without_redis(&scene, &held).await;
    world.redis.resume();
    scene.all_is_well().await;
    let epochs = "select max(queue_epoch)::bigint from concert_schedule";
    assert_eq!(world.number(epochs).await, 1, "nothing was lost, and nothing rebuilt");
    sound(&world).await;
}

/// A process that reaches PostgreSQL by way of a proxy.
async fn behind_proxy() -> (World, Proxy, Scene) {
    let mut world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let direct = std::mem::replace(&mut world.database_url, through);
    let scene = Scene::set(&world).await;
    world.database_url = direct;
    the_loops_know_the_schedule(&world).await;
    (world, proxy, scene)
}

async fn the_loops_know_the_schedule(world: &World) {
    until("the loops know the schedule", async || {
        (world.number("select count(*) from queue").await == 6).then_some(())
    })
    .await;
}

/// What goes on without PostgreSQL: the line.
async fn without_postgresql(scene: &mut Scene, held: &serde_json::Value) {
    unavailable(&scene.hold(1, 5).await);
    unavailable(&scene.crowd[0].pay(held).await);
    unavailable(&scene.crowd[0].keyed().post("/v1/points/charges", json!({"amount": 5})).await);
    unavailable(&scene.process.anonymous().post("/v1/users", json!({"name": "Lee"})).await);
    scene.polls_go_on().await;
    let ticket = scene.late[0].join(scene.sale.schedule).await.ok(201);
    assert_eq!((&ticket["status"], &ticket["position"]), (&json!("WAITING"), &json!(4)));
    assert_eq!(scene.crowd[1].delete("/v1/queue/ticket").await.status, 204);
    let mut next = scene.crowd.remove(3);
    until("the next is let in", async || {
        (next.poll().await.ok(200)["status"] == "ACTIVE").then_some(())
    })
    .await;
    scene.crowd[1] = next; // inside instead of the one who left
    let ready = scene.process.anonymous().get("/readyz").await;
    assert_eq!((ready.status, &ready.body["failing"]), (503, &json!(["postgresql"])));
}

#[tokio::test]
async fn with_postgresql_down_the_line_goes_on_and_after_it_all_do() {
    let (world, proxy, mut scene) = behind_proxy().await;
    let held = scene.hold(0, 0).await.ok(201);
    proxy.set(Mode::Refuse);
    without_postgresql(&mut scene, &held).await;
    proxy.set(Mode::Pass);
    scene.all_is_well().await;
    scene.crowd[0].pay(&held).await.ok(201);
    sound(&world).await;
}

#[tokio::test]
async fn with_postgresql_silent_the_line_goes_on_and_after_it_all_do() {
    let (world, proxy, mut scene) = behind_proxy().await;
    let held = scene.hold(0, 0).await.ok(201);
    proxy.set(Mode::HoleDown);
    without_postgresql(&mut scene, &held).await;
    proxy.set(Mode::Pass);
    scene.all_is_well().await;
    scene.crowd[0].pay(&held).await.ok(201);
    sound(&world).await;
}

#[tokio::test]
async fn with_its_disk_full_postgresql_is_down_and_what_it_took_on_is_there_after_it() {
    let mut postgres = PostgresServer::throwaway().await.expect("PostgreSQL");
    let world = World::beside(&postgres.url("postgres"), Servers::new().await).await;
    let mut scene = Scene::set(&world).await;
    the_loops_know_the_schedule(&world).await;
    let held = scene.hold(0, 0).await.ok(201);
    let (keyed, wish) = (scene.crowd[0].with_key("pay"), json!({"hold_id": held["hold_id"]}));
    disk::fill(&postgres).await;
    let told = keyed.post("/v1/payments", wish.clone()).await;
    // Or under way, while the server that took it on is ending.
    assert!(told.status == 503 || told.code() == "request_in_progress", "{}", told.text);
    until("PostgreSQL has panicked, and does not recover", async || {
        PgConnection::connect(&postgres.url("postgres")).await.is_err().then_some(())
    })
    .await;
    without_postgresql(&mut scene, &held).await;
    postgres.kill().await.expect("it ends");
    postgres.restart().await.expect("it starts");
    scene.all_is_well().await;
    keyed.post("/v1/payments", wish).await.ok(201);
    assert_eq!(world.number("select count(*) from payment").await, 2, "one each");
    sound(&world).await;
}

#[tokio::test]
async fn connections_that_died_without_a_word_are_given_up_loops_included() {
    let (world, proxy, mut scene) = behind_proxy().await;
    let held = scene.hold(0, 0).await.ok(201);
    // Every loop comes by while its connection is dead.
    proxy.set(Mode::HoleUp);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    proxy.bury();
    scene.all_is_well().await;
    scene.crowd[0].pay(&held).await.ok(201);
    until("the line is archived", async || {
        let ended = "select count(*) from queue where status = 'COMPLETED'";
        (world.number(ended).await == 2).then_some(())
    })
    .await;
    until("the outbox is empty", async || {
        (world.number("select count(*) from outbox").await == 0).then_some(())
    })
    .await;
    sound(&world).await;
}

#[tokio::test]
async fn a_slow_network_slows_and_breaks_nothing() {
    let (world, proxy, mut scene) = behind_proxy().await;
    proxy.set(Mode::Delay(Duration::from_millis(20)));
    let held = scene.hold(0, 0).await.ok(201);
    scene.hold(1, 0).await.refused(409, "seat_taken");
    scene.crowd[0].pay(&held).await.ok(201);
    scene.all_is_well().await;
    sound(&world).await;
}
