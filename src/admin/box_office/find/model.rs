//! What staff search for, and what is found.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::admin::box_office::model::{NamedSeat, Person};
use crate::admin::rules::storable;
use crate::payment::model::PaymentStatus;
use crate::queue::model::{Sequence, TicketStatus};
use crate::reservation::model::ReservationStatus;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, UserId};

/// Most users that one search finds by name.
pub const MAX_NAMES: u16 = 50;

/// What to search for.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// A name or its beginning, in any case; the id of a user, reservation or payment; the id of a
    /// hold or a ticket; or with `schedule_id` a seat number.
    #[garde(length(chars, min = 1, max = 200), custom(storable))]
    #[param(min_length = 1, max_length = 200, example = "Kim")]
    pub q: String,
    /// The schedule in which a number is a seat number.
    #[garde(skip)]
    #[param(value_type = Option<i64>, example = 3)]
    pub schedule_id: Option<ScheduleId>,
}

/// By what something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum MatchedBy {
    /// The id of the user.
    User,
    /// The name of the user.
    Name,
    /// The id of the reservation.
    Reservation,
    /// The id of the payment.
    Payment,
    /// The id of the hold.
    Hold,
    /// The id of the ticket.
    Ticket,
    /// The number of the seat.
    Seat,
}

/// One thing that a search found. Members that do not apply are null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SearchHit {
    /// By what it was found.
    pub matched_by: MatchedBy,
    /// The user; null for a seat that nobody holds or owns.
    pub user: Option<Person>,
    /// The seat.
    pub seat: Option<NamedSeat>,
    /// The schedule.
    pub schedule_id: Option<ScheduleId>,
    /// Id of the reservation.
    pub reservation_id: Option<ReservationId>,
    /// Id of the hold.
    pub hold_id: Option<Uuid>,
    /// Id of the payment.
    pub payment_id: Option<PaymentId>,
    /// Id of the ticket.
    pub ticket_id: Option<Uuid>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// What was found: by ids first, then by name, in order of names.
    pub items: Vec<SearchHit>,
    /// There are more users whose names begin like this. Search for more of the name.
    pub more: bool,
}

/// A buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BuyerProfile {
    /// Id of the user.
    pub id: UserId,
    /// Name of the user.
    pub name: String,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
    /// Balance in points.
    pub balance: i64,
    /// An identity provider signs the user in, so there is no recovery code.
    pub signs_in_elsewhere: bool,
    /// When the current recovery code was created; null if there is none.
    pub recovery_code_at: Option<DateTime<Utc>>,
}

/// One reservation of a buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BuyerReservation {
    /// Id of the reservation.
    pub id: ReservationId,
    /// Id of the hold. Seats held by one request share it.
    pub hold_id: Uuid,
    /// The seat.
    pub seat: NamedSeat,
    /// Status of the reservation.
    pub status: ReservationStatus,
    /// Given to a guest for free.
    pub guest: bool,
    /// Price of the seat when it was held, in points.
    pub amount: i64,
    /// When the seat was held or given.
    pub reservation_at: DateTime<Utc>,
    /// When the time to pay ends or ended.
    pub expires_at: DateTime<Utc>,
    /// Id of the payment; null if there is none.
    pub payment_id: Option<PaymentId>,
    /// Status of the payment.
    pub payment_status: Option<PaymentStatus>,
}

/// One queue entry of a buyer, as archived about a second after each change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BuyerEntry {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The ticket id.
    pub ticket_id: Uuid,
    /// Status of the entry.
    pub status: TicketStatus,
    /// Its sequence when it joined.
    pub sequence: Sequence,
    /// When it joined.
    pub joined_at: DateTime<Utc>,
    /// When it was first admitted.
    pub admitted_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// State of a seat for staff. Public maps show the last three as unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SeatState {
    /// Free to hold.
    Available,
    /// Waits for payment.
    Held,
    /// Paid.
    Sold,
    /// Given to a guest.
    Guest,
    /// Not for sale.
    Blocked,
}

/// A seat, and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatProfile {
    /// The seat.
    pub seat: NamedSeat,
    /// Its price now, in points.
    pub seat_price: i64,
    /// Its state in PostgreSQL.
    pub state: SeatState,
    /// Who holds or owns it.
    pub owner: Option<Person>,
    /// Id of their reservation.
    pub reservation_id: Option<ReservationId>,
    /// Id of its hold.
    pub hold_id: Option<Uuid>,
    /// Id of its payment.
    pub payment_id: Option<PaymentId>,
    /// What the owner pays or paid, in points.
    pub amount: Option<i64>,
    /// When the time to pay ends, if it waits for payment.
    pub expires_at: Option<DateTime<Utc>>,
}

impl SearchHit {
    /// A hit without anything but a user.
    #[must_use]
    pub fn of_user(matched_by: MatchedBy, user: Person) -> Self {
        Self {
            matched_by,
            user: Some(user),
            seat: None,
            schedule_id: None,
            reservation_id: None,
            hold_id: None,
            payment_id: None,
            ticket_id: None,
        }
    }
}
