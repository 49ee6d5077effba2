//! The service in this process, two sales, and the counters around it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use onsale::config::{LogFormat, TelemetrySettings};
use onsale::telemetry::traces::{self, TraceGuard, TraceSettings};
use serde_json::json;
use sqlx::{Postgres, Transaction};

use crate::figures::Figures;
use crate::meters::{PgMeter, ScriptCounts, ScriptMeter, allocations};
use crate::operations::{Operation, auth, hold};
use crate::support::crowd::create_users;
use crate::support::sale::{self, Sale};
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::{Process, World};
use crate::wire::{Wire, request};

/// Rounds of each operation. Calls are summed up; of the allocations, the median counts.
const ROUNDS: usize = 3;
/// Time in which the allocations of the loops are counted.
const IDLE: Duration = Duration::from_secs(2);
/// Points of each user.
const POINTS: i64 = 1000;

/// A user with an active slot.
pub struct Buyer {
    pub bearer: String,
    pub ticket: String,
}

pub struct Stage {
    world: World,
    process: Process,
    pg: PgMeter,
    scripts: ScriptMeter,
    /// A sale that admits every user at once.
    pub sale: Sale,
    /// A sale that admits nobody.
    pub waiting_room: i64,
    pub waiting_ticket: String,
    /// A seat of `sale` that a buyer holds.
    pub taken_seat: i64,
    free_seats: Vec<i64>,
    /// Keeps the archive from writing: its batches come at times of their own.
    _archive: Transaction<'static, Postgres>,
    /// Traces are on, and no request is recorded.
    _spans: TraceGuard,
}

/// Counts of one round, or of several.
#[derive(Default)]
struct Counts {
    allocations: f64,
    /// Time in which the allocations were counted, in seconds.
    allocating: f64,
    scripts: ScriptCounts,
    round_trips: f64,
    /// Time in which the round trips were counted.
    seconds: f64,
}

impl Counts {
    fn add(&mut self, round: &Self) {
        self.scripts.calls += round.scripts.calls;
        self.scripts.commands += round.scripts.commands;
        self.round_trips += round.round_trips;
    }

    /// These counts without what the loops do in the same time.
    fn without(mut self, idle: &Self) -> Self {
        self.allocations -= idle.allocations / idle.allocating * self.allocating;
        let share = self.seconds / idle.seconds;
        self.round_trips -= idle.round_trips * share;
        self
    }
}

impl Stage {
    pub async fn new() -> Self {
        let spans = start_traces();
        let mut world = World::on(Servers::single().await).await;
        let (pg, through) = PgMeter::of_url(&world.database_url).await;
        let direct = std::mem::replace(&mut world.database_url, through);
        let process = world.start_with(&["--reconcile-every=1h"]).await;
        world.database_url = direct;
        let admin = process.admin().await;
        let open = json!({"capacity": 100_000, "admit_per_second": 10_000});
        let sale = sale::open(&admin, 20, 100, open).await;
        let waiting_room = sale::open(&admin, 1, 100, json!({"capacity": 0})).await.schedule;
        let scripts = ScriptMeter::of_url(&world.redis_url).await;
        let archive = hold_archive(&world).await;
        let mut free_seats = sale.seats.clone();
        let taken_seat = free_seats.pop().expect("a seat");
        let mut stage = Self {
            world,
            process,
            pg,
            scripts,
            sale,
            waiting_room,
            waiting_ticket: String::new(),
            taken_seat,
            free_seats,
            _archive: archive,
            _spans: spans,
        };
        let users = stage.users(1).await;
        let waiting = stage.join(stage.waiting_room, "WAITING", users).await;
        stage.waiting_ticket.clone_from(&waiting[0].ticket);
        let (addr, buyers) = (stage.process.addr, stage.active_buyers(1).await);
        send(addr, vec![hold(&stage, &buyers[0], taken_seat)], Operation::Hold).await;
        stage
    }

    /// Measures one operation: per operation, in several rounds after a warm-up.
    pub async fn measure(&mut self, operation: Operation) -> Figures {
        self.round(operation).await;
        let idle = self.idle().await;
        let (mut all, mut allocations) = (Counts::default(), Vec::new());
        for _ in 0..ROUNDS {
            let round = self.round(operation).await.without(&idle);
            allocations.push(round.allocations / count(operation.count()));
            all.add(&round);
        }
        // Rounded: some calls of the loops remain. The last zero makes -0 a 0.
        let operations = count(operation.count() * ROUNDS);
        let each = |calls: f64| (calls / operations).round().max(0.0) + 0.0;
        let (name, mut figures) = (operation.name(), Figures::default());
        figures.add(name, "redis_script_calls", each(number(all.scripts.calls)));
        figures.add(name, "redis_commands", each(number(all.scripts.commands)));
        figures.add(name, "postgres_round_trips", each(all.round_trips));
        if operation.counts_allocations() {
            allocations.sort_by(f64::total_cmp);
            figures.add(name, "allocations", allocations[ROUNDS / 2]);
        }
        figures
    }

    /// What the loops of the process do alone.
    async fn idle(&mut self) -> Counts {
        self.counted(async {
            let before = allocations();
            tokio::time::sleep(IDLE).await;
            (allocations() - before, IDLE)
        })
        .await
    }

    /// Runs one round.
    async fn round(&mut self, operation: Operation) -> Counts {
        let requests = operation.requests(self).await;
        let addr = self.process.addr;
        self.counted(send(addr, requests, operation)).await
    }

    /// Counts what happens during `work`, which counts its allocations itself, with their time.
    async fn counted(&self, work: impl Future<Output = (usize, Duration)>) -> Counts {
        let before = (self.pg.round_trips(), Instant::now());
        let ((allocations, allocating), scripts) = self.scripts.during(work).await;
        let seconds = before.1.elapsed().as_secs_f64();
        let round_trips = self.pg.round_trips() - before.0;
        Counts {
            allocations: count(allocations),
            allocating: allocating.as_secs_f64(),
            scripts,
            round_trips: number(round_trips),
            seconds,
        }
    }

    /// Creates users; returns their `Authorization` headers.
    pub async fn users(&self, number: usize) -> Vec<String> {
        let number = u32::try_from(number).expect("few");
        let users = create_users(&self.world, &[self.process.addr], number, POINTS).await;
        let bearer = |token: Option<String>| format!("Bearer {}", token.expect("a token"));
        users.into_iter().map(|user| bearer(user.token)).collect()
    }

    /// Lets users join a sale. Fails unless their entries have this status.
    async fn join(&self, schedule: i64, status: &str, bearers: Vec<String>) -> Vec<Buyer> {
        let path = format!("/v1/schedules/{schedule}/queue");
        let join = async |bearer: &str| {
            let (addr, request) =
                (self.process.addr, request(("POST", &path), &[auth(bearer)], None));
            let joining = tokio::task::spawn_blocking(move || Wire::open(addr).ask(&request));
            let view = joining.await.expect("no panic");
            (view["status"] == status).then(|| view["queue_token"].as_str().map(str::to_owned))?
        };
        let mut buyers = Vec::new();
        for bearer in bearers {
            // The keys of a new sale are built by the first joins.
            let ticket = until("a queue entry", async || join(&bearer).await).await;
            buyers.push(Buyer { bearer, ticket });
        }
        buyers
    }

    /// Lets new users join the sale that admits every user.
    pub async fn active_buyers(&self, number: usize) -> Vec<Buyer> {
        let users = self.users(number).await;
        self.join(self.sale.schedule, "ACTIVE", users).await
    }

    /// Holds of free seats by new buyers.
    pub async fn holds(&mut self, number: usize) -> Vec<Vec<u8>> {
        let buyers = self.active_buyers(number).await;
        let seats = self.free_seats.split_off(self.free_seats.len() - number);
        buyers.iter().zip(seats).map(|(buyer, seat)| hold(self, buyer, seat)).collect()
    }

    /// Payments of new holds.
    pub async fn payments(&mut self, number: usize) -> Vec<Vec<u8>> {
        let buyers = self.active_buyers(number).await;
        let seats = self.free_seats.split_off(self.free_seats.len() - number);
        let mut payments = Vec::new();
        for (buyer, seat) in buyers.iter().zip(seats) {
            let (addr, hold) = (self.process.addr, hold(self, buyer, seat));
            let holding = tokio::task::spawn_blocking(move || Wire::open(addr).ask(&hold));
            let body = json!({"hold_id": holding.await.expect("no panic")["hold_id"]});
            let headers = [auth(&buyer.bearer), ("idempotency-key", "pay")];
            payments.push(request(("POST", "/v1/payments"), &headers, Some(&body)));
        }
        payments
    }
}

/// Starts traces with a sampler that decides about each request, and takes none.
fn start_traces() -> TraceGuard {
    let settings = TelemetrySettings {
        log: "off".to_owned(),
        log_format: LogFormat::Text,
        otlp_endpoint: Some("http://127.0.0.1:9".to_owned()),
        trace_poll_ratio: 0.5,
    };
    let sampler = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")];
    let variable = |name: &str| Some(sampler.iter().find(|it| it.0 == name)?.1.to_owned());
    let settings = TraceSettings::read(&settings, variable).expect("traces are on");
    traces::start(settings).expect("an address")
}

/// Sends requests one after the other from a thread of its own. Returns the allocations meanwhile,
/// and the time.
async fn send(addr: SocketAddr, requests: Vec<Vec<u8>>, operation: Operation) -> (usize, Duration) {
    let (status, text) = operation.answer();
    let sending = tokio::task::spawn_blocking(move || {
        let mut wire = Wire::open(addr);
        // Opens the connection on the server's side.
        wire.send(&[request(("GET", "/livez"), &[], None)], "200", "");
        let (before, begun) = (allocations(), Instant::now());
        wire.send(&requests, status, text);
        (allocations() - before, begun.elapsed())
    });
    sending.await.expect("no panic")
}

/// Locks the archive position of every schedule, so that the archive skips them.
async fn hold_archive(world: &World) -> Transaction<'static, Postgres> {
    let insert = "insert into queue_archive (concert_schedule_id) select id from concert_schedule
                  on conflict do nothing";
    sqlx::query(insert).execute(&world.pool).await.expect("rows");
    let mut archive = world.pool.begin().await.expect("a transaction");
    let lock = "select from queue_archive for update";
    sqlx::query(lock).execute(&mut *archive).await.expect("locks");
    archive
}

fn count(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("a small count"))
}

fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).expect("a small count"))
}
