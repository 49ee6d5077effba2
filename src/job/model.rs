//! Jobs as the API shows them.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::store::id::{JobId, ScheduleId, UserId};

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobState {
    /// No process has begun it.
    Pending,
    /// Some pages may be done.
    Running,
    /// All of it is done.
    Done,
    /// It was given up; `error` says why. What was done before stays done.
    Failed,
    /// An operator cancelled it. What was done before stays done.
    Cancelled,
}

impl JobState {
    /// The value that PostgreSQL stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let all = [Self::Pending, Self::Running, Self::Done, Self::Failed, Self::Cancelled];
        all.into_iter().find(|state| state.as_str() == name)
    }
}

/// Long work of an operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Id of the job. Newer jobs have higher ids.
    pub id: JobId,
    /// What it does: `REFUND_SCHEDULE` or `ERASE_USER`.
    pub kind: String,
    /// The schedule that it is about; null if there is none.
    pub schedule_id: Option<ScheduleId>,
    /// The user that it is about; null if there is none.
    pub user_id: Option<UserId>,
    /// What was asked for.
    #[schema(value_type = Object)]
    pub parameters: Value,
    /// The administrator who asked for it.
    pub requested_by: UserId,
    /// Name of that administrator.
    pub requested_by_name: String,
    /// State of the job.
    pub state: JobState,
    /// Whether it can be cancelled now.
    pub cancellable: bool,
    /// Number of items, as counted when it was asked for; null if unknown. More may be done.
    pub total: Option<i64>,
    /// Number of items done so far.
    pub done: i64,
    /// Sums of what was done. The members depend on the kind.
    #[schema(value_type = Object)]
    pub figures: Value,
    /// Code of the last failure; null if the last page succeeded.
    pub error: Option<String>,
    /// Failures since the last page that succeeded. It is tried again while it is `RUNNING`.
    pub failures: i32,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When its first page began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done, given up or cancelled.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Filters for jobs. A job has to match all that are given.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobQuery {
    /// Only jobs in this state.
    #[garde(skip)]
    #[param(inline)]
    pub state: Option<JobState>,
    /// Only jobs about this schedule.
    #[garde(skip)]
    pub schedule: Option<i64>,
}
