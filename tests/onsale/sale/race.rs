//! Many buyers want the same seats at several processes: each seat goes to one buyer, and every
//! buyer gets all requested seats or none.

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::crowd::{count, create_users, join_at_once, run_all};
use crate::support::faults::{Served, assert_consistent, broken_rules};
use crate::support::sale::{self, Sale};
use crate::support::world::World;

/// Active buyers, spread over two operating-system processes, and a sale.
async fn active_buyers(world: &World, buyers: u32, seats: u32) -> (Vec<Client>, Sale, [Served; 2]) {
    let served = [Served::start(world).await, Served::start(world).await];
    let process = world.start().await;
    let queue = json!({"max_seats_per_user": 100});
    let sale = sale::open(&process.admin().await, 1, seats, queue).await;
    let at = [served[0].addr, served[1].addr];
    let crowd = join_at_once(create_users(world, &at, buyers, 0).await, sale.schedule).await;
    process.stop().await;
    (crowd, sale, served)
}

/// All buyers send a hold at once; after a `503` they retry it under the same key.
async fn hold(crowd: &[Client], schedule: i64, seats: impl Fn(usize) -> Vec<i64>) -> Vec<Answer> {
    let wishes = crowd.iter().enumerate().map(|(number, buyer)| (buyer.clone(), seats(number)));
    run_all(wishes, move |(buyer, seats): (Client, Vec<i64>)| async move {
        let path = format!("/v1/schedules/{schedule}/reservations");
        buyer.keyed().post_with_retries(&path, json!({"seat_ids": seats})).await
    })
    .await
}

fn held(answer: &Answer) -> Vec<i64> {
    let rows = answer.body["reservations"].as_array().expect("reservations");
    rows.iter().map(|row| row["seat_id"].as_i64().expect("an id")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seat_wanted_by_200_buyers_through_two_processes_goes_to_exactly_one() {
    const ROUNDS: u32 = 20;
    let world = World::new().await;
    let (crowd, sale, _served) = active_buyers(&world, 200, ROUNDS).await;
    for (round, seat) in sale.seats.iter().enumerate() {
        let wanted_by = if round % 10 == 0 { 200 } else { 40 };
        let answers = hold(&crowd[..wanted_by], sale.schedule, |_| vec![*seat]).await;
        assert_eq!(count(&answers, 201), 1, "seat {seat}");
        for lost in answers.iter().filter(|answer| answer.status != 201) {
            lost.refused(409, "seat_taken");
            assert_eq!(lost.body["seat_ids"], json!([seat]));
        }
    }
    assert_eq!(world.number("select count(*) from reservation").await, i64::from(ROUNDS));
    assert_consistent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_buyer_gets_all_requested_seats_or_none() {
    const ROUNDS: usize = 20;
    let world = World::new().await;
    let (crowd, sale, _served) = active_buyers(&world, 24, 12 * 20).await;
    for round in 0..ROUNDS {
        let seats = &sale.seats[12 * round..12 * (round + 1)];
        // Four of twelve seats, in different orders, so that the sets overlap by one to three.
        let wish = |number: usize| -> Vec<i64> {
            let step = [1, 5, 7, 11][number % 4];
            (0..4).map(|k| seats[(number * 5 + round + k * step) % 12]).collect()
        };
        let answers = hold(&crowd, sale.schedule, wish).await;
        let won: Vec<Vec<i64>> =
            answers.iter().filter(|answer| answer.status == 201).map(held).collect();
        assert!((1..=3).contains(&won.len()), "{} sets of 4 out of 12", won.len());
        for (number, answer) in answers.iter().enumerate() {
            let (mut got, mut wanted) = (Vec::new(), wish(number));
            match answer.status {
                201 => got = held(answer),
                _ => answer.refused(409, "seat_taken"),
            }
            got.sort_unstable();
            wanted.sort_unstable();
            assert!(got.is_empty() || got == wanted, "wanted {wanted:?}, got {got:?}");
        }
        let mut all: Vec<i64> = won.concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), won.len() * 4, "no seat is in two sets");
    }
    let parts = "select count(*) from (select hold_id from reservation
                 group by hold_id having count(*) <> 4) part";
    assert_eq!(world.number(parts).await, 0);
    assert_consistent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_postgresql_alone_gives_a_seat_to_one_buyer() {
    let mut world = World::new().await;
    let (crowd, sale, _served) = active_buyers(&world, 24, 20).await;
    world.redis.kill().await.expect("it ends");
    for seat in &sale.seats {
        let answers = hold(&crowd, sale.schedule, |_| vec![*seat]).await;
        assert_eq!(count(&answers, 201), 1, "seat {seat}");
        for lost in answers.iter().filter(|answer| answer.status != 201) {
            lost.refused(409, "seat_taken");
        }
    }
    assert_consistent(&world).await;
}

/// All buyers hold two of the best available seats at once; after a `503` they retry it under the
/// same key.
async fn hold_best_two(crowd: Vec<Client>, schedule: i64) -> Vec<Answer> {
    run_all(crowd, move |buyer: Client| async move {
        let path = format!("/v1/schedules/{schedule}/reservations");
        buyer.keyed().post_with_retries(&path, json!({"quantity": 2})).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_best_seats_are_given_once_and_until_none_is_left() {
    const SEATS: u32 = 40;
    let world = World::new().await;
    let (crowd, sale, _served) = active_buyers(&world, 60, SEATS).await;
    let answers = hold_best_two(crowd, sale.schedule).await;
    let mut seats: Vec<i64> =
        answers.iter().filter(|answer| answer.status == 201).flat_map(held).collect();
    answers.iter().filter(|a| a.status != 201).for_each(|a| a.refused(409, "not_enough_seats"));
    seats.sort_unstable();
    seats.dedup();
    assert_eq!(seats, sale.seats);
    assert_eq!(world.number("select count(*) from reservation").await, i64::from(SEATS));
    assert_consistent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_the_best_seats_while_seats_are_free() {
    const BUYERS: u32 = 200;
    const ROUNDS: u32 = 3;
    let world = World::new().await;
    let (crowd, sale, _served) = active_buyers(&world, BUYERS, BUYERS * 2 * ROUNDS).await;
    // The last round takes every seat that is left.
    for round in 1..=ROUNDS {
        let answers = hold_best_two(crowd.clone(), sale.schedule).await;
        let refused = answers.iter().filter(|answer| answer.status != 201);
        assert_eq!(
            refused.map(|answer| &answer.text).collect::<Vec<_>>(),
            [""; 0],
            "round {round}"
        );
    }
    let held = "select count(distinct seat_id) from reservation";
    assert_eq!(world.number(held).await, i64::from(BUYERS * 2 * ROUNDS));
    assert_consistent(&world).await;
}

/// Two sessions, each of which reads before the other writes, like a service without locks.
async fn naive_race(world: &World, seat: i64, buyers: [i64; 2]) -> Vec<Result<(), String>> {
    let mut sessions = Vec::new();
    for _ in buyers {
        sessions.push(world.pool.begin().await.expect("a transaction"));
    }
    let free = "select count(*) from reservation
                where seat_id = $1 and status in ('PAYMENT_WAITING', 'COMPLETE')";
    for session in &mut sessions {
        let live: i64 =
            sqlx::query_scalar(free).bind(seat).fetch_one(&mut **session).await.expect("a count");
        assert_eq!(live, 0);
    }
    let write = "insert into reservation (concert_id, concert_schedule_id, seat_id, user_id,
                   hold_id, amount, status, queue_sequence, reservation_at, expires_at)
                 select c.concert_id, c.id, s.id, $2, gen_random_uuid(), s.seat_price,
                   'PAYMENT_WAITING', 1, clock_timestamp(), clock_timestamp() + interval '5 min'
                 from seat s join concert_schedule c on c.id = s.concert_schedule_id
                 where s.id = $1";
    let mut results = Vec::new();
    for (mut session, buyer) in sessions.into_iter().zip(buyers) {
        let written = sqlx::query(write).bind(seat).bind(buyer).execute(&mut *session).await;
        let committed = match written {
            Ok(_) => session.commit().await,
            Err(error) => Err(error),
        };
        results.push(committed.map_err(|error| error.to_string()));
    }
    results
}

#[tokio::test]
async fn a_double_sale_is_refused_by_the_index_and_without_it_found_by_the_check() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 2, json!({})).await;
    let buyers = [process.buyer().await.user, process.buyer().await.user];

    let guarded = naive_race(&world, sale.seats[0], buyers).await;
    assert!(guarded[0].is_ok());
    assert!(guarded[1].as_ref().unwrap_err().contains("reservation_one_live_per_seat"));
    assert_consistent(&world).await;

    sqlx::query("drop index reservation_one_live_per_seat").execute(&world.pool).await.unwrap();
    let unguarded = naive_race(&world, sale.seats[1], buyers).await;
    assert!(unguarded.iter().all(Result::is_ok), "{unguarded:?}");
    assert_eq!(
        broken_rules(&world.pool).await,
        ["a seat has one live reservation at most: broken 1 times"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_index_the_locks_still_give_a_seat_to_one_buyer() {
    let mut world = World::new().await;
    let (crowd, sale, _served) = active_buyers(&world, 16, 20).await;
    sqlx::query("drop index reservation_one_live_per_seat").execute(&world.pool).await.unwrap();
    // Without Redis no request is refused before PostgreSQL.
    world.redis.kill().await.expect("it ends");
    for seat in &sale.seats {
        let answers = hold(&crowd, sale.schedule, |_| vec![*seat]).await;
        assert_eq!(count(&answers, 201), 1, "{:?}", answers.iter().map(status).collect::<Vec<_>>());
    }
    assert_consistent(&world).await;
}

fn status(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.body["code"].clone())
}
