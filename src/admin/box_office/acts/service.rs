//! Refunds and moves by staff.

use chrono::Utc;

use super::model::{MovedReservation, Moving, Order, OrderRefusal, RefundedOrder, Refunding};
use super::work::{MoveSeat, RefundOrder};
use crate::admin::box_office::error::BoxOfficeError;
use crate::idempotency::model::{Answer, Done, Request};
use crate::idempotency::service as idempotency;
use crate::seats::service::SeatClaims;
use crate::store::id::ReservationId;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Refunds orders and moves seats; cheap to clone.
#[derive(Debug, Clone)]
pub struct Orders {
    pg: Pg,
    claims: SeatClaims,
    metrics: Metrics,
}

impl Orders {
    /// Creates the service.
    #[must_use]
    pub(in crate::admin::box_office) fn new(pg: Pg, claims: SeatClaims, metrics: Metrics) -> Self {
        Self { pg, claims, metrics }
    }

    /// Refunds an order, once per idempotency key, also after the deadline.
    pub async fn refund(
        &self,
        request: &Request,
        order: Order,
        terms: &Refunding,
    ) -> Result<Answer<Result<RefundedOrder, OrderRefusal>>, BoxOfficeError> {
        let work = RefundOrder { admin: request.user, order, terms };
        let Done { answer, event } = idempotency::once(&self.pg, request, &work).await?;
        if let (Ok(refunded), false) = (&answer.outcome, answer.replayed) {
            for payment in &refunded.payments {
                self.metrics.refunded(payment.amount.unsigned_abs());
            }
            self.metrics.reservations("REFUNDED", refunded.payments.len() as u64);
            if let Some(change) = event.flatten() {
                self.claims.deliver(&change, Utc::now()).await;
            }
        }
        Ok(answer)
    }

    /// Moves a reservation to another seat, once per idempotency key.
    pub async fn move_seat(
        &self,
        request: &Request,
        reservation: ReservationId,
        terms: &Moving,
    ) -> Result<Answer<MovedReservation>, BoxOfficeError> {
        let work = MoveSeat { admin: request.user, reservation, terms };
        let Done { answer, event } = idempotency::once(&self.pg, request, &work).await?;
        for change in event.iter().flatten() {
            self.claims.deliver(change, Utc::now()).await;
        }
        Ok(answer)
    }
}
