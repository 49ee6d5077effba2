//! Balances and their history. One point is worth one KRW. All amounts are integers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most points that one charge may add.
pub const MAX_CHARGE: i64 = 10_000_000;

/// A user's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Balance {
    /// Balance in points. Never negative.
    pub amount: i64,
    /// When the balance last changed.
    pub last_updated_at: DateTime<Utc>,
}

/// Why a balance changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// Added by the user.
    Charge,
    /// Spent on a hold.
    Payment,
    /// Refunded to the user.
    Refund,
}

impl Kind {
    /// Returns the name in PostgreSQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "CHARGE",
            Self::Payment => "PAYMENT",
            Self::Refund => "REFUND",
        }
    }
}

/// One change of a balance. Changes are never updated or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// Id of the change. Newer changes have higher ids.
    pub id: i64,
    /// Why the balance changed.
    pub kind: Kind,
    /// Change in points. Negative for a payment.
    pub amount: i64,
    /// Balance after the change, in points.
    pub balance_after: i64,
    /// What caused the change: the id of a hold or payment, or the idempotency key of a charge.
    pub reference: String,
    /// When the change was made.
    pub created_at: DateTime<Utc>,
}

/// Result of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Charged {
    /// Points added.
    pub amount: i64,
    /// Balance afterwards, in points.
    pub balance: i64,
}
