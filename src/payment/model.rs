//! Payments, refunds, and their final refusals.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::id::{PaymentId, ReservationId};

/// Status of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PaymentStatus {
    /// Paid.
    Complete,
    /// Refunded.
    Refunded,
}

/// The payment of one reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Payment {
    /// Id of the payment.
    pub id: PaymentId,
    /// Id of the reservation that was paid.
    pub reservation_id: ReservationId,
    /// Amount in points.
    pub amount: i64,
    /// Status of the payment.
    pub status: PaymentStatus,
    /// When the payment was made.
    pub payment_at: DateTime<Utc>,
}

/// Result of paying a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Paid {
    /// One payment for each seat.
    pub payments: Vec<Payment>,
    /// Sum of the payments, in points.
    pub total_amount: i64,
    /// Balance afterwards, in points.
    pub balance: i64,
    /// Points charged for this payment. Absent if the request had no `charge_up_to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged: Option<i64>,
}

/// Why a hold was not paid. Stored under the idempotency key like a payment, so that a retry cannot
/// turn a refusal that the client has received into a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayRefusal {
    /// The balance is too low.
    InsufficientPoints {
        /// Balance in points.
        balance: i64,
        /// Points that the payment takes.
        required: i64,
    },
    /// The hold expired, was released, or was taken over.
    HoldExpired,
    /// The hold was paid before.
    AlreadyPaid,
}

impl PayRefusal {
    /// Code of the problem in the answer.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InsufficientPoints { .. } => "insufficient_points",
            Self::HoldExpired => "hold_expired",
            Self::AlreadyPaid => "already_paid",
        }
    }
}

/// Result of refunding a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refunded {
    /// The refunded payment.
    pub payment: Payment,
    /// Balance afterwards, in points.
    pub balance: i64,
}

/// Why a payment was not refunded. Stored under the idempotency key like a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundRefusal {
    /// The schedule's deadline has passed.
    Closed,
    /// The payment was refunded before.
    AlreadyRefunded,
}
