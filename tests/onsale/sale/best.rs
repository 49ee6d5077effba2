//! Best available seats: a hold takes the seats that are shown.

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::World;

/// The ids of the best seats of a sale.
async fn best(client: &Client, sale: &Sale, query: &str) -> Vec<i64> {
    let path = format!("/v1/schedules/{}/seats/best?{query}", sale.schedule);
    let answer = client.get(&path).await;
    assert_eq!(answer.header("cache-control"), "public, max-age=1");
    let body = answer.ok(200);
    shape::check(&body, "seats:list total_amount:int");
    let seats = body["seats"].as_array().expect("seats");
    let prices = seats.iter().map(|seat| seat["seat_price"].as_i64().expect("a price"));
    assert_eq!(body["total_amount"], prices.sum::<i64>());
    seats.iter().map(|seat| seat["id"].as_i64().expect("an id")).collect()
}

fn held(hold: &Value) -> Vec<i64> {
    let reservations = hold["reservations"].as_array().expect("reservations");
    reservations.iter().map(|one| one["seat_id"].as_i64().expect("an id")).collect()
}

/// Section A: two rows of five seats at 100. B: one row of five at 50.
async fn two_sections(admin: &Client) -> Sale {
    let mut sale = sale::open(admin, 2, 5, json!({"max_seats_per_user": 15})).await;
    let seats = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    let more = json!({"name": "B", "rows": 1, "seats_per_row": 5, "seat_price": 50});
    admin.post(&seats, json!({"sections": [more]})).await.ok(201);
    sale.seats = sale::seat_ids(admin, sale.schedule).await;
    sale
}

#[tokio::test]
async fn the_seats_shown_as_best_are_those_that_a_hold_takes() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = two_sections(&process.admin().await).await;
    let buyer = active_buyer(&process, &sale).await;
    let anybody = process.anonymous();
    let mut taken: Vec<i64> = Vec::new();
    for (query, wanted, expected) in [
        ("quantity=2", json!({"quantity": 2}), [0, 1].as_slice()),
        ("quantity=4", json!({"quantity": 4}), &[5, 6, 7, 8]),
        ("quantity=1&section=B", json!({"quantity": 1, "section": "B"}), &[10]),
        ("quantity=1&max_price=60", json!({"quantity": 1, "max_price": 60}), &[11]),
        (
            "quantity=2&exclude_prices=90-110,1-2",
            json!({"quantity": 2, "exclude_prices": [[90, 110], [1, 2]]}),
            &[12, 13],
        ),
    ] {
        let expected: Vec<i64> = expected.iter().map(|at: &usize| sale.seats[*at]).collect();
        until("the board shows the last hold", async || {
            let seen = best(&anybody, &sale, query).await;
            (!seen.iter().any(|seat| taken.contains(seat))).then_some(())
        })
        .await;
        assert_eq!(best(&anybody, &sale, query).await, expected, "{query}");
        let hold = buyer.hold(sale.schedule, wanted).await.ok(201);
        assert_eq!(held(&hold), expected, "{query}");
        taken.extend(expected);
    }
}

#[tokio::test]
async fn best_seats_can_exclude_seats_and_are_empty_when_too_few_fit() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = two_sections(&process.admin().await).await;
    let anybody = process.anonymous();
    let seats = |at: &[usize]| at.iter().map(|at| sale.seats[*at]).collect::<Vec<_>>();
    let without = format!("quantity=3&except={},{},999999", sale.seats[1], sale.seats[6]);
    assert_eq!(best(&anybody, &sale, &without).await, seats(&[2, 3, 4]));
    assert_eq!(best(&anybody, &sale, "quantity=16").await, [0; 0]);
    assert_eq!(best(&anybody, &sale, "quantity=1&max_price=49").await, [0; 0]);
    assert_eq!(best(&anybody, &sale, "quantity=1&section=C").await, [0; 0]);
}

#[tokio::test]
async fn the_query_for_best_seats_is_validated() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let anybody = process.anonymous();
    let many = |item: &str, count: usize| vec![item; count].join(",");
    for (query, pointer) in [
        (String::new(), ""),
        ("quantity=0".to_owned(), "/quantity"),
        ("quantity=101".to_owned(), "/quantity"),
        ("quantity=x".to_owned(), "/quantity"),
        ("quantity=1&section=".to_owned(), "/section"),
        ("quantity=1&max_price=-1".to_owned(), "/max_price"),
        ("quantity=1&exclude_prices=5".to_owned(), "/exclude_prices"),
        ("quantity=1&exclude_prices=7-5".to_owned(), "/exclude_prices"),
        (format!("quantity=1&exclude_prices={}", many("1-2", 21)), "/exclude_prices"),
        ("quantity=1&except=1,x".to_owned(), "/except"),
        (format!("quantity=1&except={}", many("1", 101)), "/except"),
    ] {
        let path = format!("/v1/schedules/{}/seats/best?{query}", sale.schedule);
        let refused = anybody.get(&path).await;
        refused.refused(422, "invalid_request");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{query}");
    }
    let absent = anybody.get("/v1/schedules/0/seats/best?quantity=1").await;
    absent.refused(404, "schedule_not_found");

    let buyer = active_buyer(&process, &sale).await;
    for (body, pointer) in [
        (json!({"quantity": 1, "exclude_prices": [[7, 5]]}), "/exclude_prices"),
        (json!({"quantity": 1, "exclude_prices": [[-1, 5]]}), "/exclude_prices"),
        (json!({"seat_ids": [sale.seats[0]], "exclude_prices": []}), "/exclude_prices"),
    ] {
        let refused = buyer.hold(sale.schedule, body.clone()).await;
        refused.refused(422, "invalid_request");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
}
