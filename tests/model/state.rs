//! What there is: PostgreSQL, Redis, two processes and what two buyers were told, for one seat.
//!
//! Time is a tick: a hold is promised for one, PostgreSQL gives its seat to somebody else from one
//! tick after that on, and a claim lasts one. Both stores go by the same clock, as they measure
//! durations only; what is swept in Redis is swept at once, since lapsed counts as free either way.

/// One of two.
pub type Buyer = u8;
pub type Tick = u8;

/// How many points a buyer begins with; a seat costs one.
pub const POINTS: i8 = 1;
/// Changes of the seat at most: held, paid and refunded by each buyer.
pub const CHANGES: usize = 6;

/// What the code relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// A transaction locks the seat, then looks.
    Lock,
    /// A second live row of a seat can't be written.
    Index,
    /// The clock is read after the lock, not when the wait for it began.
    ClockAfterLock,
    /// The answer is stored under its key with the effect.
    Key,
    /// Redis takes a change only where its fence is higher.
    Fence,
    /// A rebuilding loads the fence of a seat that is free again, too.
    FreeFences,
    /// A rebuilding is ended only by whoever began it.
    Epoch,
    /// The money moves in the transaction that completes the reservation.
    OneTransaction,
}

/// Which guards are there: all, but for a mutant.
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

    /// From when on somebody else may have the seat.
    pub fn takeover(self) -> Tick {
        self.expires + 1
    }
}

/// What a change made of the seat, as Redis is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shown {
    Free,
    /// Held, and until when.
    Keep(Buyer, Tick),
    Sell(Buyer),
}

/// A row of the outbox. Its fence is its number, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    pub shown: Shown,
    /// Redis has taken it, and the row is gone; it may come late again.
    pub told: bool,
}

/// The requests that have a key, each buyer one of each.
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

/// By buyer, then by request.
pub type Answers = [[Option<Answer>; 3]; 2];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pg {
    pub fence: u8,
    /// By buyer: each holds the seat once at most.
    pub rows: [Option<Row>; 2],
    pub outbox: [Option<Change>; CHANGES],
    pub balance: [i8; 2],
    pub history: [i8; 2],
    /// What is stored under the keys.
    pub keys: Answers,
    pub epoch: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Redis {
    /// 0: it knows nothing.
    pub epoch: u8,
    /// Being rebuilt, until when.
    pub loading: Option<Tick>,
    pub fence: u8,
    pub shown: Shown,
    /// Claimed by whom.
    pub claim: Option<Buyer>,
    /// When the claim or the hold ends; 0 where there is none.
    pub until: Tick,
}

/// What a process is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A buyer's request.
    Request(Buyer, Request, At),
    /// Redis is rebuilt under this epoch.
    Rebuild(u8, Rebuild),
}

impl Task {
    /// Whether it does the same, however far it is.
    pub fn is_the_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Request(buyer, request, _), Self::Request(of, other, _)) => {
                (buyer, request) == (of, other)
            }
            _ => false,
        }
    }
}

/// How far a transaction has come, and what is around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// About to claim the seat in Redis.
    Take,
    /// Waits for the lock since then.
    Wait(Tick),
    /// Has the lock, or does without: then this is what it saw, and when.
    Locked(Seen),
    /// Half of it is committed. Only where money moves by itself.
    Half,
    /// About to answer: what was done now, or what is stored under the key.
    Answer(Answer, Told),
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    First,
    Again,
}

/// What a transaction goes by that does not lock, or reads the clock too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen {
    pub clock: Option<Tick>,
    pub rows: Option<[Option<Row>; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rebuild {
    /// Has won the epoch; Redis is empty and loading.
    Restored,
    /// Has read PostgreSQL: the fence, and what the seat is.
    Read(u8, Shown),
    /// Redis has it.
    Loaded,
}

/// What went wrong on the way, and would not show later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// A hold was paid at its end or after it.
    PaidLate,
    /// Somebody was refused what they have.
    RefusedWrongly,
    /// The same request was answered in two ways.
    AnsweredTwice,
}

/// Which of them were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Sights(u8);

impl Sights {
    pub fn note(&mut self, sight: Sight, seen: bool) {
        self.0 |= u8::from(seen) << sight as u8;
    }

    pub fn has(self, sight: Sight) -> bool {
        self.0 & 1 << sight as u8 != 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    pub now: Tick,
    pub pg: Pg,
    pub redis: Redis,
    /// In order: which process does it makes no difference.
    pub tasks: [Option<Task>; 2],
    /// What the buyers know.
    pub told: Answers,
    pub losses: u8,
    pub sights: Sights,
}

impl State {
    /// Whether a buyer knows that a request was done.
    pub fn told_done(&self, buyer: Buyer, request: Request) -> bool {
        self.told[usize::from(buyer)][request as usize] == Some(Answer::Done)
    }

    /// A sale that nobody has touched.
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
        let sights = Sights::default();
        let redis = Redis { epoch: 1, ..Redis::LOST };
        Self { now: 0, pg, redis, tasks: [None; 2], told: [[None; 3]; 2], losses: 0, sights }
    }
}
