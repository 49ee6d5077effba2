//! New codes: why staff make them, and what the buyer gets.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::admin::box_office::model::is_reason;
use crate::queue::model::Sequence;
use crate::store::id::{ScheduleId, UserId};

/// Why a new code is made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reissuing {
    /// Why, for the audit and for the buyer's history. For example how the buyer proved who they are.
    #[garde(length(chars, min = 1, max = 500), custom(is_reason))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// A code that opens a buyer's place in a queue, with a new session. Only this answer shows it.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReissuedPlace {
    /// The hand-off code. It works once; the buyer opens `/continue#<code>`.
    pub code: String,
    /// When the code expires, 15 minutes from now.
    pub expires_at: DateTime<Utc>,
    /// The buyer.
    pub user_id: UserId,
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The ticket id, which is the same as before.
    pub ticket_id: Uuid,
    /// Sequence of the queue entry, which is the same as before.
    pub sequence: Sequence,
}

/// A recovery code in place of an earlier one. Only this answer shows it.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReissuedCode {
    /// The recovery code: 24 letters and digits in six groups.
    pub code: String,
    /// When the code was created.
    pub created_at: DateTime<Utc>,
    /// The buyer.
    pub user_id: UserId,
}

impl std::fmt::Debug for ReissuedPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReissuedPlace(.., user {}, {})", self.user_id, self.expires_at)
    }
}

impl std::fmt::Debug for ReissuedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReissuedCode(.., user {}, {})", self.user_id, self.created_at)
    }
}
