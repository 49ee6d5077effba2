//! Ids as both stores know them: PostgreSQL gives them out, Redis keys and members carry them.

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
    /// A person, buyer or administrator.
    UserId;
    /// A concert: what is on, however often it plays.
    ConcertId;
    /// One performance of a concert: the thing that goes on sale and has a line.
    ScheduleId;
    /// One seat of one schedule.
    SeatId;
    /// One seat of one hold, from waiting for payment to its end.
    ReservationId;
    /// The payment of one reservation.
    PaymentId;
}
