//! The sales report as CSV (RFC 4180), with one figure per row, for filters and pivot tables.

use std::fmt::Display;

use chrono::{DateTime, SecondsFormat, Utc};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::model::EventReport;
use super::waits::Waits;

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
    explained(&mut sheet, report);
    sales(&mut sheet, report);
    for rejection in &report.rejections {
        let item = format!("{} {}", rejection.wanted, rejection.reason);
        sheet.put("rejected", &item, rejection.times, "requests");
    }
    for refused in &report.refused_payments {
        sheet.put("refused payment", &refused.reason, refused.times, "requests");
    }
    predicted(&mut sheet, report);
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

/// How far people came, and why percentiles differ.
fn explained(sheet: &mut Sheet, report: &EventReport) {
    if let Some(queued) = &report.queued {
        sheet.put("wait", "admitted at once", queued.admitted_at_once, "places");
        waits(sheet, "wait without those admitted at once", &queued.waits);
    }
    for (number, group) in (1..).zip(&report.waits_by_joining) {
        let since = time(group.joined_from);
        for (item, value) in [("joined", group.joined), ("admitted", group.admitted)] {
            let item = format!("{number}: {item}");
            sheet.row(["wait by joining", &item, &since, &value.to_string(), "places"]);
        }
        for (item, seconds) in [
            ("p50", group.median_seconds),
            ("p95", group.p95_seconds),
            ("p50 from the opening", group.median_from_opening_seconds),
            ("p95 from the opening", group.p95_from_opening_seconds),
        ] {
            let (item, seconds) =
                (format!("{number}: {item}"), seconds.map(|it| format!("{it:.3}")));
            if let Some(seconds) = seconds {
                sheet.row(["wait by joining", &item, &since, &seconds, "seconds"]);
            }
        }
    }
    let Some(people) = &report.people else { return };
    for step in &people.steps {
        let name = step.step.as_str();
        sheet.put("step", name, step.people, "people");
        for (of, share) in [("the step before", step.of_previous), ("joined", step.of_joined)] {
            if let Some(share) = share {
                let percent = format!("{:.2}", share * 100.0);
                sheet.put("step", &format!("{name} of {of}"), percent, "percent");
            }
        }
    }
    let admitted = people.admitted;
    for (item, count) in [
        ("paid", admitted.paid),
        ("still open", admitted.open),
        ("held and did not pay", admitted.held_not_paid),
        ("held nothing", admitted.held_nothing),
        ("did not come", admitted.no_shows),
    ] {
        sheet.put("admitted", item, count, "people");
    }
}

/// The prediction, with what it assumes.
fn predicted(sheet: &mut Sheet, report: &EventReport) {
    sheet.seconds("sales", "sold out after", report.sold_out_seconds);
    if let Some(reason) = report.no_prediction {
        sheet.put("prediction", "none", reason.as_str(), "text");
    }
    let Some(prediction) = &report.prediction else { return };
    let assumed = &prediction.assumed;
    sheet.put("prediction", "people", prediction.people, "people");
    sheet.put("prediction", "for sale", prediction.seats, "seats");
    sheet.put("prediction", "capacity", prediction.capacity, "places");
    sheet.put("prediction", "admissions", prediction.admit_per_second, "per second");
    let changed = prediction.settings_changed;
    sheet.put("prediction", "settings changed during the sale", changed, "true or false");
    for (item, share) in [
        ("assumed: leave the queue soon", assumed.leaves_soon),
        ("assumed: away at their turn", assumed.no_shows),
        ("assumed: leave without a seat", assumed.leaves_sale),
        ("assumed: pay for what they hold", assumed.pays),
    ] {
        sheet.put("prediction", item, format!("{:.2}", share * 100.0), "percent");
    }
    let choose = Some(assumed.choose_seconds);
    sheet.seconds("prediction", "assumed: median time to choose", choose);
    sheet.seconds("prediction", "assumed: median time to pay", Some(assumed.pay_seconds));
    for (part, waits) in [
        ("predicted wait", &prediction.waits),
        ("predicted wait from the opening", &prediction.waits_from_opening),
    ] {
        for (item, range) in [("p50", waits.p50), ("p90", waits.p90), ("p99", waits.p99)] {
            sheet.seconds(part, item, Some(range.median));
        }
    }
    sheet.put("prediction", "sold", format!("{:.0}", prediction.sold.median), "seats");
    let sold_out = prediction.sold_out_seconds.map(|range| range.median);
    sheet.seconds("prediction", "sold out after", sold_out);
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
