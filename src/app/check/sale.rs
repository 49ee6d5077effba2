//! Checks one sale from within a process that serves: the readiness checklist of the console.

use std::sync::Arc;

use chrono::Utc;

use super::alerts::{ScrapeClock, check_scrapes, check_webhooks};
use super::caller::{self, Route};
use super::keys::KeysSeen;
use super::pg::sales::find_sale;
use super::report::Report;
use super::system::check_system;
use super::{memory, schedules};
use crate::app::readiness::Stores;
use crate::config::Settings;
use crate::store::id::ScheduleId;
use crate::user::service::Users;

/// Checks sales; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct SaleChecks {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    settings: Settings,
    stores: Stores,
    users: Arc<Users>,
    scrapes: ScrapeClock,
}

impl SaleChecks {
    /// Creates the service.
    pub(crate) fn new(
        settings: &Settings,
        stores: &Stores,
        users: Arc<Users>,
        scrapes: ScrapeClock,
    ) -> Self {
        let (settings, stores) = (settings.clone(), stores.clone());
        Self { parts: Arc::new(Parts { settings, stores, users, scrapes }) }
    }

    /// The settings of this process.
    pub(super) fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// Checks the system and one sale, as seen by this process and by a request that came by
    /// `route`. `None` if there is no such schedule.
    ///
    /// A store that does not answer is a finding.
    pub(super) async fn check(
        &self,
        id: ScheduleId,
        expected: Option<u64>,
        route: &Route,
    ) -> Option<Report> {
        let Parts { settings, stores, users, scrapes } = &*self.parts;
        let mut report = Report::default();
        let keys = match users.provider() {
            None => KeysSeen::Own,
            Some(keys) => KeysSeen::Provider(keys.confirmed_at()),
        };
        let usable = check_system(settings, stores, keys, "this process", &mut report).await;
        caller::check(route, &mut report);
        check_scrapes(scrapes, &mut report);
        let mut seats = 0;
        if usable.postgresql {
            check_webhooks(&stores.pg, &mut report).await;
            match find_sale(&stores.pg, id).await {
                Ok(None) => return None,
                Ok(Some(sale)) => {
                    schedules::check_sale(&sale, Utc::now(), &mut report);
                    seats = sale.seats.unsigned_abs();
                }
                Err(error) => {
                    report.fail_with("schedules", error, "check again");
                }
            }
        }
        if usable.redis {
            memory::check(&stores.redis, expected, seats, &mut report).await;
        }
        Some(report)
    }
}
