//! How often whoever waits is told of a new place. A changed status is told at once.

use std::time::Duration;

use crate::board::snapshot::Board;

/// Expected milliseconds until somebody is let in, and how far apart their events are then.
const NEAR: (u64, Duration) = (60_000, Duration::from_secs(1));
const MIDWAY: (u64, Duration) = (300_000, Duration::from_millis(2500));
const FAR: Duration = Duration::from_secs(5);

/// The pause between two events for whoever has `ahead` people before them, by the rate that is
/// set; with up to a quarter more by `spread`, so that a change that all are told at once does not
/// keep them in step.
#[must_use]
pub fn pause(board: &Board, ahead: u64, spread: u64) -> Duration {
    let until_open = board.meta.opens_ms - board.now().timestamp_millis();
    let until_open = u64::try_from(until_open).unwrap_or(0);
    of(until_open.saturating_add(ahead.saturating_mul(1000) / board.meta.rate.max(1)), spread)
}

fn of(wait_ms: u64, spread: u64) -> Duration {
    let pause = match wait_ms {
        wait if wait < NEAR.0 => NEAR.1,
        wait if wait < MIDWAY.0 => MIDWAY.1,
        _ => FAR,
    };
    // Fibonacci hashing: neighbouring sequences spread over the whole range.
    let part = spread.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
    pause + pause / 1024 * u32::try_from(part).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_is_told_every_second_and_the_far_end_every_five_and_none_in_step() {
        for (wait, least) in [(0, 1000), (59_999, 1000), (60_000, 2500), (300_000, 5000)] {
            let pauses: std::collections::BTreeSet<_> =
                (0..1000).map(|sequence| of(wait, sequence).as_millis()).collect();
            assert!(*pauses.first().unwrap() >= least, "{wait}");
            assert!(*pauses.last().unwrap() <= least * 5 / 4, "{wait}");
            assert!(pauses.len() > 200);
        }
    }
}
