//! The state for one seat: PostgreSQL, Redis, two processes and the answers that two buyers
//! received.
//!
//! Time is counted in ticks. A hold lasts one tick for its buyer; one tick later PostgreSQL may
//! give the seat to another buyer. A claim lasts one tick. Both stores use the same clock, because
//! they only measure durations. Redis removes expired claims and holds at once: expired ones count
//! as free anyway.

/// Index of a buyer, 0 or 1.
pub type Buyer = u8;
pub type Tick = u8;

/// Points that a buyer starts with; a seat costs one.
pub const POINTS: i8 = 1;
/// Maximum number of changes of the seat: each buyer holds, pays and gets a refund.
pub const CHANGES: usize = 6;

/// Safeguards that the code relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// A transaction locks the seat before it reads.
    Lock,
    /// A unique index prevents a second live row of a seat.
    Index,
    /// The clock is read after the lock is granted, not when the wait for it began.
    ClockAfterLock,
    /// The answer is stored under its idempotency key in the transaction of the effect.
    Key,
    /// Redis applies a change only if its fence is higher.
    Fence,
    /// A rebuild also loads the fence of a seat that is free again.
    FreeFences,
    /// Only the process that began a rebuild can finish it.
    Epoch,
    /// The money moves in the transaction that completes the reservation.
    OneTransaction,
}

/// The active guards: all, except those that a mutant lacks.
#[derive(Debug, Clone, Copy)]
pub struct Guards {
    pub without: &'static [Guard],
}

impl Guards {
    pub fn has(&self, guard: Guard) -> bool {
        !self.without.contains(&guard)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    Waiting,
    Complete,
    Expired,
    Cancelled,
    Refunded,
}

/// A row of `reservation`, and of `payment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    pub status: Status,
    pub expires: Tick,
    pub paid: Option<Payment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payment {
    Complete,
    Refunded,
}

impl Row {
    pub fn live(self) -> bool {
        matches!(self.status, Status::Waiting | Status::Complete)
    }

    /// From this tick on another buyer may hold the seat.
    pub fn takeover(self) -> Tick {
        self.expires + 1
    }
}

/// State of the seat after a change, as Redis stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeatState {
    Free,
    /// Held by a buyer until a tick.
    Held(Buyer, Tick),
    Sold(Buyer),
}

/// A row of the outbox. Rows are numbered from 1, and the number is the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    pub seat_state: SeatState,
    /// Redis has applied it and the row is deleted. A late command may still apply it again.
    pub applied: bool,
}

/// Requests with an idempotency key. Each buyer has one key for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    Hold,
    Pay,
    Refund,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    Done,
    Refused,
}

/// Indexed by buyer, then by request.
pub type Answers = [[Option<Answer>; 3]; 2];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pg {
    pub fence: u8,
    /// Indexed by buyer: each holds the seat at most once.
    pub rows: [Option<Row>; 2],
    pub outbox: [Option<Change>; CHANGES],
    pub balance: [i8; 2],
    pub history: [i8; 2],
    /// Answers stored under the idempotency keys.
    pub keys: Answers,
    pub epoch: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Redis {
    /// 0 if Redis is empty.
    pub epoch: u8,
    /// The end of the rebuild's lease, during a rebuild.
    pub loading: Option<Tick>,
    pub fence: u8,
    pub seat_state: SeatState,
    /// The buyer who claimed the seat.
    pub claim: Option<Buyer>,
    /// End of the claim or hold; 0 if there is none.
    pub until: Tick,
}

/// The task that a process is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A buyer's request.
    Request(Buyer, Request, Progress),
    /// A rebuild of Redis under this epoch.
    Rebuild(u8, Rebuild),
}

impl Task {
    /// Whether both are the same buyer's same request, at any progress.
    pub fn is_same_request(self, other: Self) -> bool {
        match (self, other) {
            (Self::Request(buyer, request, _), Self::Request(other_buyer, other_request, _)) => {
                (buyer, request) == (other_buyer, other_request)
            }
            _ => false,
        }
    }
}

/// The next step of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Progress {
    /// About to claim the seat in Redis.
    Claim,
    /// Waiting for the lock since this tick.
    WaitForLock(Tick),
    /// Has the lock. Without the guard it continues unlocked, with these earlier reads.
    Locked(EarlyReads),
    /// The money is moved and committed, the reservation is not. Only without
    /// `Guard::OneTransaction`.
    HalfCommitted,
    /// About to answer.
    Reply(Answer, AnswerSource),
}

/// Whether this request computed the answer, or found it stored under its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnswerSource {
    Computed,
    Stored,
}

/// Values that a transaction read too early, because a guard is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EarlyReads {
    pub clock: Option<Tick>,
    pub rows: Option<[Option<Row>; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rebuild {
    /// The epoch is raised in PostgreSQL; Redis is empty and loading.
    Started,
    /// The fence and state of the seat are read from PostgreSQL.
    Read(u8, SeatState),
    /// They are loaded into Redis.
    Loaded,
}

/// Violations that later states do not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A hold was paid at its end or after it.
    PaidLate,
    /// A request was refused although it had taken effect before.
    RefusedWrongly,
    /// One request got two different answers.
    AnsweredTwice,
}

/// The set of violations so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Violations(u8);

impl Violations {
    pub fn record(&mut self, violation: Violation, occurred: bool) {
        self.0 |= u8::from(occurred) << violation as u8;
    }

    pub fn has(self, violation: Violation) -> bool {
        self.0 & 1 << violation as u8 != 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    pub now: Tick,
    pub pg: Pg,
    pub redis: Redis,
    /// Sorted, because it does not matter which process runs a task.
    pub tasks: [Option<Task>; 2],
    /// Answers that the buyers received.
    pub answers: Answers,
    pub losses: u8,
    pub violations: Violations,
}

impl State {
    /// Whether a buyer received the answer that a request was done.
    pub fn knows_done(&self, buyer: Buyer, request: Request) -> bool {
        self.answers[usize::from(buyer)][request as usize] == Some(Answer::Done)
    }

    /// A sale without any request yet.
    pub fn new() -> Self {
        let pg = Pg {
            fence: 0,
            rows: [None; 2],
            outbox: [None; CHANGES],
            balance: [POINTS; 2],
            history: [0; 2],
            keys: [[None; 3]; 2],
            epoch: 1,
        };
        let violations = Violations::default();
        let redis = Redis { epoch: 1, ..Redis::LOST };
        Self { now: 0, pg, redis, tasks: [None; 2], answers: [[None; 3]; 2], losses: 0, violations }
    }
}
