//! What may happen next, and what comes of it. A process may crash between any two steps: its task is
//! gone, and nobody knows how far it came.

use stateright::{Model, Property};

use crate::pg::Outcome;
use crate::properties;
use crate::redis::Take;
use crate::state::{
    Answer, At, Buyer, Guard, Guards, Rebuild, Redis, Request, Seen, Shown, Sight, State, Status,
    Task, Tick, Told,
};

/// The protocol, with bounds that make it finite.
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    pub guards: Guards,
    /// How many buyers, 1 or 2.
    pub buyers: usize,
    /// The last tick.
    pub ends: Tick,
    /// How often Redis may be lost.
    pub losses: u8,
    /// Whether payments are refunded.
    pub refunds: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Tick,
    /// A process begins something.
    Begin(Task),
    /// A process goes on with what it does.
    GoOn(usize),
    /// A process dies, and is started again.
    Crash(usize),
    /// A buyer gives the seat back: one transaction, and nothing to remember.
    Release(Buyer),
    /// The expiry loop ends a hold.
    Expire(Buyer),
    /// Redis hears of a change: from whoever made it, from the relay, or from a command that was
    /// thought lost.
    Tell(usize),
    /// Redis forgets everything.
    Lose,
}

const BUYERS: [Buyer; 2] = [0, 1];

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::new()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.now < self.ends {
            steps.push(Step::Tick);
        }
        if state.tasks.contains(&None) {
            self.begin(state, steps);
        }
        for (process, task) in state.tasks.iter().enumerate() {
            if task.is_some() {
                steps.extend([Step::GoOn(process), Step::Crash(process)]);
            }
        }
        for (buyer, row) in BUYERS.into_iter().zip(state.pg.rows) {
            let waiting = row.filter(|row| row.status == Status::Waiting);
            if waiting.is_some() && state.told_done(buyer, Request::Hold) {
                steps.push(Step::Release(buyer));
            }
            if waiting.is_some_and(|row| row.takeover() <= state.now) {
                steps.push(Step::Expire(buyer));
            }
        }
        let made = state.pg.outbox.iter().flatten().count();
        steps.extend((0..made).map(Step::Tell));
        if state.losses < self.losses && state.redis.epoch > 0 {
            steps.push(Step::Lose);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = *last;
        match step {
            Step::Tick => {
                next.now += 1;
                next.redis.sweep(next.now);
            }
            Step::Begin(task) => {
                if let Task::Rebuild(epoch, _) = task {
                    next.pg.epoch = epoch;
                    next.redis.restore(epoch, next.now);
                }
                let idle = next.tasks.iter().position(Option::is_none)?;
                next.tasks[idle] = self.without_pause(&mut next, task);
            }
            Step::GoOn(process) => {
                let task = next.tasks[process].take()?;
                let at = self.go_on(&mut next, task);
                next.tasks[process] = at.and_then(|task| self.without_pause(&mut next, task));
            }
            Step::Release(buyer) => next.pg.give_up(buyer, Status::Cancelled, next.now),
            Step::Expire(buyer) => next.pg.give_up(buyer, Status::Expired, next.now),
            Step::Crash(process) => next.tasks[process] = None,
            Step::Tell(number) => {
                let fence = u8::try_from(number + 1).ok()?;
                let change = next.pg.outbox[number].as_mut()?;
                if next.redis.apply(&self.guards, fence, change.shown, next.now) {
                    change.told = true;
                }
            }
            Step::Lose => {
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
    /// What anybody may want: buyers ask, at any process, for what they were not told of.
    fn begin(&self, state: &State, steps: &mut Vec<Step>) {
        // A repeat that meets the first try is refused by the key's lock, and has no effect.
        let mut begin = |task: Task| {
            if !state.tasks.iter().flatten().any(|other| other.is_the_same(task)) {
                steps.push(Step::Begin(task));
            }
        };
        let wait = self.wait(state.now);
        for buyer in BUYERS.into_iter().take(self.buyers) {
            let [_, paid, refunded] = state.told[usize::from(buyer)];
            if !state.told_done(buyer, Request::Hold) {
                begin(Task::Request(buyer, Request::Hold, At::Take));
            } else if paid.is_none() {
                begin(Task::Request(buyer, Request::Pay, wait));
            } else if paid == Some(Answer::Done) && refunded.is_none() && self.refunds {
                begin(Task::Request(buyer, Request::Refund, wait));
            }
        }
        // The lease keeps others from between winning the epoch and making the keys its own.
        if state.redis.is_lost(state.now) {
            begin(Task::Rebuild(state.pg.epoch + 1, Rebuild::Restored));
        }
    }

    /// Waiting for the lock; since when matters only where the clock was read before.
    fn wait(&self, now: Tick) -> At {
        At::Wait(if self.guards.has(Guard::ClockAfterLock) { 0 } else { now })
    }

    /// Goes on as far as nothing that anybody else does can matter: a script is one step, and so is a
    /// transaction that locks, from its lock to its commit; what comes before the first is none.
    fn without_pause(&self, next: &mut State, task: Task) -> Option<Task> {
        match task {
            Task::Request(_, _, At::Take) => self.go_on(next, task),
            Task::Request(_, Request::Pay | Request::Refund, At::Wait(_))
                if self.guards.has(Guard::ClockAfterLock) =>
            {
                let task = self.go_on(next, task)?;
                self.without_pause(next, task)
            }
            Task::Request(_, _, At::Locked(_)) if self.guards.has(Guard::Lock) => {
                self.go_on(next, task)
            }
            _ => Some(task),
        }
    }

    fn go_on(&self, next: &mut State, task: Task) -> Option<Task> {
        match task {
            Task::Request(buyer, request, at) => {
                self.request(next, (buyer, request), at).map(|at| Task::Request(buyer, request, at))
            }
            Task::Rebuild(epoch, at) => {
                self.rebuild(next, epoch, at).map(|at| Task::Rebuild(epoch, at))
            }
        }
    }

    /// Takes the lock; or does without, and goes by what is there now.
    fn lock(&self, next: &State, since: Tick) -> At {
        let has = |guard| self.guards.has(guard);
        At::Locked(Seen {
            clock: (!has(Guard::ClockAfterLock)).then_some(since),
            rows: (!has(Guard::Lock)).then_some(next.pg.rows),
        })
    }

    fn request(
        &self,
        next: &mut State,
        of @ (buyer, request): (Buyer, Request),
        at: At,
    ) -> Option<At> {
        match at {
            At::Take => match next.redis.take(buyer, next.now) {
                Take::Ok | Take::Away => Some(self.wait(next.now)),
                // An earlier try may have succeeded: the key tells.
                Take::Taken => {
                    let stored = next.pg.keys[usize::from(buyer)][request as usize]
                        .filter(|_| self.guards.has(Guard::Key));
                    let wrong = stored.is_none() && next.pg.has(buyer, request);
                    next.sights.note(Sight::RefusedWrongly, wrong);
                    let told = if stored.is_some() { Told::Again } else { Told::First };
                    Some(At::Answer(stored.unwrap_or(Answer::Refused), told))
                }
            },
            At::Wait(since) => Some(self.lock(next, since)),
            At::Locked(seen) => {
                let now = next.now;
                match next.pg.request(&self.guards, of, seen, now, &mut next.sights) {
                    Outcome::Answered(answer, told) => Some(At::Answer(answer, told)),
                    Outcome::Half => Some(At::Half),
                }
            }
            At::Half => {
                next.pg.complete(buyer);
                Some(At::Answer(Answer::Done, Told::First))
            }
            At::Answer(answer, _) => {
                if (request, answer) == (Request::Hold, Answer::Refused) {
                    next.redis.drop(buyer);
                }
                let known = &mut next.told[usize::from(buyer)][request as usize];
                // Who was refused a hold may get it later; all else is final.
                let final_before =
                    known.filter(|was| request != Request::Hold || *was == Answer::Done);
                let differs = final_before.is_some_and(|was| was != answer);
                next.sights.note(Sight::AnsweredTwice, differs);
                if final_before.is_none() {
                    *known = Some(answer);
                }
                None
            }
        }
    }

    fn rebuild(&self, next: &mut State, epoch: u8, at: Rebuild) -> Option<Rebuild> {
        match at {
            Rebuild::Restored => Some(Rebuild::Read(next.pg.fence, next.pg.shown())),
            Rebuild::Read(fence, shown) => {
                // Another epoch's keys are not this one's to load.
                if !next.redis.renew_lease(epoch, next.now) {
                    return None;
                }
                let free = shown == Shown::Free;
                if !free || self.guards.has(Guard::FreeFences) {
                    next.redis.apply(&self.guards, fence, shown, next.now);
                }
                Some(Rebuild::Loaded)
            }
            Rebuild::Loaded => {
                next.redis.ready(&self.guards, epoch);
                None
            }
        }
    }
}
