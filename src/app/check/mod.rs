//! The check before a sale: everything that can be known before the queue opens, with what to do
//! about it.
//!
//! | file | what it checks |
//! | --- | --- |
//! | `pg` | PostgreSQL: version, sessions, writes, schema, connections, clock |
//! | `redis` | Redis: version, settings, rights, clock |
//! | `memory` | the memory of Redis against what a sale takes |
//! | `machine` | this machine and the settings of this process |
//! | `processes` | the running processes: secrets, versions, clocks |
//! | `schedules` | the coming sales |
//! | `clocks` | how far clocks may be apart |
//! | `report` | the findings, as text and as JSON |

mod clocks;
mod machine;
pub mod memory;
mod pg;
mod processes;
mod redis;
pub mod report;
mod schedules;

use self::report::Report;
use super::StartError;
use super::announce::record;
use super::stores;
use crate::config::Settings;
use crate::store::process_records;
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
    machine::check(settings, &mut report);
    let redis_answers = redis::check(&stores.redis, &mut report).await;
    let running = if redis_answers {
        process_records::list(&stores.redis).await.unwrap_or_default()
    } else {
        Vec::new()
    };
    let own = record(settings, "this command");
    if redis_answers {
        processes::check(&own, &running, &mut report);
    }
    let seats = if pg::check(&stores.pg, &settings.postgres, &running, &mut report).await {
        schedules::check(&stores.pg, &mut report).await
    } else {
        0
    };
    if redis_answers {
        memory::check(&stores.redis, expected, seats, &mut report).await;
    }
    Ok(report)
}
