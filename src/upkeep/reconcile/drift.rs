//! Finds drift of one seat between Redis and PostgreSQL. Pure.
//!
//! The seat is read from PostgreSQL first. No outbox entry names it, so Redis has the fence that
//! PostgreSQL showed. Then it is read from Redis. Only two differences are allowed: Redis may have
//! a later change, and the seat may have a claim that lasts a few seconds.

use crate::seats::model::{CLAIM_MS, SeatSeen};
use crate::seats::redis::Decided;

/// By how much the end of a hold may differ (ms): the stores' clocks differ, and delivery takes
/// time.
const SLACK_MS: i64 = 5_000;

/// The kind of drift of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// Redis has an older change, or the same change with another state.
    Wrong,
    /// Redis has a later change than PostgreSQL showed, most likely one of a moment ago.
    Ahead,
}

/// Compares a seat as PostgreSQL decided it (`fence`, `decided`) with the seat that Redis has
/// (`seen`); `None` without drift.
#[must_use]
pub fn between(fence: i64, decided: Decided, seen: &SeatSeen) -> Option<Drift> {
    if seen.fence > fence {
        return Some(Drift::Ahead);
    }
    let gone = ["SELL", "BLOCK"].contains(&decided.state);
    let is_held = decided.state == "KEEP";
    let fits = seen.fence == fence
        && seen.state == decided.state
        && seen.gone == gone
        // After a rebuild a sold seat has no hold id; a held seat always has one.
        && (!is_held || seen.hold == decided.hold)
        && (if gone { seen.left_ms.is_none() } else { held_as_long(decided, seen) });
    (!fits).then_some(Drift::Wrong)
}

/// Whether a seat that is neither sold nor blocked is kept for as long as it should be.
fn held_as_long(decided: Decided, seen: &SeatSeen) -> bool {
    let left = seen.left_ms.unwrap_or(0);
    let is_held = decided.state == "KEEP";
    let hold_left = if is_held { decided.left_ms } else { 0 };
    let claim_left = if seen.claimed { CLAIM_MS } else { 0 };
    // A hold that has just ended by one store's clock may not have ended by the other's.
    let slack = if is_held || seen.claimed { SLACK_MS } else { 0 };
    let too_long = left > hold_left.max(claim_left) + slack;
    !too_long && left >= hold_left - SLACK_MS
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const HOLD: Uuid = Uuid::from_u128(7);

    fn decided(state: &'static str, left_ms: i64) -> Decided {
        Decided { state, hold: (state == "KEEP").then_some(HOLD), left_ms }
    }

    fn seen(state: &str, left_ms: Option<i64>) -> SeatSeen {
        let gone = ["SELL", "BLOCK"].contains(&state);
        let hold = (state == "KEEP").then_some(HOLD);
        let (state, claimed) = (state.to_owned(), false);
        SeatSeen { fence: 4, state, hold, user: None, gone, left_ms, claimed }
    }

    #[test]
    fn a_delivered_decision_is_not_drift() {
        for (decided, seen) in [
            (decided("FREE", 0), seen("FREE", None)),
            (decided("SELL", 0), seen("SELL", None)),
            (decided("BLOCK", 0), seen("BLOCK", None)),
            (decided("KEEP", 60_000), seen("KEEP", Some(58_000))),
            // Lapsed: first not swept yet, then swept.
            (decided("KEEP", -3_000), seen("KEEP", Some(-2_000))),
            (decided("KEEP", -2), seen("KEEP", Some(5))),
            (decided("KEEP", -30_000), seen("KEEP", None)),
            (decided("FREE", 0), seen("FREE", Some(-10))),
        ] {
            assert_eq!(between(4, decided, &seen), None, "{decided:?} {seen:?}");
        }
    }

    #[test]
    fn a_recent_claim_is_not_drift() {
        for decided in [decided("FREE", 0), decided("KEEP", -1_000)] {
            let claimed = SeatSeen { claimed: true, ..seen(decided.state, Some(4_900)) };
            assert_eq!(between(4, decided, &claimed), None);
            let stuck = SeatSeen { left_ms: Some(600_000), ..claimed };
            assert_eq!(between(4, decided, &stuck), Some(Drift::Wrong));
        }
    }

    #[test]
    fn every_other_difference_is_drift() {
        for (decided, seen) in [
            (decided("FREE", 0), seen("SELL", None)),
            (decided("SELL", 0), seen("FREE", None)),
            (decided("SELL", 0), SeatSeen { gone: false, ..seen("SELL", None) }),
            (decided("SELL", 0), seen("SELL", Some(9_000))),
            (decided("FREE", 0), SeatSeen { gone: true, ..seen("FREE", None) }),
            (decided("FREE", 0), seen("FREE", Some(9_000))),
            (decided("KEEP", 60_000), seen("KEEP", None)),
            (decided("KEEP", 60_000), seen("KEEP", Some(600_000))),
            (decided("KEEP", 60_000), SeatSeen { hold: None, ..seen("KEEP", Some(60_000)) }),
            (decided("FREE", 0), SeatSeen { fence: 3, ..seen("FREE", None) }),
        ] {
            assert_eq!(between(4, decided, &seen), Some(Drift::Wrong), "{seen:?}");
        }
        let later = SeatSeen { fence: 5, ..seen("SELL", None) };
        assert_eq!(between(4, decided("FREE", 0), &later), Some(Drift::Ahead));
    }
}
