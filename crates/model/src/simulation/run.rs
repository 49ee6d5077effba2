//! One run of a sale.

mod buyer;
mod control;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::convert::Infallible;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::auto::Auto;
use super::crowd::{self, Person};
use super::ends::Ends;
use super::input::{SaleRules, SimulationInput};
use super::rank::Ranks;
use super::seats::Seats;
use super::series::{Sample, Series};
use crate::number::{ceiling, count, float, float_ms, millis};
use crate::pacing::{PollPacing, QueueLoad, longest_ms};
use crate::queue::{At, MIN_REACH, QueueModel, QueueRules};

/// Time between two rounds of admission (ms).
const ROUND_MS: i64 = 100;
/// Time between two computations of the poll pauses (ms).
const PACING_MS: i64 = 1_000;
/// The same while nobody waits, or before the opening, as long as nothing is due then.
const REST_MS: i64 = 1_000;
/// A sale is nearly sold out once this share of its seats is paid.
const NEARLY: f64 = 0.99;
/// Steps between two calls of the watch.
const WATCHED_STEPS: u64 = 256;
/// The epoch of the queue.
const EPOCH: u64 = 1;

/// What a run showed. Counts are of simulated people and seats: one stands for several in a sale
/// that is simulated at a scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Time from the opening to the last payment (s), if everything was sold.
    pub sold_out_seconds: Option<f64>,
    /// The same until 99 of 100 seats were paid.
    pub nearly_sold_seconds: Option<f64>,
    /// Seats sold.
    pub sold: u64,
    /// Seats that were not sold.
    pub unsold: u64,
    /// How people ended.
    pub ends: Ends,
    /// Time from joining to the admission's notice for each admitted person (s), sorted.
    pub waits: Vec<f64>,
    /// The same, from the opening for those who joined before it.
    pub waits_from_opening: Vec<f64>,
    /// Time for which each slot was used (s).
    pub slots: Vec<f64>,
    /// Polls.
    pub polls: u64,
    /// Holds that were refused.
    pub refused_holds: u64,
    /// The course of the sale.
    pub series: Series,
    /// Sequences of the admitted entries, in order.
    pub admitted: Vec<u64>,
    /// Highest number of active slots.
    pub peak_active: u64,
}

/// What happens to a person next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A round of admission, for all.
    Round,
    /// Comes and joins.
    Join,
    Poll,
    /// Tries to hold seats, for the nth time.
    Hold(u32),
    /// Pays for held seats.
    Pay(u64),
    /// Held seats become free.
    Lapse(u64),
}

/// What a run knows about a person so far. Times are in ms.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The number of its entry; 0 before it joined.
    number: u64,
    joined_at: i64,
    polls: u32,
    /// Whether the ranks count it.
    is_ranked: bool,
}

/// A sale in progress.
struct Sale<'a> {
    input: &'a SimulationInput,
    scale: f64,
    random: ChaCha8Rng,
    people: Vec<Person>,
    known: Vec<Known>,
    queue: QueueModel,
    seats: Seats,
    ranks: Ranks,
    pacing: PollPacing,
    paced_at: i64,
    steps: BinaryHeap<Reverse<(i64, u64, usize, Step)>>,
    step_count: u64,
    auto: Option<Auto>,
    /// When each active slot began (ms).
    slots: BTreeMap<u64, i64>,
    run: Run,
}

fn rules(rules: &SaleRules, scale: f64) -> QueueRules {
    let ms = |seconds: f64| millis(seconds * 1000.0);
    QueueRules {
        capacity: usize::try_from(ceiling(float(rules.capacity) / scale)).unwrap_or(usize::MAX),
        rate: float(rules.admit_per_second) / scale,
        active_ms: ms(rules.slot_seconds),
        claim_ms: ms(rules.claim_seconds),
        presence_ms: ms(rules.presence_seconds),
        grace_ms: ms(rules.grace_seconds),
        deadline_ms: ms(rules.closes_after_seconds),
        min_reach: ceiling(float(MIN_REACH) / scale),
    }
}

impl<'a> Sale<'a> {
    fn new(input: &'a SimulationInput, seed: u64) -> Self {
        let (scale, mut random) = (input.scale(), ChaCha8Rng::seed_from_u64(seed));
        let of_scale = |number: u64| ceiling(float(number) / scale);
        let people = crowd::people(input, of_scale(input.people), &mut random);
        let begin = people.iter().map(|person| person.comes_at).min().unwrap_or(0).min(0);
        let mut sale = Self {
            input,
            scale,
            random,
            known: vec![Known::default(); people.len()],
            queue: QueueModel::new(EPOCH, rules(&input.rules, scale), begin, BTreeMap::new()),
            seats: Seats::new(of_scale(input.seats)),
            ranks: Ranks::new(people.len()),
            pacing: PollPacing::default(),
            paced_at: i64::MIN,
            steps: BinaryHeap::new(),
            step_count: 0,
            auto: input.auto.map(|auto| Auto::new(auto, begin)),
            slots: BTreeMap::new(),
            run: Run {
                sold_out_seconds: None,
                nearly_sold_seconds: None,
                sold: 0,
                unsold: 0,
                ends: Ends::default(),
                waits: Vec::new(),
                waits_from_opening: Vec::new(),
                slots: Vec::new(),
                polls: 0,
                refused_holds: 0,
                series: Series::new(begin),
                admitted: Vec::new(),
                peak_active: 0,
            },
            people,
        };
        for person in 0..sale.people.len() {
            sale.plan(sale.people[person].comes_at, person, Step::Join);
        }
        sale.plan(begin, 0, Step::Round);
        sale
    }

    fn plan(&mut self, at: i64, person: usize, step: Step) {
        self.step_count += 1;
        self.steps.push(Reverse((at, self.step_count, person, step)));
    }

    /// Runs the sale to its end: until nobody has anything left to do.
    fn run<E>(mut self, watch: &mut impl FnMut() -> Result<(), E>) -> Result<Run, E> {
        let mut done = 0_u64;
        while let Some(Reverse((now, _, person, step))) = self.steps.pop() {
            done += 1;
            if done.is_multiple_of(WATCHED_STEPS) {
                watch()?;
            }
            match step {
                Step::Round => self.round(now),
                Step::Join => self.join(person, now),
                Step::Poll => self.poll(person, now),
                Step::Hold(attempt) => self.hold(person, attempt, now),
                Step::Pay(seats) => self.pay(person, seats, now),
                Step::Lapse(seats) => self.seats.release(seats),
            }
            self.follow_log(now);
        }
        let mut run = self.run;
        (run.sold, run.unsold) = (self.seats.sold, self.seats.free + self.seats.held);
        run.waits.sort_by(f64::total_cmp);
        run.waits_from_opening.sort_by(f64::total_cmp);
        Ok(run)
    }

    fn is_closed(&self, now: i64) -> bool {
        now >= self.queue.rules.deadline_ms
    }

    fn round(&mut self, now: i64) {
        self.queue.open = now >= 0 && !self.is_closed(now) && !self.seats.is_sold_out();
        self.control_rate(now);
        while self.queue.admit(now).0 == "MORE" {}
        self.follow_log(now);
        self.run.peak_active = self.run.peak_active.max(self.queue.entries.active_count() as u64);
        let (waiting, seats) = (self.ranks.waiting(), self.seats);
        let (active, scale) = (self.queue.entries.active_count() as u64, self.scale);
        let of_scale = |count: u64| float(count) * scale;
        let (rate, p99_ms) = self.rate_and_p99();
        self.run.series.take(now, || Sample {
            seconds: float_ms(now) / 1000.0,
            waiting: of_scale(waiting),
            active: of_scale(active),
            held: of_scale(seats.held),
            sold: of_scale(seats.sold),
            rate,
            p99_ms,
        });
        // The others have steps as long as there is anybody.
        if !self.steps.is_empty() {
            let rests = now < -REST_MS || self.queue.entries.are_none_waiting();
            let pause = if rests { REST_MS } else { ROUND_MS };
            self.plan(now + pause, 0, Step::Round);
        }
    }

    /// Follows the events of the queue: who waits, and how long each slot is used.
    fn follow_log(&mut self, now: i64) {
        for event in std::mem::take(&mut self.queue.log) {
            let person = usize::try_from(event.user).unwrap_or_default();
            let waits = self.queue.entries.get(event.user).is_some_and(|e| e.at == At::Waiting);
            let known = &mut self.known[person];
            let number = usize::try_from(event.sequence & ((1 << 40) - 1)).unwrap_or_default();
            known.number = number as u64;
            if waits != known.is_ranked {
                known.is_ranked = waits;
                if waits { self.ranks.add(number) } else { self.ranks.remove(number) }
            }
            match event.letter {
                'A' => {
                    self.run.admitted.push(event.sequence);
                    self.slots.insert(event.user, now);
                }
                'E' | 'P' => {
                    let begun = self.slots.remove(&event.user);
                    self.run.slots.extend(begun.map(|begun| float_ms(now - begun) / 1000.0));
                }
                _ => {}
            }
        }
    }

    /// The poll pauses, as of the last second.
    fn pacing(&mut self, now: i64) -> PollPacing {
        if now - PACING_MS >= self.paced_at {
            let rules = &self.input.rules;
            let ms = |seconds: f64| count(seconds * 1000.0);
            let load = QueueLoad {
                waiting: count(float(self.ranks.waiting()) * self.scale),
                per_second: count(self.rate_and_p99().0),
                until_open_ms: u64::try_from(-now).unwrap_or(0),
                longest_ms: longest_ms(ms(rules.presence_seconds), ms(rules.claim_seconds)),
            };
            self.pacing = PollPacing::of(load, rules.polls_ceiling);
            self.paced_at = now;
        }
        self.pacing
    }
}

impl SimulationInput {
    /// Runs the sale once.
    #[must_use]
    pub fn run(&self, seed: u64) -> Run {
        let Ok(run) = self.run_watched::<Infallible>(seed, &mut || Ok(()));
        run
    }

    /// Runs the sale once. Calls `watch` again and again, which may end the run.
    ///
    /// # Errors
    /// The error of `watch`.
    pub fn run_watched<E>(
        &self,
        seed: u64,
        watch: &mut impl FnMut() -> Result<(), E>,
    ) -> Result<Run, E> {
        Sale::new(self, seed).run(watch)
    }
}
