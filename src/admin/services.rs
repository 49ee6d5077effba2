//! The services of administration, and how they are made.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::forecast::service::Forecasts;
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
    /// `ONSALE_POLLS_PER_SECOND` of this process.
    pub polls_ceiling: u32,
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
    /// The changes that administrators made.
    pub audit: AuditLog,
    /// The sales reports.
    pub reports: SalesReports,
    /// The front of a queue, and the health of this process.
    pub watch: SaleWatch,
    /// Plans and simulations.
    pub forecasts: Forecasts,
}

impl AdminServices {
    /// Creates the services.
    #[must_use]
    pub fn new(parts: AdminParts) -> Self {
        let AdminParts { pg, catalogue, boards, claims, keyspaces, polls, metrics, .. } = parts;
        let (allow_drill, polls_ceiling) = (parts.allow_drill, parts.polls_ceiling);
        let sales = SaleAdmin::new(pg.clone(), catalogue.clone(), keyspaces.clone());
        let seats = SeatAdmin::new(sales.clone(), claims);
        Self {
            forecasts: Forecasts::new(seats.clone(), polls_ceiling),
            seats,
            figures: SaleFigures::new(pg.clone(), catalogue.clone(), boards, polls, &metrics),
            audit: AuditLog::new(pg.clone()),
            reports: SalesReports::new(pg.clone()),
            watch: SaleWatch::new(pg, catalogue, keyspaces, metrics, allow_drill),
            sales,
        }
    }
}
