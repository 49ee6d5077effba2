//! Seats for guests: what staff ask for, and what they get.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::admin::box_office::model::{NamedSeat, Person, is_reason};
use crate::reservation::model::MAX_SEATS;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::user::model::tidy_name;

/// Seats to give: either to a new guest by `name`, or to the user `user_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Giving {
    /// Name of a guest without an account. A user is created for it, who cannot sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(is_name)))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// Id of a user who gets the seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    #[schema(value_type = i64, required = false)]
    pub user_id: Option<UserId>,
    /// Ids of the seats. They are free or blocked.
    #[garde(length(min = 1, max = MAX_SEATS))]
    #[schema(value_type = Vec<i64>, min_items = 1, max_items = 100)]
    pub seat_ids: Vec<SeatId>,
    /// Why, for the audit and for the list.
    #[garde(length(chars, min = 1, max = 500), custom(is_reason))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// Who gets seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guest {
    /// A new user of this name, who cannot sign in.
    Named(String),
    /// This user.
    User(UserId),
}

impl Giving {
    /// Who gets the seats; `None` unless exactly one of `name` and `user_id` is there.
    #[must_use]
    pub fn guest(&self) -> Option<Guest> {
        match (&self.name, self.user_id) {
            (Some(name), None) => tidy_name(name).map(Guest::Named),
            (None, Some(user)) => Some(Guest::User(user)),
            _ => None,
        }
    }
}

/// Seats that a guest got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenSeats {
    /// The guest.
    pub guest: Person,
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// Id of the hold that the reservations share.
    pub hold_id: Uuid,
    /// One for each seat.
    pub reservations: Vec<GivenSeat>,
    /// When they were given.
    pub given_at: DateTime<Utc>,
}

/// One seat that a guest got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenSeat {
    /// Id of the reservation.
    pub id: ReservationId,
    /// Id of the seat.
    pub seat_id: SeatId,
    /// Its number.
    pub seat_number: u32,
}

/// One entry of the guest list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GuestSeat {
    /// Id of the reservation.
    pub reservation_id: ReservationId,
    /// Id of its hold.
    pub hold_id: Uuid,
    /// The guest.
    pub guest: Person,
    /// The seat.
    pub seat: NamedSeat,
    /// Why it was given.
    pub reason: String,
    /// Who gave it.
    pub given_by: Person,
    /// When it was given.
    pub given_at: DateTime<Utc>,
    /// The seat was blocked before.
    pub was_blocked: bool,
    /// When it was taken back; null while the guest has it.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Taking a seat back from a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoking {
    /// Why, for the audit and for the guest's history.
    #[garde(length(chars, min = 1, max = 500), custom(is_reason))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Whether the seat is blocked afterwards. Absent: as it was before it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    #[schema(value_type = bool, required = false)]
    pub block: Option<bool>,
}

/// A seat that was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevokedSeat {
    /// Id of the reservation.
    pub reservation_id: ReservationId,
    /// Id of the seat.
    pub seat_id: SeatId,
    /// Its number.
    pub seat_number: u32,
    /// Whether the seat is blocked now.
    pub blocked: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
fn is_name(name: &str, (): &()) -> garde::Result {
    match tidy_name(name) {
        Some(_) => Ok(()),
        None => Err(garde::Error::new("must have 1 to 100 characters, one of them visible")),
    }
}
