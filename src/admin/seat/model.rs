//! Lists of new seats, and of seats to block. Seat numbers are 1..n in a schedule, without a gap.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::error::AdminError;
use crate::admin::rules::storable;
use crate::store::id::SeatId;
use crate::strict_object::objects;

/// Most seats that one call may add.
pub const MAX_PER_CALL: usize = 100_000;
/// Most seats of one schedule.
pub const MAX_PER_SCHEDULE: u32 = 200_000;
/// Most seats that one call may block or unblock, because one script call applies them in Redis.
pub const MAX_BLOCKED: usize = 1_000;

/// Seats to add: either `sections` or `seats`.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeats {
    /// Whole sections. Their seats get numbers in this order, row by row, from the last seat on.
    #[serde(default, deserialize_with = "objects")]
    #[garde(length(min = 1, max = 10_000), dive)]
    #[schema(value_type = Vec<NewSection>, required = false, min_items = 1, max_items = 10_000)]
    pub sections: Option<Vec<NewSection>>,
    /// Single seats, in any order. Their numbers continue from the last seat without a gap.
    #[serde(default, deserialize_with = "objects")]
    #[garde(length(min = 1, max = MAX_PER_CALL), dive)]
    #[schema(value_type = Vec<NewSeat>, required = false, min_items = 1, max_items = 100_000)]
    pub seats: Option<Vec<NewSeat>>,
}

/// A section whose rows all have the same length. Its rows are named 1, 2, ….
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSection {
    /// Name, such as `A` or `Balcony`.
    #[garde(length(chars, min = 1, max = 50), custom(storable))]
    #[schema(min_length = 1, max_length = 50)]
    pub name: String,
    /// Number of rows.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000)]
    pub rows: u32,
    /// Number of seats in each row.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000)]
    pub seats_per_row: u32,
    /// Price of a seat, in points.
    #[garde(range(min = 0, max = 1_000_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub seat_price: i64,
}

/// One seat to add.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeat {
    /// Number of the seat. Numbers are 1..n in a schedule, without a gap.
    #[garde(range(min = 1, max = MAX_PER_SCHEDULE))]
    #[schema(minimum = 1, maximum = 200_000)]
    pub seat_number: u32,
    /// Name of the section, such as `A` or `Balcony`.
    #[garde(length(chars, min = 1, max = 50), custom(storable))]
    #[schema(min_length = 1, max_length = 50)]
    pub section: String,
    /// Name of the row, such as `1` or `AA`.
    #[garde(length(chars, min = 1, max = 50), custom(storable))]
    #[schema(min_length = 1, max_length = 50)]
    pub row: String,
    /// Price of a seat, in points.
    #[garde(range(min = 0, max = 1_000_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub seat_price: i64,
}

/// Seats to block or unblock.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Blocking {
    /// Ids of the seats. Seats that are already in the requested state do not change.
    #[garde(length(min = 1, max = MAX_BLOCKED))]
    #[schema(value_type = Vec<i64>, min_items = 1, max_items = 1_000)]
    pub seat_ids: Vec<SeatId>,
    /// True to block the seats, false to unblock them.
    #[garde(skip)]
    pub blocked: bool,
}

/// Result of adding seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatsAdded {
    /// Number of seats added.
    pub created: usize,
}

/// Result of blocking or unblocking seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatsBlocked {
    /// Number of seats whose state changed.
    pub changed: usize,
}

/// The blocked seats of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BlockedSeats {
    /// Ids of the seats, in order of seat number.
    #[schema(value_type = Vec<i64>)]
    pub seat_ids: Vec<SeatId>,
}

/// New seats as one vector per column, in order of seat number.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The number of the first seat; `None` if the request leaves the numbers to the server.
    first: Option<u32>,
    /// Section of each seat.
    pub sections: Vec<String>,
    /// Row of each seat.
    pub rows: Vec<String>,
    /// Price of each seat, in points.
    pub prices: Vec<i64>,
}

impl Columns {
    /// Converts a request into columns in order of seat number.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if the request has neither or both forms, too many seats, or a gap
    /// or repeat in the numbers.
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
        let limit = u64::try_from(MAX_PER_CALL).unwrap_or(u64::MAX);
        if sections.iter().map(size).sum::<u64>() > limit {
            let detail = format!("must have at most {MAX_PER_CALL} seats in total");
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
        // The index in the request is needed for the JSON pointer of an error.
        let mut seats: Vec<(usize, NewSeat)> = seats.into_iter().enumerate().collect();
        seats.sort_by_key(|(_, seat)| seat.seat_number);
        let first = seats.first().map_or(1, |(_, seat)| seat.seat_number);
        let mut columns = Self { first: Some(first), ..Self::default() };
        for (expected, (index, seat)) in (first..).zip(seats) {
            if seat.seat_number != expected {
                let detail = format!("seat numbers have a gap or a repeat: {expected} is next");
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

    /// Number of seats.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prices.len()
    }

    /// Whether there are no seats.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prices.is_empty()
    }

    /// Checks that these seats may follow a seat numbered `last`.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if that makes a gap, a repeat, or too many seats.
    pub fn may_follow(&self, last: u32) -> Result<(), AdminError> {
        if let Some(first) = self.first.filter(|first| *first != last + 1) {
            let detail = format!("seat numbers must continue from {}, not from {first}", last + 1);
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
    fn seats_may_come_in_any_order_and_must_have_no_gap() {
        let sorted = columns(&seats(&[3, 1, 2])).unwrap();
        assert_eq!(sorted.prices, [1, 2, 3]);
        assert!(sorted.may_follow(0).is_ok());
        assert!(sorted.may_follow(1).is_err());
        assert!(columns(&seats(&[7, 8])).unwrap().may_follow(6).is_ok());
        assert_eq!(
            columns(&seats(&[1, 4, 2])).unwrap_err(),
            "/seats/1/seat_number: seat numbers have a gap or a repeat: 3 is next"
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
