//! Reservations and the holds they make up.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::concert::model::Seat;
use crate::store::StoreError;
use crate::store::id::{ConcertId, ReservationId, ScheduleId, SeatId};

/// The most seats one request may name, whatever the limit of the schedule.
pub const MAX_SEATS: usize = 100;
/// The most price ranges that one request may leave out.
pub const MAX_PRICE_RANGES: usize = 20;

/// Where a reservation stands: it waits for payment, and then ends once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReservationStatus {
    /// Held, until `expires_at`.
    PaymentWaiting,
    /// Paid: the seat is the buyer's.
    Complete,
    /// Not paid in time.
    Expired,
    /// Given back by the buyer.
    Cancelled,
    /// Paid, and given back.
    Refunded,
}

impl ReservationStatus {
    /// As it is stored.
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

    /// From how it is stored.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::PaymentWaiting, Self::Complete, Self::Expired, Self::Cancelled, Self::Refunded]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| StoreError::Inconsistent(format!("a reservation is {text}")))
    }
}

/// One seat of one hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reservation {
    /// Its id.
    pub id: ReservationId,
    /// The seats held together share it.
    pub hold_id: Uuid,
    /// The concert.
    pub concert_id: ConcertId,
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The seat.
    pub seat_id: SeatId,
    /// The seat's number in its schedule.
    pub seat_number: u32,
    /// Where it stands.
    pub status: ReservationStatus,
    /// Points; what the seat cost when it was held.
    pub amount: i64,
    /// When it was held.
    pub reservation_at: DateTime<Utc>,
    /// Until when it waits for payment.
    pub expires_at: DateTime<Utc>,
}

/// Seats held together. Also what is stored under the idempotency key of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// Names it.
    pub hold_id: Uuid,
    /// Until when it may be paid.
    pub expires_at: DateTime<Utc>,
    /// Points.
    pub total_amount: i64,
    /// Clients count down by it.
    pub server_time: DateTime<Utc>,
    /// One for each seat.
    pub reservations: Vec<Reservation>,
}

impl Hold {
    /// A hold of `reservations`, of which there is at least one.
    #[must_use]
    pub fn of(reservations: Vec<Reservation>, server_time: DateTime<Utc>) -> Option<Self> {
        let first = reservations.first()?;
        let (hold_id, expires_at) = (first.hold_id, first.expires_at);
        let total_amount = reservations.iter().map(|reservation| reservation.amount).sum();
        Some(Self { hold_id, expires_at, total_amount, server_time, reservations })
    }

    /// Where the whole stands at its `server_time`: what is past its time counts as expired, whether
    /// or not the loop has come to it; partly refunded is complete.
    #[must_use]
    pub fn status(&self) -> ReservationStatus {
        let any = |status| self.reservations.iter().any(|one| one.status == status);
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

/// What a buyer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// These seats, all or none.
    Seats(Vec<SeatId>),
    /// The best there are.
    Best(Best),
}

/// Seats by number only: adjacent where possible, lowest section and row first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Best {
    /// How many.
    pub quantity: usize,
    /// Only in this section.
    pub section: Option<String>,
    /// Only up to this price each.
    pub max_price: Option<i64>,
    /// No seat with a price from the first to the second of one of these.
    pub exclude_prices: Vec<[i64; 2]>,
}

/// Whether these are at most [`MAX_PRICE_RANGES`] price ranges, each from a lower to a higher price.
#[must_use]
pub fn are_ranges(ranges: &[[i64; 2]]) -> bool {
    ranges.len() <= MAX_PRICE_RANGES && ranges.iter().all(|[low, high]| 0 <= *low && low <= high)
}

/// Seats that are free and could be held together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BestSeats {
    /// In order of their numbers; empty where there are too few.
    pub seats: Vec<Seat>,
    /// Points: the sum of their prices.
    pub total_amount: i64,
}
