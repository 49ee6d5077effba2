//! Judges what the buyers saw: which request failed how often, when everything worked again, and
//! which promise was broken.
//!
//! | file | what it judges |
//! | --- | --- |
//! | `places` | queue entries and active slots |
//! | `seats` | holds, payments and the books |
//! | `calls` | requests that failed, and when they worked again |
//! | `verdict` | the result of a step |

mod calls;
mod places;
mod seats;
#[cfg(test)]
mod tests;
pub mod verdict;

use self::places::Places;
use self::seats::Seats;
use self::verdict::{Verdict, Window};
use super::observations::Observation;

/// Judges the steps by all observations of a drill. `windows` are in order of time, and the first
/// begins with the drill.
pub fn judge(windows: &[Window], seen: &[Observation]) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> =
        windows.iter().map(|window| calls::judge(window, windows, seen)).collect();
    let (mut places, mut seats) = (Places::new(windows), Seats::new(windows));
    for observation in seen {
        let found = places.apply(observation).into_iter().chain(seats.apply(observation));
        let step = windows.iter().rposition(|window| window.begin <= observation.at).unwrap_or(0);
        for (fault, text) in found {
            if let Some(verdict) = verdicts.get_mut(step) {
                verdict.add(fault, text);
            }
        }
    }
    for (window, verdict) in windows.iter().zip(&mut verdicts) {
        verdict.lost_payments = seats.lost_in(window);
    }
    verdicts
}
