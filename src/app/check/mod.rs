//! The check before a sale: everything that can be known before the queue opens, with what to do
//! about it. `onsale check` checks all coming sales, and the console one of them, by the same
//! functions.
//!
//! | file | what it checks |
//! | --- | --- |
//! | `pg` | PostgreSQL: version, sessions, writes, schema, connections, clock |
//! | `redis` | Redis: version, settings, rights, clock |
//! | `memory` | the memory of Redis against what a sale takes |
//! | `machine` | this machine and the settings of this process |
//! | `processes` | the running processes: secrets, versions, clocks |
//! | `keys` | the keys of access tokens |
//! | `alerts` | whether an alert would reach somebody |
//! | `caller` | as whom a process sees the caller of a request |
//! | `schedules` | the coming sales |
//! | `sale` | one sale, from within a process that serves |
//! | `clocks` | how far clocks may be apart |
//! | `report` | the findings, as text and as JSON |

pub(super) mod alerts;
mod caller;
mod clocks;
pub(super) mod http;
mod keys;
mod machine;
pub mod memory;
mod pg;
mod processes;
mod redis;
pub mod report;
pub(super) mod sale;
mod schedules;

use chrono::Utc;

use self::keys::KeysSeen;
use self::report::Report;
use super::StartError;
use super::announce::record;
use super::readiness::Stores;
use super::stores;
use crate::config::Settings;
use crate::store::process_records;
use crate::telemetry::Metrics;

/// Which stores can be asked further.
#[derive(Debug, Clone, Copy)]
struct Usable {
    redis: bool,
    postgresql: bool,
}

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

/// Checks everything that no sale decides. `own` names the process that checks.
async fn check_system(
    settings: &Settings,
    stores: &Stores,
    keys: KeysSeen,
    own: &str,
    report: &mut Report,
) -> Usable {
    machine::check(settings, report);
    keys::check(keys, Utc::now(), report);
    let redis = redis::check(&stores.redis, report).await;
    let running = if redis {
        process_records::list(&stores.redis).await.unwrap_or_default()
    } else {
        Vec::new()
    };
    if redis {
        processes::check(&record(settings, own), &running, report);
    }
    let postgresql = pg::check(&stores.pg, &settings.postgres, &running, report).await;
    Usable { redis, postgresql }
}
