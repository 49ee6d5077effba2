//! The rows of exports, and how they are written.
//!
//! The first column is the cursor: with the one of the last complete line, a download goes on where it
//! broke.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::model::{ExportPage, Format};
use crate::admin::sales_report::csv;

/// A row of an export.
pub(super) trait Record: Serialize {
    /// Names of the columns, in order.
    const COLUMNS: &'static [&'static str];

    /// The position of the row.
    fn cursor(&self) -> i64;

    /// Whether it is a row of the file. Others only carry the cursor of what a page has looked at.
    fn is_written(&self) -> bool;

    /// Writes the cells of a CSV line.
    fn write_cells(&self, line: &mut Line<'_>);
}

/// A CSV line that is being written.
pub(super) struct Line<'t> {
    text: &'t mut String,
    is_first: bool,
}

/// A value of a cell.
trait Cell {
    fn write(&self, text: &mut String);
}

impl Cell for i64 {
    fn write(&self, text: &mut String) {
        // Writing to a string does not fail. A negative number is no formula.
        let _ = write!(text, "{self}");
    }
}

impl Cell for i32 {
    fn write(&self, text: &mut String) {
        i64::from(*self).write(text);
    }
}

impl Cell for Uuid {
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{self}");
    }
}

impl Cell for DateTime<Utc> {
    fn write(&self, text: &mut String) {
        text.push_str(&csv::time(*self));
    }
}

impl Cell for String {
    fn write(&self, text: &mut String) {
        text.push_str(&csv::cell(self));
    }
}

impl<C: Cell> Cell for Option<C> {
    fn write(&self, text: &mut String) {
        if let Some(value) = self {
            value.write(text);
        }
    }
}

impl Line<'_> {
    fn put(&mut self, cell: &impl Cell) {
        if !std::mem::take(&mut self.is_first) {
            self.text.push(',');
        }
        cell.write(self.text);
    }
}

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident if $key:ident { $($column:ident: $kind:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize)]
        pub struct $name {
            pub(super) cursor: i64,
            $(pub(super) $column: $kind,)+
        }

        impl Record for $name {
            const COLUMNS: &'static [&'static str] = &["cursor", $(stringify!($column)),+];

            fn cursor(&self) -> i64 {
                self.cursor
            }

            fn is_written(&self) -> bool {
                self.$key.is_some()
            }

            fn write_cells(&self, line: &mut Line<'_>) {
                line.put(&self.cursor);
                $(line.put(&self.$column);)+
            }
        }
    )+};
}

records! {
    /// A user who paid for at least one seat, at the first of their paid reservations.
    Buyer if first_reserved_at {
        user_id: i64,
        name: String,
        seats: i64,
        amount: i64,
        refunded_seats: i64,
        refunded_amount: i64,
        first_reserved_at: Option<DateTime<Utc>>,
    }
    /// A reservation.
    ReservationRow if status {
        hold_id: Uuid,
        user_id: i64,
        name: String,
        seat_number: i32,
        section: String,
        row: String,
        status: Option<String>,
        amount: i64,
        reserved_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        queue_sequence: i64,
    }
    /// A payment, at its reservation.
    PaymentRow if payment_id {
        payment_id: Option<i64>,
        hold_id: Uuid,
        user_id: i64,
        name: String,
        seat_number: i32,
        section: String,
        row: String,
        amount: i64,
        status: Option<String>,
        paid_at: Option<DateTime<Utc>>,
        refunded_at: Option<DateTime<Utc>>,
    }
    /// A movement of points.
    PointRow if kind {
        kind: Option<String>,
        user_id: i64,
        name: String,
        amount: Option<i64>,
        balance_after: Option<i64>,
        hold_id: Uuid,
        reference: Option<String>,
        moved_at: Option<DateTime<Utc>>,
    }
    /// A queue entry that was admitted.
    Admission if admitted_at {
        user_id: i64,
        name: String,
        ticket_id: Uuid,
        status: String,
        joined_at: DateTime<Utc>,
        admitted_at: Option<DateTime<Utc>>,
        ended_at: Option<DateTime<Utc>>,
    }
}

/// The first line of a file in this format.
pub(super) fn head<R: Record>(format: Format) -> String {
    match format {
        Format::Csv => format!("\u{feff}{}\r\n", R::COLUMNS.join(",")),
        Format::JsonLines => String::new(),
    }
}

/// Writes a page of up to `limit` rows.
pub(super) fn render<R: Record>(rows: &[R], format: Format, limit: i64) -> ExportPage {
    let mut text = String::new();
    for row in rows.iter().filter(|row| row.is_written()) {
        match format {
            Format::Csv => {
                row.write_cells(&mut Line { text: &mut text, is_first: true });
                text.push_str("\r\n");
            }
            Format::JsonLines => {
                // Serializing our own plain structs cannot fail.
                text.push_str(&serde_json::to_string(row).unwrap_or_default());
                text.push('\n');
            }
        }
    }
    let is_full = i64::try_from(rows.len()).unwrap_or(limit) >= limit;
    ExportPage { text, next: rows.last().map(Record::cursor).filter(|_| is_full) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(kind: Option<&str>, name: &str) -> PointRow {
        PointRow {
            cursor: 15,
            kind: kind.map(str::to_owned),
            user_id: 2,
            name: name.to_owned(),
            amount: Some(-100),
            balance_after: Some(0),
            hold_id: Uuid::nil(),
            reference: None,
            moved_at: DateTime::from_timestamp(1_800_000_000, 0),
        }
    }

    #[test]
    fn a_line_has_every_column_and_numbers_are_never_escaped() {
        assert_eq!(
            head::<PointRow>(Format::Csv),
            "\u{feff}cursor,kind,user_id,name,amount,balance_after,hold_id,reference,moved_at\r\n"
        );
        let rows = [point(Some("PAYMENT"), "\u{ff1d}1+1, Kim")];
        let page = render(&rows, Format::Csv, 2);
        let line = "15,PAYMENT,2,\"'\u{ff1d}1+1, Kim\",-100,0,00000000-0000-0000-0000-000000000000,,\
                    2027-01-15T08:00:00.000Z\r\n";
        assert_eq!(page, ExportPage { text: line.to_owned(), next: None });
        let json = render(&rows, Format::JsonLines, 1);
        assert!(json.text.starts_with("{\"cursor\":15,\"kind\":\"PAYMENT\","), "{}", json.text);
        assert_eq!((json.text.lines().count(), json.next), (1, Some(15)));
    }

    #[test]
    fn a_row_that_only_carries_the_cursor_is_not_written() {
        let page = render(&[point(None, "Kim")], Format::Csv, 1);
        assert_eq!(page, ExportPage { text: String::new(), next: Some(15) });
        let none: [PointRow; 0] = [];
        assert_eq!(render(&none, Format::JsonLines, 1).next, None);
    }
}
