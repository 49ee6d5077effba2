//! After the last fault: every free seat can be held, and every process shows the right seat map.

use std::time::{Duration, Instant};

use onsale::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::time::sleep;

use crate::caller::{Person, RunContext};
use crate::dice::Dice;
use crate::stage::{SEATS_PER_USER, Stage};
use crate::support::client::Client;
use crate::support::sale::Sale;

/// The time in which everything must work again.
const LIMIT: Duration = Duration::from_mins(1);

/// What still failed at the end of that time.
#[derive(Debug, Clone, Default)]
pub struct Aftermath {
    /// Free seats that could not be held.
    pub unsellable: Vec<String>,
    /// Seats that a process shows with a wrong status.
    pub misshown: Vec<String>,
    /// The number of free seats that were held.
    pub held: usize,
}

/// Waits until outbox and holds are empty, holds every free seat once, and compares the seat maps.
pub async fn run(stage: &Stage, context: &RunContext) -> Aftermath {
    let started = Instant::now();
    let mut found = Aftermath::default();
    for sale in &stage.sales {
        let settings = json!({"capacity": 1000, "paused": false});
        let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
        stage.admin.patch(&path, settings).await.ok(200);
    }
    settle(&stage.pool, started).await;
    for (number, sale) in stage.sales.iter().enumerate() {
        hold_all(stage, context, sale, number, &mut found, started).await;
    }
    settle(&stage.pool, started).await;
    for process in &stage.processes {
        for sale in &stage.sales {
            compare(&stage.pool, Client::new(process.node.addr), sale, started, &mut found).await;
        }
    }
    found
}

/// Waits until no hold waits for payment and the outbox is empty, or until the limit.
async fn settle(pool: &PgPool, started: Instant) {
    let open = "select (select count(*) from outbox)
                  + (select count(*) from reservation where status = 'PAYMENT_WAITING')";
    while started.elapsed() < LIMIT {
        if sqlx::query_scalar::<_, i64>(open).fetch_one(pool).await.is_ok_and(|open| open == 0) {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn hold_all(
    stage: &Stage,
    context: &RunContext,
    sale: &Sale,
    number: usize,
    found: &mut Aftermath,
    started: Instant,
) {
    let free = "select s.id from seat s where concert_schedule_id = $1 and not blocked
                  and status = 'AVAILABLE' and not exists (select from reservation r
                    where r.seat_id = s.id and r.status = 'PAYMENT_WAITING') order by id";
    let free: Vec<i64> =
        sqlx::query_scalar(free).bind(sale.schedule).fetch_all(&stage.pool).await.expect("seats");
    for (part, seats) in free.chunks(usize::try_from(SEATS_PER_USER).expect("few")).enumerate() {
        // Another user for every few seats: there is a seat limit.
        let dice = Dice::new(part as u64);
        let user = stage.users[number * 40 + part];
        let prober = Person::new(user, Role::User, context, dice);
        let unsellable = hold_some(prober, sale.schedule, seats, started).await;
        found.held += seats.len() - unsellable.len();
        found.unsellable.extend(unsellable);
    }
}

/// Tries to hold each seat; returns the seats that could not be held, with the last answer.
async fn hold_some(
    mut prober: Person,
    schedule: i64,
    seats: &[i64],
    started: Instant,
) -> Vec<String> {
    let mut active = false;
    let mut unsellable = Vec::new();
    for seat in seats {
        let mut last = Value::Null;
        let held = loop {
            if started.elapsed() > LIMIT {
                break false;
            }
            if active {
                let path = format!("/v1/schedules/{schedule}/reservations");
                let answer = prober.client.keyed().post(&path, json!({"seat_ids": [seat]})).await;
                last = answer.body;
                if answer.status == 201 {
                    break true;
                }
                active = last["code"] != "ticket_not_active";
            } else {
                let answer = prober.join_or_poll(schedule, true).await;
                active = answer.as_ref().is_some_and(|it| it.body["status"] == "ACTIVE");
                last = answer.map(|it| it.body).unwrap_or_default();
            }
            sleep(Duration::from_millis(100)).await;
        };
        if held {
            let hold = last["hold_id"].as_str().expect("an id");
            let release = prober.client.request(Method::DELETE, &format!("/v1/holds/{hold}"));
            prober.client.send(release).await;
        } else {
            unsellable.push(format!("schedule {schedule}, seat {seat}: {last}"));
        }
    }
    unsellable
}

/// Compares a process's seat map with the rows until they agree, or until the limit.
async fn compare(
    pool: &PgPool,
    client: Client,
    sale: &Sale,
    started: Instant,
    found: &mut Aftermath,
) {
    let truth = "select s.id, case when blocked or s.status = 'UNAVAILABLE' then 'UNAVAILABLE'
                   when exists (select from reservation r where r.seat_id = s.id
                     and r.status = 'PAYMENT_WAITING') then 'HELD' else 'AVAILABLE' end
                 from seat s where concert_schedule_id = $1 order by seat_number";
    loop {
        let map = client.get(&format!("/v1/schedules/{}/seats", sale.schedule)).await;
        let rows: Vec<(i64, String)> =
            sqlx::query_as(truth).bind(sale.schedule).fetch_all(pool).await.expect("seats");
        let shown = |seat: usize| map.body["seats"][seat]["status"].as_str().unwrap_or("?");
        let wrong = rows.iter().enumerate().filter(|(at, (_, status))| shown(*at) != status);
        let wrong: Vec<_> = wrong
            .map(|(at, (seat, status))| format!("seat {seat} is {status}, shown {}", shown(at)))
            .collect();
        if wrong.is_empty() {
            return;
        }
        if started.elapsed() > LIMIT {
            found.misshown.extend(wrong);
            return;
        }
        sleep(Duration::from_millis(200)).await;
    }
}
