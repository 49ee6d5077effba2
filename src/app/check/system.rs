//! Checks everything that no sale decides: stores, processes, keys and this machine.

use chrono::Utc;

use super::keys::{self, KeysSeen};
use super::report::Report;
use super::{machine, pg, processes, redis};
use crate::app::announce::record;
use crate::app::readiness::Stores;
use crate::config::Settings;
use crate::store::process_records;

/// Which stores can be asked further.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usable {
    pub(super) redis: bool,
    pub(super) postgresql: bool,
}

/// Checks everything that no sale decides. `own` names the process that checks.
pub(super) async fn check_system(
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
