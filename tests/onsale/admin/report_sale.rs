//! A sale with every kind of end, written into the tables at once, and its report.

use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::support::wait::until;
use crate::support::world::{Process, World};

/// A sale with every kind of end, written by hand: 25,000 queue entries of two epochs, more than a
/// page has, and 13,000 reservations. `ago` is how long ago it closed.
const FILL: &str = "do $$ declare
    v_sale bigint; v_concert bigint; v_open timestamptz := date_trunc('ms', now() - interval 'AGO' - interval '2 h');
begin
    insert into concert (title) values ('filled') returning id into v_concert;
    insert into concert_schedule (concert_id, reservation_available_at, deadline_at, concert_at,
                                  queue_opens_at, draw_secret, draw_commitment)
    values (v_concert, v_open, now() - interval 'AGO', now() + interval '1 d', v_open - interval '1 h',
            sha256('a'), sha256('b')) returning id into v_sale;
    insert into \"user\" (name) select 'buyer' from generate_series(1, 9000);
    insert into seat (concert_schedule_id, seat_number, section, \"row\", seat_price, blocked)
    select v_sale, n, case when n <= 4000 then 'Floor' else 'Balcony' end, '1', 100, n % 50 = 0
    from generate_series(1, 6000) n;
    insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at, entered_at,
                       expired_at)
    select 1 + n * 7 % 9000, v_sale, gen_random_uuid(), k.status,
           (1 + n / 20000) * (1::bigint << 40) + n, t.joined,
           case when k.entered then t.joined + n % 977 * interval '1234 ms' end,
           case when k.ended then t.joined + interval '20 min' + n % 1000 * interval '1 s' end
    from generate_series(1, 25000) n
    cross join lateral (select v_open - interval '10 min' + n * interval '331 ms' as joined) t
    join (values (0, 'COMPLETED', true, true), (1, 'EXPIRED', true, true),
                 (2, 'EXPIRED', false, true), (3, 'LEFT', true, true), (4, 'LEFT', false, true),
                 (5, OPEN1), (6, OPEN2), (7, 'COMPLETED', true, true))
         k (kind, status, entered, ended) on k.kind = n % 8;
    insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount,
                             status, queue_sequence, reservation_at, expires_at)
    select v_concert, v_sale, s.id, 1 + n * 3 % 9000, gen_random_uuid(), 100 + n % 7,
           case when n > 5900 then HELD when n <= 3000 then 'COMPLETE'
                when n <= 4000 then 'REFUNDED' when n <= 5000 then 'EXPIRED' else 'CANCELLED' end,
           n, v_open + n * interval '1 s', v_open + n * interval '1 s' + interval '5 min'
    from generate_series(1, 6000) n
    join seat s on s.concert_schedule_id = v_sale and s.seat_number = n;
    insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount,
                             status, queue_sequence, reservation_at, expires_at)
    select v_concert, v_sale, s.id, 8, gen_random_uuid(), 100, 'EXPIRED', n,
           v_open, v_open + interval '5 min'
    from generate_series(1, 7000) n
    join seat s on s.concert_schedule_id = v_sale and s.seat_number = 1 + n % 6000;
    insert into payment (reservation_id, user_id, amount, status, payment_at, refunded_at)
    select id, user_id, amount, case when status = 'REFUNDED' then 'REFUNDED' else 'COMPLETE' end,
           reservation_at + interval '61 s',
           case when status = 'REFUNDED' then reservation_at + interval '17 min' end
    from reservation where concert_schedule_id = v_sale and status in ('COMPLETE', 'REFUNDED');
    insert into rejection_count (concert_schedule_id, wanted, reason, since, times)
    select v_sale, w, r, date_bin('10 s', v_open + n * interval '10 s', 'epoch'), 1 + n % 5
    from generate_series(1, 300) n,
         (values ('join', 'sold_out'), ('hold', 'seat_taken'), ('hold', 'not_enough_seats')) k (w, r);
end $$";

/// Fills a sale that closes in an hour, with open entries and holds. Returns its schedule.
pub async fn running(world: &World) -> i64 {
    let open = ["'WAITING', false, false", "'ACTIVE', true, false"];
    fill(world, "-1 h", open, "'PAYMENT_WAITING'").await
}

/// Fills a sale that closed three hours ago, without anything open.
pub async fn closed(world: &World) -> i64 {
    let open = ["'EXPIRED', false, true", "'LEFT', false, true"];
    fill(world, "3 h", open, "'EXPIRED'").await
}

async fn fill(world: &World, ago: &str, [one, other]: [&str; 2], held: &str) -> i64 {
    let sql = FILL.replace("AGO", ago).replace("OPEN1", one).replace("OPEN2", other);
    let sql = AssertSqlSafe(sql.replace("HELD", held));
    sqlx::query(sql).execute(&world.pool).await.expect("a sale");
    world.number("select max(id) from concert_schedule").await
}

/// The report of a schedule, once it is computed for the first time, with its prediction if it gets
/// one.
pub async fn fetch(process: &Process, schedule: i64) -> Value {
    let admin = process.admin().await;
    let path = format!("/v1/admin/schedules/{schedule}/report");
    let report = until("the first figures", async || {
        let answer = admin.get(&path).await;
        (answer.status == 200 && answer.body["no_prediction"] != "simulating")
            .then_some(answer.body)
    })
    .await;
    assert_eq!(report["schedule_id"], schedule);
    report
}
