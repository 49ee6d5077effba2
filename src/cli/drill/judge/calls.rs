//! Requests that failed, and when they worked again.

use std::collections::BTreeMap;
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
        faults: BTreeMap::new(),
    };
    let mut last_failures: BTreeMap<Kind, Duration> = BTreeMap::new();
    for Observation { at, seen, buyer } in seen.iter().filter(|observation| is_in(observation.at)) {
        let Seen::Call { kind, attempt, outcome } = seen else { continue };
        let requests = verdict.requests.entry(*kind).or_default();
        requests.note(*attempt, outcome);
        if outcome.is_failure() {
            last_failures.insert(*kind, *at);
            requests.back_after_ms = None;
        } else if last_failures.contains_key(kind) && requests.back_after_ms.is_none() {
            requests.back_after_ms = Some(milliseconds(at.saturating_sub(window.begin)));
        }
        if let Outcome::Wrong(text) = outcome {
            verdict.add(Fault::WrongAnswer, format!("buyer {buyer}: {text}"));
        }
    }
    let limit = (window.ended + window.back_within).saturating_sub(window.begin);
    let mut found = Vec::new();
    for (kind, requests) in &verdict.requests {
        if requests.failed_twice > 0 && !window.may_fail.contains(kind) {
            let text = format!(
                "{} {} failed again when they were repeated",
                requests.failed_twice,
                kind.name()
            );
            found.push((Fault::FailedTwice, text));
        }
        let back = requests.back_after_ms.map(Duration::from_millis);
        if last_failures.contains_key(kind) && back.is_none_or(|back| back > limit) {
            let text =
                format!("{} did not work again within {:.1} s", kind.name(), limit.as_secs_f64());
            found.push((Fault::NotBack, text));
        }
    }
    for (fault, text) in found {
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
