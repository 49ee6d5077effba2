//! The sales report as CSV (RFC 4180), with one figure per row, for filters and pivot tables.

use std::fmt::Display;

use chrono::{DateTime, SecondsFormat, Utc};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::model::{EventReport, Waits};

/// Characters with which a formula begins: `= + - @`, their full-width forms, and the minus sign.
const FORMULA: [char; 9] =
    ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{2212}'];

/// The rows written so far.
struct Sheet(String);

/// Renders the report as CSV text with CRLF line ends.
#[must_use]
pub fn render(report: &EventReport) -> String {
    let mut sheet = Sheet("part,item,since,value,unit\r\n".to_owned());
    about(&mut sheet, report);
    line(&mut sheet, report);
    waits(&mut sheet, "wait", &report.waits);
    waits(&mut sheet, "wait from the opening", &report.waits_from_opening);
    sales(&mut sheet, report);
    for rejection in &report.rejections {
        let item = format!("{} {}", rejection.wanted, rejection.reason);
        sheet.put("rejected", &item, rejection.times, "requests");
    }
    course(&mut sheet, report);
    sheet.0
}

fn about(sheet: &mut Sheet, report: &EventReport) {
    sheet.put("about", "schedule", report.schedule_id, "id");
    sheet.put("about", "title", &report.title, "text");
    for (item, at) in [
        ("line opens", report.queue_opens_at),
        ("sale opens", report.reservation_available_at),
        ("sale closes", report.deadline_at),
        ("doors open", report.concert_at),
        ("report made", report.computed_at),
    ] {
        sheet.put("about", item, time(at), "time");
    }
    sheet.put("about", "settled", report.settled, "true or false");
}

fn line(sheet: &mut Sheet, report: &EventReport) {
    let line = &report.line;
    for (item, places) in [
        ("joined", line.joined),
        ("admitted", line.admitted),
        ("completed", line.completed),
        ("out of time inside", line.expired_inside),
        ("left inside", line.left_inside),
        ("never let in", line.expired_waiting),
        ("left waiting", line.left_waiting),
        ("waiting", line.waiting),
        ("inside", line.inside),
    ] {
        sheet.put("line", item, places, "places");
    }
    sheet.put("line", "joined", line.people, "people");
    sheet.seconds("line", "longest in vain", line.longest_in_vain_seconds);
}

fn waits(sheet: &mut Sheet, part: &str, waits: &Waits) {
    sheet.seconds(part, "mean", waits.mean_seconds);
    for percentile in &waits.percentiles {
        sheet.seconds(part, &format!("p{}", percentile.percent), Some(percentile.seconds));
    }
    sheet.seconds(part, "longest", waits.longest_seconds);
}

fn sales(sheet: &mut Sheet, report: &EventReport) {
    let sales = &report.sales;
    for (item, seats) in [
        ("all", sales.seats),
        ("kept back", sales.blocked),
        ("sold", sales.sold),
        ("given to guests", sales.guests),
        ("refunded", sales.refunded),
        ("waiting for payment", sales.held),
        ("not paid in time", sales.expired),
        ("given back", sales.cancelled),
    ] {
        sheet.put("sales", item, seats, "seats");
    }
    sheet.put("sales", "sold", sales.buyers, "people");
    sheet.put("sales", "revenue", sales.revenue, "points");
    sheet.put("sales", "refunds", sales.refunds, "points");
    for section in &report.sections {
        for (what, seats) in [
            ("all", section.seats),
            ("kept back", section.blocked),
            ("sold", section.sold),
            ("given to guests", section.guests),
        ] {
            sheet.put("section", &format!("{}: {what}", section.section), seats, "seats");
        }
        let item = format!("{}: revenue", section.section);
        sheet.put("section", &item, section.revenue, "points");
    }
}

fn course(sheet: &mut Sheet, report: &EventReport) {
    sheet.put("course", "interval", report.interval_seconds, "seconds");
    for part in &report.course {
        for (item, value, unit) in [
            ("joined", part.joined, "places"),
            ("admitted", part.admitted, "places"),
            ("sold", part.sold, "seats"),
            ("paid", part.paid, "points"),
            ("refunded", part.refunded, "seats"),
            ("rejected", part.rejections, "requests"),
        ] {
            sheet.row(["course", item, &time(part.since), &value.to_string(), unit]);
        }
    }
}

/// A time in UTC, in milliseconds.
pub(in crate::admin) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Sheet {
    fn put(&mut self, part: &str, item: &str, value: impl Display, unit: &str) {
        self.row([part, item, "", &value.to_string(), unit]);
    }

    fn seconds(&mut self, part: &str, item: &str, seconds: Option<f64>) {
        if let Some(seconds) = seconds {
            self.put(part, item, format!("{seconds:.3}"), "seconds");
        }
    }

    fn row(&mut self, cells: [&str; 5]) {
        self.0.push_str(&cells.map(cell).join(","));
        self.0.push_str("\r\n");
    }
}

/// Escapes one cell. Text that a spreadsheet would run as a formula gets an apostrophe in front,
/// because titles and section names come from outside. Our own numbers are never negative.
///
/// Programs also take the full-width forms of these characters for a formula, and some drop spaces
/// and invisible characters before them.
pub(in crate::admin) fn cell(text: &str) -> String {
    let ignored = |c: char| c.is_whitespace() || c.is_control() || is_format(c);
    let formula = text.starts_with(['\t', '\r', '\n'])
        || text.trim_start_matches(ignored).starts_with(FORMULA);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) || formula {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Whether a character is invisible: a format character, such as a zero-width space.
fn is_format(c: char) -> bool {
    c.general_category() == GeneralCategory::Format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_text_becomes_a_formula() {
        for (text, expected) in [
            ("Floor", "Floor"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-", "\"'-\""),
            ("\u{ff1d}1+1", "\"'\u{ff1d}1+1\""),
            ("\u{ff0b}1", "\"'\u{ff0b}1\""),
            ("\u{ff0d}1", "\"'\u{ff0d}1\""),
            ("\u{ff20}A1", "\"'\u{ff20}A1\""),
            ("\u{2212}1", "\"'\u{2212}1\""),
            (" =1", "\"' =1\""),
            ("\u{3000}\u{a0}@A1", "\"'\u{3000}\u{a0}@A1\""),
            ("\u{200b}=1", "\"'\u{200b}=1\""),
            ("\u{feff}\u{1}+1", "\"'\u{feff}\u{1}+1\""),
            ("\tA", "\"'\tA\""),
            ("\rA", "\"'\rA\""),
            (" Floor", " Floor"),
            ("A-1 = B", "A-1 = B"),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
