//! What was asked and what was answered: all that the checker is told of the run from outside.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::Utc;
use serde_json::Value;

/// Microseconds since the UNIX epoch, counted on by the monotonic clock from the start of a run.
pub type Moment = i64;

/// One second, as a [`Moment`] counts.
pub const SECOND: Moment = 1_000_000;

/// What was asked for.
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

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub replayed: bool,
}

impl Answer {
    /// The stable code of a problem; empty where it is none.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// Whether it tells what came of the request; else the same request is to be made again.
    pub fn tells(&self) -> bool {
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
    /// None where no answer came.
    pub answer: Option<Answer>,
}

/// One thing that somebody wanted, with every try of it.
#[derive(Debug, Clone)]
pub struct Op {
    pub user: i64,
    pub act: Act,
    pub key: Option<String>,
    pub attempts: Vec<Attempt>,
}

impl Op {
    /// Before this it cannot have had an effect.
    pub fn invoked(&self) -> Moment {
        self.attempts.iter().map(|attempt| attempt.from).min().unwrap_or(Moment::MAX)
    }

    /// The tries that told something, with what they told.
    pub fn told(&self) -> impl Iterator<Item = (&Attempt, &Answer)> {
        let told = self.attempts.iter().filter_map(|it| Some((it, it.answer.as_ref()?)));
        told.filter(|(_, answer)| answer.tells())
    }

    /// The try that told its outcome: the first success, else the first refusal. A refusal that is
    /// not kept under the key may be followed by a success; where one is kept, the checker sees that
    /// two answers differ.
    fn outcome(&self) -> Option<(&Attempt, &Answer)> {
        self.told().min_by_key(|(attempt, answer)| (!answer.is_ok(), attempt.to))
    }

    /// When its outcome was known; after this its effect is there.
    pub fn acked(&self) -> Option<Moment> {
        self.outcome().map(|(attempt, _)| attempt.to)
    }

    /// Its outcome; none while it is unknown.
    pub fn answer(&self) -> Option<&Answer> {
        self.outcome().map(|(_, answer)| answer)
    }

    /// Its outcome, if that is a success.
    pub fn success(&self) -> Option<&Answer> {
        self.answer().filter(|answer| answer.is_ok())
    }

    /// Every answer that told its outcome.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.told().map(|(_, answer)| answer)
    }

    /// Whether a try of it may still have its effect, or has had one that nobody was told of.
    pub fn has_unknown_try(&self) -> bool {
        self.attempts.iter().any(|it| it.answer.as_ref().is_none_or(|answer| answer.status == 503))
    }
}

/// What a ticket was said to be worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    pub user: i64,
    pub schedule: i64,
    pub ticket: String,
    pub sequence: i64,
    pub status: String,
    pub from: Moment,
    pub to: Moment,
}

/// One request of any kind, and whether its answer said more than "not now".
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    pub from: Moment,
    pub well: bool,
}

/// Everything that was recorded.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub ops: Vec<Op>,
    pub sights: Vec<Sight>,
    pub traffic: Vec<Traffic>,
    /// Answers that no contract knows, each with its request.
    pub surprises: Vec<String>,
}

/// Where the record is kept while the run lasts, and its clock.
#[derive(Debug)]
pub struct History {
    begun: Instant,
    begun_at: Moment,
    record: Mutex<Record>,
}

impl History {
    pub fn begin() -> Self {
        let begun_at = Utc::now().timestamp_micros();
        Self { begun: Instant::now(), begun_at, record: Mutex::default() }
    }

    pub fn now(&self) -> Moment {
        let passed = i64::try_from(self.begun.elapsed().as_micros()).expect("a short run");
        self.begun_at + passed
    }

    /// Seconds since the beginning.
    pub fn seconds(&self) -> u64 {
        self.begun.elapsed().as_secs()
    }

    /// Notes something down.
    pub fn note(&self, write: impl FnOnce(&mut Record)) {
        write(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A copy of all that was noted.
    pub fn read(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
