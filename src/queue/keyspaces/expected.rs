//! What a schedule's keys in Redis must be like, from PostgreSQL and from this process.

use crate::queue::model::Sequence;
use crate::store::high_water::Counters;
use crate::store::script::Inspection;

/// The lower bounds of a schedule's keys if Redis lost nothing. They are read before Redis is:
/// changes in between can only raise what Redis shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExpectedKeys {
    /// The epoch in PostgreSQL.
    pub epoch: u64,
    /// The epoch and the highest counters that this process has seen.
    pub(super) seen: Option<(u64, Counters)>,
    /// The highest sequence in PostgreSQL.
    pub(super) written: Sequence,
}

impl ExpectedKeys {
    /// Whether the keys are complete and on the server that answers, but of an older epoch than
    /// PostgreSQL's: another process will rebuild them here, or has rebuilt them on another Redis.
    #[must_use]
    pub fn overtaken(&self, found: &Inspection) -> bool {
        found.epoch > 0 && found.epoch < self.epoch && found.built_on == found.server
    }

    /// Whether the keys can be complete: built on the server that answers, under no older epoch,
    /// and not behind the counters that were seen. Otherwise Redis lost data.
    #[must_use]
    pub fn agrees(&self, found: &Inspection) -> bool {
        let seen = self.seen.filter(|(epoch, _)| *epoch == found.epoch);
        let written = self.written.epoch() == found.epoch;
        found.epoch >= self.epoch.max(1)
            && found.built_on == found.server
            && !seen.is_some_and(|(_, floor)| found.counters.behind(floor))
            && !(written && found.counters.joined < self.written.number())
    }
}
