//! Points under concurrency: nothing is lost, doubled or below zero, and locks never deadlock.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::Executor;

use crate::support::client::{Answer, Client};
use crate::support::crowd::{count, create_users, join_at_once, run_all};
use crate::support::faults::{Served, assert_consistent, broken_rules};
use crate::support::sale;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_charges_and_payments_of_one_user_add_up() {
    let world = World::new().await;
    let (one, two) = (world.start().await, world.start().await);
    let queue = json!({"max_seats_per_user": 25});
    let sale = sale::open(&one.admin().await, 1, 25, queue).await;
    let buyer = join_at_once(create_users(&world, &[one.addr], 1, 300).await, sale.schedule)
        .await
        .remove(0);
    let mut holds = Vec::new();
    for seat in &sale.seats {
        holds.push(buyer.hold(sale.schedule, json!({"seat_ids": [seat]})).await.ok(201));
    }
    // 25 payments of 100, and 25 charges of 70 that do not cover them all, alternately at two
    // processes.
    let calls = holds.into_iter().flat_map(|hold| [Some(hold), None]).enumerate();
    let (here, there) = (buyer.clone(), buyer.at(two.addr));
    let answers = run_all(calls, |(number, hold): (usize, Option<Value>)| {
        let buyer = if number % 4 < 2 { here.clone() } else { there.clone() };
        async move {
            let keyed = buyer.keyed();
            let (path, body) = match hold {
                Some(hold) => ("/v1/payments", json!({"hold_id": hold["hold_id"]})),
                None => ("/v1/points/charges", json!({"amount": 70})),
            };
            // All calls wait for one row; one that waits too long gets a 503.
            keyed.post_with_retries(path, body).await
        }
    })
    .await;
    let (mut paid, mut refused) = (0, 0);
    for (number, answer) in answers.iter().enumerate() {
        match (number % 2, answer.status) {
            (0, 201) => paid += 1,
            (0, 402) => refused += 1,
            (_, status) => assert_eq!(status, 201, "{}", answer.text),
        }
    }
    assert_eq!(paid + refused, 25);
    assert!(paid >= 3 && refused >= 1, "{paid} paid, {refused} refused: the test needs both");
    let balance = buyer.get("/v1/points").await.ok(200)["amount"].as_i64().expect("an amount");
    assert_eq!(balance, 300 + 25 * 70 - paid * 100);
    assert_eq!(world.number("select count(*) from payment").await, paid);
    assert_consistent(&world).await;
}

#[tokio::test]
async fn the_check_finds_money_moved_without_a_history_row() {
    let world = World::new().await;
    let process = world.start().await;
    process.rich_buyer().await;
    assert_consistent(&world).await;
    sqlx::query("update point set amount = amount - 1").execute(&world.pool).await.unwrap();
    assert_eq!(
        broken_rules(&world.pool).await,
        ["a balance is the sum of its history: broken 1 times"]
    );
    let below = sqlx::query("update point set amount = -1").execute(&world.pool).await;
    assert!(below.unwrap_err().to_string().contains("point_not_negative"));
}

/// Sends the same request twenty times at once, and once more at the end. Checks that every answer
/// is the same or `request_in_progress`; returns it.
async fn twenty_times(clients: [Client; 2], path: &'static str, body: Value) -> Answer {
    let calls = (0..20).map(|number| (clients[number % 2].clone(), body.clone()));
    let answers = run_all(calls, move |(client, body): (Client, Value)| async move {
        client.post(path, body).await
    })
    .await;
    let last = clients[1].post(path, body).await;
    assert_eq!((last.status, last.header("idempotency-replayed")), (201, "true"), "{}", last.text);
    assert!(count(&answers, 201) >= 1);
    for answer in &answers {
        match answer.status {
            201 => assert_eq!(answer.text, last.text),
            _ => answer.refused(409, "request_in_progress"),
        }
    }
    let first =
        |answer: &&Answer| answer.status == 201 && answer.header("idempotency-replayed").is_empty();
    assert_eq!(answers.iter().filter(first).count(), 1, "exactly one is not a replay");
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_sent_twenty_times_at_once_has_one_effect_and_one_answer() {
    let world = World::new().await;
    let (one, two) = (world.start().await, world.start().await);
    let sale = sale::open(&one.admin().await, 10, 4, json!({"max_seats_per_user": 40})).await;
    let buyer =
        join_at_once(create_users(&world, &[one.addr], 1, 0).await, sale.schedule).await.remove(0);
    for round in 0..10 {
        let keyed = |what: &str| {
            let here = buyer.with_key(&format!("{what}-{round}"));
            [here.at(two.addr), here]
        };
        let charged = keyed("charge");
        twenty_times(charged, "/v1/points/charges", json!({"amount": 400})).await;
        let path = format!("/v1/schedules/{}/reservations", sale.schedule).leak();
        let seats = json!({"seat_ids": sale.seats[4 * round..4 * round + 4]});
        let mut active = buyer.clone();
        active.ticket = None;
        active.join(sale.schedule).await; // the last payment completed the last entry
        let holding =
            keyed("hold").map(|client| client.with_ticket(active.ticket.as_ref().unwrap()));
        let hold = twenty_times(holding, path, seats).await.body;
        let pay = json!({"hold_id": hold["hold_id"]});
        let paid = twenty_times(keyed("pay"), "/v1/payments", pay).await.body;
        assert_eq!((&paid["total_amount"], &paid["balance"]), (&json!(400), &json!(0)));
    }
    assert_eq!(world.number("select count(*) from reservation").await, 40);
    assert_eq!(world.number("select count(*) from payment").await, 40);
    assert_eq!(world.number("select count(*) from point_history").await, 20);
    assert_consistent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_of_seats_held_in_opposite_orders_never_deadlock() {
    const ROUNDS: usize = 200;
    let mut world = World::new().await;
    let served = [Served::start(&world).await, Served::start(&world).await];
    let process = world.start().await;
    let queue = json!({"max_seats_per_user": 100});
    let sale = sale::open(&process.admin().await, 1, 4 * 200, queue).await;
    let at = [served[0].addr, served[1].addr];
    let crowd = join_at_once(create_users(&world, &at, 40, 0).await, sale.schedule).await;
    process.stop().await;
    // Redis would pass only one request on; without it PostgreSQL gets all of them.
    world.redis.kill().await.expect("it ends");
    for round in 0..ROUNDS {
        let mut seats = sale.seats[4 * round..4 * round + 4].to_vec();
        let wishes: Vec<(Client, Vec<i64>)> = (0..4)
            .map(|number| {
                seats.rotate_left(1);
                if number % 2 == 1 {
                    seats.reverse();
                }
                (crowd[(4 * round + number) % crowd.len()].clone(), seats.clone())
            })
            .collect();
        let schedule = sale.schedule;
        let answers = run_all(wishes, move |(buyer, seats): (Client, Vec<i64>)| async move {
            buyer.hold(schedule, json!({"seat_ids": seats})).await
        })
        .await;
        let mut statuses = HashMap::new();
        for answer in &answers {
            *statuses.entry(answer.status).or_insert(0) += 1;
        }
        assert_eq!(statuses, HashMap::from([(201, 1), (409, 3)]), "round {round}");
    }
    assert_consistent(&world).await;
}

#[tokio::test]
async fn locks_taken_in_opposite_orders_do_deadlock() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 2, json!({})).await;
    let lock = |seat: usize| {
        format!("select 1 from seat where id = {} for no key update", sale.seats[seat])
    };
    let mut one = world.pool.begin().await.unwrap();
    let mut two = world.pool.begin().await.unwrap();
    one.execute(sqlx::AssertSqlSafe(lock(0))).await.unwrap();
    two.execute(sqlx::AssertSqlSafe(lock(1))).await.unwrap();
    let (first, second) = tokio::join!(
        one.execute(sqlx::AssertSqlSafe(lock(1))),
        two.execute(sqlx::AssertSqlSafe(lock(0)))
    );
    let codes = [first.err(), second.err()].map(|error| {
        error.and_then(|error| error.as_database_error()?.code().map(std::borrow::Cow::into_owned))
    });
    assert!(codes.contains(&Some("40P01".to_owned())), "{codes:?}");
}
