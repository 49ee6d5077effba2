//! The types of events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:tt,)+) => {
        /// The type of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub enum EventType {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl EventType {
            /// The name of the type, as in messages and in SQL.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The type with this name.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

event_types! {
    /// Seats are held for a buyer.
    ReservationHeld = "reservation.held",
    /// A hold is paid.
    ReservationCompleted = "reservation.completed",
    /// Reservations were not paid in time.
    ReservationExpired = "reservation.expired",
    /// The buyer gave a hold back.
    ReservationCancelled = "reservation.cancelled",
    /// A payment is refunded.
    ReservationRefunded = "reservation.refunded",
    /// Staff moved a reservation to another seat.
    ReservationMoved = "reservation.moved",
    /// Seats are given to a guest for free.
    ReservationGiven = "reservation.given",
    /// A seat is taken back from a guest.
    ReservationRevoked = "reservation.revoked",
    /// A sale is open: it began, or a seat is free again.
    ScheduleOpened = "schedule.opened",
    /// Every seat of a sale is sold or blocked.
    ScheduleSoldOut = "schedule.sold_out",
    /// The deadline of a sale has passed.
    ScheduleClosed = "schedule.closed",
    /// Buyers were admitted: up to 100 in one event.
    QueueAdmitted = "queue.admitted",
    /// A person's data was erased.
    UserErased = "user.erased",
    /// An alert about a sale or a store began.
    AlertBegun = "alert.begun",
    /// An alert about a sale or a store ended.
    AlertEnded = "alert.ended",
    /// A test that an administrator sent to one endpoint.
    WebhookTest = "webhook.test",
}
