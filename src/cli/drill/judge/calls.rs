//! Requests that failed, and when they worked again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::verdict::{Fault, Requests, Verdict, Window};
use crate::cli::drill::observations::{Kind, Observation, Outcome, Seen};

/// Judges the requests of one window, and begins its verdict.
pub(super) fn judge(window: &Window, windows: &[Window], seen: &[Observation]) -> Verdict {
    let next = windows.iter().map(|other| other.begin).find(|begin| *begin > window.begin);
    let is_in = |at: Duration| window.begin <= at && next.is_none_or(|next| at < next);
    let mut verdict = Verdict {
        step: window.name.clone(),
        passed: true,
        settled: window.settled.is_some(),
        requests: BTreeMap::new(),
        lost_payments: 0,
        faults: BTreeMap::new(),
    };
    let mut failed: BTreeSet<Kind> = BTreeSet::new();
    for Observation { at, seen, buyer } in seen.iter().filter(|observation| is_in(observation.at)) {
        let Seen::Call { kind, attempt, outcome } = seen else { continue };
        let requests = verdict.requests.entry(*kind).or_default();
        requests.note(*attempt, outcome);
        if outcome.is_failure() {
            failed.insert(*kind);
            requests.back_after_ms = None;
        } else if failed.contains(kind) && requests.back_after_ms.is_none() {
            requests.back_after_ms = Some(milliseconds(at.saturating_sub(window.begin)));
        }
        if let Outcome::Wrong(text) = outcome {
            verdict.add(Fault::WrongAnswer, format!("buyer {buyer}: {text}"));
        }
    }
    for (fault, text) in failures(window, &verdict.requests, &failed) {
        verdict.add(fault, text);
    }
    if window.settled.is_none() {
        verdict.add(Fault::NotBack, "not everything worked again in time".to_owned());
    }
    for error in &window.errors {
        verdict.add(Fault::Drill, error.clone());
    }
    verdict
}

/// Kinds of requests that failed although they may not, or for too long.
fn failures(
    window: &Window,
    requests: &BTreeMap<Kind, Requests>,
    failed: &BTreeSet<Kind>,
) -> Vec<(Fault, String)> {
    let limit = (window.ended + window.back_within).saturating_sub(window.begin);
    let mut found = Vec::new();
    for (kind, requests) in requests {
        let (name, twice) = (kind.name(), requests.failed_twice);
        if twice > 0 && !window.may_fail.contains(kind) {
            let text = format!("{twice} {name} failed again when they were repeated");
            found.push((Fault::FailedTwice, text));
        }
        let back = requests.back_after_ms.map(Duration::from_millis);
        if failed.contains(kind) && back.is_none_or(|back| back > limit) {
            let text = format!("{name} did not work again within {:.1} s", limit.as_secs_f64());
            found.push((Fault::NotBack, text));
        }
    }
    found
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Requests {
    fn note(&mut self, attempt: u32, outcome: &Outcome) {
        if attempt == 1 {
            self.sent += 1;
        }
        let label = match outcome {
            Outcome::Answered => return,
            Outcome::Refused(status) => status.to_string(),
            Outcome::Unreached(text) => text.clone(),
            Outcome::Wrong(text) => {
                format!("wrong answer {}", text.split(':').next().unwrap_or_default())
            }
        };
        *self.failures.entry(label).or_default() += 1;
        if attempt == 2 {
            self.failed_twice += 1;
        }
    }
}
