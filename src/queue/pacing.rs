//! When to ask again, and how long it may take.

use crate::board::meta::Drawn;
use crate::board::rate::Rates;
use crate::board::snapshot::Board;

/// While inside, asking only serves to learn that the slot is over.
const ACTIVE_MS: u64 = 10_000;

/// Expected seconds until somebody is let in, by the measured rate: (middle, low, high).
#[must_use]
pub fn eta(rates: &Rates, ahead: u64) -> Option<(u64, u64, u64)> {
    let rate = rates.admit?;
    let (slow, fast) = rates.admit_range.unwrap_or((rate, rate));
    let seconds = |rate: f64| whole((as_float(ahead) + 1.0) / rate.max(0.001));
    let (middle, low, high) = (seconds(rate), seconds(fast), seconds(slow));
    Some((middle, low.min(middle), high.max(middle)))
}

/// Milliseconds until a waiting ticket should ask again, as [`crate::board::pace`] has it; with
/// jitter, so that answers do not bunch. `spread` is any number that differs between tickets and
/// moments.
#[must_use]
pub fn poll_after_ms(board: &Board, ahead: u64, spread: u64) -> u64 {
    // Before a draw nobody is ahead of anybody, and everybody must have been heard from.
    let pause = if board.meta.draw == Drawn::Pending {
        let heard = (board.meta.presence_ms / 3).max(1000);
        board.pace.pause_ms(board.line.waiting()).min(heard)
    } else {
        board.pace.pause_ms(ahead)
    };
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
