//! Whether what Redis has of a seat contradicts what PostgreSQL has decided about it. Pure.
//!
//! Compared is a seat that the outbox names no more, so that Redis has heard of the fence that
//! PostgreSQL showed, and looked at in Redis after that. Then only this may differ: Redis may know of
//! a later change, and a seat may carry a claim of a few seconds.

use crate::seats::model::SeatSeen;
use crate::seats::redis::Decided;

/// How long a claim lasts, as `hold/take` has it.
const CLAIM_MS: i64 = 5_000;
/// By how much the end of a hold may differ: the two stores' clocks, and what telling took.
const SLACK_MS: i64 = 5_000;

/// How Redis contradicts PostgreSQL about a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// Redis shows an older change, or the same one otherwise than it was.
    Wrong,
    /// Redis shows a later change than PostgreSQL did: most likely it is one of a moment ago.
    Ahead,
}

/// What PostgreSQL says of a seat, `fence` and `decided`, beside what Redis was `seen` to have.
#[must_use]
pub fn between(fence: i64, decided: Decided, seen: &SeatSeen) -> Option<Contradiction> {
    if seen.fence > fence {
        return Some(Contradiction::Ahead);
    }
    let gone = ["SELL", "BLOCK"].contains(&decided.state);
    let kept = decided.state == "KEEP";
    let fits = seen.fence == fence
        && seen.state == decided.state
        && seen.gone == gone
        // Whom a seat is sold to is not told after a rebuilding; who holds it always is.
        && (!kept || seen.hold == decided.hold)
        && (if gone { seen.left_ms.is_none() } else { held_as_long(decided, seen) });
    (!fits).then_some(Contradiction::Wrong)
}

/// Whether a seat that is not gone is off the market for as long as it should be.
fn held_as_long(decided: Decided, seen: &SeatSeen) -> bool {
    let left = seen.left_ms.unwrap_or(0);
    let keeps = decided.state == "KEEP";
    let kept = if keeps { decided.left_ms } else { 0 };
    let claimed = if seen.claimed { CLAIM_MS } else { 0 };
    // A hold that is just over by one clock may not be by the other.
    let slack = if keeps || seen.claimed { SLACK_MS } else { 0 };
    let too_long = left > kept.max(claimed) + slack;
    !too_long && left >= kept - SLACK_MS
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
        SeatSeen { fence: 4, state: state.to_owned(), hold, gone, left_ms, claimed: false }
    }

    #[test]
    fn what_was_told_is_no_contradiction() {
        for (decided, seen) in [
            (decided("FREE", 0), seen("FREE", None)),
            (decided("SELL", 0), seen("SELL", None)),
            (decided("BLOCK", 0), seen("BLOCK", None)),
            (decided("KEEP", 60_000), seen("KEEP", Some(58_000))),
            // Lapsed, on the map until it is swept, and off it.
            (decided("KEEP", -3_000), seen("KEEP", Some(-2_000))),
            (decided("KEEP", -2), seen("KEEP", Some(5))),
            (decided("KEEP", -30_000), seen("KEEP", None)),
            (decided("FREE", 0), seen("FREE", Some(-10))),
        ] {
            assert_eq!(between(4, decided, &seen), None, "{decided:?} {seen:?}");
        }
    }

    #[test]
    fn a_claim_of_a_moment_ago_is_no_contradiction() {
        for decided in [decided("FREE", 0), decided("KEEP", -1_000)] {
            let claimed = SeatSeen { claimed: true, ..seen(decided.state, Some(4_900)) };
            assert_eq!(between(4, decided, &claimed), None);
            let stuck = SeatSeen { left_ms: Some(600_000), ..claimed };
            assert_eq!(between(4, decided, &stuck), Some(Contradiction::Wrong));
        }
    }

    #[test]
    fn whatever_else_differs_is_one() {
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
            assert_eq!(between(4, decided, &seen), Some(Contradiction::Wrong), "{seen:?}");
        }
        let later = SeatSeen { fence: 5, ..seen("SELL", None) };
        assert_eq!(between(4, decided("FREE", 0), &later), Some(Contradiction::Ahead));
    }
}
