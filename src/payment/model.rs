//! Payments, and the refusals that are as final as a payment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::id::{PaymentId, ReservationId};

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PaymentStatus {
    /// Made.
    Complete,
    /// Given back.
    Refunded,
}

/// The payment of one reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// What was paid for.
    pub reservation_id: ReservationId,
    /// Points.
    pub amount: i64,
    /// Where it stands.
    pub status: PaymentStatus,
    /// When it was made.
    pub payment_at: DateTime<Utc>,
}

/// A hold that was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Paid {
    /// One for each seat.
    pub payments: Vec<Payment>,
    /// Points.
    pub total_amount: i64,
    /// The balance after it.
    pub balance: i64,
    /// Points charged for it; missing where the request had no `charge_up_to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged: Option<i64>,
}

/// Why a hold was not paid; stored like a payment, so that a retry can't turn a refusal that was
/// told into a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayRefusal {
    /// The balance does not cover it.
    InsufficientPoints {
        /// What there is.
        balance: i64,
        /// What it takes.
        required: i64,
    },
    /// Past its time, given back, or taken over.
    HoldExpired,
    /// Paid before.
    AlreadyPaid,
}

/// A payment that was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refunded {
    /// The payment, now refunded.
    pub payment: Payment,
    /// The balance after it.
    pub balance: i64,
}

/// Why a payment was not given back; stored like a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundRefusal {
    /// Past the schedule's deadline.
    Closed,
    /// Given back before.
    AlreadyRefunded,
}
