//! Holds of the best available seats, against holds of named seats, counted in PostgreSQL.

use std::time::Duration;

use onsale::store::id::ScheduleId;
use serde_json::json;

use crate::cpu::as_float;
use crate::load::{Load, Request};
use crate::pairs::Spread;
use crate::refusals::{holders, slots_for_all};
use crate::stage::Stage;
use crate::table::Row;
use crate::{Args, Outcome};

const CALLERS: u32 = 16;
/// Rows of 100 seats.
const ROWS: u32 = 500;
/// Seats of one hold.
const SEATS: usize = 2;
/// Users per second of load: more than can hold in a second.
const PER_SECOND: u32 = 3_000;
/// Codes of refusals that say that seats are taken or missing.
const UNAVAILABLE: [&str; 2] = ["not_enough_seats", "seat_taken"];

/// Buyers of one sale. Each holds once.
struct Buyers {
    schedule: ScheduleId,
    /// Ids of the seats that are held by name; empty to hold the best available ones.
    seats: Vec<i64>,
    /// Access tokens and tickets.
    holders: Vec<(String, String)>,
}

/// Result of one round.
struct Held {
    per_second: f64,
    refused: u64,
}

/// Holds in turns, each round in a sale of its own, in which no seat is taken.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let (mut ratios, mut rates, mut refused) = (Vec::new(), [Vec::new(), Vec::new()], [0, 0]);
    for round in 0..=args.rounds {
        let mut held = Vec::new();
        for named in [false, true] {
            let buyers = Buyers::new(&stage, args.seconds, named).await?;
            held.push(buyers.hold(&stage, args.seconds).await?);
        }
        if round > 0 {
            ratios.push(held[0].per_second / held[1].per_second);
            for (way, held) in held.into_iter().enumerate() {
                rates[way].push(held.per_second);
                refused[way] += held.refused;
            }
        }
    }
    stage.strike().await?;
    if refused[1] > 0 {
        return Err(format!("{} holds of free named seats were refused", refused[1]).into());
    }
    let what = format!("hold of the best {SEATS} seats, {CALLERS} callers");
    let ratio = format!("{} of the holds per second", Spread::of(ratios));
    let [best, named] = rates.map(|rates| Spread::of(rates).median);
    let rates = format!("{best:.0}/s, named seats {named:.0}/s, counted in PostgreSQL");
    let refusals = format!("{} refusals while seats are free", refused[0]);
    Ok(vec![
        Row::new(&what, "hold of named seats", ratio, "≥ 0.85"),
        Row::new(&what, "itself", rates, ""),
        Row::new(&what, "itself", refusals, "0"),
    ])
}

impl Buyers {
    /// Creates a sale, and as many buyers as can hold in some seconds.
    ///
    /// # Errors
    /// Fails if the sale has too few seats for them.
    async fn new(stage: &Stage, seconds: u32, named: bool) -> Outcome<Self> {
        let (seats, buyers) = (usize::try_from(ROWS * 100)?, PER_SECOND * seconds);
        if usize::try_from(buyers)? * SEATS > seats {
            return Err(format!("a sale of {seats} seats is too small for {seconds} s").into());
        }
        let schedule = stage.sale(ROWS, slots_for_all()).await?;
        let seats = if named { stage.seats(schedule, seats).await? } else { Vec::new() };
        Ok(Self { schedule, seats, holders: holders(stage, schedule, buyers).await? })
    }

    /// Lets the buyers hold for some seconds.
    ///
    /// # Errors
    /// Fails if a hold was refused for another reason than that seats were taken.
    async fn hold(&self, stage: &Stage, seconds: u32) -> Outcome<Held> {
        let load = self.load(stage)?;
        let codes = refusals(stage).await?;
        let round = stage.send(&load, Duration::from_secs(seconds.into())).await?;
        let holds = self.holds(stage).await?;
        let [unavailable, all] = refusals(stage).await?;
        let (refused, others) = (unavailable - codes[0], all - codes[1]);
        // wrk ends without the answers to its last requests.
        let answered = round.answers..=round.answers + u64::from(CALLERS);
        if others != refused || !answered.contains(&(holds + refused)) {
            let sums = format!("{} answers, {holds} holds", round.answers);
            return Err(format!("{sums}, {refused} of {others} refusals for taken seats").into());
        }
        let seconds = as_float(round.answers) / round.rate;
        Ok(Held { per_second: as_float(holds) / seconds, refused })
    }

    /// Creates the load of their holds.
    fn load(&self, stage: &Stage) -> Outcome<Load> {
        let path = format!("/v1/schedules/{}/reservations", self.schedule);
        let body = |number: usize| match self.seats.get(number * SEATS..(number + 1) * SEATS) {
            Some(seats) => json!({"seat_ids": seats}),
            None => json!({"quantity": SEATS}),
        };
        let bodies: Vec<String> =
            (0..self.holders.len()).map(|number| body(number).to_string()).collect();
        let requests = self.holders.iter().zip(&bodies).map(|((token, ticket), body)| Request {
            method: "POST",
            path: &path,
            headers: vec![
                ("Authorization", token),
                ("Queue-Token", ticket),
                ("Idempotency-Key", "one-hold-for-each-user"),
                ("Content-Type", "application/json"),
            ],
            body: Some(body),
        });
        let load = Load::new(&stage.folder, ("holds", "onsale_holds_total"), requests, CALLERS)?;
        Ok(load.may_fail())
    }

    /// Counts the holds in PostgreSQL, each complete.
    async fn holds(&self, stage: &Stage) -> Outcome<u64> {
        let count = "select count(*) from (select from reservation where concert_schedule_id = $1
                     and status = 'PAYMENT_WAITING' group by hold_id having count(*) = $2) held";
        let count = sqlx::query_scalar::<_, i64>(count).bind(self.schedule.0);
        let count = count.bind(i64::try_from(SEATS)?).fetch_one(&stage.pool).await?;
        Ok(count.unsigned_abs())
    }
}

/// Counts refused holds so far: because seats were taken or missing, and all.
async fn refusals(stage: &Stage) -> Outcome<[u64; 2]> {
    let mut unavailable = 0;
    for code in UNAVAILABLE {
        let counter = format!("onsale_holds_refused_total{{reason=\"{code}\"}}");
        unavailable += stage.counter(&counter).await?;
    }
    Ok([unavailable, stage.counter("onsale_holds_refused_total").await?])
}
