//! What the answers of the box office share: people, seats, and the reason of an action.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::id::{ScheduleId, SeatId, UserId};

/// A buyer, a guest, or one of the staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// Id of the user.
    pub id: UserId,
    /// Name of the user.
    pub name: String,
}

/// A seat with its place in the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedSeat {
    /// Id of the seat.
    pub id: SeatId,
    /// Its schedule.
    pub schedule_id: ScheduleId,
    /// Number of the seat in its schedule.
    pub seat_number: u32,
    /// Name of the section.
    pub section: String,
    /// Name of the row.
    pub row: String,
}

/// The columns of a seat that may be missing, as a join returns them.
#[derive(Debug)]
pub struct SeatColumns {
    /// Id of the seat.
    pub id: Option<i64>,
    /// Its schedule.
    pub schedule: Option<i64>,
    /// Its number.
    pub number: Option<i32>,
    /// Name of the section.
    pub section: Option<String>,
    /// Name of the row.
    pub row: Option<String>,
}

impl From<SeatColumns> for Option<NamedSeat> {
    fn from(columns: SeatColumns) -> Self {
        Some(NamedSeat {
            id: SeatId(columns.id?),
            schedule_id: ScheduleId(columns.schedule?),
            seat_number: columns.number?.unsigned_abs(),
            section: columns.section?,
            row: columns.row?,
        })
    }
}

impl Person {
    /// A user whose columns may be missing.
    #[must_use]
    pub fn of(id: Option<i64>, name: Option<String>) -> Option<Self> {
        Some(Self { id: UserId(id?), name: name? })
    }
}

/// Checks the reason of an action as a garde rule: it has a visible character, and can be stored.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
pub(super) fn is_reason(value: &str, (): &()) -> garde::Result {
    let blank = value.trim().is_empty().then_some("must say why");
    let stored = value.contains('\0').then_some("must not contain NUL");
    stored.or(blank).map_or(Ok(()), |problem| Err(garde::Error::new(problem)))
}
