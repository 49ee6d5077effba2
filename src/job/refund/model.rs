//! What a refund of a whole schedule takes, and what it would do.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::rules::storable;
use crate::store::id::{JobId, ScheduleId};

/// What becomes of the seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SeatsAfter {
    /// They are for sale again.
    Free,
    /// They are kept back.
    Block,
}

/// A refund of every payment of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundOrder {
    /// What becomes of the seats.
    #[garde(skip)]
    pub seats: SeatsAfter,
    /// Why, for the audit; 1 to 500 characters.
    #[garde(length(chars, min = 1, max = 500), custom(storable))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// What a refund of every payment of a schedule would do now. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefundPreview {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// Paid seats, which would be refunded.
    pub seats: i64,
    /// Users who paid for them.
    pub buyers: i64,
    /// Points that would return.
    pub amount: i64,
    /// Seats that wait for payment. They are refunded too if they are paid before the job ends, and
    /// only if `selling` is false.
    pub held_seats: i64,
    /// Seats that were refunded before. They stay as they are.
    pub refunded_seats: i64,
    /// Whether seats can still be sold: the concert is available, and the deadline has not passed.
    /// Then seats that are paid after the start of the job stay sold.
    pub selling: bool,
    /// The refund of this schedule that is not finished yet; null if there is none.
    pub job_id: Option<JobId>,
    /// Server time of this answer.
    pub server_time: DateTime<Utc>,
}
