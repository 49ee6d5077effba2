//! Live figures of a sale, and entries of the audit.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answers::Answered;
use crate::admin::pace::model::Pace;
use crate::admin::rules::storable;
use crate::board::snapshot::Board;
use crate::concert::model::{AdmissionMode, Phase, Schedule};
use crate::concert::view::SeatCounts;
use crate::store::id::UserId;

/// Figures of a sale that PostgreSQL counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sales {
    /// Seats that wait for payment.
    pub held: i64,
    /// Seats paid for.
    pub sold: i64,
    /// Seats given to guests.
    pub guests: i64,
    /// Amount paid for the sold ones, in points.
    pub revenue: i64,
    /// Rejected joins and holds that the processes have written to PostgreSQL.
    pub rejections: i64,
}

/// The queue settings that an administrator changes during a sale, as Redis applies them now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InForce {
    /// Limit of active slots at a time.
    pub capacity: u64,
    /// Limit of admissions per second. With the mode AUTO, the automatic rate.
    pub admit_per_second: u64,
    /// Where this limit comes from.
    pub admission_mode: AdmissionMode,
    /// Whether admission is paused.
    pub paused: bool,
    /// Message shown to waiting users.
    pub message: Option<String>,
}

/// Current figures of a sale. `held`, `sold` and `revenue` are read from PostgreSQL for this
/// answer; the queue and `seats` come from the snapshot of `line_as_of`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Stats {
    /// Entries that wait.
    pub waiting: u64,
    /// Active slots.
    pub active: u64,
    /// Entries that were passed over and are not back. They are kept for the return grace.
    pub parked: u64,
    /// Admissions since the queue's Redis keys were last built.
    pub admitted_total: u64,
    /// Entries that expired since the queue's Redis keys were last built.
    pub expired_total: u64,
    /// Queue entries created, ever.
    pub joined_total: u64,
    /// Joins per second over the last 30 s. Null while unknown.
    pub join_per_second: Option<f64>,
    /// Admissions per second over the last 30 s. Null while unknown.
    pub admit_per_second: Option<f64>,
    /// Polls per second that the answering process served lately, for all schedules. Null until its
    /// second reading.
    pub poll_per_second: Option<f64>,
    /// Seats that wait for payment.
    pub held: i64,
    /// Seats paid for.
    pub sold: i64,
    /// Seats given to guests for free. In `seats` they are among the sold ones.
    pub guests: i64,
    /// Amount paid for the sold ones, in points.
    pub revenue: i64,
    /// Estimated wait of a user who joins now, in seconds, at the measured rate of admission: 0 if a
    /// slot is free and nobody waits. Null while that rate is unknown.
    pub eta_seconds: Option<u64>,
    /// Entries that were passed over and are back. They are admitted before all others.
    pub returned: u64,
    /// Phase of the sale.
    pub phase: Phase,
    /// Whether the queue is being rebuilt after a loss of Redis. Nobody is admitted meanwhile.
    pub recovering: bool,
    /// The settings that Redis applies now.
    pub in_force: InForce,
    /// Rejected requests to join or hold so far, at most ten seconds old.
    pub rejections: i64,
    /// The former name of `rejections`.
    #[schema(deprecated)]
    pub turned_away: i64,
    /// Number of seats by state, from Redis.
    pub seats: SeatCounts,
    /// Answers of the answering process over the last ten seconds, for all schedules.
    pub answers: Vec<Answered>,
    /// Answers of all processes together, as `answers`. While Redis is unavailable, those of the
    /// answering process.
    pub all_answers: Vec<Answered>,
    /// Number of processes in `all_answers`.
    pub processes: u64,
    /// Why admission goes as it goes, and when the sale sells out at this pace.
    pub pace: Pace,
    /// When the queue was read. While Redis is unavailable, this time and the queue figures do not
    /// change.
    pub line_as_of: DateTime<Utc>,
    /// Server time of this answer.
    pub server_time: DateTime<Utc>,
}

/// Filters for audit entries. An entry has to match all that are given.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only this action, such as `queue.change`.
    #[garde(length(chars, max = 100), custom(storable))]
    #[param(max_length = 100)]
    pub action: Option<String>,
    /// Only of this subject, such as `schedule 7`.
    #[garde(length(chars, max = 100), custom(storable))]
    #[param(max_length = 100)]
    pub subject: Option<String>,
    /// Only by this administrator.
    #[garde(skip)]
    pub admin: Option<i64>,
}

/// One change that an administrator made.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Id of the entry. Newer entries have higher ids.
    pub id: i64,
    /// Id of the administrator.
    pub admin: UserId,
    /// Name of the administrator.
    pub admin_name: String,
    /// The action, such as `queue.change`.
    pub action: String,
    /// What was changed, such as `schedule 7`.
    pub subject: String,
    /// State before the change. Null for a creation.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// State after the change.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// When the change was made.
    pub created_at: DateTime<Utc>,
}

/// What is counted of the answers of processes.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerFigures {
    /// Polls per second of this process.
    pub poll_per_second: Option<f64>,
    /// Answers of this process.
    pub own: Vec<Answered>,
    /// Answers of all processes.
    pub all: Vec<Answered>,
    /// Number of processes in `all`.
    pub processes: u64,
}

impl Stats {
    /// Combines the figures of both stores and of the processes.
    #[must_use]
    pub fn new(
        schedule: &Schedule,
        board: &Board,
        sales: Sales,
        pace: Pace,
        answers: AnswerFigures,
    ) -> Self {
        let (meta, seats) = (&board.meta, SeatCounts::new(schedule.seats_total, board));
        let (server_time, admit_per_second) = (board.now(), board.rates.admit);
        let AnswerFigures { poll_per_second, own, all, processes } = answers;
        Self {
            waiting: meta.waiting,
            active: meta.active,
            parked: meta.parked,
            admitted_total: meta.admitted,
            expired_total: meta.expired,
            joined_total: meta.joined,
            join_per_second: board.rates.join,
            admit_per_second,
            poll_per_second,
            held: sales.held,
            sold: sales.sold,
            guests: sales.guests,
            revenue: sales.revenue,
            eta_seconds: match meta.waiting + meta.returned {
                0 if meta.active < meta.capacity => Some(0),
                entries => board.wait_estimate(entries).map(|wait| wait.seconds),
            },
            returned: meta.returned,
            phase: schedule.phase(server_time, seats.sold + seats.blocked),
            recovering: board.recovering,
            in_force: InForce {
                capacity: meta.capacity,
                admit_per_second: meta.rate,
                admission_mode: if meta.auto { AdmissionMode::Auto } else { AdmissionMode::Fixed },
                paused: meta.paused,
                message: meta.message.as_deref().map(str::to_owned),
            },
            rejections: sales.rejections,
            turned_away: sales.rejections,
            seats,
            answers: own,
            all_answers: all,
            processes,
            pace,
            line_as_of: board.as_of(),
            server_time,
        }
    }
}
