//! What one walk over all streams of a line goes by, and what a view comes to.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::board::service::Watched;
use crate::board::snapshot::Board;
use crate::queue::model::{Stand, Standing};
use crate::queue::service::Queue;
use crate::queue::view::phase;

/// A board older than this is stale: a healthy one is read every second at least.
const OLD: Duration = Duration::from_secs(2);

/// What one walk goes by.
pub(super) struct Round {
    pub queue: Queue,
    pub watched: Arc<Watched>,
    pub board: Arc<Board>,
    pub now: Instant,
    /// The board is old, since Redis does not answer.
    pub failing: bool,
    /// What all are told alike and at once.
    sale: u64,
}

/// What a view comes to: two views with equal numbers are not worth two events. The expected wait
/// and the time are in neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// What is told at once: the status, the place in force, the state of the sale.
    pub urgent: u64,
    /// All of it, with how many are ahead, wait, and how many seats are free. The id of the event,
    /// the same in every process.
    pub whole: u64,
}

impl Round {
    /// Nothing where no board was read yet.
    pub fn new(queue: &Queue, watched: Arc<Watched>) -> Option<Self> {
        let (board, now) = (watched.board()?, Instant::now());
        let failing = watched.is_failing() && now.duration_since(board.read_at()) > OLD;
        let sale = hash((board.recovering, discriminant(&phase(&board)), &board.meta.message));
        Some(Self { queue: queue.clone(), watched, board, now, failing, sale })
    }

    /// What is told of somebody who stands there.
    pub fn told(&self, stand: &Stand) -> Told {
        let (kind, until, ahead) = match stand.standing {
            Standing::Waiting { ahead } => (0, 0, Some(ahead).filter(|_| !self.board.recovering)),
            Standing::Active { until } => (1, until.timestamp_millis(), None),
            Standing::Ended(ended) => (ended.bits() + 1, 0, None),
        };
        let urgent = hash((self.sale, kind, until, stand.sequence.0));
        let board = &self.board;
        Told { urgent, whole: hash((urgent, ahead, board.line.waiting(), board.seats.available)) }
    }
}

/// Under fixed keys, so that processes agree; where two builds do not, an event is sent again.
fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
