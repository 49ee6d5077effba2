//! Each guard of a refund, and what happens without it.

use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::books::sell;
use crate::support::patch::Patch;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// A buyer's refund up to the change of the payment, and then its end; a job's refund of the same
/// payment meanwhile. Returns the SQLSTATE of either's failure.
async fn race(world: &World, schedule: i64, payment: i64) -> Option<String> {
    let mut buyer = PgConnection::connect(&world.database_url).await.expect("PostgreSQL");
    let mut job = PgConnection::connect(&world.database_url).await.expect("PostgreSQL");
    let mut tx = buyer.begin().await.expect("a transaction");
    for sql in [
        "select from seat where id = (select seat_id from reservation r join payment p
           on p.reservation_id = r.id where p.id = $1) for no key update",
        "update payment set status = 'REFUNDED', refunded_at = now() where id = $1",
    ] {
        sqlx::query(sql).bind(payment).execute(&mut *tx).await.expect("half a refund");
    }
    let refund = tokio::spawn(async move {
        let sql = "select cardinality(refunded) from refund_payments($1, array[$2], false)";
        let asked = sqlx::query_scalar::<_, Option<i32>>(sql).bind(schedule).bind(payment);
        asked.fetch_one(&mut job).await
    });
    let waiting = "select count(*) from pg_stat_activity where datname = current_database()
                     and wait_event_type = 'Lock' and query like '%refund_payments%'";
    until("the job waits", async || (world.number(waiting).await > 0).then_some(())).await;
    let rest =
        "with locked as materialized (select point_lock(user_id), user_id, amount, reservation_id
                                             from payment where id = $1),
                     done as (update reservation r set status = 'REFUNDED' from locked
                              where r.id = locked.reservation_id returning r.seat_id)
                select point_change(user_id, 'REFUND', amount, $1::text) from locked";
    let ended = sqlx::query(rest).bind(payment).execute(&mut *tx).await;
    let code =
        |error: &sqlx::Error| error.as_database_error().and_then(|it| it.code()).map(String::from);
    if let Err(error) = &ended {
        tx.rollback().await.expect("rolled back");
        refund.await.expect("an answer").ok();
        return code(error);
    }
    tx.commit().await.expect("committed");
    match refund.await.expect("an answer") {
        Ok(refunded) => {
            assert_eq!(refunded, None, "the job refunded what the buyer had refunded");
            None
        }
        Err(error) => code(&error),
    }
}

#[tokio::test]
async fn a_refund_of_a_job_waits_for_the_buyers_own() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let schedule = sale::open(&admin, 1, 4, json!({})).await.schedule;
    process.stop().await;
    sell(&world, schedule, 1).await;
    let payments: Vec<i64> = sqlx::query_scalar("select id from payment order by id")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    assert_eq!(race(&world, schedule, payments[0]).await, None);
    let once = "select count(*) from point_history where kind = 'REFUND'";
    assert_eq!(world.number(once).await, 1);
    // The negative control: without the lock of the seat, the two wait for each other.
    Patch::of("refund_payments").replace("lock_seats", "null;").apply(&world.pool).await;
    assert_eq!(race(&world, schedule, payments[1]).await.as_deref(), Some("40P01"));
}

#[tokio::test]
async fn payments_of_another_schedule_and_refunded_ones_are_skipped() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let schedule = sale::open(&admin, 1, 4, json!({})).await.schedule;
    let other = sale::open(&admin, 1, 2, json!({})).await.schedule;
    process.stop().await;
    sell(&world, schedule, 1).await;
    let sql = "select coalesce(cardinality(refunded), 0) || ' ' || amount || ' '
                      || coalesce(cardinality(fences), 0)
               from refund_payments($1, (select array_agg(id) from payment), true)";
    let refund = async |schedule: i64| -> String {
        sqlx::query_scalar(sql).bind(schedule).fetch_one(&world.pool).await.expect("an answer")
    };
    assert_eq!(refund(other).await, "0 0 0");
    assert_eq!(refund(schedule).await, "4 400 4");
    assert_eq!(refund(schedule).await, "0 0 0");
    let events = "select count(*) from outbox where kind = 'seats_changed'
                    and payload ->> 'state' = 'blocked' and jsonb_array_length(payload -> 'seats') = 4";
    assert_eq!(world.number(events).await, 1);
}
