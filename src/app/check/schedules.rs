//! Checks the coming sales.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use super::pg::sales::{ComingSale, coming_sales};
use super::report::{Finding, Report};
use crate::store::pg::Pg;

/// Shortest time between the openings of queue and sale that is usual.
const EARLY: TimeDelta = TimeDelta::minutes(1);

/// Checks each schedule whose sale has not ended. Returns the largest number of seats of one.
pub(super) async fn check(pg: &Pg, report: &mut Report) -> u64 {
    match coming_sales(pg).await {
        Err(error) => {
            report.fail_with("schedules", error, "check again");
            0
        }
        Ok(sales) if sales.is_empty() => {
            report.warn("schedules", "no sale is coming", "create the concert and its schedule");
            0
        }
        Ok(sales) => {
            let now = Utc::now();
            for sale in &sales {
                check_sale(sale, now, report);
            }
            sales.iter().map(|sale| sale.seats.unsigned_abs()).max().unwrap_or(0)
        }
    }
}

/// Checks one schedule.
pub(super) fn check_sale(sale: &ComingSale, now: DateTime<Utc>, report: &mut Report) {
    let begun = report.findings.len();
    times(sale, now, report);
    queue_opening(sale, now, report);
    status(sale, report);
    seats(sale, report);
    prices(sale, report);
    capacity(sale, report);
    pace(sale, report);
    slots(sale, report);
    test_purchase(sale, now, report);
    for finding in report.findings.iter_mut().skip(begun) {
        finding.text = format!("schedule {} ({}): {}", sale.id, sale.title, finding.text);
    }
}

fn text_of(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn times(sale: &ComingSale, now: DateTime<Utc>, report: &mut Report) {
    let name = "schedule.times";
    let [queue, opens, ends] = [sale.queue_opens_at, sale.opens_at, sale.deadline_at].map(text_of);
    let times = format!("queue {queue}, sale {opens} to {ends}");
    let window = (sale.deadline_at - sale.opens_at).num_seconds();
    let finding = if sale.deadline_at <= now {
        report.fail(name, format!("{times}; it is over"), "move its times").case("over")
    } else if window < i64::from(sale.active_ttl_seconds) {
        let advice = "the sale is shorter than one active slot: check its times";
        report.warn(name, times, advice)
    } else if sale.opens_at <= now {
        report.ok(name, format!("{times}; on sale now")).case("open")
    } else {
        report.ok(name, times)
    };
    finding.value("opens_at", opens).value("deadline_at", ends);
}

fn queue_opening(sale: &ComingSale, now: DateTime<Utc>, report: &mut Report) {
    let name = "schedule.queue";
    let before = sale.opens_at - sale.queue_opens_at;
    let minutes = before.num_minutes();
    let finding = if sale.queue_opens_at <= now {
        report.ok(name, "its queue is open").case("open")
    } else if before < EARLY {
        let advice = "open the queue some minutes before the sale, so that people join over time";
        let text = format!("its queue opens {} s before the sale", before.num_seconds());
        report.warn(name, text, advice)
    } else {
        report.ok(name, format!("its queue opens {minutes} min before the sale"))
    };
    finding.value("minutes", minutes).value("queue_opens_at", text_of(sale.queue_opens_at));
}

fn status(sale: &ComingSale, report: &mut Report) {
    if sale.is_available {
        report.ok("schedule.status", "its concert is on sale");
    } else {
        let advice = "set the concert's status to AVAILABLE";
        report.fail("schedule.status", "the concert is withdrawn: nobody can join", advice);
    }
    if sale.paused {
        let advice = "set paused to false before the sale opens";
        report.warn("schedule.paused", "admission is paused", advice);
    } else {
        report.ok("schedule.paused", "admission is not paused");
    }
}

fn seats(sale: &ComingSale, report: &mut Report) {
    let (name, blocked) = ("schedule.seats", sale.blocked);
    let text = format!("{} seats, {blocked} of them blocked", sale.seats);
    let finding = if sale.seats == 0 {
        report.fail(name, text, "add its seats").case("none")
    } else if sale.for_sale() == 0 {
        report.fail(name, text, "no seat is for sale: unblock some").case("all_blocked")
    } else if blocked > sale.for_sale() {
        report.warn(name, text, "more seats are blocked than for sale: check them")
    } else {
        report.ok(name, text)
    };
    finding.value("seats", sale.seats).value("blocked", blocked);
}

fn prices(sale: &ComingSale, report: &mut Report) {
    if sale.seats == 0 {
        return;
    }
    let (name, low, high) = ("schedule.prices", sale.lowest_price, sale.highest_price);
    let text = format!("{} prices, from {low} to {high} points", sale.prices);
    let finding = if sale.unpriced > 0 {
        let text = format!("{text}; {} seats cost nothing", sale.unpriced);
        report.warn(name, text, "check the prices of its sections")
    } else {
        report.ok(name, text)
    };
    finding.value("prices", sale.prices).value("low", low).value("high", high);
    finding.value("unpriced", sale.unpriced);
}

fn add_capacity(finding: &mut Finding, sale: &ComingSale) {
    finding.value("capacity", sale.capacity).value("rate", sale.admit_per_second);
    finding.value("for_sale", sale.for_sale());
}

fn capacity(sale: &ComingSale, report: &mut Report) {
    let (name, capacity, rate) = ("schedule.capacity", sale.capacity, sale.admit_per_second);
    let finding = if capacity == 0 {
        report.fail(name, "its capacity is 0: nobody is admitted", "set capacity")
    } else {
        report.ok(name, format!("{capacity} active buyers, {rate} admitted per second"))
    };
    add_capacity(finding, sale);
    let (name, for_sale) = ("schedule.crowd", sale.for_sale());
    if for_sale == 0 || capacity == 0 {
        return;
    }
    let finding = if i64::from(capacity) > for_sale {
        let text = format!("{capacity} active buyers compete for {for_sale} seats");
        report.warn(name, text, "lower capacity: buyers beyond the seats find nothing")
    } else {
        report.ok(name, format!("{capacity} active buyers for {for_sale} seats"))
    };
    add_capacity(finding, sale);
}

/// Whether the sale is long enough for all seats, if each admitted buyer takes all they may.
fn pace(sale: &ComingSale, report: &mut Report) {
    let name = "schedule.pace";
    let per_second = i64::from(sale.admit_per_second) * i64::from(sale.max_seats_per_user);
    let seconds = sale.for_sale() / per_second.max(1);
    let window = (sale.deadline_at - sale.opens_at).num_seconds();
    if window <= 0 {
        return;
    }
    let text = format!("all seats are sold after {} min at the earliest", seconds / 60);
    let finding = if seconds > window {
        let text = format!("{text}, and the sale lasts {} min", window / 60);
        report.warn(name, text, "raise admit_per_second, or move the deadline")
    } else {
        report.ok(name, text)
    };
    finding.value("minutes", seconds / 60).value("window", window / 60);
    finding.value("rate", sale.admit_per_second);
}

fn slots(sale: &ComingSale, report: &mut Report) {
    let (slot, hold) = (sale.active_ttl_seconds, sale.hold_ttl_seconds);
    let finding = if slot <= hold {
        let text = format!("an active slot of {slot} s is not longer than a hold of {hold} s");
        let advice = "choose active_ttl_seconds longer than hold_ttl_seconds";
        report.warn("schedule.slots", text, advice)
    } else {
        report.ok("schedule.slots", format!("an active slot of {slot} s, a hold of {hold} s"))
    };
    finding.value("slot", slot).value("hold", hold);
}

fn test_purchase(sale: &ComingSale, now: DateTime<Utc>, report: &mut Report) {
    let name = "schedule.test_purchase";
    if let Some(at) = sale.rehearsed_at {
        let text = format!("a rehearsal passed at {}", text_of(at));
        report.ok(name, text).case("rehearsed").value("tested_at", text_of(at));
    } else if let Some(at) = sale.refunded_at {
        let text = format!("a purchase was paid and refunded at {}", text_of(at));
        report.ok(name, text).case("refunded").value("tested_at", text_of(at));
    } else if sale.opens_at <= now {
        report.ok(name, "the sale has opened without a test purchase").case("open");
    } else {
        let advice = "rehearse it, or buy a seat of a schedule like this one and refund it";
        report
            .warn(name, "nobody has made a test purchase", advice)
            .value("tested_at", Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::report::Level;
    use super::*;

    fn sale(now: DateTime<Utc>) -> ComingSale {
        ComingSale {
            id: 7,
            title: "Night".to_owned(),
            is_available: true,
            paused: false,
            queue_opens_at: now,
            opens_at: now + TimeDelta::hours(1),
            deadline_at: now + TimeDelta::hours(3),
            capacity: 500,
            admit_per_second: 50,
            active_ttl_seconds: 600,
            hold_ttl_seconds: 300,
            max_seats_per_user: 4,
            seats: 1000,
            blocked: 10,
            lowest_price: 100,
            highest_price: 200,
            prices: 2,
            unpriced: 0,
            refunded_at: Some(now),
            rehearsed_at: None,
        }
    }

    #[test]
    fn each_mistake_of_a_schedule_is_found() {
        let now = Utc::now();
        let worst = |change: &dyn Fn(&mut ComingSale), name: &str| {
            let (mut sale, mut report) = (sale(now), Report::default());
            change(&mut sale);
            check_sale(&sale, now, &mut report);
            let bad = report.findings.into_iter().filter(|finding| finding.level != Level::Ok);
            let bad: Vec<_> = bad.map(|finding| (finding.name, finding.level)).collect();
            assert!(bad.len() < 2 && bad.iter().all(|(found, _)| *found == name), "{bad:?}");
            bad.first().map(|(_, level)| *level)
        };
        let (warning, failure) = (Some(Level::Warning), Some(Level::Failure));
        assert_eq!(worst(&|_| {}, ""), None);
        assert_eq!(worst(&|it| it.opens_at = now, "schedule.times"), None);
        assert_eq!(
            worst(&|it| it.deadline_at = it.opens_at + TimeDelta::minutes(5), "schedule.times"),
            warning
        );
        assert_eq!(worst(&|it| it.deadline_at = now, "schedule.times"), failure);
        assert_eq!(worst(&|it| it.queue_opens_at = it.opens_at, "schedule.queue"), warning);
        assert_eq!(worst(&|it| (it.seats, it.blocked) = (0, 0), "schedule.seats"), failure);
        assert_eq!(worst(&|it| (it.blocked, it.capacity) = (501, 400), "schedule.seats"), warning);
        assert_eq!(worst(&|it| it.unpriced = 1, "schedule.prices"), warning);
        assert_eq!(worst(&|it| it.capacity = 991, "schedule.crowd"), warning);
        assert_eq!(worst(&|it| it.seats = 2_000_000, "schedule.pace"), warning);
        assert_eq!(worst(&|it| it.refunded_at = None, "schedule.test_purchase"), warning);
        assert_eq!(worst(&|it| it.blocked = it.seats, "schedule.seats"), failure);
        assert_eq!(worst(&|it| it.is_available = false, "schedule.status"), failure);
        assert_eq!(worst(&|it| it.paused = true, "schedule.paused"), warning);
        assert_eq!(worst(&|it| it.capacity = 0, "schedule.capacity"), failure);
        assert_eq!(worst(&|it| it.hold_ttl_seconds = 600, "schedule.slots"), warning);
    }
}
