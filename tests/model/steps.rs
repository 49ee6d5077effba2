//! What may happen next, and what comes of it. A process may crash between any two steps: its task is
//! gone, and nobody knows how far it came.

use stateright::{Model, Property};

use crate::pg::Outcome;
use crate::properties;
use crate::redis::Take;
use crate::state::{
    Answer, At, Buyer, Guard, Guards, Rebuild, Redis, Request, Seen, Shown, Sight, State, Status,
    Task, Tick,
};

/// The protocol, with bounds that make it finite.
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    pub guards: Guards,
    /// The last tick.
    pub ends: Tick,
    /// How often Redis may be lost.
    pub losses: u8,
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
            if let Some(task) = task {
                steps.push(Step::Crash(process));
                if self.may_go_on(state, *task) {
                    steps.push(Step::GoOn(process));
                }
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
                    next.sights.note(Sight::BegunAnew, next.redis.loading.is_some());
                    next.pg.epoch = epoch;
                }
                let idle = next.tasks.iter_mut().find(|task| task.is_none())?;
                *idle = Some(task);
            }
            Step::GoOn(process) => {
                let task = next.tasks[process].take()?;
                next.tasks[process] = self.go_on(&mut next, task);
            }
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
    /// What anybody may want: buyers ask for what they were not told of, at any process, also while
    /// their last try is still under way.
    fn begin(&self, state: &State, steps: &mut Vec<Step>) {
        let State { pg, redis, told, now, .. } = state;
        let mut begin = |task: Task| steps.push(Step::Begin(task));
        for buyer in BUYERS {
            let [held, paid, refunded] = told[usize::from(buyer)];
            let row = pg.rows[usize::from(buyer)];
            let holds = row.is_some_and(|row| row.status == Status::Waiting);
            let wait = self.wait(*now);
            if held != Some(Answer::Done) {
                begin(Task::Request(buyer, Request::Hold, At::Take));
            } else if paid.is_none() {
                begin(Task::Request(buyer, Request::Pay, wait));
            }
            if held == Some(Answer::Done) && holds {
                begin(Task::Release(buyer, At::Wait(0)));
            }
            if paid == Some(Answer::Done) && refunded.is_none() {
                begin(Task::Request(buyer, Request::Refund, wait));
            }
            if holds && row.is_some_and(|row| row.takeover() <= *now) {
                begin(Task::Expire(buyer, At::Wait(0)));
            }
        }
        if redis.is_lost(pg.epoch, *now) {
            begin(Task::Rebuild(pg.epoch + 1, Rebuild::Won));
        }
    }

    /// Waiting for the lock; since when matters only where the clock was read before.
    fn wait(&self, now: Tick) -> At {
        At::Wait(if self.guards.has(Guard::ClockAfterLock) { 0 } else { now })
    }

    /// A lock has one holder.
    fn may_go_on(&self, state: &State, task: Task) -> bool {
        let at = |task: Task| match task {
            Task::Request(_, _, at) | Task::Release(_, at) | Task::Expire(_, at) => Some(at),
            Task::Rebuild(..) => None,
        };
        let locked = |task: &Task| matches!(at(*task), Some(At::Locked(_)));
        !matches!(at(task), Some(At::Wait(_)))
            || !self.guards.has(Guard::Lock)
            || !state.tasks.iter().flatten().any(locked)
    }

    fn go_on(&self, next: &mut State, task: Task) -> Option<Task> {
        match task {
            Task::Request(buyer, request, at) => {
                self.request(next, (buyer, request), at).map(|at| Task::Request(buyer, request, at))
            }
            Task::Release(buyer, At::Wait(_)) => Some(Task::Release(buyer, self.lock(next, 0))),
            Task::Expire(buyer, At::Wait(_)) => Some(Task::Expire(buyer, self.lock(next, 0))),
            Task::Release(buyer, _) => {
                next.pg.give_up(buyer, Status::Cancelled, next.now);
                None
            }
            Task::Expire(buyer, _) => {
                next.pg.give_up(buyer, Status::Expired, next.now);
                None
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
                    next.sights.note(Sight::Replayed, stored.is_some());
                    Some(At::Answer(stored.unwrap_or(Answer::Refused)))
                }
            },
            At::Wait(since) => Some(self.lock(next, since)),
            At::Locked(seen) => {
                let now = next.now;
                match next.pg.request(&self.guards, of, seen, now, &mut next.sights) {
                    Outcome::Answered(answer) => Some(At::Answer(answer)),
                    Outcome::Half => Some(At::Half),
                }
            }
            At::Half => {
                next.pg.complete(buyer);
                Some(At::Answer(Answer::Done))
            }
            At::Answer(answer) => {
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
            Rebuild::Won => next.redis.restore(epoch, next.now).then_some(Rebuild::Restored),
            Rebuild::Restored => Some(Rebuild::Read(next.pg.fence, next.pg.shown())),
            Rebuild::Read(fence, shown) => {
                // Another epoch's keys are not this one's to load.
                if next.redis.epoch != epoch {
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
