//! Errors of the box office.

use crate::idempotency::model::KeyError;
use crate::queue::handoff::service::HandOffError;
use crate::store::StoreError;
use crate::store::id::SeatId;
use crate::store::pg::MaybeConflict;
use crate::user::recovery::service::RecoveryError;

/// Why a call of the box office was refused. A refused call has no effect at all, and nothing is
/// stored under its idempotency key.
#[derive(Debug, thiserror::Error)]
pub enum BoxOfficeError {
    /// There is no such user.
    #[error("there is no such user")]
    NoUser,
    /// There is no such schedule.
    #[error("there is no such schedule")]
    NoSchedule,
    /// There is no such seat, or it is in another schedule.
    #[error("there is no such seat")]
    NoSeat,
    /// There is no such hold.
    #[error("there is no such hold")]
    NoHold,
    /// There is no such payment.
    #[error("there is no such payment")]
    NoPayment,
    /// There is no such reservation.
    #[error("there is no such reservation")]
    NoReservation,
    /// No guest was given this reservation.
    #[error("no guest has this reservation")]
    NoGuest,
    /// Nobody owns the seat of the reservation: it is not paid, or it was given back.
    #[error("the reservation is not complete")]
    NotComplete,
    /// The reservation has this seat.
    #[error("the reservation has this seat")]
    SameSeat,
    /// These seats are held, sold or, for a move, blocked.
    #[error("seats are not free")]
    NotFree(Vec<SeatId>),
    /// The seats have different prices.
    #[error("the seats cost {price} and {new_price}")]
    OtherPrice {
        /// Price of the seat that the buyer has.
        price: i64,
        /// Price of the other seat.
        new_price: i64,
    },
    /// The hold had this seat before, and a seat is in a hold once.
    #[error("the seat was in this order before")]
    WasInOrder,
    /// The seat was taken back from the guest before.
    #[error("the seat was taken back before")]
    AlreadyRevoked,
    /// The user has no open queue entry in this schedule.
    #[error("the user has no place in this queue")]
    NoPlace,
    /// An identity provider signs the user in, so no code of this service does.
    #[error("the user signs in at an identity provider")]
    SignsInElsewhere,
    /// The idempotency key does not allow the request.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Error of hand-off codes and of the waiting room.
    #[error(transparent)]
    HandOff(#[from] HandOffError),
    /// Error of recovery codes.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MaybeConflict for BoxOfficeError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
