//! Sold schedules, and what must be true of them after a refund.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use crate::support::wait::until;
use crate::support::world::World;

/// Sells a schedule by the functions of holds and payments: every buyer has `PER` seats at 100 points
/// and 1,000 points, one after the other. Redis learns of it when it is asked for the first time.
const SELL: &str = "do $$ declare v_user bigint; v_hold uuid; v_seats bigint[];
begin
    for v_seats in
        select array_agg(id order by id) from (
            select id, (row_number() over (order by id) - 1) / PER as n from seat
            where concert_schedule_id = SALE) s group by n order by n
    loop
        insert into \"user\" (name) values ('Kim') returning id into v_user;
        insert into point (user_id) values (v_user);
        perform point_change(v_user, 'CHARGE', 1000, 'charge');
        select hold into v_hold from write_hold(v_user, 'hold', sha256('h'), SALE,
            gen_random_uuid(), 7, v_seats, 5, 3);
        perform settle_payment(v_user, 'pay', sha256('p'), v_hold, null);
        commit;
    end loop;
    delete from outbox;
end $$";

/// Sells every seat of a schedule, `per` seats to each buyer.
pub async fn sell(world: &World, schedule: i64, per: i64) {
    let sql = SELL.replace("SALE", &schedule.to_string()).replace("PER", &per.to_string());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&world.pool).await.expect("it is sold");
    let unpaid =
        "select count(*) from seat where concert_schedule_id = $1 and status = 'AVAILABLE'";
    let unpaid = sqlx::query_scalar::<_, i64>(unpaid).bind(schedule).fetch_one(&world.pool).await;
    assert_eq!(unpaid.expect("a number"), 0);
}

/// Locks one seat, so that a refund stops there.
pub async fn lock_seat(
    world: &World,
    schedule: i64,
    number: i64,
) -> Transaction<'static, Postgres> {
    let mut tx = world.pool.begin().await.expect("a transaction");
    let lock = "select from seat where concert_schedule_id = $1 and seat_number = $2 for update";
    let locked = sqlx::query(lock).bind(schedule).bind(number).execute(&mut *tx).await;
    locked.expect("a lock");
    tx
}

/// Waits until a session waits for the lock of a row, in the middle of a page.
pub async fn until_stopped(world: &World) {
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'
                     and query like 'select id from seat%'";
    until("the job waits for a seat", async || (world.number(waiting).await > 0).then_some(()))
        .await;
}

/// Every payment is refunded once: points are back, once and with a row in the history; no reservation is live, and
/// each seat is free or kept back.
pub async fn check_refunded(world: &World, seats: i64, blocked: bool) {
    let count = async |sql: &'static str| world.number(sql).await;
    assert_eq!(count("select count(*) from payment where status = 'REFUNDED'").await, seats);
    assert_eq!(count("select count(*) from payment where status <> 'REFUNDED'").await, 0);
    assert_eq!(count("select count(*) from point_history where kind = 'REFUND'").await, seats);
    let once = "select count(distinct h.reference) from point_history h
                join payment p on p.id::text = h.reference and p.user_id = h.user_id
                  and p.amount = h.amount where h.kind = 'REFUND'";
    assert_eq!(count(once).await, seats);
    let wrong = "select count(*) from point p where amount <>
                   (select coalesce(sum(h.amount), 0) from point_history h where h.user_id = p.user_id)";
    assert_eq!(count(wrong).await, 0, "a balance is not the sum of its history");
    let poorer = "select count(*) from point p where amount <> 1000
                    and exists (select from payment y where y.user_id = p.user_id)";
    assert_eq!(count(poorer).await, 0, "a buyer has not all points back");
    assert_eq!(count("select count(*) from reservation where status <> 'REFUNDED'").await, 0);
    let states = "select count(*) from seat where status = 'AVAILABLE' and reservation_at is null
                    and blocked";
    assert_eq!(count(states).await, if blocked { seats } else { 0 });
    assert_eq!(count("select count(*) from seat where status = 'AVAILABLE'").await, seats);
}

/// What a finished refund says about itself.
#[track_caller]
pub fn check_job(job: &Value, seats: i64) {
    assert_eq!((&job["done"], &job["total"]), (&seats.into(), &seats.into()), "{job}");
    assert_eq!(job["figures"]["amount"], 100 * seats);
    assert_eq!((&job["error"], &job["cancellable"]), (&Value::Null, &false.into()));
}
