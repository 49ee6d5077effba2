//! Ids in both stores: PostgreSQL assigns them; Redis keys and members contain them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            ToSchema,
        )]
        #[serde(transparent)]
        #[schema(value_type = i64)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// The id of a user: a buyer or an administrator.
    UserId;
    /// The id of a concert, which has one or more schedules.
    ConcertId;
    /// The id of a schedule: one performance of a concert, with its own sale and queue.
    ScheduleId;
    /// The id of one seat of one schedule.
    SeatId;
    /// The id of a reservation: one seat of one hold.
    ReservationId;
    /// The id of the payment of one reservation.
    PaymentId;
    /// The id of a webhook endpoint.
    WebhookId;
    /// The id of a job: long work of an operator.
    JobId;
    /// The id of a rehearsal.
    RehearsalId;
}

/// Users of one rehearsal, at most.
const BUYERS_PER_REHEARSAL: i64 = 1_000_000;

impl ScheduleId {
    /// Whether this is the shadow of a rehearsal. Rows of rehearsals have ids below zero, so they
    /// are known as such everywhere, without a look at a store.
    #[must_use]
    pub fn is_shadow(self) -> bool {
        self.0 < 0
    }
}

impl RehearsalId {
    /// The shadow of the schedule that is rehearsed.
    #[must_use]
    pub fn schedule(self) -> ScheduleId {
        ScheduleId(-self.0)
    }

    /// The concert of the shadow.
    #[must_use]
    pub fn concert(self) -> ConcertId {
        ConcertId(-self.0)
    }

    /// The synthetic buyer with this number.
    #[must_use]
    pub fn buyer(self, number: u32) -> UserId {
        UserId(self.first_buyer().0 - i64::from(number))
    }

    /// The synthetic buyer with the number 0: all others of this rehearsal have lower ids.
    #[must_use]
    pub fn first_buyer(self) -> UserId {
        UserId(self.0.saturating_mul(-BUYERS_PER_REHEARSAL))
    }

    /// The lowest id that a buyer of this rehearsal can have.
    #[must_use]
    pub fn last_buyer(self) -> UserId {
        UserId(self.first_buyer().0 - BUYERS_PER_REHEARSAL + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buyers_of_two_rehearsals_are_different() {
        let (one, two) = (RehearsalId(1), RehearsalId(2));
        assert!(one.schedule().is_shadow() && !ScheduleId(1).is_shadow());
        assert_eq!(one.buyer(7), UserId(-1_000_007));
        assert_eq!(one.last_buyer().0 - 1, two.first_buyer().0);
    }
}
