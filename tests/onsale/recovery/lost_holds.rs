//! Holds of which a seat was lost to another sale, after a failover or a restore that lost transactions.

use serde_json::json;

use crate::sale::refusals::{active_buyer, hold_path};
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// The restore and the reconciler call the same function.
#[tokio::test]
async fn a_hold_that_lost_a_seat_ends_whole_and_a_payment_is_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    admin.patch("/v1/admin/event-feed", json!({"enabled": true})).await.ok(200);
    let settings = json!({"hold_ttl_seconds": 600, "active_ttl_seconds": 900});
    let sale = sale::open(&admin, 1, 5, settings).await;
    let buyer = active_buyer(&process, &sale).await;
    let seats = &sale.seats[..2];
    let held = buyer.hold(sale.schedule, json!({"seat_ids": seats})).await.ok(201);
    let mut tx = world.pool.begin().await.expect("a transaction");
    sqlx::query("select from seat where id = $1 for no key update")
        .bind(seats[0])
        .execute(&mut *tx)
        .await
        .expect("the lock");
    let ended = sqlx::query_scalar::<_, i64>("select end_holds(array[$1])").bind(seats[0]);
    assert_eq!(ended.fetch_one(&mut *tx).await.expect("ended reservations"), 1);
    tx.commit().await.expect("a commit");

    buyer.pay(&held).await.refused(409, "hold_expired");
    until("the other seat is free too", async || {
        let live = "select count(*) from reservation where status = 'PAYMENT_WAITING'";
        (world.number(live).await == 0).then_some(())
    })
    .await;
    assert_eq!(buyer.get(&hold_path(&held)).await.ok(200)["status"], "EXPIRED");
    let events = "select sum(jsonb_array_length(data->'reservations'))::bigint from sale_event
                  where type = 'reservation.expired'";
    assert_eq!(world.number(events).await, 2, "each reservation is in one event");
    let paid = "select count(*) from payment";
    assert_eq!(world.number(paid).await, 0);
}
