//! Gives seats to guests, takes them back, and lists them.

use chrono::Utc;

use super::model::{GivenSeats, Giving, Guest, GuestSeat, RevokedSeat, Revoking};
use super::pg;
use super::work::{GiveSeats, RevokeGuest};
use crate::admin::box_office::error::BoxOfficeError;
use crate::idempotency::model::{Answer, Done, Request};
use crate::idempotency::service as idempotency;
use crate::pagination::{Page, Paging};
use crate::seats::service::SeatClaims;
use crate::store::id::{ReservationId, ScheduleId};
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// The guest list; cheap to clone.
#[derive(Debug, Clone)]
pub struct GuestList {
    pg: Pg,
    claims: SeatClaims,
    metrics: Metrics,
}

impl GuestList {
    /// Creates the service.
    #[must_use]
    pub(in crate::admin::box_office) fn new(pg: Pg, claims: SeatClaims, metrics: Metrics) -> Self {
        Self { pg, claims, metrics }
    }

    /// Gives seats to a guest, all or none, once per idempotency key.
    pub async fn give(
        &self,
        request: &Request,
        schedule: ScheduleId,
        guest: &Guest,
        terms: &Giving,
    ) -> Result<Answer<GivenSeats>, BoxOfficeError> {
        let mut seats = terms.seat_ids.clone();
        seats.sort_unstable();
        seats.dedup();
        let work = GiveSeats { admin: request.user, schedule, guest, seats: &seats, terms };
        let Done { answer, event } = idempotency::once(&self.pg, request, &work).await?;
        if let Some(change) = event {
            self.metrics.reservations("COMPLETE", answer.outcome.reservations.len() as u64);
            self.claims.deliver(&change, Utc::now()).await;
        }
        Ok(answer)
    }

    /// Takes a seat back from a guest, once per idempotency key.
    pub async fn revoke(
        &self,
        request: &Request,
        reservation: ReservationId,
        terms: &Revoking,
    ) -> Result<Answer<RevokedSeat>, BoxOfficeError> {
        let work = RevokeGuest { admin: request.user, reservation, terms };
        let Done { answer, event } = idempotency::once(&self.pg, request, &work).await?;
        if let Some(change) = event {
            self.metrics.reservations("CANCELLED", 1);
            self.claims.deliver(&change, Utc::now()).await;
        }
        Ok(answer)
    }

    /// Lists the seats that were given in a schedule, the latest first.
    pub async fn list(
        &self,
        schedule: ScheduleId,
        paging: Paging,
    ) -> Result<Page<GuestSeat>, BoxOfficeError> {
        if !pg::has_schedule(&self.pg, schedule).await? {
            return Err(BoxOfficeError::NoSchedule);
        }
        let rows = pg::list(&self.pg, schedule, paging).await?;
        Ok(paging.page(rows, |row| row.reservation_id.0))
    }
}
