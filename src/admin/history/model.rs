//! The history of a sale, as the API gives it.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::admin::rules::storable;

/// Seconds between two values. The longest one that answers a time that long.
pub const STEPS: [u32; 3] = [1, 10, 60];
/// Most values of one series in one answer: a week of minutes.
pub const MAX_VALUES: i64 = 10_080;

/// Which part of the history.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Begin. Default: an hour before `until`.
    #[garde(custom(storable))]
    pub from: Option<DateTime<Utc>>,
    /// End. Default: now.
    #[garde(custom(storable))]
    pub until: Option<DateTime<Utc>>,
    /// Seconds between two values: 1, 10 or 60. Default: the shortest with at most 3,600 values.
    #[garde(range(min = 1, max = 60))]
    #[param(minimum = 1, maximum = 60)]
    pub step: Option<u32>,
}

/// The history of a sale. The value `n` of each series is that of the `step` seconds from
/// `from + n × step` on; null where nothing was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct History {
    /// Begin of the first value.
    pub from: DateTime<Utc>,
    /// End of the last value.
    pub until: DateTime<Utc>,
    /// Seconds between two values.
    pub step: u32,
    /// The series.
    pub series: Series,
    /// What changed, in order of time. At most 500, the latest.
    pub markers: Vec<Marker>,
    /// When the last reading was written. Null if there is none in the time asked for.
    pub recorded_until: Option<DateTime<Utc>>,
    /// Server time of this answer.
    pub server_time: DateTime<Utc>,
}

macro_rules! series {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// The values of each series. Figures of the sale are totals; those of the answers are of
        /// all processes together, for all sales.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
        pub struct Series {
            $($(#[$doc])* pub $name: Vec<Option<f64>>,)+
        }

        /// One value of each series.
        #[derive(Debug, Clone, Copy, Default, PartialEq)]
        pub struct Values {
            $($(#[$doc])* pub $name: Option<f64>,)+
        }

        impl Series {
            /// Adds one value to each series.
            pub fn push(&mut self, values: &Values) {
                $(self.$name.push(values.$name.map(rounded));)+
            }
        }

        impl Values {
            /// The averages of values; `None` where all are.
            #[must_use]
            pub fn average(all: &[Self]) -> Self {
                Self { $($name: average(all.iter().map(|one| one.$name)),)+ }
            }
        }
    };
}

series! {
    /// Entries that wait, with those that have returned.
    waiting,
    /// Active slots.
    active,
    /// Entries that were passed over and are not back.
    parked,
    /// Limit of active slots.
    capacity,
    /// Admissions per second that are set.
    set_per_second,
    /// Joins per second.
    joins_per_second,
    /// Admissions per second.
    admissions_per_second,
    /// Entries per second that ended: paid, left or expired.
    ends_per_second,
    /// Entries per second that were ended by time.
    expiries_per_second,
    /// Seats that are claimed or held.
    held,
    /// Seats paid for.
    sold,
    /// Seats sold per second.
    sales_per_second,
    /// Amount paid, in points, at most five seconds old.
    revenue,
    /// Refused joins and holds per second.
    refusals_per_second,
    /// Processes that serve.
    processes,
    /// 99th percentile of the answers to joins, in ms.
    join_p99_ms,
    /// 99th percentile of the answers to polls, in ms.
    poll_p99_ms,
    /// 99th percentile of the answers to holds, in ms.
    hold_p99_ms,
    /// 99th percentile of the answers to payments, in ms.
    pay_p99_ms,
    /// Answers with status 500 or above per second.
    errors_per_second,
    /// Answers with status 429 per second.
    limited_per_second,
}

/// What a marker is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MarkerKind {
    /// The sale opened.
    Opened,
    /// Every seat is sold or blocked.
    SoldOut,
    /// Seats are free again after that.
    Reopened,
    /// The sale closed.
    Closed,
    /// The draw was finished.
    Drawn,
    /// Redis lost its data, or admission paused after a stall.
    Recovering,
    /// The queue was rebuilt: `epoch` is the new one.
    Rebuilt,
    /// Redis differed from PostgreSQL and was repaired: `after` has what and how many.
    Repaired,
    /// An administrator paused admission.
    Paused,
    /// An administrator resumed admission.
    Resumed,
    /// An administrator changed the message.
    Message,
    /// An administrator changed something else.
    Changed,
}

/// Something that changed in a sale.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Marker {
    /// When it changed. Changes that the readings show are exact to their step.
    pub at: DateTime<Utc>,
    /// What changed.
    pub kind: MarkerKind,
    /// Name of the administrator who changed it. Null if nobody did.
    pub by: Option<String>,
    /// The action in the audit, such as `queue.change`. Null if nobody changed it.
    pub action: Option<String>,
    /// The changed members before. Null if they are not recorded.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The changed members after. Null if they are not recorded.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// The epoch after a rebuild. Null otherwise.
    pub epoch: Option<i64>,
}

/// A value with three decimals.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn average(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for value in values.flatten() {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}
