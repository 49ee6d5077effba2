//! The steps as they were carried out, and their verdicts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::cli::drill::observations::Kind;

/// Longest time from an admission until its user has polled, while everything works.
const UNKNOWN_ADMISSION: Duration = Duration::from_secs(2);

/// A step as it was carried out. Its window lasts until the next step begins.
#[derive(Debug, Clone, Default)]
pub struct Window {
    pub name: String,
    /// When its first command started.
    pub begin: Duration,
    /// When its last command had ended.
    pub ended: Duration,
    /// When everything worked again; `None` if that took longer than `back_within`.
    pub settled: Option<Duration>,
    pub may_fail: Vec<Kind>,
    pub back_within: Duration,
    pub may_lose: Duration,
    /// What the drill itself could not do: a command that failed, or books that were not read.
    pub errors: Vec<String>,
}

impl Window {
    /// Whether the step may lose what was done at this time.
    pub fn may_lose(&self, at: Duration) -> bool {
        let lost = self.begin.saturating_sub(self.may_lose)..=self.ended;
        !self.may_lose.is_zero() && lost.contains(&at)
    }

    /// Whether the step may lose an admission if one of the same moment became known at this time.
    /// A queue that is lost comes back by the tickets of its users: a user who has not polled since
    /// the admission waits again, at the head of the queue, until a slot is free.
    pub fn may_lose_admission(&self, at: Duration) -> bool {
        let recent = self.begin.saturating_sub(UNKNOWN_ADMISSION)..=self.ended;
        let loses_queue = self.may_fail.contains(&Kind::Poll);
        self.may_lose(at) || (loses_queue && recent.contains(&at))
    }
}

/// A promise that was broken, or an answer that must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A queue entry or a slot that is gone.
    PlaceLost,
    /// A queue entry that is further back than before.
    WentBack,
    /// More active slots than the capacity.
    OverCapacity,
    /// A seat that two buyers hold or own.
    SoldTwice,
    /// A hold that ended before its time.
    HoldLost,
    /// A paid seat that its buyer does not own.
    PaidMissing,
    /// Figures that contradict each other.
    SumsDiffer,
    /// A status 500, a refusal without `Retry-After`, or another answer that onsale never gives.
    WrongAnswer,
    /// A request that failed again when it was repeated, though the step does not allow it.
    FailedTwice,
    /// Something did not work again in time.
    NotBack,
    /// The drill could not do its own work.
    Drill,
}

/// The requests of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// How many were sent, without repeats.
    pub sent: usize,
    /// Tries that failed, by what failed.
    pub failures: BTreeMap<String, usize>,
    /// Requests whose first repeat failed too.
    pub failed_twice: usize,
    /// Time from the beginning of the step until the first success after the last failure, in ms;
    /// null if nothing failed.
    pub back_after_ms: Option<u64>,
}

/// The result of one step.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    pub step: String,
    pub passed: bool,
    /// Whether everything worked again in time.
    pub settled: bool,
    /// Requests by kind.
    pub requests: BTreeMap<Kind, Requests>,
    /// Payments that were lost as the step allows: the books at the end of the drill lack them.
    pub lost_payments: usize,
    /// Broken promises by kind.
    pub faults: BTreeMap<Fault, Vec<String>>,
}

/// Faults that were found in one observation.
pub(super) type Found = Vec<(Fault, String)>;

impl Verdict {
    pub(super) fn add(&mut self, fault: Fault, text: String) {
        self.passed = false;
        self.faults.entry(fault).or_default().push(text);
    }

    /// How many faults of a kind there are.
    pub fn count(&self, fault: Fault) -> usize {
        self.faults.get(&fault).map_or(0, Vec::len)
    }
}
