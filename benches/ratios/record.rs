//! Sells 50,000 seats as fast as possible, from the join to the payment, over HTTP: by the best
//! available seats, and by named seats.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use onsale::caller::Role;
use onsale::store::id::{ScheduleId, UserId};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::cpu::{Usage, as_float, micros_each};
use crate::http::{Answer, Connection, request};
use crate::refusals::slots_for_all;
use crate::stage::{Stage, token};
use crate::table::Row;
use crate::{Args, Outcome};

/// Rows of 100 seats.
const ROWS: u32 = 500;
/// Price of a seat, as `Stage::sale` sets it.
const PRICE: i64 = 100;
const CALLERS: usize = 32;
/// Pause before a request is repeated that was refused for the moment.
const PAUSE: Duration = Duration::from_millis(20);
/// Share of the machine's CPU from which on the CPU limits the sale.
const BUSY: f64 = 0.9;

/// One sale, and its buyers.
struct Sale {
    schedule: ScheduleId,
    users: Vec<UserId>,
    /// Ids of the seats that are held by name; empty to hold the best available ones.
    seats: Vec<i64>,
    per_buyer: usize,
    next: AtomicUsize,
    refused: AtomicU64,
}

/// Sells each way, each on stores of its own that wait for the disk.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for named in [false, true] {
        let stage = Stage::durable().await?;
        rows.extend(sell(args, &stage, named).await?);
        stage.strike().await?;
    }
    Ok(rows)
}

async fn sell(args: &Args, stage: &Stage, named: bool) -> Outcome<[Row; 3]> {
    let sale = Arc::new(Sale::new(stage, args.per_buyer, named).await?);
    let (used, begun) = (stage.used()?, Instant::now());
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let connection = Connection::open(stage.onsale.addr).await?;
        callers.spawn(Arc::clone(&sale).call(connection));
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    let (took, used) = (begun.elapsed(), stage.used()? - used);
    sale.assert_sold(stage).await?;

    let seats = u64::from(ROWS * 100);
    let way = if named { "named seats" } else { "best available" };
    let what = format!("{seats} seats by {way}, {} per buyer", args.per_buyer);
    let per_minute = as_float(seats) * 60.0 / took.as_secs_f64();
    let refused = sale.refused.load(Ordering::Relaxed);
    let found = format!("{per_minute:.0} seats per minute; {refused} requests refused");
    let each = |(name, used)| format!("{name} {:.0} µs", micros_each(used, seats));
    let parts = used.parts().map(each).join(", ");
    Ok([
        Row::new(&what, "itself", found, ""),
        Row::new(&what, "itself", format!("CPU per seat: {parts}"), ""),
        Row::new(&what, "itself", limit(used, took)?, ""),
    ])
}

/// Says what limits the sale: the CPU and its largest user, or waiting.
fn limit(used: Usage, took: Duration) -> Outcome<String> {
    let cores = std::thread::available_parallelism()?.get();
    let machine = took.as_secs_f64() * as_float(u64::try_from(cores)?);
    let busy: f64 = used.parts().iter().map(|(_, used)| used.as_secs_f64()).sum();
    let parts = used.parts();
    let (name, most) = parts.iter().max_by_key(|(_, used)| *used).ok_or("no parts")?;
    let share = |seconds: f64| 100.0 * seconds / machine;
    let by = if busy / machine >= BUSY { "the CPU" } else { "waiting, or by other processes" };
    Ok(format!(
        "limited by {by}: {:.0} % of {cores} cores used, most of it by {name} ({:.0} %)",
        share(busy),
        share(most.as_secs_f64())
    ))
}

impl Sale {
    async fn new(stage: &Stage, per_buyer: u32, named: bool) -> Outcome<Self> {
        let mut settings = slots_for_all();
        settings["max_seats_per_user"] = per_buyer.into();
        let schedule = stage.sale(ROWS, settings).await?;
        stage.line(schedule).await?;
        let points = PRICE * i64::from(per_buyer);
        let users = stage.users_with_points((ROWS * 100).div_ceil(per_buyer), points).await?;
        let count = usize::try_from(ROWS * 100)?;
        let seats = if named { stage.seats(schedule, count).await? } else { Vec::new() };
        let per_buyer = usize::try_from(per_buyer)?;
        let (next, refused) = Default::default();
        Ok(Self { schedule, users, seats, per_buyer, next, refused })
    }

    /// Buys for one user after the other.
    async fn call(self: Arc<Self>, mut connection: Connection) -> Outcome<()> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(user) = self.users.get(number) else {
                return Ok(());
            };
            self.buy(&mut connection, number, *user).await?;
        }
    }

    /// Joins, waits for the slot, holds and pays.
    async fn buy(&self, connection: &mut Connection, number: usize, user: UserId) -> Outcome<()> {
        let bearer = format!("Bearer {}", token(user, Role::User)?);
        let bearer = ("authorization", bearer.as_str());
        let path = format!("/v1/schedules/{}/queue", self.schedule);
        let mut view = self.ask(connection, &request(("POST", &path), &[bearer], None)).await?;
        let mut ticket = String::new();
        loop {
            if let Some(new) = view["queue_token"].as_str() {
                new.clone_into(&mut ticket);
            }
            if view["status"] == "ACTIVE" {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            let poll = request(("GET", "/v1/queue/ticket"), &[("queue-token", &ticket)], None);
            view = self.ask(connection, &poll).await?;
        }
        let path = format!("/v1/schedules/{}/reservations", self.schedule);
        let headers = [bearer, ("queue-token", ticket.as_str()), ("idempotency-key", "hold")];
        let hold = request(("POST", &path), &headers, Some(&self.wanted(number)));
        let hold = self.ask(connection, &hold).await?;
        let body = json!({"hold_id": hold["hold_id"]});
        let headers = [bearer, ("idempotency-key", "pay")];
        let pay = request(("POST", "/v1/payments"), &headers, Some(&body));
        self.ask(connection, &pay).await?;
        Ok(())
    }

    fn wanted(&self, number: usize) -> Value {
        let (first, total) = (number * self.per_buyer, usize::try_from(ROWS).unwrap_or(0) * 100);
        let last = (first + self.per_buyer).min(total);
        match self.seats.get(first..last) {
            Some(seats) if !seats.is_empty() => json!({"seat_ids": seats}),
            _ => json!({"quantity": last - first}),
        }
    }

    /// Sends a request again until it succeeds. Counts the refusals.
    ///
    /// # Errors
    /// Fails if the answer is neither a success nor a refusal for the moment.
    async fn ask(&self, connection: &mut Connection, request: &[u8]) -> Outcome<Value> {
        loop {
            let answer = connection.send(request).await?;
            if !may_repeat(&answer) {
                return answer.success();
            }
            self.refused.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Fails unless each seat is sold and paid exactly once, and each buyer has a row in `queue`.
    async fn assert_sold(&self, stage: &Stage) -> Outcome<()> {
        let counts = "select (select count(*) from seat where concert_schedule_id = $1
                                and status = 'UNAVAILABLE'),
                             count(*), count(distinct r.seat_id), count(distinct p.id)
                      from reservation r left join payment p
                        on p.reservation_id = r.id and p.status = 'COMPLETE'
                      where r.concert_schedule_id = $1 and r.status = 'COMPLETE'";
        let counts = sqlx::query_as(counts).bind(self.schedule.0).fetch_one(&stage.pool).await?;
        let (sold, complete, distinct, paid): (i64, i64, i64, i64) = counts;
        let all = i64::from(ROWS * 100);
        if [sold, complete, distinct, paid] != [all; 4] {
            let sums = format!("{sold} sold, {complete} COMPLETE, {distinct} distinct");
            return Err(format!("{all} seats: {sums}, {paid} paid").into());
        }
        stage.assert_archived(self.schedule, u64::try_from(self.users.len())?).await
    }
}

/// Whether a request may succeed later: the service is busy, or another buyer was faster.
fn may_repeat(answer: &Answer) -> bool {
    let lost = ["seat_taken", "not_enough_seats"];
    matches!(answer.status, 429 | 503)
        || (answer.status == 409 && lost.contains(&answer.code().as_str()))
}
