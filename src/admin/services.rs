//! The services of administration, and how they are made.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::alerts::service::Alerts;
use super::box_office::service::BoxOffice;
use super::catalogue::service::AdminCatalogue;
use super::export::service::Exports;
use super::forecast::service::Forecasts;
use super::history::service::SaleHistory;
use super::person::service::People;
use super::publish::service::Publisher;
use super::removal::service::Removals;
use super::sales_report::service::SalesReports;
use super::seat::change::service::SeatEditor;
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
    /// Replaces and prices seats.
    pub seat_editor: SeatEditor,
    /// The catalogue with drafts.
    pub catalogue: AdminCatalogue,
    /// Publishes drafts.
    pub publisher: Publisher,
    /// Begins removals.
    pub removals: Removals,
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
    /// Serves single buyers, and keeps the guest list.
    pub box_office: BoxOffice,
    /// Exports of a schedule's records.
    pub exports: Exports,
    /// The data of persons.
    pub people: People,
    /// Plans and simulations.
    pub forecasts: Forecasts,
}

impl AdminServices {
    /// Creates the services.
    #[must_use]
    pub fn new(parts: AdminParts) -> Self {
        let AdminParts { pg, catalogue, boards, claims, keyspaces, polls, metrics, .. } = parts;
        let (allow_drill, polls_ceiling) = (parts.allow_drill, parts.polls_ceiling);
        let box_office = BoxOffice::new(&pg, &claims, &metrics);
        let sales = SaleAdmin::new(pg.clone(), catalogue.clone(), keyspaces.clone());
        let seats = SeatAdmin::new(sales.clone(), claims);
        Self {
            seat_editor: SeatEditor::new(seats.clone()),
            forecasts: Forecasts::new(seats.clone(), polls_ceiling),
            seats,
            catalogue: AdminCatalogue::new(catalogue.clone()),
            publisher: Publisher::new(sales.clone()),
            removals: Removals::new(sales.clone()),
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
            exports: Exports::new(pg.clone(), catalogue.clone()),
            people: People::new(pg.clone()),
            watch: SaleWatch::new(pg, catalogue, keyspaces, metrics, allow_drill),
            sales,
            box_office,
        }
    }
}
