//! What the buyers of a drill saw, in order of time. The judge knows nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What a request asks for. A plan and a report name it in the plural.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A queue entry.
    #[serde(rename = "joins")]
    Join,
    /// The state of a ticket.
    #[serde(rename = "polls")]
    Poll,
    /// A hold of one seat.
    #[serde(rename = "holds")]
    Hold,
    /// The payment of a hold.
    #[serde(rename = "payments")]
    Pay,
    /// The end of a hold or of a queue entry.
    #[serde(rename = "releases")]
    Release,
}

/// How one try of a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or refused by a rule of the sale.
    Answered,
    /// Refused for now, with `Retry-After`.
    Refused(u16),
    /// No answer of onsale: a broken connection, or the error of a proxy.
    Unreached(String),
    /// An answer that onsale never gives, such as a status 500.
    Wrong(String),
}

/// The status of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It waits.
    Waiting,
    /// It has an active slot.
    Active,
    /// It is over.
    Final,
}

/// What one buyer owns by the books of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The paid seats, with the amount of each.
    pub seats: Vec<(i64, i64)>,
    /// The balance.
    pub points: i64,
}

/// The books of the service, read while no buyer sends a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// By buyer.
    pub accounts: BTreeMap<usize, Account>,
    /// Paid seats and revenue, by each source that states them.
    pub totals: Vec<(&'static str, i64, i64)>,
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// One try of a request.
    Call { kind: Kind, attempt: u32, outcome: Outcome },
    /// A ticket. `ahead` is the number of entries before it, if it waits and that is known.
    Ticket { sequence: u64, status: Status, ahead: Option<u64> },
    /// The service does not know the buyer's ticket, or its slot, any more.
    TicketRefused { code: String },
    /// The buyer is about to give the entry up, by leaving or by a first payment.
    GivesUp,
    /// A hold of one seat, until this time.
    Held { hold: String, seat: i64, until: Duration },
    /// The buyer is about to release the hold.
    Releases { hold: String },
    /// A payment or a release was refused.
    HoldRefused { hold: String, code: String },
    /// The hold was paid.
    Paid { hold: String, amount: i64 },
    /// The balance after the charge at the start.
    Charged { balance: i64 },
    /// Active slots and their maximum, by the service.
    Slots { active: u64, capacity: u64 },
    /// Everything works again. The next ticket of each buyer is compared with the one before.
    RollCall,
    /// The books.
    Books(Books),
}

/// One observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Time since the start of the drill.
    pub at: Duration,
    /// Number of the buyer; 0 for what concerns no buyer.
    pub buyer: usize,
    /// What was seen.
    pub seen: Seen,
}

/// Collects observations; cheap to clone.
#[derive(Debug, Clone)]
pub struct Log {
    start: Instant,
    seen: Arc<Mutex<Vec<Observation>>>,
}

impl Log {
    pub fn start() -> Self {
        Self { start: Instant::now(), seen: Arc::default() }
    }

    /// Time since the start of the drill.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub fn add(&self, buyer: usize, seen: Seen) {
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that the times are in order.
        all.push(Observation { at: self.start.elapsed(), buyer, seen });
    }

    /// Everything that was seen from a time on.
    pub fn since(&self, at: Duration) -> Vec<Observation> {
        let all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let first = all.partition_point(|observation| observation.at < at);
        all[first..].to_vec()
    }
}

impl Outcome {
    pub fn is_failure(&self) -> bool {
        *self != Self::Answered
    }
}

impl Kind {
    /// The word for requests of this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Join => "joins",
            Self::Poll => "polls",
            Self::Hold => "holds",
            Self::Pay => "payments",
            Self::Release => "releases",
        }
    }
}
