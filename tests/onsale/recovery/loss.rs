//! Redis loses its data: sold seats stay sold, held seats stay held, and the queue is restored in
//! order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order, run_all};
use crate::support::faults::{assert_consistent, wipe};
use crate::support::sale::{self, Sale};
use crate::support::sampler::{Sampler, most_active};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// How Redis loses its data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The same server, emptied.
    Wiped,
    /// Killed, and started again empty.
    Restarted,
    /// Killed, and started again with an old snapshot.
    Older,
}

/// Two processes; one buyer who has paid, three active (the first of whom holds a seat), ten who
/// wait, and one who has left. The `queue` table has the ended entries.
pub(super) struct Scene {
    pub(super) processes: [Process; 2],
    pub(super) sale: Sale,
    paid: Client,
    active: Vec<Client>,
    pub(super) waiting: Vec<Client>,
    left: Client,
    held: Value,
}

impl Scene {
    pub(super) async fn set(world: &World, loss: Loss) -> Self {
        let processes = [world.start().await, world.start().await];
        let queue = json!({"capacity": 3});
        let sale = sale::open(&processes[0].admin().await, 1, 10, queue).await;
        let crowd = create_users(world, &[processes[0].addr], 15, 1000).await;
        let mut crowd = crowd.into_iter();
        let mut next =
            async |count| join_in_order(crowd.by_ref().take(count).collect(), sale.schedule).await;
        let paid = next(1).await.remove(0);
        let mut redis = world.raw_redis().await;
        if loss == Loss::Older {
            redis::cmd("SAVE").query_async::<()>(&mut redis).await.expect("Redis");
        }
        let mut active = next(3).await;
        let buying = paid.hold(sale.schedule, json!({"seat_ids": [sale.seats[1]]})).await.ok(201);
        paid.pay(&buying).await.ok(201);
        let wish = json!({"seat_ids": [sale.seats[0]]});
        let held = active[0].hold(sale.schedule, wish).await.ok(201);
        active[2].wait_for_status("ACTIVE").await;
        let waiting = next(10).await;
        let left = next(1).await.remove(0);
        left.leave().await;
        until("the table has the ended entries", async || {
            let ended = "select count(*) from queue where status in ('LEFT', 'COMPLETED')";
            (world.number(ended).await == 2).then_some(())
        })
        .await;
        Self { processes, sale, paid, active, waiting, left, held }
    }

    /// Checks at both processes that nobody else can hold the sold seat or the held one.
    async fn seats_are_kept(&self) {
        for (number, process) in self.processes.iter().enumerate() {
            for seat in 0..2 {
                let buyer = self.active[1 + number].at(process.addr);
                let wish = json!({"seat_ids": [self.sale.seats[seat]]});
                let refused = until("an answer", async || {
                    buyer.clone().poll().await;
                    let answer = buyer.hold(self.sale.schedule, wish.clone()).await;
                    (answer.status != 503).then_some(answer)
                })
                .await;
                refused.refused(409, "seat_taken");
            }
        }
    }

    /// Checks that ended entries stay ended, at a process that has not seen them.
    async fn ended_stays_ended(&self) {
        for (person, status) in [(&self.paid, "COMPLETED"), (&self.left, "LEFT")] {
            let mut person = person.at(self.processes[1].addr);
            assert_eq!(person.poll().await.ok(200)["status"], status);
        }
    }
}

/// Polls until active, then leaves; returns whether a ticket was shown as recovering.
///
/// It polls every 200 ms, sooner than `Retry-After` says: recovery lasts only seconds.
async fn poll_until_active_and_leave(mut person: Client) -> bool {
    let mut recovering = false;
    loop {
        let answer = person.poll().await;
        if answer.status != 503 {
            let ticket = answer.ok(200);
            recovering |= ticket["recovering"] == true && ticket["position"] == Value::Null;
            if ticket["status"] == "ACTIVE" {
                person.leave().await;
                return recovering;
            }
            assert_eq!(ticket["status"], "WAITING", "{ticket}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn lose(world: &mut World, loss: Loss) {
    if loss == Loss::Wiped {
        return wipe(&mut world.raw_redis().await).await;
    }
    world.redis.kill().await.expect("it ends");
    world.redis.restart().await.expect("it starts");
}

/// Loses Redis and checks that seats, slots, the queue's order and the capacity are kept.
async fn check_loss(loss: Loss) {
    let mut world = World::new().await;
    let scene = Scene::set(&world, loss).await;
    let schedule = scene.sale.schedule;
    let mut newcomers = create_users(&world, &[scene.processes[1].addr], 5, 0).await;
    let sampler = Sampler::start(&world, schedule);
    lose(&mut world, loss).await;
    // Newcomers join before any earlier buyer polls again, and stay behind them.
    for person in &mut newcomers {
        until("joining works", async || (person.join(schedule).await.status == 201).then_some(()))
            .await;
    }
    scene.seats_are_kept().await;
    scene.ended_stays_ended().await;
    let line = scene.waiting.iter().chain(&newcomers).cloned();
    let line = tokio::spawn(run_all(line.collect::<Vec<_>>(), poll_until_active_and_leave));
    for person in &scene.active {
        assert_eq!(person.clone().poll().await.ok(200)["status"], "ACTIVE", "slots are kept");
    }
    for person in &scene.active[1..] {
        person.leave().await;
    }
    let recovering = line.await.expect("no panic");
    assert!(recovering[..10].iter().all(|shown| *shown), "waiting buyers saw the recovery");
    assert_eq!(scene.active[0].pay(&scene.held).await.ok(201)["total_amount"], 100);

    let seen = sampler.stop().await;
    assert_eq!(most_active(&seen), 3, "never more than the capacity");
    until("the queue is archived", async || {
        let ended = "select count(*) from queue where status in ('LEFT', 'COMPLETED')";
        (world.number(ended).await == 20).then_some(())
    })
    .await;
    let rows: Vec<(i64, DateTime<Utc>)> = sqlx::query_as(
        "select sequence, entered_at from queue where entered_at is not null
         order by entered_at, sequence",
    )
    .fetch_all(&world.pool)
    .await
    .expect("rows");
    assert_eq!(rows.len(), 19, "all except the one who left the queue");
    assert!(rows.is_sorted_by_key(|(sequence, _)| *sequence), "in the old order: {rows:?}");
    assert_eq!(world.epoch().await, 2, "rebuilt once, by one process");
    assert_consistent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wiping_redis_loses_no_seat_and_no_queue_entry() {
    Box::pin(check_loss(Loss::Wiped)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_restarting_empty_loses_no_seat_and_no_queue_entry() {
    Box::pin(check_loss(Loss::Restarted)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_restarting_with_an_older_state_loses_no_seat_and_no_queue_entry() {
    Box::pin(check_loss(Loss::Older)).await;
}

/// Holds a seat and releases it repeatedly until `stop`, then pays once. Counts its holds. It does
/// not wait as `Retry-After` says, so that every wipe meets many requests.
async fn trade(
    mut buyer: Client,
    sale: (i64, Vec<i64>),
    done: Arc<AtomicUsize>,
    stop: CancellationToken,
) {
    let (schedule, seats) = sale;
    for call in 0usize.. {
        buyer.poll().await;
        let seat = seats[(call * 7 + usize::try_from(buyer.user).unwrap() * 3) % seats.len()];
        let held = buyer.hold(schedule, json!({"seat_ids": [seat]})).await;
        assert!([201, 403, 409, 429, 503].contains(&held.status), "{}", held.text);
        if held.status != 201 {
            continue;
        }
        done.fetch_add(1, Ordering::Relaxed);
        // Payments need no Redis.
        if stop.is_cancelled() {
            buyer.pay(&held.body).await.ok(201);
            return;
        }
        let hold = held.body["hold_id"].as_str().expect("an id");
        assert_eq!(buyer.delete(&format!("/v1/holds/{hold}")).await.status, 204);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wiping_redis_repeatedly_under_load_loses_no_seat_and_no_point() {
    let world = World::new().await;
    let processes = [world.start().await, world.start().await];
    let queue = json!({"max_seats_per_user": 100});
    let sale = sale::open(&processes[0].admin().await, 10, 10, queue).await;
    let at = [processes[0].addr, processes[1].addr];
    let crowd = create_users(&world, &at, 16, 100_000).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    let (schedule, seats) = (sale.schedule, sale.seats.clone());
    let (stop, done) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    let trading =
        run_all(crowd, |buyer| trade(buyer, (schedule, seats.clone()), done.clone(), stop.clone()));
    let wiping = async {
        let mut redis = world.raw_redis().await;
        for wipe_number in 1..=8 {
            wipe(&mut redis).await;
            // Redis is wiped again as soon as a few holds have succeeded.
            until("holds succeed again", async || {
                (done.load(Ordering::Relaxed) >= wipe_number * 3).then_some(())
            })
            .await;
        }
        stop.cancel();
    };
    tokio::join!(trading, wiping);
    assert_eq!(world.number("select count(*) from payment").await, 16, "every buyer has paid");
    assert_consistent(&world).await;
    assert_eq!(world.number("select count(*) from reservation where status = 'EXPIRED'").await, 0);

    // Redis is not wiped any more: sold seats are refused, and free ones can be held.
    let mut buyer = processes[0].buyer().await;
    until("a new buyer is admitted", async || {
        buyer.join(schedule).await;
        (buyer.poll().await.body["status"] == "ACTIVE").then_some(())
    })
    .await;
    let free = "select id from seat s where status = 'AVAILABLE' and not exists (select 1 from
                  reservation r where r.seat_id = s.id and r.status = 'PAYMENT_WAITING')";
    let free: Vec<i64> = sqlx::query_scalar(free).fetch_all(&world.pool).await.expect("seats");
    for seat in &sale.seats {
        let answer = until("old claims expire", async || {
            let answer = buyer.hold(schedule, json!({"seat_ids": [seat]})).await;
            let expected = if free.contains(seat) { 201 } else { 409 };
            (answer.status == expected).then_some(answer)
        })
        .await;
        assert!(answer.status == 201 || answer.code() == "seat_taken");
    }
    assert_consistent(&world).await;
}
