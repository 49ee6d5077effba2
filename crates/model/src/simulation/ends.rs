//! How people end.

use serde::Serialize;

/// How many people ended in each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Ends {
    /// Bought seats.
    pub bought: u64,
    /// Held seats and did not pay.
    pub never_paid: u64,
    /// Were admitted, and found too few free seats.
    pub found_no_seats: u64,
    /// Found everything sold while they waited, or when they came.
    pub sold_out: u64,
    /// Left the queue, or the sale without a hold.
    pub left: u64,
    /// Closed the page while they waited.
    pub gave_up: u64,
    /// Were away when their turn came.
    pub away: u64,
    /// Were late: the slot, the grace or the sale had ended.
    pub late: u64,
}

impl Ends {
    /// All people.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.bought
            + self.never_paid
            + self.found_no_seats
            + self.sold_out
            + self.left
            + self.gave_up
            + self.away
            + self.late
    }
}
