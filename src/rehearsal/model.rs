//! Requests and answers of rehearsals.

use chrono::{DateTime, Utc};
use garde::Validate;
use onsale_model::simulation::{Arrivals, Curve, SimulationInput, Takes};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sheet::Sheet;
use crate::admin::error::AdminError;
use crate::config::is_trusted;
use crate::store::id::{RehearsalId, ScheduleId, UserId};

/// Most synthetic buyers of a rehearsal.
pub const MAX_BUYERS: u32 = 50_000;
/// Runs of the forecast that a rehearsal is compared with.
pub const SEEDS: u64 = 3;
/// Seed of the crowd of a rehearsal, which none of the forecast's runs has.
pub const CROWD_SEED: u64 = 1_000;
/// Holds that a buyer tries, each for one seat less.
pub const ATTEMPTS: u32 = 4;

/// A rehearsal to start.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RehearsalPlan {
    /// Number of synthetic buyers.
    #[garde(range(min = 1, max = MAX_BUYERS))]
    #[schema(minimum = 1, maximum = 50_000)]
    pub buyers: u32,
    /// Requests per second of the generator, at most. Buyers wait for their turn beyond it, and the
    /// sheet says how long. Default: 500.
    #[serde(default = "usual_rate")]
    #[garde(range(min = 1, max = 5_000))]
    #[schema(minimum = 1, maximum = 5_000, default = 500)]
    pub requests_per_second: u32,
    /// Seconds before the opening within which half of the buyers come. Default: 20.
    #[serde(default = "usual_early")]
    #[garde(range(max = 3_600))]
    #[schema(maximum = 3_600, default = 20)]
    pub early_seconds: u32,
    /// Seconds after the opening within which nearly all others come. Default: 20.
    #[serde(default = "usual_late")]
    #[garde(range(min = 1, max = 3_600))]
    #[schema(minimum = 1, maximum = 3_600, default = 20)]
    pub late_seconds: u32,
    /// Seconds from admission to the hold, at the median. Default: 3.
    #[serde(default = "usual_time")]
    #[garde(range(min = 0.1, max = 600.0))]
    #[schema(minimum = 0.1, maximum = 600)]
    pub choose_seconds: f64,
    /// Seconds from the hold to the payment, at the median. Default: 3.
    #[serde(default = "usual_time")]
    #[garde(range(min = 0.1, max = 600.0))]
    #[schema(minimum = 0.1, maximum = 600)]
    pub pay_seconds: f64,
    /// Share of the buyers who are away when their turn comes. Default: 0.02.
    #[serde(default = "usual_no_shows")]
    #[garde(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub no_shows: f64,
    /// Share of the buyers with held seats who pay. Default: 0.9.
    #[serde(default = "usual_pays")]
    #[garde(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub pays: f64,
    /// Minutes after the opening at which it ends at the latest. Default: 15.
    #[serde(default = "usual_minutes")]
    #[garde(range(min = 1, max = 120))]
    #[schema(minimum = 1, maximum = 120, default = 15)]
    pub max_minutes: u32,
    /// Limit of the 99th percentile of each step, in milliseconds. Default: 1,000.
    #[serde(default = "usual_p99")]
    #[garde(range(min = 1, max = 60_000))]
    #[schema(minimum = 1, maximum = 60_000, default = 1_000)]
    pub p99_limit_ms: u32,
    /// URL at which the buyers call the service: https, or http on this machine. Default: the
    /// answering process, over loopback.
    #[serde(default)]
    #[garde(length(max = 500))]
    #[schema(max_length = 500)]
    pub base_url: Option<String>,
    /// Start although other sales are open. They may become slower.
    #[serde(default)]
    #[garde(skip)]
    pub beside_open_sales: bool,
}

macro_rules! usual {
    ($($name:ident: $type:ty = $value:literal,)+) => {
        $(fn $name() -> $type { $value })+
    };
}

usual! {
    usual_rate: u32 = 500,
    usual_early: u32 = 20,
    usual_late: u32 = 20,
    usual_time: f64 = 3.0,
    usual_no_shows: f64 = 0.02,
    usual_pays: f64 = 0.9,
    usual_minutes: u32 = 15,
    usual_p99: u32 = 1_000,
}

impl RehearsalPlan {
    /// The URL at which the buyers call the service; `None` means the answering process.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if it is no URL, or not safe.
    pub fn base_url(&self) -> Result<Option<Url>, AdminError> {
        let Some(text) = &self.base_url else { return Ok(None) };
        let url = text.parse::<Url>().ok().filter(is_trusted);
        let detail = "must be an https URL, or an http URL on this machine, without a user name";
        url.map(Some).ok_or_else(|| AdminError::invalid("/base_url", detail))
    }

    /// Makes the people of a forecast those of this rehearsal.
    pub fn set_crowd(&self, input: &mut SimulationInput) {
        input.people = self.buyers.into();
        input.most_simulated = u64::from(self.buyers).min(5_000);
        input.arrivals = Arrivals {
            early_share: if self.early_seconds == 0 { 0.0 } else { 0.5 },
            early_seconds: self.early_seconds.into(),
            late_seconds: self.late_seconds.into(),
            curve: Curve::Even,
        };
        let crowd = &mut input.crowd;
        (crowd.no_shows, crowd.pays, crowd.attempts) = (self.no_shows, self.pays, ATTEMPTS);
        crowd.choose = Takes::About(self.choose_seconds);
        crowd.pay = Takes::About(self.pay_seconds);
        crowd.retry = Takes::Between(1.0, 1.0);
    }
}

/// The state of a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RehearsalState {
    /// Buyers are buying.
    Running,
    /// Every line of the sheet passed.
    Passed,
    /// A line of the sheet failed.
    Failed,
    /// An operator ended it.
    Stopped,
    /// Its process died, or could not run it.
    Broken,
}

impl RehearsalState {
    /// The name in SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Passed => "PASSED",
            Self::Failed => "FAILED",
            Self::Stopped => "STOPPED",
            Self::Broken => "BROKEN",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        [Self::Running, Self::Passed, Self::Failed, Self::Stopped, Self::Broken]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// A rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Rehearsal {
    /// Id of the rehearsal.
    pub id: RehearsalId,
    /// The schedule that is rehearsed. Null if it was deleted since.
    #[schema(value_type = Option<i64>)]
    pub schedule_id: Option<ScheduleId>,
    /// The administrator who started it.
    pub admin: UserId,
    /// What was asked for.
    pub plan: RehearsalPlan,
    /// The state.
    pub state: RehearsalState,
    /// The live figures, or the last ones. Null before the first second.
    pub progress: Option<Progress>,
    /// The result. Null before the end.
    pub sheet: Option<Sheet>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When everything of its shadow was removed.
    pub removed_at: Option<DateTime<Utc>>,
}

/// The rehearsals of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RehearsalList {
    /// The rehearsals, newest first; 20 at most.
    pub items: Vec<Rehearsal>,
    /// Server time of this answer.
    pub server_time: DateTime<Utc>,
}

/// Live figures of a rehearsal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Seconds since the opening of the shadow; negative before it.
    pub seconds: f64,
    /// Buyers who have come.
    pub came: u64,
    /// Buyers who wait.
    pub waiting: u64,
    /// Buyers with an active slot, who choose or pay.
    pub buying: u64,
    /// Buyers who are done.
    pub done: u64,
    /// Buyers who bought.
    pub bought: u64,
    /// Seats paid for.
    pub seats_sold: u64,
    /// Requests so far.
    pub requests: u64,
    /// Requests of the last second.
    pub requests_per_second: f64,
    /// Answers that no client could have expected, so far.
    pub errors: u64,
    /// 99th percentile of all requests so far, in milliseconds.
    pub p99_ms: f64,
}
