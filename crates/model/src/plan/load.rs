//! The load of a sale over time, and at its peak.

use serde::Serialize;

use super::input::{PlanInput, Settings};
use crate::number::{ceiling, count, float};
use crate::pacing::{PollPacing, QueueLoad, event_pause, longest_ms};
use crate::queue::MIN_REACH;

/// Poll intervals are up to an eighth shorter than paced, a sixteenth on average.
const JITTER: f64 = 16.0 / 15.0;
/// Pauses between events are up to a quarter longer, an eighth on average.
const EVENT_JITTER: f64 = 1.125;
/// Clients that follow the public board read it this often.
const BOARD_SECONDS: f64 = 5.0;
/// Steps into which the time of a sale is divided.
const STEPS: u32 = 120;

/// The load of a sale at its peak, per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = PeakLoad))]
pub struct Load {
    /// Joins per second.
    pub joins: f64,
    /// People in the queue.
    pub waiting: u64,
    /// Polls per second after pacing, if each client polls with its ticket.
    pub polls: f64,
    /// Polls in the whole sale, in the same case.
    pub polls_in_total: f64,
    /// Polls per second of the clients near the front, if the others read the public board.
    pub polls_near_front: f64,
    /// Reads of the public board per second, at the CDN.
    pub board_reads: f64,
    /// Share of these requests that a CDN answers.
    pub cdn_share: f64,
    /// Position events per second, if each client has a stream in place of polls.
    pub stream_events: f64,
    /// Admissions per second.
    pub admissions: f64,
    /// Purchases per second.
    pub purchases: f64,
    /// Refused holds per second.
    pub refusals: f64,
    /// Seats sold per second.
    pub seats: f64,
}

/// The queue at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    waiting: u64,
    polls: f64,
    near_front: f64,
}

/// How the queue of a sale grows and shrinks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    pub people: f64,
    pub arrive_seconds: f64,
    pub early_share: f64,
    pub rate: f64,
    /// From the opening to the last seat.
    pub sell_seconds: f64,
    pub presence_seconds: u64,
    pub claim_seconds: u64,
    pub polls_ceiling: u32,
}

impl Course {
    pub(super) fn of(input: &PlanInput) -> Self {
        Self {
            people: float(input.people),
            arrive_seconds: input.arrive_minutes * 60.0,
            early_share: input.early_share,
            rate: input.rate(),
            sell_seconds: input.minutes * 60.0,
            presence_seconds: input.presence_seconds,
            claim_seconds: input.claim_seconds,
            polls_ceiling: input.polls_ceiling,
        }
    }

    fn before_opening(&self) -> f64 {
        self.arrive_seconds * self.early_share
    }

    /// The queue at a time after the opening (s; negative before it).
    fn at(&self, seconds: f64) -> Moment {
        let since = (seconds + self.before_opening()).max(0.0);
        let joined = self.people * (since / self.arrive_seconds.max(1e-9)).min(1.0);
        let waiting = count(joined - self.rate * seconds.max(0.0));
        let load = QueueLoad {
            waiting,
            per_second: ceiling(self.rate).max(1),
            until_open_ms: count((-seconds).max(0.0) * 1000.0),
            longest_ms: longest_ms(self.presence_seconds * 1000, self.claim_seconds * 1000),
        };
        let pacing = PollPacing::of(load, self.polls_ceiling);
        let reach = MIN_REACH.max(count(self.rate * 60.0)).min(waiting);
        Moment {
            waiting,
            polls: float(pacing.polls_per_second(waiting)) * JITTER,
            near_front: float(pacing.polls_per_second(reach)) * JITTER,
        }
    }

    /// The highest value of each kind, and the polls in total. After the last seat, everybody who
    /// waits polls once more.
    fn peak(&self) -> (Moment, f64) {
        let begin = -self.before_opening();
        let step = (self.sell_seconds - begin) / f64::from(STEPS);
        let (mut peak, mut total) = (Moment::default(), 0.0);
        for number in 0..STEPS {
            let now = self.at(begin + step * (f64::from(number) + 0.5));
            total += now.polls * step;
            peak.waiting = peak.waiting.max(now.waiting);
            peak.polls = peak.polls.max(now.polls);
            peak.near_front = peak.near_front.max(now.near_front);
        }
        (peak, total + float(self.at(self.sell_seconds).waiting))
    }

    /// The polls of the whole sale.
    pub(super) fn polls_in_total(&self) -> f64 {
        self.peak().1
    }
}

impl Load {
    /// The load of a sale.
    #[must_use]
    pub(super) fn at_peak(input: &PlanInput, settings: Settings) -> Self {
        let (peak, polls_in_total) = Course::of(input).peak();
        let reach = MIN_REACH.max(settings.admit_per_second * 60).min(peak.waiting);
        let board_reads = float(peak.waiting - reach) / BOARD_SECONDS;
        let purchases = input.purchases();
        Self {
            joins: float(input.people) / (input.arrive_minutes * 60.0),
            waiting: peak.waiting,
            polls: peak.polls,
            polls_in_total,
            polls_near_front: peak.near_front,
            board_reads,
            cdn_share: board_reads / (board_reads + peak.near_front).max(1e-9),
            stream_events: stream_events(peak.waiting, settings.admit_per_second),
            admissions: input.rate(),
            purchases,
            refusals: purchases * input.refusals_per_purchase,
            seats: purchases * input.seats_per_buyer,
        }
    }
}

/// Position events per second of a queue whose clients all have streams.
fn stream_events(waiting: u64, per_second: u64) -> f64 {
    let (mut sum, mut from) = (0.0, 0);
    for (wait_ms, upto) in [(0, per_second * 60), (60_000, per_second * 300), (300_000, waiting)] {
        let entries = upto.min(waiting).saturating_sub(from);
        sum += float(entries) / (event_pause(wait_ms, 0).as_secs_f64() * EVENT_JITTER);
        from = upto.min(waiting).max(from);
    }
    sum
}
