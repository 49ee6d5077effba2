//! Measures single steps with criterion, on a real Redis and PostgreSQL, with 10 and with 1,000,000
//! users in the queue: `cargo bench --bench steps`. The bench `sales` measures holds and payments.

#![expect(clippy::expect_used, reason = "a bench fails as a test does")]

#[path = "ratios/cpu.rs"]
#[expect(dead_code, reason = "the ratios use all of it")]
mod cpu;
#[path = "ratios/people.rs"]
mod people;
#[path = "ratios/queue.rs"]
#[expect(dead_code, reason = "the ratios use all of it")]
mod queue;
#[path = "ratios/stage.rs"]
#[expect(dead_code, reason = "the ratios use all of it")]
mod stage;

use std::time::{Duration, Instant};

use criterion::Criterion;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use onsale::board::snapshot::Board;
use onsale::queue::keyspaces::ScheduleScripts;
use onsale::queue::model::{EntryState, QueueEntry, Ticket};
use onsale::queue::ticket::cache::TicketCache;
use onsale::queue::ticket::jwt::TicketKeys;
use onsale::seats;
use onsale::store::id::{ScheduleId, UserId};
use people::Newcomers;
use serde_json::{Value, json};
use stage::{QUEUE_SECRET, Stage};
use tokio::runtime::Runtime;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome<T> = Result<T, Failure>;

/// Batches in one measured round of admission.
const BATCHES: u64 = 10;
/// Entries in one batch.
const BATCH: u64 = 100;
/// A queue of `people` users. Its presence window is long enough that all count as present for the
/// whole bench.
struct Set {
    people: u32,
    schedule: ScheduleId,
    line: ScheduleScripts,
    last: (UserId, QueueEntry),
    ticket: String,
    /// The user with the active slot.
    inside: (UserId, QueueEntry),
}

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let stage = runtime.block_on(Stage::set()).expect("the stage");
    for people in [10, 1_000_000] {
        let set = runtime.block_on(Set::of(&stage, people)).expect("a line");
        tickets(&mut criterion, &set);
        rank(&mut criterion, &runtime, &stage, &set);
        let joined = joins(&mut criterion, &runtime, &stage, &set);
        claims(&mut criterion, &runtime, &set);
        let joined = joined + admissions(&mut criterion, &runtime, &stage, &set);
        let entries = u64::from(people) + 1 + joined;
        runtime.block_on(stage.assert_archived(set.schedule, entries)).expect("rows");
    }
    runtime.block_on(stage.strike()).expect("an end");
    criterion.final_summary();
}

impl Set {
    async fn of(stage: &Stage, people: u32) -> Outcome<Self> {
        let queue = json!({
            "capacity": 1, "presence_window_seconds": 600, "active_ttl_seconds": 86400,
        });
        let schedule = stage.sale(1000, queue).await?;
        let line = stage.line(schedule).await?;
        // This user takes the only slot, so that all later users wait.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let inside = stage.fill(schedule, &stage.users(1).await?).await?[0];
        if !matches!(inside.1.state, EntryState::Active { .. }) {
            return Err("the first user was not admitted".into());
        }
        let waiting = stage.fill(schedule, &stage.users(people).await?).await?;
        stage.assert_archived(schedule, u64::from(people) + 1).await?;
        let last = *waiting.last().ok_or("nobody waits")?;
        let ticket = stage::ticket(schedule, last, stage.deadline(schedule).await?)?;
        Ok(Self { people, schedule, line, last, ticket, inside })
    }

    fn id(&self, name: &str) -> String {
        format!("{name}/{} in the queue", self.people)
    }
}

fn tickets(criterion: &mut Criterion, set: &Set) {
    let keys = || TicketKeys::new(&[QUEUE_SECRET.to_owned()], "onsale");
    let (keys, verified) = (keys(), TicketCache::new(keys()));
    criterion.bench_function(&set.id("ticket, first time"), |bench| {
        bench.iter(|| keys.verify(&set.ticket));
    });
    criterion.bench_function(&set.id("ticket, verified before"), |bench| {
        bench.iter(|| verified.verify(&set.ticket));
    });
}

fn rank(criterion: &mut Criterion, runtime: &Runtime, stage: &Stage, set: &Set) {
    let read = || Board::read(&stage.redis, set.schedule, None);
    let board = runtime.block_on(read()).expect("a board");
    let last = set.last.1.sequence.0;
    assert_eq!(board.waiting.ahead(last), Some(u64::from(set.people) - 1));
    criterion.bench_function(&set.id("rank"), |bench| {
        bench.iter(|| board.waiting.ahead(last));
    });
    criterion.bench_function(&set.id("board, read and built"), |bench| {
        bench.to_async(runtime).iter(read);
    });
}

/// Measures joins. Returns their number. Users are created outside the measured time.
fn joins(criterion: &mut Criterion, runtime: &Runtime, stage: &Stage, set: &Set) -> u64 {
    let (mut newcomers, mut joined) = (Newcomers::default(), 0);
    let mut round = async || {
        let user = newcomers.next(stage, 1).await.expect("a user")[0];
        newcomers.skip(1);
        let begun = Instant::now();
        set.line.join(user, false).await.expect("a place");
        joined += 1;
        begun.elapsed()
    };
    timed(criterion, runtime, &set.id("join"), &mut round);
    joined
}

/// Measures ten batches of 100 admissions. As many users join before each round, outside the
/// measured time. onsale itself is stopped meanwhile, because its loop would admit some of them.
/// Returns the number of joins.
fn admissions(criterion: &mut Criterion, runtime: &Runtime, stage: &Stage, set: &Set) -> u64 {
    let meta = format!("onsale:{{{}}}:meta", set.schedule);
    let mut read = redis::cmd("HGET");
    read.arg(&meta).arg("settings");
    let settings: String = runtime.block_on(stage.redis.hot(&read)).expect("Redis");
    let settings: Value = serde_json::from_str(&settings).expect("settings");
    let room = |capacity: u64| {
        let mut settings = settings.clone();
        settings["capacity"] = capacity.into();
        settings["rate"] = 10_000.into();
        let mut command = redis::cmd("HSET");
        command.arg(&meta).arg("settings").arg(settings.to_string()).arg(&["tokens", "10000"]);
        command
    };
    let onsale = Pid::from_raw(stage.onsale.pid.cast_signed());
    kill(onsale, Signal::SIGSTOP).expect("it stops");
    let (mut newcomers, mut joined) = (Newcomers::default(), 0);
    let mut round = async || {
        for _ in 0..BATCHES * BATCH {
            let user = newcomers.next(stage, 1).await.expect("a user")[0];
            newcomers.skip(1);
            set.line.join(user, false).await.expect("a place");
            joined += 1;
        }
        stage.redis.hot::<()>(&room(10_000_000)).await.expect("Redis");
        let begun = Instant::now();
        let mut admitted = 0;
        for _ in 0..BATCHES {
            admitted += u64::from(set.line.admit().await.expect("a round").admitted);
        }
        let took = begun.elapsed();
        assert_eq!(admitted, BATCHES * BATCH);
        took
    };
    timed(criterion, runtime, &set.id("ten batches of 100 admissions"), &mut round);
    runtime.block_on(stage.redis.hot::<()>(&room(1))).expect("Redis");
    kill(onsale, Signal::SIGCONT).expect("it goes on");
    joined
}

/// Measures a claim of four seats by an active user. The claim is released outside the measured
/// time.
fn claims(criterion: &mut Criterion, runtime: &Runtime, set: &Set) {
    let keys = TicketKeys::new(&[QUEUE_SECRET.to_owned()], "onsale");
    let ticket = keys.verify(&set.ticket).expect("a ticket");
    let ticket = Ticket { user: set.inside.0, sequence: set.inside.1.sequence, ..ticket };
    let (hold, seats) = (uuid::Uuid::now_v7(), [1, 2, 3, 4]);
    let mut round = async || {
        let begun = Instant::now();
        let claim = seats::redis::claim_seats(&set.line, &ticket, hold, 4, &seats)
            .await
            .expect("an answer");
        let took = begun.elapsed();
        assert_eq!(claim, seats::model::Claim::Ok { fresh: true });
        seats::redis::release_claims(&set.line, hold, &seats).await.expect("an answer");
        took
    };
    timed(criterion, runtime, &set.id("claim of 4 seats"), &mut round);
}

/// Measures rounds that return their own duration.
fn timed(
    criterion: &mut Criterion,
    runtime: &Runtime,
    id: &str,
    round: &mut impl AsyncFnMut() -> Duration,
) {
    criterion.bench_function(id, |bench| {
        bench.iter_custom(|times| {
            runtime.block_on(async {
                let mut all = Duration::ZERO;
                for _ in 0..times {
                    all += round().await;
                }
                all
            })
        });
    });
}
