//! Balances and their history. One point is one KRW; amounts are whole.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most that one charge may add.
pub const MAX_CHARGE: i64 = 10_000_000;

/// A user's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Balance {
    /// Points; never negative.
    pub amount: i64,
    /// When it last changed.
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
    /// Given back.
    Refund,
}

impl Kind {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "CHARGE",
            Self::Payment => "PAYMENT",
            Self::Refund => "REFUND",
        }
    }
}

/// One change of a balance; rows are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// Its id; newer ones are higher.
    pub id: i64,
    /// Why.
    pub kind: Kind,
    /// Signed: negative where points were spent.
    pub amount: i64,
    /// The balance it led to.
    pub balance_after: i64,
    /// What for: a hold, a payment, or the key of a charge.
    pub reference: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A charge that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Charged {
    /// What was added.
    pub amount: i64,
    /// The balance after it.
    pub balance: i64,
}
