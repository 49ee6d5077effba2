//! The possible next steps of a state, and their effects. A process may crash between any two
//! steps. Its task is then lost, and no other process knows its progress.

use stateright::{Model, Property};

use crate::pg::Outcome;
use crate::properties;
use crate::redis::ClaimReply;
use crate::state::{
    Answer, AnswerSource, Buyer, EarlyReads, Guard, Guards, Progress, Rebuild, Redis, Request,
    SeatState, State, Status, Task, Tick, Violation,
};

/// The protocol, with bounds that make it finite.
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    pub guards: Guards,
    /// Number of buyers, 1 or 2.
    pub buyers: usize,
    /// The clock stops here.
    pub last_tick: Tick,
    /// Maximum number of losses of Redis.
    pub losses: u8,
    /// Whether buyers ask for refunds.
    pub refunds: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Tick,
    /// An idle process starts a task.
    Start(Task),
    /// A process continues its task.
    Continue(usize),
    /// A process crashes and is started again.
    Crash(usize),
    /// A buyer releases the hold, in one transaction and without an idempotency key.
    Release(Buyer),
    /// The expiry loop ends a hold.
    Expire(Buyer),
    /// Redis applies a change. The process that made it, the relay, or a late command sends it.
    ApplyInRedis(usize),
    /// Redis loses all data.
    LoseRedis,
}

const BUYERS: [Buyer; 2] = [0, 1];

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::new()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.now < self.last_tick {
            steps.push(Step::Tick);
        }
        if state.tasks.contains(&None) {
            self.add_starts(state, steps);
        }
        for (process, task) in state.tasks.iter().enumerate() {
            if task.is_some() {
                steps.extend([Step::Continue(process), Step::Crash(process)]);
            }
        }
        for (buyer, row) in BUYERS.into_iter().zip(state.pg.rows) {
            let waiting = row.filter(|row| row.status == Status::Waiting);
            if waiting.is_some() && state.knows_done(buyer, Request::Hold) {
                steps.push(Step::Release(buyer));
            }
            if waiting.is_some_and(|row| row.takeover() <= state.now) {
                steps.push(Step::Expire(buyer));
            }
        }
        let changes = state.pg.outbox.iter().flatten().count();
        steps.extend((0..changes).map(Step::ApplyInRedis));
        if state.losses < self.losses && state.redis.epoch > 0 {
            steps.push(Step::LoseRedis);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = *last;
        match step {
            Step::Tick => {
                next.now += 1;
                next.redis.sweep(next.now);
            }
            Step::Start(task) => {
                if let Task::Rebuild(epoch, _) = task {
                    next.pg.epoch = epoch;
                    next.redis.begin_rebuild(epoch, next.now);
                }
                let idle = next.tasks.iter().position(Option::is_none)?;
                next.tasks[idle] = self.run_without_interleaving(&mut next, task);
            }
            Step::Continue(process) => {
                let task = next.tasks[process].take()?;
                let rest = self.continue_task(&mut next, task);
                next.tasks[process] =
                    rest.and_then(|task| self.run_without_interleaving(&mut next, task));
            }
            Step::Release(buyer) => next.pg.end_unpaid(buyer, Status::Cancelled, next.now),
            Step::Expire(buyer) => next.pg.end_unpaid(buyer, Status::Expired, next.now),
            Step::Crash(process) => next.tasks[process] = None,
            Step::ApplyInRedis(number) => {
                let fence = u8::try_from(number + 1).ok()?;
                let change = next.pg.outbox[number].as_mut()?;
                if next.redis.apply(&self.guards, fence, change.seat_state, next.now) {
                    change.applied = true;
                }
            }
            Step::LoseRedis => {
                next.redis = Redis::LOST;
                next.losses += 1;
            }
        }
        next.tasks.sort_unstable();
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Protocol {
    /// Adds the tasks that a process may start. A buyer repeats a request, at any process, until it
    /// is answered; a refused hold is requested again.
    fn add_starts(&self, state: &State, steps: &mut Vec<Step>) {
        // While the first try is in progress, the lock of its key refuses a retry without effect.
        let mut start = |task: Task| {
            if !state.tasks.iter().flatten().any(|other| other.is_same_request(task)) {
                steps.push(Step::Start(task));
            }
        };
        let wait = self.wait_for_lock(state.now);
        for buyer in BUYERS.into_iter().take(self.buyers) {
            let [_, paid, refunded] = state.answers[usize::from(buyer)];
            if !state.knows_done(buyer, Request::Hold) {
                start(Task::Request(buyer, Request::Hold, Progress::Claim));
            } else if paid.is_none() {
                start(Task::Request(buyer, Request::Pay, wait));
            } else if paid == Some(Answer::Done) && refunded.is_none() && self.refunds {
                start(Task::Request(buyer, Request::Refund, wait));
            }
        }
        // One step: the lease keeps other processes out between raising the epoch and beginning the
        // keys.
        if state.redis.is_lost(state.now) {
            start(Task::Rebuild(state.pg.epoch + 1, Rebuild::Started));
        }
    }

    /// Waiting for the lock. The tick matters only if the clock is read before the lock is granted.
    fn wait_for_lock(&self, now: Tick) -> Progress {
        Progress::WaitForLock(if self.guards.has(Guard::ClockAfterLock) { 0 } else { now })
    }

    /// Runs a task up to the next point where another process can interfere. A script is one step.
    /// A transaction that locks is one step from its lock to its commit.
    fn run_without_interleaving(&self, next: &mut State, task: Task) -> Option<Task> {
        match task {
            Task::Request(_, _, Progress::Claim) => self.continue_task(next, task),
            Task::Request(_, Request::Pay | Request::Refund, Progress::WaitForLock(_))
                if self.guards.has(Guard::ClockAfterLock) =>
            {
                let task = self.continue_task(next, task)?;
                self.run_without_interleaving(next, task)
            }
            Task::Request(_, _, Progress::Locked(_)) if self.guards.has(Guard::Lock) => {
                self.continue_task(next, task)
            }
            _ => Some(task),
        }
    }

    fn continue_task(&self, next: &mut State, task: Task) -> Option<Task> {
        match task {
            Task::Request(buyer, request, at) => {
                self.request(next, (buyer, request), at).map(|at| Task::Request(buyer, request, at))
            }
            Task::Rebuild(epoch, at) => {
                self.rebuild(next, epoch, at).map(|at| Task::Rebuild(epoch, at))
            }
        }
    }

    /// Takes the lock. Without the guards it keeps the clock and rows that it read before.
    fn lock(&self, next: &State, since: Tick) -> Progress {
        let has = |guard| self.guards.has(guard);
        Progress::Locked(EarlyReads {
            clock: (!has(Guard::ClockAfterLock)).then_some(since),
            rows: (!has(Guard::Lock)).then_some(next.pg.rows),
        })
    }

    fn request(
        &self,
        next: &mut State,
        (buyer, request): (Buyer, Request),
        progress: Progress,
    ) -> Option<Progress> {
        match progress {
            Progress::Claim => match next.redis.claim(buyer, next.now) {
                ClaimReply::Ok | ClaimReply::Unavailable => Some(self.wait_for_lock(next.now)),
                // An earlier try may have succeeded: then its answer is stored under the key.
                ClaimReply::Taken => {
                    let stored = next.pg.keys[usize::from(buyer)][request as usize]
                        .filter(|_| self.guards.has(Guard::Key));
                    let wrong = stored.is_none() && next.pg.has(buyer, request);
                    next.violations.record(Violation::RefusedWrongly, wrong);
                    let source = if stored.is_some() {
                        AnswerSource::Stored
                    } else {
                        AnswerSource::Computed
                    };
                    Some(Progress::Reply(stored.unwrap_or(Answer::Refused), source))
                }
            },
            Progress::WaitForLock(since) => Some(self.lock(next, since)),
            Progress::Locked(reads) => {
                let now = next.now;
                match next.pg.request(
                    &self.guards,
                    (buyer, request),
                    reads,
                    now,
                    &mut next.violations,
                ) {
                    Outcome::Answered(answer, source) => Some(Progress::Reply(answer, source)),
                    Outcome::HalfCommitted => Some(Progress::HalfCommitted),
                }
            }
            Progress::HalfCommitted => {
                next.pg.complete(buyer);
                Some(Progress::Reply(Answer::Done, AnswerSource::Computed))
            }
            Progress::Reply(answer, _) => {
                if (request, answer) == (Request::Hold, Answer::Refused) {
                    next.redis.release_claim(buyer);
                }
                let known = &mut next.answers[usize::from(buyer)][request as usize];
                // A refused hold may succeed later; every other answer is final.
                let final_before =
                    known.filter(|was| request != Request::Hold || *was == Answer::Done);
                let differs = final_before.is_some_and(|was| was != answer);
                next.violations.record(Violation::AnsweredTwice, differs);
                if final_before.is_none() {
                    *known = Some(answer);
                }
                None
            }
        }
    }

    fn rebuild(&self, next: &mut State, epoch: u8, at: Rebuild) -> Option<Rebuild> {
        match at {
            Rebuild::Started => Some(Rebuild::Read(next.pg.fence, next.pg.seat_state())),
            Rebuild::Read(fence, seat_state) => {
                // The keys belong to another epoch: this rebuild stops.
                if !next.redis.renew_lease(epoch, next.now) {
                    return None;
                }
                let free = seat_state == SeatState::Free;
                if !free || self.guards.has(Guard::FreeFences) {
                    next.redis.apply(&self.guards, fence, seat_state, next.now);
                }
                Some(Rebuild::Loaded)
            }
            Rebuild::Loaded => {
                next.redis.finish_rebuild(&self.guards, epoch);
                None
            }
        }
    }
}
