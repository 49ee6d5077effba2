//! Each guard of a refund, and what happens without it.

use onsale::job::refund::pg::refund;
use onsale::store::StoreError;
use onsale::store::id::{PaymentId, ScheduleId};
use onsale::store::pg::Pg;
use serde_json::json;
use sqlx::error::DatabaseError;
use sqlx::{Connection, PgConnection};

use super::books::sell;
use crate::support::patch::Patch;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// A buyer's refund up to the change of the payment, and then its end; a job's refund of the same
/// payment meanwhile. Returns the SQLSTATE of either's failure.
async fn race(world: &World, payment: i64) -> Option<String> {
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
        let sql = "select done.reply from payment p
                   cross join lateral refund_payments(p.user_id, array[p.id], true, false) done
                   where p.id = $1";
        sqlx::query_scalar::<_, String>(sql).bind(payment).fetch_one(&mut job).await
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
    let code = |error: &sqlx::Error| {
        error.as_database_error().and_then(DatabaseError::code).map(String::from)
    };
    if let Err(error) = &ended {
        tx.rollback().await.expect("rolled back");
        refund.await.expect("an answer").ok();
        return code(error);
    }
    tx.commit().await.expect("committed");
    match refund.await.expect("an answer") {
        Ok(reply) => {
            assert_eq!(reply, "ALREADY_REFUNDED", "the job refunded what the buyer had refunded");
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
    assert_eq!(race(&world, payments[0]).await, None);
    let once = "select count(*) from point_history where kind = 'REFUND'";
    assert_eq!(world.number(once).await, 1);
    // The negative control: without the lock of the seat, the two wait for each other.
    Patch::of("refund_payments").replace("lock_seats", "null;").apply(&world.pool).await;
    assert_eq!(race(&world, payments[1]).await.as_deref(), Some("40P01"));
}

#[tokio::test]
async fn refunded_payments_are_skipped_and_those_of_another_schedule_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let schedule = sale::open(&admin, 1, 4, json!({})).await.schedule;
    let other = sale::open(&admin, 1, 2, json!({})).await.schedule;
    process.stop().await;
    sell(&world, schedule, 2).await;
    let ids = sqlx::query_scalar("select id from payment order by id").fetch_all(&world.pool);
    let payments: Vec<_> = ids.await.expect("payments").into_iter().map(PaymentId).collect();
    let pg = Pg::lazy(&world.database_url, 2).expect("a pool");
    let refund_page = async |schedule: i64| {
        let mut tx = pg.begin("refund").await.expect("a transaction");
        let page = refund(&mut tx, ScheduleId(schedule), &payments, true).await?;
        tx.commit().await.map(|()| (page.payments, page.amount, page.seats.len()))
    };
    let wrong = refund_page(other).await;
    assert!(matches!(wrong, Err(StoreError::Inconsistent(_))), "{wrong:?}");
    assert_eq!(refund_page(schedule).await.expect("a page"), (4, 400, 2));
    assert_eq!(refund_page(schedule).await.expect("a page"), (0, 0, 0));
    let events = "select count(*) from outbox where kind = 'seats_changed'
                    and payload ->> 'state' = 'blocked' and jsonb_array_length(payload -> 'seats') = 2";
    assert_eq!(world.number(events).await, 2);
}
