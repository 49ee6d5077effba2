//! When to ask again, and how long it may take.

use std::time::Duration;

use crate::board::meta::Drawn;
use crate::board::snapshot::Board;

/// Whoever may be let in within this time asks at least every [`NEAR_PAUSE_MS`], so that a loss of
/// Redis finds their tickets soon and a slot does not wait for them.
const NEAR: Duration = Duration::from_mins(1);
const NEAR_PAUSE_MS: u64 = 7_000;
const SHORTEST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 30_000;
/// While inside, asking only serves to learn that the slot is over.
const ACTIVE_MS: u64 = 10_000;

/// Expected seconds until somebody is let in, by the measured rate: (middle, low, high).
#[must_use]
pub fn eta(board: &Board, ahead: u64) -> Option<(u64, u64, u64)> {
    let rate = board.admit_rate()?;
    let (slow, fast) = board.admit_rate_range().unwrap_or((rate, rate));
    let seconds = |rate: f64| whole((as_float(ahead) + 1.0) / rate.max(0.001));
    let (middle, low, high) = (seconds(rate), seconds(fast), seconds(slow));
    Some((middle, low.min(middle), high.max(middle)))
}

/// Milliseconds until a waiting ticket should ask again: a tenth of the expected wait, by the rate
/// that is set, so that nobody's turn comes unnoticed; with jitter, so that answers do not bunch.
/// `spread` is any number that differs between tickets and moments.
#[must_use]
pub fn poll_after_ms(board: &Board, ahead: u64, spread: u64) -> u64 {
    let until_open = board.meta.opens_ms - board.now().timestamp_millis();
    let until_open = u64::try_from(until_open).unwrap_or(0);
    // Before a draw nobody is ahead of anybody, and everybody must have been heard from.
    let pending = board.meta.draw == Drawn::Pending;
    let ahead = if pending { board.line.waiting() } else { ahead };
    let longest = if pending { (board.meta.presence_ms / 3).max(SHORTEST_MS) } else { LONGEST_MS };
    let wait = until_open.saturating_add(ahead.saturating_mul(1000) / board.meta.rate.max(1));
    let mut pause = (wait / 10).clamp(SHORTEST_MS, LONGEST_MS.min(longest));
    if wait < u64::try_from(NEAR.as_millis()).unwrap_or(u64::MAX) {
        pause = pause.min(NEAR_PAUSE_MS);
    }
    jitter(pause, spread)
}

/// Milliseconds until an active ticket should ask again.
#[must_use]
pub fn poll_active_ms(spread: u64) -> u64 {
    jitter(ACTIVE_MS, spread)
}

/// Up to an eighth less: never longer than asked for.
fn jitter(pause: u64, spread: u64) -> u64 {
    // Fibonacci hashing: neighbouring numbers spread over the whole range.
    let part = spread.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
    pause - pause * part / 256 / 8
}

#[expect(clippy::cast_precision_loss, reason = "a number of people is far below 2^52")]
fn as_float(people: u64) -> f64 {
    people as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds are positive, and `as` saturates"
)]
fn whole(seconds: f64) -> u64 {
    seconds.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_only_shortens_and_spreads() {
        let pauses: std::collections::BTreeSet<u64> = (0..1000).map(|n| jitter(8000, n)).collect();
        assert!(pauses.iter().all(|pause| (7000..=8000).contains(pause)));
        assert!(pauses.len() > 200);
    }
}
