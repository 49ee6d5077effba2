//! The seats of a schedule as administrators edit them, changes of prices, and effects.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::admin::rules::{given, storable};
use crate::concert::model::Schedule;
use crate::precondition::EntityTag;
use crate::store::id::ScheduleId;

/// Most price changes in one call.
pub const MAX_PRICE_CHANGES: usize = 1_000;

/// Whether a change is only tried.
#[derive(Debug, Clone, Copy, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DryRun {
    /// True to change nothing, and to answer what the change would affect.
    #[serde(default)]
    #[garde(skip)]
    pub dry_run: bool,
}

/// New prices of seats. If several entries name a seat, the last one applies.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceChanges {
    /// The changes.
    #[garde(length(min = 1, max = MAX_PRICE_CHANGES), dive)]
    #[schema(min_items = 1, max_items = 1_000)]
    pub prices: Vec<PriceChange>,
}

/// The new price of the seats of a section, or of some of them.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceChange {
    /// The section.
    #[garde(length(chars, min = 1, max = 50), custom(storable))]
    #[schema(min_length = 1, max_length = 50)]
    pub section: String,
    /// Only this row.
    #[serde(default, deserialize_with = "given")]
    #[garde(length(chars, min = 1, max = 50), custom(storable))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 50)]
    pub row: Option<String>,
    /// Only seats with this price.
    #[serde(default, deserialize_with = "given")]
    #[garde(range(min = 0, max = 1_000_000_000))]
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 1_000_000_000)]
    pub seat_price_now: Option<i64>,
    /// The new price, in points.
    #[garde(range(min = 0, max = 1_000_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub seat_price: i64,
}

/// The seats of a schedule, by section and price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatsState {
    /// Id of the schedule.
    pub schedule_id: ScheduleId,
    /// Rises with each change of the seats by an administrator. The `ETag` covers it.
    pub seats_version: i32,
    /// Version of the layout.
    pub layout_version: i32,
    /// Whether the schedule has, or had, a reservation. Then its seats can no longer be replaced.
    pub reserved: bool,
    /// Number of seats.
    pub total: u32,
    /// Number of blocked seats.
    pub blocked: u32,
    /// Each combination of section and price, in order of seat numbers.
    pub sections: Vec<SectionState>,
}

/// The seats of one section with one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SectionState {
    /// Name of the section.
    pub name: String,
    /// Price of a seat, in points.
    pub seat_price: i64,
    /// Number of rows.
    pub rows: u32,
    /// Number of seats.
    pub seats: u32,
    /// Number of blocked seats.
    pub blocked: u32,
}

/// A number before and after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct BeforeAfter {
    /// Before the change.
    pub before: i64,
    /// After the change.
    pub after: i64,
}

/// What a change of seats affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatsEffect {
    /// Nothing was changed.
    pub dry_run: bool,
    /// Seats that were added, removed, replaced or priced.
    pub changed: i64,
    /// Seats that keep their price because buyers hold or own them.
    pub kept: i64,
    /// Number of seats.
    pub seats: BeforeAfter,
    /// Number of blocked seats.
    pub blocked: BeforeAfter,
    /// Takings if every seat that is not blocked is sold, in points. Seats that buyers hold or own
    /// count with the price that their buyers pay.
    pub takings: BeforeAfter,
}

/// The figures of all seats of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Number of seats.
    pub seats: i64,
    /// Number of blocked seats.
    pub blocked: i64,
    /// Takings if every seat that is not blocked is sold, in points.
    pub takings: i64,
}

impl SeatsEffect {
    /// The effect of a change of `changed` seats, with `kept` seats that keep their price.
    #[must_use]
    pub fn new(dry_run: bool, (changed, kept): (i64, i64), from: Totals, to: Totals) -> Self {
        let pair = |before, after| BeforeAfter { before, after };
        Self {
            dry_run,
            changed,
            kept,
            seats: pair(from.seats, to.seats),
            blocked: pair(from.blocked, to.blocked),
            takings: pair(from.takings, to.takings),
        }
    }
}

/// The entity tag of a schedule's seats.
#[must_use]
pub fn seats_tag(schedule: &Schedule) -> EntityTag {
    EntityTag::of(&(schedule.id, "seats", schedule.seats_version))
}
