//! Lists of new seats, and their numbers: 1..n in a schedule, without a gap.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::error::AdminError;
use crate::admin::rules::storable;
use crate::store::id::SeatId;
use crate::strict_object::objects;

/// Seats added by one call.
pub const MAX_PER_CALL: usize = 100_000;
/// Seats of one schedule.
pub const MAX_PER_SCHEDULE: u32 = 200_000;
/// Seats blocked or unblocked by one call: one script tells Redis of them.
pub const MAX_BLOCKED: usize = 1_000;

/// Seats to be added: whole sections, or one by one.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeats {
    /// Numbered in this order, row by row, on from the last seat there is.
    #[serde(default, deserialize_with = "objects")]
    #[garde(length(min = 1, max = 10_000), dive)]
    #[schema(value_type = Vec<NewSection>, required = false, min_items = 1, max_items = 10_000)]
    pub sections: Option<Vec<NewSection>>,
    /// In any order; their numbers go on from the last seat there is, without a gap.
    #[serde(default, deserialize_with = "objects")]
    #[garde(length(min = 1, max = MAX_PER_CALL), dive)]
    #[schema(value_type = Vec<NewSeat>, required = false, min_items = 1, max_items = 100_000)]
    pub seats: Option<Vec<NewSeat>>,
}

/// A section of rows that are all as long; its rows are called 1, 2, ….
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSection {
    /// Such as `A`, `Balcony`.
    #[garde(length(chars, min = 1, max = 50), custom(storable))]
    #[schema(min_length = 1, max_length = 50)]
    pub name: String,
    /// How many rows.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000)]
    pub rows: u32,
    /// How many seats in each.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000)]
    pub seats_per_row: u32,
    /// Points.
    #[garde(range(min = 0, max = 1_000_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub seat_price: i64,
}

/// One seat.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeat {
    /// 1..n without a gap within a schedule.
    #[garde(range(min = 1, max = MAX_PER_SCHEDULE))]
    #[schema(minimum = 1, maximum = 200_000)]
    pub seat_number: u32,
    /// Such as `A`, `Balcony`.
    #[garde(length(chars, min = 1, max = 50), custom(storable))]
    #[schema(min_length = 1, max_length = 50)]
    pub section: String,
    /// Such as `1`, `AA`.
    #[garde(length(chars, min = 1, max = 50), custom(storable))]
    #[schema(min_length = 1, max_length = 50)]
    pub row: String,
    /// Points.
    #[garde(range(min = 0, max = 1_000_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub seat_price: i64,
}

/// Seats to be kept back, or given free again.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Blocking {
    /// Which. Those that are so already stay so.
    #[garde(length(min = 1, max = MAX_BLOCKED))]
    #[schema(value_type = Vec<i64>, min_items = 1, max_items = 1_000)]
    pub seat_ids: Vec<SeatId>,
    /// Kept back, or free.
    #[garde(skip)]
    pub blocked: bool,
}

/// How many seats were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatsAdded {
    /// Seats.
    pub created: usize,
}

/// How many seats were blocked or unblocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatsBlocked {
    /// Seats that were not so already.
    pub changed: usize,
}

/// The seats of a schedule that are kept back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BlockedSeats {
    /// Which, in order of their numbers.
    #[schema(value_type = Vec<i64>)]
    pub seat_ids: Vec<SeatId>,
}

/// New seats column by column, in order of their numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The number that the list gives its first seat; none where it leaves the numbers to us.
    first: Option<u32>,
    /// Of each seat.
    pub sections: Vec<String>,
    /// Of each seat.
    pub rows: Vec<String>,
    /// Of each seat.
    pub prices: Vec<i64>,
}

impl Columns {
    /// Puts a list in order.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] where it has neither or both shapes, too many seats, or a gap.
    pub fn of(new: NewSeats) -> Result<Self, AdminError> {
        match (new.sections, new.seats) {
            (Some(sections), None) => Self::of_sections(&sections),
            (None, Some(seats)) => Self::of_seats(seats),
            _ => Err(AdminError::invalid("", "needs either sections or seats")),
        }
    }

    fn of_sections(sections: &[NewSection]) -> Result<Self, AdminError> {
        let size =
            |section: &NewSection| u64::from(section.rows) * u64::from(section.seats_per_row);
        let most = u64::try_from(MAX_PER_CALL).unwrap_or(u64::MAX);
        if sections.iter().map(size).sum::<u64>() > most {
            let detail = format!("must be at most {MAX_PER_CALL} seats together");
            return Err(AdminError::invalid("/sections", detail));
        }
        let mut columns = Self::default();
        for section in sections {
            for row in 1..=section.rows {
                for _ in 0..section.seats_per_row {
                    columns.push(section.name.clone(), row.to_string(), section.seat_price);
                }
            }
        }
        Ok(columns)
    }

    fn of_seats(seats: Vec<NewSeat>) -> Result<Self, AdminError> {
        // Each keeps its place in the request, for the pointer.
        let mut seats: Vec<(usize, NewSeat)> = seats.into_iter().enumerate().collect();
        seats.sort_by_key(|(_, seat)| seat.seat_number);
        let first = seats.first().map_or(1, |(_, seat)| seat.seat_number);
        let mut columns = Self { first: Some(first), ..Self::default() };
        for (expected, (index, seat)) in (first..).zip(seats) {
            if seat.seat_number != expected {
                let detail = format!("numbers must have no gap and no repeat: {expected} is next");
                return Err(AdminError::invalid(format!("/seats/{index}/seat_number"), detail));
            }
            columns.push(seat.section, seat.row, seat.seat_price);
        }
        Ok(columns)
    }

    fn push(&mut self, section: String, row: String, price: i64) {
        self.sections.push(section);
        self.rows.push(row);
        self.prices.push(price);
    }

    /// How many seats.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prices.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prices.is_empty()
    }

    /// Whether they may follow the `last` seat there is.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] where that makes a gap, a repeat, or too many.
    pub fn may_follow(&self, last: u32) -> Result<(), AdminError> {
        if let Some(first) = self.first.filter(|first| *first != last + 1) {
            let detail = format!("numbers go on from {}, not from {first}", last + 1);
            return Err(AdminError::invalid("/seats", detail));
        }
        let all = u32::try_from(self.len()).ok().and_then(|more| last.checked_add(more));
        if all.is_none_or(|all| all > MAX_PER_SCHEDULE) {
            let pointer = if self.first.is_some() { "/seats" } else { "/sections" };
            let detail = format!("a schedule has at most {MAX_PER_SCHEDULE} seats; it has {last}");
            return Err(AdminError::invalid(pointer, detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn columns(text: &Value) -> Result<Columns, String> {
        let new: NewSeats = serde_json::from_value(text.clone()).map_err(|e| e.to_string())?;
        new.validate().map_err(|report| report.to_string())?;
        Columns::of(new).map_err(|error| error.to_string())
    }

    fn seats(numbers: &[u32]) -> Value {
        let seat = |n: &u32| json!({"seat_number": n, "section": "A", "row": "1", "seat_price": n});
        json!({ "seats": numbers.iter().map(seat).collect::<Vec<_>>() })
    }

    fn section(rows: u32, seats_per_row: u32) -> Value {
        json!({"name": "A", "rows": rows, "seats_per_row": seats_per_row, "seat_price": 5})
    }

    #[test]
    fn a_section_is_rows_of_seats() {
        let columns = columns(&json!({ "sections": [section(2, 3), section(1, 1)] })).unwrap();
        assert_eq!(columns.rows, ["1", "1", "1", "2", "2", "2", "1"]);
        assert!(columns.may_follow(0).is_ok());
        assert!(columns.may_follow(199_993).is_ok());
        assert!(columns.may_follow(199_994).is_err());
    }

    #[test]
    fn seats_come_in_any_order_and_go_on_without_a_gap() {
        let good = columns(&seats(&[3, 1, 2])).unwrap();
        assert_eq!(good.prices, [1, 2, 3]);
        assert!(good.may_follow(0).is_ok());
        assert!(good.may_follow(1).is_err());
        assert!(columns(&seats(&[7, 8])).unwrap().may_follow(6).is_ok());
        assert_eq!(
            columns(&seats(&[1, 4, 2])).unwrap_err(),
            "/seats/1/seat_number: numbers must have no gap and no repeat: 3 is next"
        );
        assert!(columns(&seats(&[1, 1])).is_err());
    }

    #[test]
    fn too_many_seats_and_no_seats_are_refused() {
        assert_eq!(columns(&json!({ "sections": [section(1000, 100)] })).unwrap().len(), 100_000);
        for refused in [
            json!({}),
            json!({ "sections": [] }),
            json!({ "seats": [] }),
            json!({ "sections": [section(0, 1)] }),
            json!({ "sections": [section(100_000, 100_000), section(1, 1)] }),
            json!({ "sections": [section(1, 1)], "seats": seats(&[1])["seats"] }),
            json!({ "sections": [{"name": "", "rows": 1, "seats_per_row": 1, "seat_price": 1}] }),
            json!({ "sections": [{"name": "A", "rows": 1, "seats_per_row": 1, "seat_price": -1}] }),
        ] {
            assert!(columns(&refused).is_err(), "{refused}");
        }
    }
}
