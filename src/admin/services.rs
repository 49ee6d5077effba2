//! The services of administration, and how they are made.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::alerts::service::Alerts;
use super::history::service::SaleHistory;
use super::sales_report::service::SalesReports;
use super::seat::service::SeatAdmin;
use super::service::SaleAdmin;
use super::stats::service::{AuditLog, SaleFigures};
use super::watch::service::SaleWatch;
use crate::board::service::Boards;
use crate::concert::service::Catalogue;
use crate::queue::keyspaces::Keyspaces;
use crate::seats::service::SeatClaims;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// What the services of administration work on.
#[expect(missing_docs, reason = "each is what its type says")]
#[derive(Debug)]
pub struct AdminParts {
    pub pg: Pg,
    pub catalogue: Catalogue,
    pub boards: Boards,
    pub claims: SeatClaims,
    pub keyspaces: Keyspaces,
    /// Counts the polls that this process has served.
    pub polls: Arc<AtomicU64>,
    pub metrics: Metrics,
    /// Whether `onsale drill` may cause failures here.
    pub allow_drill: bool,
}

/// The services of administration; cheap to clone.
#[derive(Debug, Clone)]
pub struct AdminServices {
    /// Creates and changes concerts, schedules and queue settings.
    pub sales: SaleAdmin,
    /// Adds and blocks seats.
    pub seats: SeatAdmin,
    /// The current figures of a sale.
    pub figures: SaleFigures,
    /// The alerts of a sale.
    pub alerts: Alerts,
    /// The history of a sale.
    pub history: SaleHistory,
    /// The changes that administrators made.
    pub audit: AuditLog,
    /// The sales reports.
    pub reports: SalesReports,
    /// The front of a queue, and the health of this process.
    pub watch: SaleWatch,
}

impl AdminServices {
    /// Creates the services.
    #[must_use]
    pub fn new(parts: AdminParts) -> Self {
        let AdminParts { pg, catalogue, boards, claims, keyspaces, .. } = parts;
        let AdminParts { polls, metrics, allow_drill, .. } = parts;
        let sales = SaleAdmin::new(pg.clone(), catalogue.clone(), keyspaces.clone());
        Self {
            seats: SeatAdmin::new(sales.clone(), claims),
            figures: SaleFigures::new(
                pg.clone(),
                catalogue.clone(),
                boards,
                keyspaces.clone(),
                polls,
                &metrics,
            ),
            alerts: Alerts::new(pg.clone(), catalogue.clone()),
            history: SaleHistory::new(pg.clone(), catalogue.clone()),
            audit: AuditLog::new(pg.clone()),
            reports: SalesReports::new(pg.clone()),
            watch: SaleWatch::new(pg, catalogue, keyspaces, metrics, allow_drill),
            sales,
        }
    }
}
