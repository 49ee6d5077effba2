//! What PostgreSQL and this process know of a schedule's keys, beside what Redis says of them.

use crate::queue::model::Sequence;
use crate::store::high_water::Counters;
use crate::store::script::Inspection;

/// What keys must have come to, if nothing was lost. Asked for before Redis is: what happens
/// meanwhile only makes it say more.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// PostgreSQL's epoch.
    pub epoch: u64,
    /// Under which epoch this process has seen them, and how far.
    pub(super) seen: Option<(u64, Counters)>,
    /// The highest place that PostgreSQL has.
    pub(super) written: Sequence,
}

impl Known {
    /// Whether what Redis has is whole and on the server that answers, but of an older epoch than
    /// PostgreSQL's: another process rebuilds the keys, here in a moment or on another Redis.
    #[must_use]
    pub fn overtaken(&self, found: &Inspection) -> bool {
        found.epoch > 0 && found.epoch < self.epoch && found.built_on == found.server
    }

    /// Whether what Redis has can be all of it: built on the very server that answers, under no
    /// older epoch, and not behind what was seen. Where not, it is lost.
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
