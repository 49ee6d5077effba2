//! What changed in a sale: from the audit, and from readings that follow each other. Pure.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::model::{Marker, MarkerKind};
use super::sample::Sample;
use crate::concert::model::Phase;

/// A change that an administrator made, from the audit.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When.
    pub at: DateTime<Utc>,
    /// Name of the administrator.
    pub by: String,
    /// The action, such as `queue.change`.
    pub action: String,
    /// State before; `None` for a creation.
    pub before: Option<Value>,
    /// State after.
    pub after: Option<Value>,
}

impl Marker {
    /// A marker of something that nobody did.
    #[must_use]
    pub fn new(at: DateTime<Utc>, kind: MarkerKind) -> Self {
        Self { at, kind, by: None, action: None, before: None, after: None, epoch: None }
    }
}

/// The markers of a change: one for each kind, with the members that changed. None for a change that
/// changed nothing.
#[must_use]
pub fn of_change(change: &Change) -> Vec<Marker> {
    let (before, after) = (flat(change.before.as_ref()), flat(change.after.as_ref()));
    let names: Vec<&String> =
        after.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    let marker = |kind, names: &[&String]| {
        let members = |of: &Map<String, Value>| {
            let member = |name: &&String| Some(((*name).clone(), of.get(*name)?.clone()));
            let members: Map<String, Value> = names.iter().filter_map(member).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        };
        Marker {
            by: Some(change.by.clone()),
            action: Some(change.action.clone()),
            before: members(&before),
            after: members(&after),
            ..Marker::new(change.at, kind)
        }
    };
    if change.before.is_none() {
        // A creation: its members are no news.
        return vec![marker(MarkerKind::Changed, &[])];
    }
    let mut markers = Vec::new();
    let (mut others, mut own) = (Vec::new(), Vec::new());
    for name in names {
        match name.as_str() {
            "paused" | "message" => own.push(name),
            _ => others.push(name),
        }
    }
    for name in own {
        let kind = match (name.as_str(), after.get(name)) {
            ("paused", Some(Value::Bool(true))) => MarkerKind::Paused,
            ("paused", _) => MarkerKind::Resumed,
            _ => MarkerKind::Message,
        };
        markers.push(marker(kind, &[name]));
    }
    if !others.is_empty() {
        markers.push(marker(MarkerKind::Changed, &others));
    }
    markers
}

/// The members of a state, with those of its queue settings beside them.
fn flat(state: Option<&Value>) -> Map<String, Value> {
    let mut members = state.and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(Value::Object(queue)) = members.remove("queue") {
        members.extend(queue);
    }
    members
}

/// The markers of changes between samples that follow each other.
#[must_use]
pub fn of_samples(samples: &[Sample]) -> Vec<Marker> {
    let mut markers = Vec::new();
    let mut epoch = samples.first().and_then(|sample| sample.sale).map(|sale| sale.epoch);
    for pair in samples.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let mut add = |kind| markers.push(Marker::new(after.at, kind));
        if let Some(kind) = of_phases(before.phase, after.phase) {
            add(kind);
        }
        if before.drawing && !after.drawing {
            add(MarkerKind::Drawn);
        }
        if !before.recovering && after.recovering {
            add(MarkerKind::Recovering);
        }
        let Some(now) = after.sale.map(|sale| sale.epoch) else {
            continue;
        };
        if epoch.is_some_and(|epoch| now > epoch) {
            let rebuilt = Marker::new(after.at, MarkerKind::Rebuilt);
            markers.push(Marker { epoch: Some(now), ..rebuilt });
        }
        epoch = Some(now);
    }
    markers
}

fn of_phases(before: Phase, after: Phase) -> Option<MarkerKind> {
    match (before, after) {
        (Phase::Upcoming, Phase::Open | Phase::Paused) => Some(MarkerKind::Opened),
        (before, Phase::SoldOut) if before != Phase::SoldOut => Some(MarkerKind::SoldOut),
        (Phase::SoldOut, Phase::Open) => Some(MarkerKind::Reopened),
        (before, Phase::Closed) if before != Phase::Closed => Some(MarkerKind::Closed),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
