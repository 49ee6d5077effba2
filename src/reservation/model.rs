//! Reservations, holds, and requests for the best available seats.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::concert::model::Seat;
use crate::store::StoreError;
use crate::store::id::{ConcertId, ReservationId, ScheduleId, SeatId};

/// Most seats in one request. The limit of the schedule may be lower.
pub const MAX_SEATS: usize = 100;
/// Most price ranges that one request may exclude.
pub const MAX_PRICE_RANGES: usize = 20;

/// Status of a reservation. It begins as `PAYMENT_WAITING`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReservationStatus {
    /// Held until `expires_at`.
    PaymentWaiting,
    /// Paid: the buyer owns the seat.
    Complete,
    /// Not paid in time.
    Expired,
    /// Released by the buyer.
    Cancelled,
    /// Paid and refunded.
    Refunded,
}

impl ReservationStatus {
    /// Returns the name in PostgreSQL and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PaymentWaiting => "PAYMENT_WAITING",
            Self::Complete => "COMPLETE",
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
            Self::Refunded => "REFUNDED",
        }
    }

    /// Parses the name in PostgreSQL.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for any other text.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::PaymentWaiting, Self::Complete, Self::Expired, Self::Cancelled, Self::Refunded]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| StoreError::Inconsistent(format!("unknown reservation status {text}")))
    }
}

/// The reservation of one seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reservation {
    /// Id of the reservation.
    pub id: ReservationId,
    /// Id of the hold. Seats held by one request share it.
    pub hold_id: Uuid,
    /// Id of the concert.
    pub concert_id: ConcertId,
    /// Id of the schedule.
    pub schedule_id: ScheduleId,
    /// Id of the seat.
    pub seat_id: SeatId,
    /// Number of the seat in its schedule.
    pub seat_number: u32,
    /// Status of the reservation.
    pub status: ReservationStatus,
    /// Price of the seat when it was held, in points.
    pub amount: i64,
    /// When the seat was held.
    pub reservation_at: DateTime<Utc>,
    /// When the time to pay ends.
    pub expires_at: DateTime<Utc>,
}

/// Seats held by one request. This is also the answer that is stored under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// Id of the hold.
    pub hold_id: Uuid,
    /// When the time to pay ends.
    pub expires_at: DateTime<Utc>,
    /// Sum of the prices, in points.
    pub total_amount: i64,
    /// Server time of this answer. Countdowns should use it as the current time.
    pub server_time: DateTime<Utc>,
    /// One reservation for each seat.
    pub reservations: Vec<Reservation>,
}

impl Hold {
    /// Builds a hold from its reservations; `None` if there are none.
    #[must_use]
    pub fn of(reservations: Vec<Reservation>, server_time: DateTime<Utc>) -> Option<Self> {
        let first = reservations.first()?;
        let (hold_id, expires_at) = (first.hold_id, first.expires_at);
        let total_amount = reservations.iter().map(|reservation| reservation.amount).sum();
        Some(Self { hold_id, expires_at, total_amount, server_time, reservations })
    }

    /// Returns the status of the whole hold at its `server_time`. An overdue hold counts as
    /// expired, even before the expiry loop ends it. A partly refunded hold counts as complete.
    #[must_use]
    pub fn status(&self) -> ReservationStatus {
        let any = |status| self.reservations.iter().any(|reservation| reservation.status == status);
        if any(ReservationStatus::PaymentWaiting) {
            let overdue = self.server_time >= self.expires_at;
            return if overdue {
                ReservationStatus::Expired
            } else {
                ReservationStatus::PaymentWaiting
            };
        }
        [ReservationStatus::Complete, ReservationStatus::Refunded, ReservationStatus::Cancelled]
            .into_iter()
            .find(|status| any(*status))
            .unwrap_or(ReservationStatus::Expired)
    }
}

/// Seats that a buyer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// These seats, all or none.
    Seats(Vec<SeatId>),
    /// The best available seats.
    Best(Best),
}

/// A request for the best available seats: adjacent if possible, lowest section and row first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Best {
    /// Number of seats.
    pub quantity: usize,
    /// Only seats in this section.
    pub section: Option<String>,
    /// Only seats with at most this price, in points.
    pub max_price: Option<i64>,
    /// No seats in these price ranges, each from a lower to a higher price, both included.
    pub exclude_prices: Vec<[i64; 2]>,
}

/// Whether these are at most [`MAX_PRICE_RANGES`] valid ranges, each from a lower to a higher
/// price.
#[must_use]
pub fn are_ranges(ranges: &[[i64; 2]]) -> bool {
    ranges.len() <= MAX_PRICE_RANGES && ranges.iter().all(|[low, high]| 0 <= *low && low <= high)
}

/// Free seats that could be held together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BestSeats {
    /// The seats in order of seat number. Empty if there are too few.
    pub seats: Vec<Seat>,
    /// Sum of their prices, in points.
    pub total_amount: i64,
}
