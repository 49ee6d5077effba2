//! Checks the coming sales.

use chrono::{DateTime, SecondsFormat, Utc};

use super::pg::{ComingSale, coming_sales};
use super::report::Report;
use crate::store::pg::Pg;

/// Checks each schedule whose sale has not ended. Returns the largest number of seats of one.
pub(super) async fn check(pg: &Pg, report: &mut Report) -> u64 {
    match coming_sales(pg).await {
        Err(error) => {
            report.fail("schedules", error.to_string(), "check again");
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

fn check_sale(sale: &ComingSale, now: DateTime<Utc>, report: &mut Report) {
    let of_sale = |text: String| format!("schedule {} ({}): {text}", sale.id, sale.title);
    let at = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let times = of_sale(format!(
        "queue {}, sale {} to {}",
        at(sale.queue_opens_at),
        at(sale.opens_at),
        at(sale.deadline_at)
    ));
    let window = (sale.deadline_at - sale.opens_at).num_seconds();
    if window < i64::from(sale.active_ttl_seconds) {
        let advice = "the sale is shorter than one active slot: check its times";
        report.warn("schedule.times", times, advice);
    } else if sale.opens_at <= now {
        report.ok("schedule.times", format!("{times}; on sale now"));
    } else {
        report.ok("schedule.times", times);
    }
    let seats = of_sale(format!("{} seats, {} of them blocked", sale.seats, sale.blocked));
    if sale.seats == 0 {
        report.fail("schedule.seats", seats, "add its seats");
    } else if sale.blocked == sale.seats {
        report.fail("schedule.seats", seats, "no seat is for sale: unblock some");
    } else {
        report.ok("schedule.seats", seats);
    }
    check_admission(sale, report);
}

fn check_admission(sale: &ComingSale, report: &mut Report) {
    let of_sale = |text: String| format!("schedule {} ({}): {text}", sale.id, sale.title);
    if !sale.is_available {
        let advice = "set the concert's status to AVAILABLE";
        let text = of_sale("the concert is withdrawn: nobody can join".into());
        report.fail("schedule.status", text, advice);
    }
    if sale.paused {
        let text = of_sale("admission is paused".into());
        report.warn("schedule.paused", text, "set paused to false before the sale opens");
    }
    if sale.capacity == 0 {
        let text = of_sale("its capacity is 0: nobody is admitted".into());
        report.fail("schedule.capacity", text, "set capacity");
    } else {
        let text = of_sale(format!(
            "{} active buyers, {} admitted per second",
            sale.capacity, sale.admit_per_second
        ));
        report.ok("schedule.capacity", text);
    }
    if sale.active_ttl_seconds <= sale.hold_ttl_seconds {
        let text = of_sale(format!(
            "an active slot of {} s is not longer than a hold of {} s",
            sale.active_ttl_seconds, sale.hold_ttl_seconds
        ));
        let advice = "choose active_ttl_seconds longer than hold_ttl_seconds";
        report.warn("schedule.slots", text, advice);
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
            seats: 100,
            blocked: 10,
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
        assert_eq!(worst(&|it| (it.seats, it.blocked) = (0, 0), "schedule.seats"), failure);
        assert_eq!(worst(&|it| it.blocked = it.seats, "schedule.seats"), failure);
        assert_eq!(worst(&|it| it.is_available = false, "schedule.status"), failure);
        assert_eq!(worst(&|it| it.paused = true, "schedule.paused"), warning);
        assert_eq!(worst(&|it| it.capacity = 0, "schedule.capacity"), failure);
        assert_eq!(worst(&|it| it.hold_ttl_seconds = 600, "schedule.slots"), warning);
    }
}
