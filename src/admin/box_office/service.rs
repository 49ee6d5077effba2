//! The services of the box office, and how they are made.

use super::acts::service::Orders;
use super::find::service::Finder;
use super::guests::service::GuestList;
use super::history::service::Histories;
use crate::seats::service::SeatClaims;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// The services of the box office; cheap to clone.
#[derive(Debug, Clone)]
pub struct BoxOffice {
    /// Finds buyers and seats.
    pub finder: Finder,
    /// What happened to a buyer or a seat.
    pub histories: Histories,
    /// Refunds and moves.
    pub orders: Orders,
    /// Seats for guests.
    pub guests: GuestList,
}

impl BoxOffice {
    /// Creates the services.
    #[must_use]
    pub fn new(pg: &Pg, claims: &SeatClaims, metrics: &Metrics) -> Self {
        Self {
            finder: Finder::new(pg.clone()),
            histories: Histories::new(pg.clone()),
            orders: Orders::new(pg.clone(), claims.clone(), metrics.clone()),
            guests: GuestList::new(pg.clone(), claims.clone(), metrics.clone()),
        }
    }
}
