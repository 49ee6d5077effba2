//! The check of `onsale check`: all coming sales, from a process of its own.

use super::report::Report;
use super::system::check_system;
use super::{alerts, keys, memory, schedules};
use crate::app::{StartError, stores};
use crate::config::Settings;
use crate::telemetry::Metrics;

/// Runs all checks. `expected` is the number of buyers who are expected to join, if it is known.
///
/// # Errors
/// [`StartError`] if the settings contradict each other, or a URL is not valid. Everything else is a
/// finding.
pub async fn run(settings: &Settings, expected: Option<u64>) -> Result<Report, StartError> {
    settings.check()?;
    let stores = stores(settings, &Metrics::new())?;
    let mut report = Report::default();
    let keys = keys::read(&settings.access).await;
    let usable = check_system(settings, &stores, keys, "this command", &mut report).await;
    let mut seats = 0;
    if usable.postgresql {
        alerts::check_webhooks(&stores.pg, &mut report).await;
        seats = schedules::check(&stores.pg, &mut report).await;
    }
    if usable.redis {
        memory::check(&stores.redis, expected, seats, &mut report).await;
    }
    Ok(report)
}
