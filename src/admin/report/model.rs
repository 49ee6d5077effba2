//! Figures of a sale, and entries of the audit.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::board::snapshot::Board;
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
    /// When.
    pub server_time: DateTime<Utc>,
}

/// Who changed what, when, from, to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its id.
    pub id: i64,
    /// Who.
    pub admin: UserId,
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
    pub fn new(board: &Board, sales: Sales, poll_per_second: Option<f64>) -> Self {
        let meta = &board.meta;
        let admit_per_second = board.rates.admit;
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
            eta_seconds: eta_seconds(meta.waiting + meta.returned, admit_per_second),
            server_time: board.now(),
        }
    }
}

/// How long `ahead` people take at `rate` per second, rounded up.
#[must_use]
pub fn eta_seconds(ahead: u64, rate: Option<f64>) -> Option<u64> {
    if ahead == 0 {
        return Some(0);
    }
    let rate = rate.filter(|rate| *rate > 0.0)?;
    let ahead = u32::try_from(ahead).map_or(f64::from(u32::MAX), f64::from);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a float saturates, and both numbers are positive"
    )]
    Some((ahead / rate).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_the_line_at_the_measured_rate_rounded_up() {
        assert_eq!(eta_seconds(101, Some(50.0)), Some(3));
        assert_eq!(eta_seconds(0, None), Some(0));
        assert_eq!(eta_seconds(5, None), None);
        assert_eq!(eta_seconds(5, Some(0.0)), None);
    }
}
