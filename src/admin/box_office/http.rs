//! All routes of the box office but those of new codes, and the problems of its errors.

use serde_json::json;
use utoipa_axum::router::OpenApiRouter;

use super::error::BoxOfficeError;
use super::service::BoxOffice;
use super::{acts, find, guests, history};
use crate::http::api::problem::{Problem, ProblemCode};

/// The routes of the box office.
pub(in crate::admin) fn routes(office: BoxOffice) -> OpenApiRouter {
    let BoxOffice { finder, histories, orders, guests } = office;
    OpenApiRouter::new()
        .merge(find::http::routes(finder))
        .merge(history::http::routes(histories))
        .merge(acts::http::routes(orders))
        .merge(guests::http::routes(guests))
}

impl From<BoxOfficeError> for Problem {
    fn from(error: BoxOfficeError) -> Self {
        match error {
            BoxOfficeError::NoUser => Self::new(ProblemCode::UserNotFound),
            BoxOfficeError::NoSchedule => Self::new(ProblemCode::ScheduleNotFound),
            BoxOfficeError::NoSeat => Self::new(ProblemCode::SeatNotFound),
            BoxOfficeError::NoHold => Self::new(ProblemCode::HoldNotFound),
            BoxOfficeError::NoPayment => Self::new(ProblemCode::PaymentNotFound),
            BoxOfficeError::NoReservation => Self::new(ProblemCode::ReservationNotFound),
            BoxOfficeError::NoGuest => Self::new(ProblemCode::GuestNotFound),
            BoxOfficeError::NotComplete => Self::new(ProblemCode::ReservationNotComplete),
            BoxOfficeError::SameSeat => Self::new(ProblemCode::SameSeat),
            BoxOfficeError::NotFree(seats) => {
                Self::new(ProblemCode::SeatNotFree).with("seat_ids", json!(seats))
            }
            BoxOfficeError::OtherPrice { price, new_price } => Self::new(ProblemCode::OtherPrice)
                .with("price", json!(price))
                .with("new_price", json!(new_price)),
            BoxOfficeError::WasInOrder => Self::new(ProblemCode::SeatReturned),
            BoxOfficeError::AlreadyRevoked => Self::new(ProblemCode::AlreadyRevoked),
            BoxOfficeError::NoPlace => Self::new(ProblemCode::NotInQueue),
            BoxOfficeError::SignsInElsewhere => Self::new(ProblemCode::SignsInElsewhere),
            BoxOfficeError::Key(error) => error.into(),
            BoxOfficeError::HandOff(error) => error.into(),
            BoxOfficeError::Recovery(error) => error.into(),
            BoxOfficeError::Store(error) => error.into(),
        }
    }
}
