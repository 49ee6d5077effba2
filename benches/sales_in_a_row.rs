//! Sells three sales in a row, and measures what a hold and a payment of each sale cost PostgreSQL.
//! The cost must not grow with what was sold before.
//!
//! `cargo bench --bench sales_in_a_row [-- COUNT]`: each sale has COUNT users. Each of them joins,
//! holds one seat and pays it, through onsale's services with the loops of a process running. The
//! stores are private, with durable commits, like those of `onsale dev`, and empty at first. Only
//! PostgreSQL's own autovacuum vacuums and makes statistics. All the time, one transaction keeps a
//! snapshot, as a backup does: dead entries stay in the indexes, and a plan that walks them shows.
//!
//! Holds and payments have connections of their own, so the CPU of their processes is measured
//! apart.

#![expect(clippy::expect_used, reason = "a bench fails as a test does")]

#[path = "sales/service.rs"]
#[expect(dead_code, reason = "the bench `sales` needs the rest")]
mod service;
#[path = "sales/stage.rs"]
#[expect(dead_code, reason = "the bench `sales` needs the rest")]
mod stage;

use onsale::idempotency::model::Request;
use onsale::reservation::model::Wanted;
use onsale::store::id::{ScheduleId, SeatId, UserId};
use service::{Service, each};
use stage::{Sale, Stage};

/// Sales, one after the other, that are compared.
const SALES: usize = 3;

/// Concurrent users.
const CLIENTS: usize = 8;

/// CPU of PostgreSQL for one operation, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Cost {
    hold: f64,
    payment: f64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut numbers = std::env::args().filter_map(|given| given.parse::<u32>().ok());
    let count = numbers.next().unwrap_or(8000);
    let stage = Stage::new().await;
    // Loops and joins use the connections of the first.
    let holding = Service::named(&stage, "hold").await;
    let paying = Service::named(&stage, "payment").await;
    let mut backup = stage.pool.begin().await.expect("a transaction");
    for sql in ["set transaction isolation level repeatable read", "select count(*) from seat"] {
        sqlx::query(sql).execute(&mut *backup).await.expect("a snapshot");
    }
    let mut costs = Vec::new();
    for number in 1..=SALES {
        let cost = sell(&stage, &holding, &paying, count).await;
        let Cost { hold, payment } = cost;
        println!("sale {number} of {count}: {hold:.0} us a hold, {payment:.0} us a payment");
        costs.push(cost);
    }
    backup.rollback().await.expect("its end");
    let (first, last) = (costs[0], costs[SALES - 1]);
    println!("PostgreSQL CPU, last sale / first sale (target: at most 1.15)");
    println!("hold: {:.2}, payment: {:.2}", last.hold / first.hold, last.payment / first.payment);
}

/// Sells one sale; returns what its operations cost.
async fn sell(stage: &Stage, holding: &Service, paying: &Service, count: u32) -> Cost {
    let sale = stage.create(count, 1, 1).await;
    stage.settled().await;
    let before = (cpu_of(stage, "hold").await, cpu_of(stage, "payment").await);
    let (schedule, first_user, first_seat) = (sale.schedule, sale.first_user, sale.first_seat);
    let (queue, reservations) = (holding.queue.clone(), holding.reservations.clone());
    let payments = paying.payments.clone();
    let sales = each(count, move |n| {
        let (queue, reservations) = (queue.clone(), reservations.clone());
        let payments = payments.clone();
        async move {
            let (schedule, user) = (ScheduleId(schedule), UserId(first_user + i64::from(n)));
            // The first joins find the schedule's keys still loading.
            let view = loop {
                match queue.join(schedule, user).await {
                    Ok((view, _)) => break view,
                    Err(error) => eprintln!("joining: {error}"),
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            };
            let ticket = view.queue_token.expect("a ticket");
            let request = Request::new(user, "hold", "POST /hold", &n);
            let wanted = Wanted::Seats(vec![SeatId(first_seat + i64::from(n))]);
            let held = reservations.hold(&ticket, schedule, &request, &wanted).await;
            let hold = held.expect("a hold").outcome.hold_id;
            let request = Request::new(user, "pay", "POST /pay", &n);
            let paid = payments.pay(&request, hold, None).await;
            paid.expect("an answer").outcome.expect("a payment");
        }
    });
    Box::pin(sales).await;
    check(stage, &sale).await;
    let after = (cpu_of(stage, "hold").await, cpu_of(stage, "payment").await);
    let each = |seconds: f64| seconds * 1e6 / f64::from(count);
    let cost = Cost { hold: each(after.0 - before.0), payment: each(after.1 - before.1) };
    assert!(cost.hold > 0.0 && cost.payment > 0.0, "the connections were not found: {cost:?}");
    cost
}

/// CPU seconds of the connections of a role.
async fn cpu_of(stage: &Stage, role: &str) -> f64 {
    let pids = "select pid from pg_stat_activity where usename = $1";
    let pids = sqlx::query_scalar(pids).bind(role).fetch_all(&stage.pool).await;
    let pids: Vec<i32> = pids.expect("pids");
    let ticks = |pid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let used = rest.split(' ').skip(11).take(2).map(|field| field.parse().unwrap_or(0));
        used.sum::<u32>()
    };
    f64::from(pids.into_iter().map(ticks).sum::<u32>()) / 100.0
}

/// Fails unless every seat of the sale is sold and paid once.
async fn check(stage: &Stage, sale: &Sale) {
    let paid = "select count(*) from payment p join reservation r on r.id = p.reservation_id
                where r.concert_schedule_id = $1 and r.status = 'COMPLETE'";
    let paid = sqlx::query_scalar(paid).bind(sale.schedule).fetch_one(&stage.pool).await;
    let paid: i64 = paid.expect("a count");
    assert_eq!(paid, i64::from(sale.count));
}
