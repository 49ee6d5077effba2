//! How long clients wait before they ask again, so that a line of a million does not drown the
//! service, and nobody's turn goes by unnoticed.

/// Whoever may be let in within this time asks at least every [`NEAR_PAUSE_MS`], so that a loss of
/// Redis finds their tickets soon and a slot does not wait for them.
const NEAR_MS: u64 = 60_000;
const NEAR_PAUSE_MS: u64 = 7_000;
const SHORTEST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 30_000;
/// A turn goes by unnoticed for this long at most, by the rate that is set.
const LATE_MS: u64 = 2_000;
/// Pauses are a tenth of the wait, where nothing keeps them from it.
const PART: u64 = 10;
/// Further than this no pause is stretched: who would come back after an hour?
const MOST_STRETCH: u64 = 64;

/// How often the people of one line ask, as of one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Until the sale opens.
    until_open_ms: u64,
    /// Admissions per second at most: the setting, since a turn must not come unnoticed.
    per_second: u64,
    /// Longest pause, so that nobody who polls as asked is taken for absent.
    longest_ms: u64,
    /// By how much the pauses of those further back are stretched, in sixteenths.
    stretch: u64,
}

/// The queue that a pace is made for.
#[derive(Debug, Clone, Copy)]
pub struct Paced {
    /// Entries.
    pub waiting: u64,
    /// Admissions per second at most.
    pub per_second: u64,
    /// Until the sale opens.
    pub until_open_ms: u64,
    /// The longest pause that may be asked for.
    pub longest_ms: u64,
}

/// The longest pause between polls that lets nobody be taken for absent: half a presence window,
/// and three quarters of a claim window, however quickly silent entries ahead are passed over.
#[must_use]
pub fn longest_ms(presence_ms: u64, claim_ms: u64) -> u64 {
    (presence_ms / 2).min(claim_ms / 4 * 3).max(SHORTEST_MS)
}

impl Default for Pace {
    fn default() -> Self {
        Self { until_open_ms: 0, per_second: 1, longest_ms: LONGEST_MS, stretch: 16 }
    }
}

impl Pace {
    /// The pace of a queue, with the shortest pauses that cause no more than `ceiling` polls per
    /// second, as far as its longest pause allows.
    #[must_use]
    pub fn of(line: Paced, ceiling: u32) -> Self {
        let Paced { waiting, per_second, until_open_ms, longest_ms } = line;
        let per_second = per_second.max(1);
        let mut pace = Self { until_open_ms, per_second, longest_ms, stretch: 16 };
        while pace.polls_per_second(waiting) > u64::from(ceiling)
            && pace.stretch < 16 * MOST_STRETCH
        {
            pace.stretch += (pace.stretch / 16).max(1);
        }
        pace
    }

    /// Milliseconds until somebody with `ahead` people before them should ask again, before jitter:
    /// a tenth of the least they can have to wait, within bounds.
    #[must_use]
    pub fn pause_ms(&self, ahead: u64) -> u64 {
        let wait = self.until_open_ms.saturating_add(ahead.saturating_mul(1000) / self.per_second);
        let pause = (wait / PART).clamp(SHORTEST_MS, LONGEST_MS).saturating_mul(self.stretch) / 16;
        let bound = wait.saturating_add(LATE_MS).min(self.longest_ms);
        if wait < NEAR_MS { pause.min(bound).min(NEAR_PAUSE_MS) } else { pause.min(bound) }
    }

    /// The polls per second that `waiting` people cause, summed over sixty-fourths of the line.
    fn polls_per_second(&self, waiting: u64) -> u64 {
        const PARTS: u64 = 64;
        let near = self.per_second.saturating_mul(NEAR_MS / 1000).min(waiting);
        let sum = |from: u64, people: u64| -> u64 {
            let part = |part: u64| {
                let (first, next) = (people * part / PARTS, people * (part + 1) / PARTS);
                (next - first) * 1000 / self.pause_ms(from + first)
            };
            (0..PARTS).map(part).sum()
        };
        // The front by itself: pauses differ most there.
        sum(0, near) + sum(near, waiting - near)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What everybody asks per second, person by person.
    fn exact(pace: &Pace, waiting: u64) -> u64 {
        let sum: f64 = (0..waiting)
            .map(|ahead| 1000.0 / f64::from(u32::try_from(pace.pause_ms(ahead)).unwrap()))
            .sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let sum = sum as u64;
        sum
    }

    fn pace(waiting: u64, per_second: u64, until_open_ms: u64, ceiling: u32) -> Pace {
        let longest_ms = longest_ms(600_000, 600_000);
        Pace::of(Paced { waiting, per_second, until_open_ms, longest_ms }, ceiling)
    }

    #[test]
    fn a_million_who_wait_stay_under_the_ceiling() {
        for (rate, ceiling) in [(50, 30_000), (50, 5_000), (200, 10_000), (1000, 35_000)] {
            let asked = exact(&pace(1_000_000, rate, 0, ceiling), 1_000_000);
            assert!(asked <= u64::from(ceiling) * 101 / 100, "{asked} at {rate}/s, not {ceiling}");
        }
        // Before the opening as well, when the whole line is far from its turn.
        let asked = exact(&pace(1_000_000, 50, 600_000, 5_000), 1_000_000);
        assert!(asked <= 5_050, "{asked}");
    }

    #[test]
    fn no_ceiling_asks_anybody_to_be_silent_for_longer_than_their_presence_lasts() {
        assert_eq!((longest_ms(90_000, 60_000), longest_ms(90_000, 10_000)), (45_000, 7_500));
        assert_eq!((longest_ms(600_000, 600_000), longest_ms(1_000, 1_000)), (300_000, 1_000));
        let line = Paced {
            waiting: 10_000_000,
            per_second: 50,
            until_open_ms: 3_600_000,
            longest_ms: longest_ms(90_000, 60_000),
        };
        let pace = Pace::of(line, 1_000);
        assert!((0..10_000_000).step_by(1000).all(|ahead| pace.pause_ms(ahead) <= 45_000));
    }

    #[test]
    fn a_short_line_asks_often_in_front_and_seldom_at_the_back() {
        let pace = pace(100_000, 50, 0, 30_000);
        assert_eq!(pace.stretch, 16);
        assert_eq!((pace.pause_ms(0), pace.pause_ms(100)), (1_000, 1_000));
        assert_eq!((pace.pause_ms(1000), pace.pause_ms(2999)), (2_000, 5_998));
        assert_eq!((pace.pause_ms(3000), pace.pause_ms(90_000)), (6_000, 30_000));
    }

    proptest! {
        #[test]
        fn nobodys_turn_goes_by_for_more_than_two_seconds(
            waiting in 1u64..3_000_000, rate in 1u64..2_000, open in 0u64..3_600_000,
            ceiling in 100u32..50_000, part in 0u64..1000,
        ) {
            let chosen = pace(waiting, rate, open, ceiling);
            let ahead = waiting * part / 1000;
            let wait = open + ahead * 1000 / rate;
            let pause = chosen.pause_ms(ahead);
            prop_assert!(pause >= 1_000 && pause <= wait + 2_000);
            prop_assert!(wait >= 60_000 || pause <= 7_000);
            prop_assert!(pause >= pace(waiting, rate, open, 1_000_000).pause_ms(ahead));
        }
    }
}
