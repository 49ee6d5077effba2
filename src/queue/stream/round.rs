//! The shared state of one walk over all streams of a schedule, and the fingerprint of a view.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;
use std::time::Instant;

use crate::board::service::Watched;
use crate::board::snapshot::Board;
use crate::queue::model::{EntryState, QueueEntry};
use crate::queue::service::WaitingRoom;
use crate::queue::view::phase;

/// The state that one walk uses for all streams.
pub(super) struct Round {
    pub queue: WaitingRoom,
    pub watched: Arc<Watched>,
    pub board: Arc<Board>,
    pub now: Instant,
    /// The board is overdue, since Redis does not answer.
    pub failing: bool,
    /// Hash of the parts that are the same for all streams and sent at once.
    sale: u64,
}

/// Fingerprint of a view: views with equal fingerprints are sent once. The expected wait and the
/// time are not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Hash of the parts whose change is sent at once: the status, the current sequence, the sale.
    pub urgent: u64,
    /// Hash of all parts: also the entries ahead and waiting, and the free seats. It is the id of
    /// the event, the same in every process.
    pub whole: u64,
}

impl Round {
    /// `None` if no board was read yet.
    pub fn new(queue: &WaitingRoom, watched: Arc<Watched>) -> Option<Self> {
        let (board, now) = (watched.board()?, Instant::now());
        let failing = watched.is_failing() && board.overdue().is_some();
        let sale = hash((board.recovering, discriminant(&phase(&board)), &board.meta.message));
        Some(Self { queue: queue.clone(), watched, board, now, failing, sale })
    }

    /// The fingerprint of an entry's view.
    pub fn fingerprint(&self, entry: &QueueEntry) -> Fingerprint {
        let (kind, until, ahead) = match entry.state {
            EntryState::Waiting { ahead } => (0, 0, Some(ahead).filter(|_| !self.board.recovering)),
            EntryState::Active { until } => (1, until.timestamp_millis(), None),
            EntryState::Ended(ended) => (ended.bits() + 1, 0, None),
        };
        let urgent = hash((self.sale, kind, until, entry.sequence.0));
        let board = &self.board;
        Fingerprint {
            urgent,
            whole: hash((urgent, ahead, board.waiting.count(), board.seats.available)),
        }
    }
}

/// Hashes with fixed keys, so that all processes agree. If two builds differ, an event is sent
/// again.
fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
