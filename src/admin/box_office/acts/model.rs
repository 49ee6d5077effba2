//! Refunds and moves: what staff ask for, and what they get.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::admin::box_office::model::is_reason;
use crate::payment::model::Payment;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};

/// What is refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One payment, which is one seat.
    Payment(PaymentId),
    /// All payments of a hold that are not refunded yet.
    Hold(Uuid),
}

/// A refund by staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refunding {
    /// Why, for the audit and for the buyer's history.
    #[garde(length(chars, min = 1, max = 500), custom(is_reason))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Block the seats instead of selling them again.
    #[serde(default)]
    #[garde(skip)]
    pub block: bool,
}

/// Payments that staff refunded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundedOrder {
    /// The buyer.
    pub user_id: UserId,
    /// The payments that are refunded now. Those that were refunded before are left out.
    pub payments: Vec<Payment>,
    /// Sum of the payments, in points.
    pub total_amount: i64,
    /// The buyer's balance afterwards, in points.
    pub balance: i64,
}

/// Why an order was not refunded. Stored under the idempotency key like a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderRefusal {
    /// The hold has no payments.
    NotPaid,
    /// All its payments were refunded before.
    AlreadyRefunded,
}

/// A move to another seat of the same price in the same schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Moving {
    /// Id of the new seat. It must be free.
    #[garde(skip)]
    #[schema(value_type = i64)]
    pub seat_id: SeatId,
    /// Why, for the audit and for the buyer's history.
    #[garde(length(chars, min = 1, max = 500), custom(is_reason))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Block the seat that is left, for example because it is broken.
    #[serde(default)]
    #[garde(skip)]
    pub block: bool,
}

/// A reservation with its new seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedReservation {
    /// Id of the reservation, which stays the same.
    pub reservation_id: ReservationId,
    /// Id of its hold.
    pub hold_id: Uuid,
    /// Its schedule.
    pub schedule_id: ScheduleId,
    /// The buyer.
    pub user_id: UserId,
    /// Id of the seat that was left.
    pub from_seat_id: SeatId,
    /// Its number.
    pub from_seat_number: u32,
    /// Id of the new seat.
    pub seat_id: SeatId,
    /// Its number.
    pub seat_number: u32,
}
