//! Clients that disconnect right after sending: their requests still run to the end.

use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_at_once};
use crate::support::faults::{Blocker, assert_consistent, key};
use crate::support::kept::most_at_once;
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// A process, an active buyer, and a sale of 40 seats.
async fn active_buyer(world: &World) -> (Process, Client, Sale) {
    // The reconciler would repair within 20 s what a disconnect leaves wrong.
    let process = world.start_with(&["--reconcile-every=1h"]).await;
    let sale = sale::open(&process.admin().await, 2, 20, json!({})).await;
    let mut buyers =
        join_at_once(create_users(world, &[process.addr], 1, 1000).await, sale.schedule).await;
    (process, buyers.remove(0), sale)
}

/// Sends a request and does not read its answer.
async fn send(process: &Process, buyer: &Client, path: &str, body: &Value) -> TcpStream {
    let (token, body) = (buyer.token.as_deref().expect("a token"), body.to_string());
    let ticket = buyer.ticket.as_deref().expect("a ticket");
    let key = uuid::Uuid::now_v7();
    let mut stream = TcpStream::connect(process.addr).await.expect("a connection");
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: onsale\r\nauthorization: Bearer {token}\r\n\
         queue-token: {ticket}\r\nidempotency-key: {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    stream
}

/// Disconnects, and waits until the process has noticed: it closes its end without an answer.
async fn disconnect(mut stream: TcpStream) {
    stream.shutdown().await.expect("the end is sent");
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(String::from_utf8_lossy(&rest), "", "it was not answered before");
}

#[tokio::test]
async fn a_charge_is_completed_although_its_client_disconnects() {
    let world = World::new().await;
    let (process, buyer, _sale) = active_buyer(&world).await;
    let blocker = Blocker::of_balance(&world.pool, buyer.user).await;
    let stream = send(&process, &buyer, "/v1/points/charges", &json!({"amount": 500})).await;
    blocker.wait_for_waiter(&world.pool).await;
    disconnect(stream).await;
    blocker.release().await;
    until("the charge is made", async || {
        (buyer.get("/v1/points").await.ok(200)["amount"] == 1500).then_some(())
    })
    .await;
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_refused_hold_leaves_no_claim_although_its_client_disconnects() {
    let world = World::new().await;
    let (process, buyer, sale) = active_buyer(&world).await;
    let blocker = Blocker::that_blocks_a_seat(&world.pool, sale.seats[0]).await;
    let path = format!("/v1/schedules/{}/reservations", sale.schedule);
    let body = json!({"seat_ids": sale.seats[..4]});
    let stream = send(&process, &buyer, &path, &body).await;
    blocker.wait_for_waiter(&world.pool).await;
    let (mut redis, held) = (world.raw_redis().await, key(sale.schedule, "held"));
    // Claims expire after 5 s; these are changed to last for ever.
    for seat in 1..=4 {
        redis.zadd::<_, _, _, ()>(&held, seat, 9e15).await.expect("Redis");
    }
    disconnect(stream).await;
    blocker.release().await;
    until("the claims are released", async || {
        let left: u64 = redis.zcard(&held).await.expect("Redis");
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(world.number("select count(*) from reservation").await, 0);
}

#[tokio::test]
async fn a_client_that_disconnects_repeatedly_claims_no_more_seats_than_the_limit() {
    let world = World::new().await;
    let (process, buyer, sale) = active_buyer(&world).await;
    let path = format!("/v1/schedules/{}/reservations", sale.schedule);
    for first in 0..30 {
        let body = json!({"seat_ids": sale.seats[first..first + 4]});
        drop(send(&process, &buyer, &path, &body).await);
    }
    let mut redis = world.raw_redis().await;
    until("one request has made a hold", async || {
        let rows = world.number("select count(*) from reservation").await;
        (rows == 4).then_some(())
    })
    .await;
    process.stop().await;
    assert_eq!(world.number("select count(*) from reservation").await, 4);
    assert_eq!(most_at_once(&mut redis, sale.schedule).await, 4);
    let claims: u64 = redis.hlen(key(sale.schedule, "claim")).await.expect("Redis");
    assert_eq!(claims, 0, "a drained process leaves no claim behind");
    assert_consistent(&world).await;
}
