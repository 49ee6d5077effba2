//! Checks that an alert would reach somebody: webhook endpoints answer, and metrics are scraped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::pg::alerts::{Endpoint, endpoints};
use super::report::Report;
use crate::store::pg::Pg;

/// Age of the last scrape from which on a check warns: several periods of a usual Prometheus.
const LATE: Duration = Duration::from_mins(3);

/// When the metrics of this process were read last; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScrapeClock(Arc<Mutex<Option<Instant>>>);

impl ScrapeClock {
    /// Notes that the metrics are read now.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Time since the metrics were read; `None` if they never were.
    fn age(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).map(|at| at.elapsed())
    }
}

/// Checks that the webhook endpoints answered their last messages.
pub(super) async fn check_webhooks(pg: &Pg, report: &mut Report) {
    match endpoints(pg).await {
        Ok(endpoints) => webhooks(&endpoints, report),
        Err(error) => {
            report.fail_with("alerts.webhooks", error, "check again").case("unread");
        }
    }
}

fn webhooks(endpoints: &[Endpoint], report: &mut Report) {
    let name = "alerts.webhooks";
    let named = |one: &&Endpoint| format!("{} ({})", one.url, one.id);
    let failing: Vec<&Endpoint> =
        endpoints.iter().filter(|one| one.answers == Some(false)).collect();
    let untried: Vec<&Endpoint> = endpoints.iter().filter(|one| one.answers.is_none()).collect();
    let list = |of: &[&Endpoint]| of.iter().map(named).collect::<Vec<_>>().join(", ");
    let finding = if let Some(first) = failing.first() {
        let reason = first.last_error.clone().unwrap_or_default();
        let urls = list(&failing);
        let advice = "mend the receiver, then send it a test: POST /v1/admin/webhooks/{id}/test";
        let text = format!("these endpoints did not accept their last message: {urls}: {reason}");
        report.fail(name, text, advice).value("urls", urls).value("reason", reason)
    } else if endpoints.is_empty() {
        let advice = "create an endpoint, or make sure that somebody watches Grafana's alerts";
        report.warn(name, "no webhook endpoint is enabled", advice).case("none")
    } else if untried.is_empty() {
        let text = format!("{} endpoints accepted their last message", endpoints.len());
        report.ok(name, text)
    } else {
        let urls = list(&untried);
        let advice = "send them a test: POST /v1/admin/webhooks/{id}/test";
        let text = format!("these endpoints have never got a message: {urls}");
        report.warn(name, text, advice).case("untried").value("urls", urls)
    };
    finding.value("endpoints", endpoints.len());
}

/// Checks that a monitoring system reads the metrics of this process.
pub(super) fn check_scrapes(scrapes: &ScrapeClock, report: &mut Report) {
    let name = "alerts.metrics";
    let advice = "let Prometheus scrape /metrics of each process, with the rules in deploy";
    match scrapes.age() {
        None => {
            let text = "nobody has read the metrics of this process";
            report.warn(name, text, advice).case("never");
        }
        Some(age) => {
            let seconds = age.as_secs();
            let text = format!("the metrics of this process were read {seconds} s ago");
            let finding =
                if age > LATE { report.warn(name, text, advice) } else { report.ok(name, text) };
            finding.value("seconds", seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;

    #[test]
    fn an_endpoint_that_failed_last_is_a_failure_and_an_untried_one_a_warning() {
        let endpoint = |answers: Option<bool>| Endpoint {
            id: 1,
            url: "https://shop.example".to_owned(),
            answers,
            last_error: None,
        };
        let found = |endpoints: &[Endpoint]| {
            let mut report = Report::default();
            webhooks(endpoints, &mut report);
            let one = report.findings.remove(0);
            (one.level, one.code)
        };
        let code = |case: &str| format!("alerts.webhooks.{case}");
        let [good, bad, new] = [Some(true), Some(false), None];
        assert_eq!(found(&[]), (Level::Warning, code("none")));
        assert_eq!(found(&[endpoint(good)]), (Level::Ok, code("ok")));
        assert_eq!(found(&[endpoint(good), endpoint(new)]), (Level::Warning, code("untried")));
        let mixed = [endpoint(new), endpoint(bad), endpoint(good)];
        assert_eq!(found(&mixed), (Level::Failure, code("failure")));
    }

    #[test]
    fn metrics_that_nobody_reads_are_a_warning() {
        let code = |scrapes: &ScrapeClock| {
            let mut report = Report::default();
            check_scrapes(scrapes, &mut report);
            report.findings.remove(0).code
        };
        let scrapes = ScrapeClock::default();
        assert_eq!(code(&scrapes), "alerts.metrics.never");
        scrapes.note();
        assert_eq!(code(&scrapes), "alerts.metrics.ok");
        *scrapes.0.lock().unwrap() = Instant::now().checked_sub(LATE + Duration::from_secs(1));
        assert_eq!(code(&scrapes), "alerts.metrics.warning");
    }
}
