//! The queue as the model of `crates/model`, and the state that it expects in Redis.

use std::collections::BTreeMap;

use onsale_model::queue::{At, MIN_REACH, QueueModel, QueueRules};

use super::dump::QueueState;
use super::stage::HOUR;

/// The sequence in the statement of a process whose lease has ended, in these tests.
pub const OVER: u64 = 7;

/// The settings of [`super::stage::Stage::configure`], as of `now`.
pub fn rules(capacity: usize, rate: f64, now: i64) -> QueueRules {
    QueueRules {
        capacity,
        rate,
        active_ms: HOUR,
        claim_ms: HOUR,
        presence_ms: HOUR,
        grace_ms: HOUR,
        deadline_ms: now + 10 * HOUR,
        min_reach: MIN_REACH,
    }
}

/// A newly built queue of `epoch`, with the entries that ended before.
pub fn built(epoch: u64, now: i64, done: BTreeMap<u64, u8>) -> QueueModel {
    QueueModel::new(epoch, rules(0, 1.0, now), now, done)
}

/// The state that Redis must have.
pub fn expected(queue: &QueueModel) -> QueueState {
    let mut state = QueueState {
        waiting: queue.entries.waiting().iter().copied().collect(),
        returned: queue.entries.returned().iter().copied().collect(),
        done: queue.done.clone(),
        present: queue.presence.marked.clone(),
        ring: (queue.presence.slot, queue.presence.since),
        notices: (queue.notice, queue.noticed),
        counted: (queue.next, queue.admitted, queue.expired),
        tokens: (format!("{:.6}", queue.tokens), queue.tokens_at),
        log: queue.log.iter().map(ToString::to_string).collect(),
        ..QueueState::default()
    };
    let merged = queue.mergers.iter();
    state.mergers = merged.map(|(process, upto)| (process.clone(), upto.unwrap_or(OVER))).collect();
    state.bits = state.waiting.iter().map(|(sequence, _)| *sequence).collect();
    for (user, entry) in queue.entries.iter() {
        if let At::Active { until, claim_by } = entry.at {
            state.active.insert(user, until);
            state.called.extend(claim_by.map(|by| (user, by)));
        }
        state.parked.extend(entry.grace.filter(|_| entry.at == At::Parked).map(|g| (user, g)));
        if entry.at != At::Waiting {
            let grace = entry.grace.map_or_else(String::new, |grace| format!(" {grace}"));
            state.place.insert(user, format!("{}{grace}", entry.sequence));
        }
    }
    state
}
