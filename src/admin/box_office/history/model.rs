//! One event of a history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::admin::box_office::model::{NamedSeat, Person};
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HistoryKind {
    /// The buyer joined a queue.
    Joined,
    /// The buyer was admitted for the first time.
    Admitted,
    /// The queue entry ended with a payment.
    EntryCompleted,
    /// The queue entry ended by time.
    EntryExpired,
    /// The buyer left the queue or the sale.
    EntryLeft,
    /// The seat was held.
    Held,
    /// The seat was paid.
    Paid,
    /// The hold was not paid in time.
    Expired,
    /// The buyer released the hold.
    Released,
    /// The payment was refunded.
    Refunded,
    /// The buyer charged points.
    Charged,
    /// A payment took points.
    PointsTaken,
    /// A refund returned points.
    PointsReturned,
    /// Staff refunded the payment.
    BoxOfficeRefund,
    /// Staff moved the reservation to another seat.
    Moved,
    /// Staff gave the seat to a guest.
    Given,
    /// Staff took the seat back from a guest.
    Revoked,
    /// Staff made a code that opens the buyer's place in the queue.
    PlaceReissued,
    /// Staff made a new recovery code.
    CodeReissued,
    /// Staff blocked the seat.
    Blocked,
    /// Staff unblocked the seat.
    Unblocked,
    /// Another change by staff. `detail` has it.
    Audit,
}

/// One event. Members that do not apply are null.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HistoryEvent {
    /// When it happened. Queue entries are archived about a second later.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: HistoryKind,
    /// The buyer or guest.
    pub user: Option<Person>,
    /// The schedule.
    pub schedule_id: Option<ScheduleId>,
    /// The seat; of a move, the one that was left.
    pub seat: Option<NamedSeat>,
    /// The new seat of a move.
    pub to_seat: Option<NamedSeat>,
    /// The ticket id.
    pub ticket_id: Option<Uuid>,
    /// Sequence of the queue entry.
    pub sequence: Option<Sequence>,
    /// Id of the hold.
    pub hold_id: Option<Uuid>,
    /// Id of the reservation.
    pub reservation_id: Option<ReservationId>,
    /// Id of the payment.
    pub payment_id: Option<PaymentId>,
    /// Amount in points; of a payment that took points, negative.
    pub amount: Option<i64>,
    /// The balance afterwards.
    pub balance_after: Option<i64>,
    /// Who of the staff did it.
    pub admin: Option<Person>,
    /// Why.
    pub reason: Option<String>,
    /// `action`, `before` and `after` of an audit entry.
    #[schema(value_type = Option<Object>)]
    pub detail: Option<Value>,
}

impl HistoryKind {
    /// Reads the name in SQL, which is the name in the API.
    pub(super) fn parse(name: &str) -> Result<Self, StoreError> {
        serde_json::from_value(Value::from(name))
            .map_err(|_| StoreError::Inconsistent(format!("unknown event of a history {name}")))
    }
}
