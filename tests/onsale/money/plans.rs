//! What a hold, a payment and the other changes of reservations read does not grow with what was
//! sold before. The measure is the blocks of the tables and indexes that a statement reads: no time
//! is in it.

use std::fmt::Write as _;

use onsale::payment::pg::refund::{RefundTerms, refund_payments};
use onsale::reservation::model::ReservationStatus;
use onsale::reservation::pg as reservations;
use onsale::reservation::read::pg as reads;
use onsale::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
use onsale::store::pg::{Tx, violated};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::world::World;

/// Seats that each sale sells, one per user, and those that stay free.
const SOLD: i64 = 300;
const FREE: i64 = 20;

/// Sells a sale: every user holds a seat and pays it, one after the other, each call in a
/// transaction of its own.
const SELL: &str = "do $$ declare
    v_sale bigint; v_seat bigint; v_user bigint; v_hold uuid;
begin
    insert into concert (title) values ('plans');
    insert into concert_schedule (concert_id, reservation_available_at, deadline_at, concert_at,
                                  queue_opens_at, draw_secret, draw_commitment)
    select max(id), now() - interval '1 h', now() + interval '1 d', now() + interval '2 d',
           now() - interval '2 h', sha256('a'), sha256('b') from concert returning id into v_sale;
    insert into seat (concert_schedule_id, seat_number, section, \"row\", seat_price)
    select v_sale, n, 'A', '1', 100 from generate_series(1, SEATS) n;
    for v_seat in select id from seat where concert_schedule_id = v_sale order by id limit SOLD loop
        insert into \"user\" (name) values ('buyer') returning id into v_user;
        insert into point (user_id, amount) values (v_user, 1000);
        select hold into v_hold from write_hold(v_user, 'hold', sha256('h'), v_sale,
            gen_random_uuid(), 7, array[v_seat], 5, 3);
        commit;
        perform settle_payment(v_user, 'pay', sha256('p'), v_hold, null);
        commit;
    end loop;
end $$";

/// Blocks of both tables and of their indexes that this connection has read in its transaction.
const BLOCKS: &str = "select sum(pg_stat_get_xact_blocks_fetched(oid))::bigint from pg_class
    where oid in ('reservation'::regclass, 'seat'::regclass)
       or oid in (select indexrelid from pg_index
                  where indrelid in ('reservation'::regclass, 'seat'::regclass))";

/// The update of a payment as it was before `status` was fenced off from the partial indexes.
const UNFENCED: &str = "update reservation set status = 'COMPLETE'
    where id = any ($1) and status = 'PAYMENT_WAITING'";

/// The free seats of a sale, and a user for each.
struct Scene {
    schedule: ScheduleId,
    free: Vec<(SeatId, UserId)>,
}

async fn sell(world: &World) -> Scene {
    let sql = SELL.replace("SEATS", &(SOLD + FREE).to_string()).replace("SOLD", &SOLD.to_string());
    sqlx::query(AssertSqlSafe(sql)).execute(&world.pool).await.expect("a sale");
    sqlx::query("analyze").execute(&world.pool).await.expect("statistics");
    let free = "with made as (insert into \"user\" (name) select 'late' from generate_series(1, $1)
                              returning id),
                     rich as (insert into point (user_id, amount) select id, 1000 from made
                              returning user_id),
                     late as (select user_id, row_number() over () as n from rich)
                select s.concert_schedule_id, s.id, late.user_id
                from late join seat s on s.seat_number = $2 + late.n
                where s.concert_schedule_id = (select max(id) from concert_schedule)
                order by s.id";
    let rows = sqlx::query_as(free).bind(FREE).bind(SOLD).fetch_all(&world.pool).await;
    let rows: Vec<(i64, i64, i64)> = rows.expect("seats and users");
    let free = rows.iter().map(|(_, seat, user)| (SeatId(*seat), UserId(*user))).collect();
    Scene { schedule: ScheduleId(rows[0].0), free }
}

/// Counts blocks between calls.
struct Meter<'t> {
    tx: &'t mut Tx,
    costs: Vec<(&'static str, i64)>,
    before: i64,
}

impl Meter<'_> {
    async fn blocks(&mut self) -> i64 {
        sqlx::query_scalar(BLOCKS).fetch_one(self.tx.conn()).await.expect("a count")
    }

    async fn start(&mut self) {
        self.before = self.blocks().await;
    }

    /// Records what was read since [`Self::start`].
    async fn note(&mut self, what: &'static str) {
        let read = self.blocks().await - self.before;
        self.costs.push((what, read));
        self.before = self.blocks().await;
    }
}

/// A hold that ended 10 s ago. Returns its id and its reservation.
async fn hold(tx: &mut Tx, scene: &Scene, at: usize, ended: bool) -> (Uuid, ReservationId) {
    let (seat, user) = scene.free[at];
    let call = "select reply from write_hold($1, 'hold', sha256('h'), $2, $3, 7, array[$4], 5, 3)";
    let id = Uuid::now_v7();
    let call = sqlx::query_scalar(call).bind(user.0).bind(scene.schedule.0).bind(id).bind(seat.0);
    let reply: String = call.fetch_one(tx.conn()).await.expect("a reply");
    assert_eq!(reply, "OK");
    let end = "update reservation set reservation_at = reservation_at - interval '1 h',
                      expires_at = case when $2 then now() - interval '10 s' else expires_at end
               where hold_id = $1 returning id";
    let row = sqlx::query_scalar(end).bind(id).bind(ended).fetch_one(tx.conn()).await;
    (id, ReservationId(row.expect("a reservation")))
}

async fn pay(tx: &mut Tx, user: UserId, hold: Uuid) {
    let call = "select reply from settle_payment($1, 'pay', sha256('p'), $2, null)";
    let call = sqlx::query_scalar(call).bind(user.0).bind(hold);
    let reply: String = call.fetch_one(tx.conn()).await.expect("a reply");
    assert_eq!(reply, "OK");
}

/// Runs each change on free seats from `at` on, and returns what each reads.
async fn costs(tx: &mut Tx, scene: &Scene, at: usize) -> Vec<(&'static str, i64)> {
    let mut meter = Meter { tx, costs: Vec::new(), before: 0 };
    let (schedule, free) = (scene.schedule, &scene.free);
    let seats = |n: usize| [free[at + n].0];

    meter.start().await;
    let (held, _) = hold(meter.tx, scene, at, false).await;
    meter.note("write_hold").await;
    pay(meter.tx, free[at].1, held).await;
    meter.note("settle_payment").await;

    let paid = "select p.id from payment p join reservation r on r.id = p.reservation_id
                where r.hold_id = $1";
    let paid = sqlx::query_scalar(paid).bind(held).fetch_one(meter.tx.conn()).await;
    meter.start().await;
    let (paid, terms) =
        (PaymentId(paid.expect("a payment")), RefundTerms { late: false, block: false });
    refund_payments(meter.tx, free[at].1, &[paid], terms).await.expect("a refund");
    meter.note("refund_payments").await;

    // A takeover: the seat of one buyer's ended hold, by another buyer.
    hold(meter.tx, scene, at + 1, true).await;
    let other = Scene { schedule, free: vec![(free[at + 1].0, free[at + 2].1)] };
    meter.start().await;
    hold(meter.tx, &other, 0, false).await;
    meter.note("write_hold: takeover").await;

    let (ended, row) = hold(meter.tx, scene, at + 3, true).await;
    let user = free[at + 3].1;
    meter.start().await;
    reads::seats_of_hold(meter.tx, user, ended).await.expect("seats").expect("a hold");
    meter.note("seats_of_hold").await;
    reservations::lock_seats(meter.tx, schedule, &seats(3)).await.expect("locks");
    meter.note("lock_seats").await;
    reads::hold_locked(meter.tx, user, ended).await.expect("rows");
    meter.note("hold_locked").await;
    let live = reservations::live_rows(meter.tx, &seats(3)).await.expect("rows");
    meter.note("live_rows").await;
    let lapsed = reservations::lapsed_rows(meter.tx, schedule, user).await.expect("rows");
    meter.note("lapsed_rows").await;
    assert_eq!((live.len(), lapsed.len()), (1, 1));
    let ended = reservations::end_waiting(meter.tx, &[row], ReservationStatus::Expired).await;
    ended.expect("it ends");
    meter.note("end_waiting").await;
    reservations::change_seats(meter.tx, &seats(3), false, false).await.expect("free");
    meter.note("change_seats").await;

    // The negative control.
    let (_, row) = hold(meter.tx, scene, at + 4, false).await;
    meter.start().await;
    sqlx::query(UNFENCED).bind(vec![row.0]).execute(meter.tx.conn()).await.expect("an update");
    meter.note("unfenced").await;
    meter.costs
}

/// The costs of the second of two rounds, for which the plans are made.
async fn measure(world: &World, scene: &Scene) -> Vec<(&'static str, i64)> {
    let mut tx = world.pg.begin("plans").await.expect("a transaction");
    for setting in ["plan_cache_mode = force_generic_plan", "enable_seqscan = off"] {
        let set = AssertSqlSafe(format!("set local {setting}"));
        sqlx::query(set).execute(tx.conn()).await.expect("it is set");
    }
    costs(&mut tx, scene, 0).await;
    costs(&mut tx, scene, 10).await
}

#[tokio::test]
async fn earlier_sales_do_not_increase_the_rows_read_by_holds_payments_and_refunds() {
    let world = World::new().await;
    // As long as a transaction is as old as this one, no entry of an index is taken for dead. In a
    // sale, the transactions of others and the time until a vacuum have that effect.
    let mut old = world.pool.begin().await.expect("a transaction");
    for sql in ["set transaction isolation level repeatable read", "select id from seat"] {
        sqlx::query(sql).execute(&mut *old).await.expect("a snapshot");
    }
    let mut sales = Vec::new();
    for _ in 0..3 {
        let scene = sell(&world).await;
        sales.push(measure(&world, &scene).await);
    }
    old.rollback().await.expect("its end");
    let (mut table, mut grown) = (String::new(), Vec::new());
    for (first, last) in sales[0].iter().zip(&sales[2]) {
        writeln!(table, "{}: {} blocks, then {}", first.0, first.1, last.1).expect("a line");
        // A sale adds a level to an index at most, and entries of one user or seat to none.
        if last.1 > first.1 + first.1 / 4 + 4 {
            grown.push(first.0);
        }
    }
    println!("{table}");
    assert_eq!(grown, ["unfenced"], "{table}");
}

/// Counts the rows of a table that the transaction has updated, and how many of these updates also
/// touched its indexes.
async fn updates(tx: &mut Tx, table: &str) -> (i64, i64) {
    let ask = format!(
        "select pg_stat_get_xact_tuples_updated('{table}'::regclass),
                pg_stat_get_xact_tuples_updated('{table}'::regclass)
                  - pg_stat_get_xact_tuples_hot_updated('{table}'::regclass)"
    );
    let counts = sqlx::query_as(AssertSqlSafe(ask)).fetch_one(tx.conn()).await;
    counts.expect("counts")
}

#[tokio::test]
async fn holds_and_payments_change_seats_and_balances_without_touching_their_indexes() {
    let world = World::new().await;
    let scene = sell(&world).await;
    let mut tx = world.pg.begin("plans").await.expect("a transaction");
    for (at, (_, user)) in scene.free.iter().enumerate().take(10) {
        let (held, _) = hold(&mut tx, &scene, at, false).await;
        pay(&mut tx, *user, held).await;
    }
    assert_eq!(updates(&mut tx, "seat").await, (20, 0));
    assert_eq!(updates(&mut tx, "point").await, (10, 0));
    // The negative control: an index on a column that each change changes.
    let index = "create index seat_fence on seat (fence)";
    sqlx::query(index).execute(tx.conn()).await.expect("an index");
    hold(&mut tx, &scene, 10, false).await;
    assert_eq!(updates(&mut tx, "seat").await, (21, 1));
}

#[tokio::test]
async fn a_seat_out_of_range_is_refused_by_the_database() {
    let world = World::new().await;
    let scene = sell(&world).await;
    let seat = scene.free[0].0;
    let change = async |set: &str| {
        let update = AssertSqlSafe(format!("update seat set {set} where id = $1"));
        sqlx::query(update).bind(seat.0).execute(&world.pool).await
    };
    let too_many = "seat_number = 200001";
    let sections = ["section = ''", "section = repeat('s', 51)"];
    let rows = ["\"row\" = ''", "\"row\" = repeat('r', 51)"];
    let prices = ["seat_price = -1", "seat_price = 1000000001"];
    for set in [["seat_number = 0", too_many], sections, rows, prices].concat() {
        let error = change(set).await.expect_err(set);
        assert_eq!(violated(&error), Some("seat_in_range"), "{set}: {error}");
    }
    let insert = "insert into seat (concert_schedule_id, seat_number, section, \"row\", seat_price)
                  select concert_schedule_id, 200001, section, \"row\", seat_price from seat where id = $1";
    let error = sqlx::query(insert).bind(seat.0).execute(&world.pool).await.expect_err("a refusal");
    assert_eq!(violated(&error), Some("seat_in_range"), "{error}");
    change("section = 'B', seat_price = 0, seat_number = 200000").await.expect("in range");
}
