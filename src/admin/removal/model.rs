//! What a removal deletes.

use serde::Serialize;
use utoipa::ToSchema;

/// What the removal of a concert or a schedule deletes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Removal {
    /// The removal has begun. False only after a dry run.
    pub removing: bool,
    /// Schedules.
    pub schedules: i64,
    /// Seats.
    pub seats: i64,
    /// Reservations that have ended.
    pub reservations: i64,
    /// Payments, all refunded. The history of points keeps both of their changes.
    pub payments: i64,
    /// Queue entries, of each schedule up to 100,000.
    pub entries: i64,
}

impl Removal {
    /// Adds the rows of another schedule.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            removing: self.removing || other.removing,
            schedules: self.schedules + other.schedules,
            seats: self.seats + other.seats,
            reservations: self.reservations + other.reservations,
            payments: self.payments + other.payments,
            entries: self.entries + other.entries,
        }
    }
}
