//! The requests and the answers of a run: what the checker has from outside the service.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::Utc;
use serde_json::Value;

/// Microseconds since the UNIX epoch; from the start of a run on they follow the monotonic clock.
pub type Moment = i64;

/// One second in [`Moment`]s.
pub const SECOND: Moment = 1_000_000;

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Charge { amount: i64 },
    Join { schedule: i64 },
    Leave { schedule: i64 },
    Hold { schedule: i64, quantity: usize },
    Release { hold: String },
    Pay { hold: String },
    Refund { payment: i64 },
    Balance,
    Block { seats: Vec<i64>, blocked: bool },
    Settings,
}

/// An answer, read completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub replayed: bool,
}

impl Answer {
    /// The stable code of a problem; empty if the answer is not a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// Whether it is the outcome of the request; otherwise the client repeats the request.
    pub fn is_final(&self) -> bool {
        self.status != 503 && !["request_in_progress", "rate_limited"].contains(&self.code())
    }

    /// Whether it is a success.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// One try.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub from: Moment,
    pub to: Moment,
    /// `None` if no answer came.
    pub answer: Option<Answer>,
}

/// One request of a user, with all its tries.
#[derive(Debug, Clone)]
pub struct Op {
    pub user: i64,
    pub act: Act,
    pub key: Option<String>,
    pub attempts: Vec<Attempt>,
}

impl Op {
    /// When it was first sent; it cannot have an effect before that.
    pub fn invoked(&self) -> Moment {
        self.attempts.iter().map(|attempt| attempt.from).min().unwrap_or(Moment::MAX)
    }

    /// The tries with a final answer, and the answers.
    pub fn finals(&self) -> impl Iterator<Item = (&Attempt, &Answer)> {
        let answered = self.attempts.iter().filter_map(|it| Some((it, it.answer.as_ref()?)));
        answered.filter(|(_, answer)| answer.is_final())
    }

    /// The try with the outcome: the first success, otherwise the first refusal. A success may
    /// follow a refusal that is not stored under the key. If a stored refusal is followed by a
    /// success, the checker finds that two answers differ.
    fn outcome(&self) -> Option<(&Attempt, &Answer)> {
        self.finals().min_by_key(|(attempt, answer)| (!answer.is_ok(), attempt.to))
    }

    /// When the outcome was known; from then on the effect must be visible.
    pub fn acked(&self) -> Option<Moment> {
        self.outcome().map(|(attempt, _)| attempt.to)
    }

    /// The outcome; `None` if it is unknown.
    pub fn answer(&self) -> Option<&Answer> {
        self.outcome().map(|(_, answer)| answer)
    }

    /// The outcome, if it is a success.
    pub fn success(&self) -> Option<&Answer> {
        self.answer().filter(|answer| answer.is_ok())
    }

    /// Every final answer.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.finals().map(|(_, answer)| answer)
    }

    /// Whether a try may still take effect, or has taken effect without a final answer.
    pub fn has_unknown_try(&self) -> bool {
        self.attempts.iter().any(|it| it.answer.as_ref().is_none_or(|answer| answer.status == 503))
    }
}

/// The state of a ticket in one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketView {
    pub user: i64,
    pub schedule: i64,
    pub ticket: String,
    pub sequence: i64,
    pub status: String,
    pub from: Moment,
    pub to: Moment,
}

/// One request of any kind, and whether it got an answer other than `503`.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    pub from: Moment,
    pub answered: bool,
}

/// Everything that was recorded.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub ops: Vec<Op>,
    pub ticket_views: Vec<TicketView>,
    pub traffic: Vec<Traffic>,
    /// Answers that the contract does not have, each with its request.
    pub unexpected: Vec<String>,
}

/// The record while the run lasts, and its clock.
#[derive(Debug)]
pub struct History {
    started: Instant,
    started_at: Moment,
    record: Mutex<Record>,
}

impl History {
    pub fn begin() -> Self {
        let started_at = Utc::now().timestamp_micros();
        Self { started: Instant::now(), started_at, record: Mutex::default() }
    }

    pub fn now(&self) -> Moment {
        let passed = i64::try_from(self.started.elapsed().as_micros()).expect("a short run");
        self.started_at + passed
    }

    /// Seconds since the beginning.
    pub fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// Adds to the record.
    pub fn note(&self, write: impl FnOnce(&mut Record)) {
        write(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A copy of the record.
    pub fn read(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
