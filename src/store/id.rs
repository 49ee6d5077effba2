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
}
