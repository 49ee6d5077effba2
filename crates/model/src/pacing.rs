//! How long clients wait before they poll again, and how often streams send a new position.
//!
//! A queue of a million must not overload the service, and no client may learn of its turn late.

use std::time::Duration;

/// A client that may be admitted within this time (ms) polls at least every [`NEAR_PAUSE_MS`].
/// After a loss of Redis the tickets near the front are then shown again soon, and no slot waits
/// for them.
const NEAR_MS: u64 = 60_000;
const NEAR_PAUSE_MS: u64 = 7_000;
/// Shortest and longest pause before the ceiling stretches it.
const SHORTEST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 30_000;
/// A client learns of its turn at most this much late, at the configured rate.
const LATE_MS: u64 = 2_000;
/// A pause is this fraction of the shortest possible wait, within the bounds.
const PART: u64 = 10;
/// Maximum factor by which the ceiling stretches a pause.
const MAX_STRETCH: u64 = 64;

/// The poll pauses of one queue, as of one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollPacing {
    /// Time until the sale opens (ms).
    until_open_ms: u64,
    /// Maximum admissions per second: the setting, not a measured rate, so that no client learns of
    /// its turn late.
    per_second: u64,
    /// Longest pause: a client that polls as asked must never count as absent.
    longest_ms: u64,
    /// Factor by which pauses are stretched, in sixteenths.
    stretch: u64,
}

/// What the poll pauses of a queue depend on.
#[derive(Debug, Clone, Copy)]
pub struct QueueLoad {
    /// Waiting entries.
    pub waiting: u64,
    /// Maximum admissions per second.
    pub per_second: u64,
    /// Time until the sale opens (ms).
    pub until_open_ms: u64,
    /// Longest pause between polls (ms).
    pub longest_ms: u64,
}

/// The longest pause between polls, in ms, with which no client counts as absent: half a presence
/// window and three quarters of a claim window, however fast silent entries ahead are passed over.
#[must_use]
pub fn longest_ms(presence_ms: u64, claim_ms: u64) -> u64 {
    (presence_ms / 2).min(claim_ms / 4 * 3).max(SHORTEST_MS / 2)
}

impl Default for PollPacing {
    fn default() -> Self {
        Self { until_open_ms: 0, per_second: 1, longest_ms: LONGEST_MS, stretch: 16 }
    }
}

impl PollPacing {
    /// The shortest pauses that cause at most `ceiling` polls per second. The longest pause takes
    /// precedence over the ceiling.
    #[must_use]
    pub fn of(load: QueueLoad, ceiling: u32) -> Self {
        let QueueLoad { waiting, per_second, until_open_ms, longest_ms } = load;
        let per_second = per_second.max(1);
        let mut pacing = Self { until_open_ms, per_second, longest_ms, stretch: 16 };
        while pacing.polls_per_second(waiting) > u64::from(ceiling)
            && pacing.stretch < 16 * MAX_STRETCH
        {
            pacing.stretch += (pacing.stretch / 16).max(1);
        }
        pacing
    }

    /// Pause in ms for an entry with `ahead` others before it, without jitter: a tenth of the
    /// shortest possible wait, within the bounds.
    #[must_use]
    pub fn pause_ms(&self, ahead: u64) -> u64 {
        let wait = self.until_open_ms.saturating_add(ahead.saturating_mul(1000) / self.per_second);
        let pause = (wait / PART).clamp(SHORTEST_MS, LONGEST_MS).saturating_mul(self.stretch) / 16;
        let bound = wait.saturating_add(LATE_MS).min(self.longest_ms);
        if wait < NEAR_MS { pause.min(bound).min(NEAR_PAUSE_MS) } else { pause.min(bound) }
    }

    /// Polls per second of `waiting` entries, summed over sixty-fourths of the queue.
    #[must_use]
    pub fn polls_per_second(&self, waiting: u64) -> u64 {
        const PARTS: u64 = 64;
        let near = self.per_second.saturating_mul(NEAR_MS / 1000).min(waiting);
        let sum = |from: u64, entries: u64| -> u64 {
            let part = |part: u64| {
                let (first, next) = (entries * part / PARTS, entries * (part + 1) / PARTS);
                (next - first) * 1000 / self.pause_ms(from + first)
            };
            (0..PARTS).map(part).sum()
        };
        // The front separately: pauses differ most there.
        sum(0, near) + sum(near, waiting - near)
    }
}

/// Pause between polls of an active ticket, in ms: a poll only has to detect the end of the slot.
const ACTIVE_MS: u64 = 10_000;

/// Below this expected wait (ms), the events of a stream come this far apart.
const NEAR_EVENTS: (u64, Duration) = (NEAR_MS, Duration::from_secs(1));
const MIDWAY_EVENTS: (u64, Duration) = (300_000, Duration::from_millis(2500));
const FAR_EVENTS: Duration = Duration::from_secs(5);

/// Pause before the next poll of an active ticket, in ms, with jitter.
#[must_use]
pub fn poll_active_ms(spread: u64) -> u64 {
    shorten(ACTIVE_MS, spread)
}

/// `pause_ms` minus up to an eighth, so that clients do not poll in step. `spread` is any number
/// that differs between tickets and moments.
#[must_use]
pub fn shorten(pause_ms: u64, spread: u64) -> u64 {
    pause_ms - pause_ms * jitter(spread) / 256 / 8
}

/// Pause between two position events of a stream whose client waits about `wait_ms` more. `spread`
/// makes it up to a quarter longer: a change for all clients must not leave the streams in step.
#[must_use]
pub fn event_pause(wait_ms: u64, spread: u64) -> Duration {
    let pause = match wait_ms {
        wait if wait < NEAR_EVENTS.0 => NEAR_EVENTS.1,
        wait if wait < MIDWAY_EVENTS.0 => MIDWAY_EVENTS.1,
        _ => FAR_EVENTS,
    };
    pause + pause / 1024 * u32::try_from(jitter(spread)).unwrap_or(0)
}

/// A number from 0 to 255. Fibonacci hashing: neighbouring numbers spread over the whole range.
fn jitter(spread: u64) -> u64 {
    spread.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Polls per second, summed entry by entry.
    fn exact(pacing: &PollPacing, waiting: u64) -> u64 {
        let sum: f64 = (0..waiting)
            .map(|ahead| 1000.0 / f64::from(u32::try_from(pacing.pause_ms(ahead)).unwrap()))
            .sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let sum = sum as u64;
        sum
    }

    fn pacing(waiting: u64, per_second: u64, until_open_ms: u64, ceiling: u32) -> PollPacing {
        let longest_ms = longest_ms(600_000, 600_000);
        PollPacing::of(QueueLoad { waiting, per_second, until_open_ms, longest_ms }, ceiling)
    }

    #[test]
    fn the_polls_of_a_million_waiting_entries_stay_below_the_ceiling() {
        for (rate, ceiling) in [(50, 30_000), (50, 5_000), (200, 10_000), (1000, 35_000)] {
            let polls = exact(&pacing(1_000_000, rate, 0, ceiling), 1_000_000);
            assert!(polls <= u64::from(ceiling) * 101 / 100, "{polls} at {rate}/s, not {ceiling}");
        }
        // Before the opening as well, when the whole queue is far from its turn.
        let polls = exact(&pacing(1_000_000, 50, 600_000, 5_000), 1_000_000);
        assert!(polls <= 5_050, "{polls}");
    }

    #[test]
    fn no_ceiling_makes_a_pause_longer_than_presence_lasts() {
        assert_eq!((longest_ms(90_000, 60_000), longest_ms(90_000, 10_000)), (45_000, 7_500));
        assert_eq!((longest_ms(600_000, 600_000), longest_ms(1_000, 1_000)), (300_000, 500));
        let load = QueueLoad {
            waiting: 10_000_000,
            per_second: 50,
            until_open_ms: 3_600_000,
            longest_ms: longest_ms(90_000, 60_000),
        };
        let pacing = PollPacing::of(load, 1_000);
        assert!((0..10_000_000).step_by(1000).all(|ahead| pacing.pause_ms(ahead) <= 45_000));
    }

    #[test]
    fn in_a_short_queue_pauses_are_short_at_the_front_and_long_at_the_back() {
        let pacing = pacing(100_000, 50, 0, 30_000);
        assert_eq!(pacing.stretch, 16);
        assert_eq!((pacing.pause_ms(0), pacing.pause_ms(100)), (1_000, 1_000));
        assert_eq!((pacing.pause_ms(1000), pacing.pause_ms(2999)), (2_000, 5_998));
        assert_eq!((pacing.pause_ms(3000), pacing.pause_ms(90_000)), (6_000, 30_000));
    }

    proptest! {
        #[test]
        fn no_client_learns_of_its_turn_more_than_two_seconds_late(
            waiting in 1u64..3_000_000, rate in 1u64..2_000, open in 0u64..3_600_000,
            ceiling in 100u32..50_000, part in 0u64..1000,
        ) {
            let stretched = pacing(waiting, rate, open, ceiling);
            let ahead = waiting * part / 1000;
            let wait = open + ahead * 1000 / rate;
            let pause = stretched.pause_ms(ahead);
            prop_assert!(pause >= 1_000 && pause <= wait + 2_000);
            prop_assert!(wait >= 60_000 || pause <= 7_000);
            prop_assert!(pause >= pacing(waiting, rate, open, 1_000_000).pause_ms(ahead));
        }
    }

    #[test]
    fn jitter_only_shortens_poll_pauses_and_spreads_them() {
        let pauses: std::collections::BTreeSet<u64> = (0..1000).map(|n| shorten(8000, n)).collect();
        assert!(pauses.iter().all(|pause| (7000..=8000).contains(pause)));
        assert!(pauses.len() > 200);
    }

    #[test]
    fn events_come_every_second_at_the_front_every_five_at_the_back_and_not_in_step() {
        for (wait, least) in [(0, 1000), (59_999, 1000), (60_000, 2500), (300_000, 5000)] {
            let pauses: std::collections::BTreeSet<_> =
                (0..1000).map(|sequence| event_pause(wait, sequence).as_millis()).collect();
            assert!(*pauses.first().unwrap() >= least, "{wait}");
            assert!(*pauses.last().unwrap() <= least * 5 / 4, "{wait}");
            assert!(pauses.len() > 200);
        }
    }
}
