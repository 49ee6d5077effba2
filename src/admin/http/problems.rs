//! The problems for the errors of administration.

use serde_json::json;

use crate::admin::error::AdminError;
use crate::concert::service::CatalogueError;
use crate::http::api::problem::{FieldError, Problem, ProblemCode};

/// `Retry-After` while the first report of a schedule is computed.
const REPORT_RETRY_SECONDS: u64 = 2;

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::ConcertNotFound => CatalogueError::ConcertNotFound.into(),
            AdminError::ScheduleNotFound => CatalogueError::ScheduleNotFound.into(),
            AdminError::SeatNotFound => Self::new(ProblemCode::SeatNotFound),
            AdminError::InvalidTimes(detail) => Self::new(ProblemCode::InvalidTimes).detail(detail),
            AdminError::LineIsOpen => Self::new(ProblemCode::LineIsOpen),
            AdminError::SeatsInUse(seats) => {
                Self::new(ProblemCode::SeatInUse).with("seat_ids", json!(seats))
            }
            AdminError::ChangedMeanwhile { current, tag } => {
                let problem = Self::new(ProblemCode::ChangedMeanwhile).with("current", current);
                problem.with("etag", json!(tag.as_str()))
            }
            AdminError::NotPublishable(obstacles) => {
                Self::new(ProblemCode::NotPublishable).with("obstacles", json!(obstacles))
            }
            AdminError::SeatsReserved => Self::new(ProblemCode::SeatsReserved),
            AdminError::HasBuyers { paid, held } => {
                let problem = Self::new(ProblemCode::HasBuyers).with("paid", json!(paid));
                problem.with("held", json!(held))
            }
            AdminError::BeingRemoved => Self::new(ProblemCode::BeingRemoved),
            AdminError::ReportPending => {
                Self::new(ProblemCode::ReportPending).retry_after(REPORT_RETRY_SECONDS)
            }
            AdminError::Invalid { pointer, detail } => {
                Self::invalid_request(vec![FieldError { pointer, detail }])
            }
            AdminError::Store(error) => error.into(),
        }
    }
}
