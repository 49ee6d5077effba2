//! Why admission goes as it goes, with the figures of the sentence. Pure.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::forecast::{Faster, SellOut, Speeds};
use super::reason::{PaceReason, reason};
use super::seen::Seen;
use crate::admin::auto_admission::model::AutoRate;

/// Why admission goes as it goes, with the figures of the sentence.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Pace {
    /// The reason.
    pub reason: PaceReason,
    /// Since when it is so: the pause, or the last reading before Redis stopped to answer. Null if
    /// that is not recorded.
    pub since: Option<DateTime<Utc>>,
    /// Name of the administrator who paused admission. Null if nobody has.
    pub by: Option<String>,
    /// When it ends by itself: the opening, or the end of the pause after a loss. Null otherwise.
    pub until: Option<DateTime<Utc>>,
    /// Admissions per second that are set.
    pub set_per_second: u64,
    /// Admissions per second over the last 30 s. Null while unknown, and if there were none.
    pub measured_per_second: Option<f64>,
    /// Expected seconds until the first in the queue is admitted, by the same estimate as
    /// `eta_seconds`. Null while unknown, and if nobody is admitted.
    pub next_seconds: Option<u64>,
    /// When the last seat is sold at the present pace. Null while no seat is sold, or if that is
    /// more than 30 days away.
    pub sell_out: Option<SellOut>,
    /// What a higher limit would change. Null if none would sell faster.
    pub faster: Option<Faster>,
    /// The automatic rate. Null with the mode FIXED.
    pub auto: Option<AutoRate>,
}

impl Pace {
    /// The pace of a sale.
    #[must_use]
    pub fn of(seen: &Seen) -> Self {
        let reason = reason(seen);
        let (since, by) = match reason {
            PaceReason::RedisUnavailable => (seen.redis_lost_at, None),
            PaceReason::Paused => {
                seen.paused.clone().map_or((None, None), |(by, since)| (Some(since), Some(by)))
            }
            _ => (None, None),
        };
        let until = match reason {
            PaceReason::Recovering => seen.pause_until.filter(|until| *until > seen.now),
            PaceReason::Upcoming => Some(seen.opens_at),
            _ => None,
        };
        let flows = matches!(reason, PaceReason::Rate | PaceReason::Capacity | PaceReason::Running);
        let sells = flows || matches!(reason, PaceReason::Empty | PaceReason::Presence);
        let speeds = sells.then(|| Speeds::of(seen));
        Self {
            reason,
            since,
            by,
            until,
            set_per_second: seen.set_per_second,
            measured_per_second: seen.measured_per_second,
            next_seconds: seen.next_seconds.filter(|_| flows),
            sell_out: speeds.as_ref().and_then(Speeds::sell_out),
            // With an automatic rate, the fixed one changes nothing.
            faster: speeds
                .as_ref()
                .and_then(|speeds| speeds.faster(reason))
                .filter(|faster| seen.auto.is_none() || faster.setting != "admit_per_second"),
            auto: seen.auto.clone(),
        }
    }
}
