//! Figures of a sale, and entries of the audit.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answers::Answered;
use crate::admin::rules::storable;
use crate::board::snapshot::Board;
use crate::concert::model::{Phase, Schedule};
use crate::concert::view::SeatCounts;
use crate::store::id::UserId;

/// What PostgreSQL counts of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sales {
    /// Seats that wait for payment.
    pub held: i64,
    /// Seats paid for.
    pub sold: i64,
    /// What was paid for them, points.
    pub revenue: i64,
    /// Joins and holds that were refused, as far as that is written down.
    pub turned_away: i64,
}

/// The settings of a line that an administrator turns on the night, as Redis goes by them now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InForce {
    /// How many may be inside at once.
    pub capacity: u64,
    /// How many are let in per second at most.
    pub admit_per_second: u64,
    /// Nobody is let in.
    pub paused: bool,
    /// Shown to those who wait.
    pub message: Option<String>,
}

/// How a sale goes: the line as of a moment ago, the seats as they are.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Stats {
    /// In line.
    pub waiting: u64,
    /// Let in.
    pub active: u64,
    /// Passed over and not back: their place is kept for the return grace.
    pub parked: u64,
    /// Let in since the line's keys were built.
    pub admitted_total: u64,
    /// Ended by time since the line's keys were built.
    pub expired_total: u64,
    /// Places given out, ever.
    pub joined_total: u64,
    /// Joins per second over the last half minute; null while unknown.
    pub join_per_second: Option<f64>,
    /// Admissions per second over the last half minute; null while unknown.
    pub admit_per_second: Option<f64>,
    /// Polls per second that the answering process has served of late, for all schedules; null
    /// until it has been asked twice.
    pub poll_per_second: Option<f64>,
    /// Seats that wait for payment.
    pub held: i64,
    /// Seats paid for.
    pub sold: i64,
    /// What was paid for them, points.
    pub revenue: i64,
    /// Until whoever joins now is let in, at the measured rate; null while that is unknown.
    pub eta_seconds: Option<u64>,
    /// Passed over and back: let in before all others.
    pub returned: u64,
    /// Where the sale stands.
    pub phase: Phase,
    /// Places are being restored after a loss of Redis: nobody is let in.
    pub recovering: bool,
    /// What is in force.
    pub in_force: InForce,
    /// Joins and holds that were refused so far: requests, as of at most ten seconds ago.
    pub turned_away: i64,
    /// How many seats there are, as Redis has them.
    pub seats: SeatCounts,
    /// How the answering process has answered over the last ten seconds, for all schedules.
    pub answers: Vec<Answered>,
    /// When the line was read: with Redis away it stands still, and so do the figures of the line.
    pub line_as_of: DateTime<Utc>,
    /// When.
    pub server_time: DateTime<Utc>,
}

/// Which entries of the audit: all of these that are said.
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

/// Who changed what, when, from, to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its id.
    pub id: i64,
    /// Who.
    pub admin: UserId,
    /// What they are called.
    pub admin_name: String,
    /// Such as `queue.change`.
    pub action: String,
    /// Such as `schedule 7`.
    pub subject: String,
    /// What it was; null for what was made.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// What it is.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Stats {
    /// Puts the figures together.
    #[must_use]
    pub fn new(
        schedule: &Schedule,
        board: &Board,
        sales: Sales,
        poll_per_second: Option<f64>,
        answers: Vec<Answered>,
    ) -> Self {
        let (meta, seats) = (&board.meta, SeatCounts::new(schedule.seats_total, board));
        let (server_time, admit_per_second) = (board.now(), board.rates.admit);
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
            revenue: sales.revenue,
            eta_seconds: match meta.waiting + meta.returned {
                0 => Some(0),
                entries => board.wait_estimate(entries - 1).map(|wait| wait.seconds),
            },
            returned: meta.returned,
            phase: schedule.phase(server_time, seats.sold + seats.blocked),
            recovering: board.recovering,
            in_force: InForce {
                capacity: meta.capacity,
                admit_per_second: meta.rate,
                paused: meta.paused,
                message: meta.message.as_deref().map(str::to_owned),
            },
            turned_away: sales.turned_away,
            seats,
            answers,
            line_as_of: board.as_of(),
            server_time,
        }
    }
}
