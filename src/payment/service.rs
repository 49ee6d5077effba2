//! Pays holds and refunds payments.

use chrono::Utc;
use uuid::Uuid;

use super::error::PayError;
use super::model::{Paid, PayRefusal, Payment, RefundRefusal, Refunded};
use super::pg;
use super::settle::{Pay, Refund, Settled, read_pay_reply};
use crate::idempotency::model::{Answer, Done, Request};
use crate::idempotency::service as idempotency;
use crate::pagination::{Page, Paging};
use crate::queue::service::WaitingRoom;
use crate::seats::service::SeatClaims;
use crate::store::id::{PaymentId, UserId};
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Payments as a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Payments {
    pg: Pg,
    queue: WaitingRoom,
    claims: SeatClaims,
    metrics: Metrics,
}

impl Payments {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, queue: WaitingRoom, claims: SeatClaims, metrics: Metrics) -> Self {
        Self { pg, queue, claims, metrics }
    }

    /// Pays every seat of a hold or none, once per idempotency key. First charges the points that
    /// the balance lacks, if they are at most `charge_up_to`.
    pub async fn pay(
        &self,
        request: &Request,
        hold: Uuid,
        charge_up_to: Option<i64>,
    ) -> Result<Answer<Result<Paid, PayRefusal>>, PayError> {
        let called =
            idempotency::once_called(&self.pg, &Pay { request, hold, charge_up_to }).await?;
        let Settled { answer, schedule, seats, completed } = read_pay_reply(called.output)?;
        if let (Ok(paid), false) = (&answer.outcome, answer.replayed) {
            let seats = paid.payments.len() as u64;
            self.metrics.paid(seats, paid.total_amount.unsigned_abs());
            self.metrics.reservations("COMPLETE", seats);
            if let Some(charged @ 1..) = paid.charged {
                self.metrics.charged(charged.unsigned_abs());
            }
        }
        if let (Err(refusal), Some(schedule), false) = (&answer.outcome, schedule, answer.replayed)
        {
            self.metrics.payment_refused(schedule.0, refusal.code());
        }
        // Neither change has a deadline, so this machine's clock is good enough. Their order does
        // not matter either.
        let deliver_sold = async {
            if let Some(change) = &seats {
                self.claims.deliver(change, Utc::now()).await;
            }
        };
        let deliver_completed = async {
            if let Some(completed) = &completed {
                self.queue.deliver_completed(completed).await;
            }
        };
        tokio::join!(deliver_sold, deliver_completed);
        Ok(answer)
    }

    /// Refunds one payment, once per idempotency key.
    pub async fn refund(
        &self,
        request: &Request,
        payment: PaymentId,
    ) -> Result<Answer<Result<Refunded, RefundRefusal>>, PayError> {
        let refund = Refund { user: request.user, payment };
        let Done { answer, event } = idempotency::once(&self.pg, request, &refund).await?;
        if let (Ok(refunded), false) = (&answer.outcome, answer.replayed) {
            self.metrics.refunded(refunded.payment.amount.unsigned_abs());
            self.metrics.reservations("REFUNDED", 1);
            if let Some(change) = event.flatten() {
                self.claims.deliver(&change, Utc::now()).await;
            }
        }
        Ok(answer)
    }

    /// Lists a user's payments, newest first.
    pub async fn list(&self, user: UserId, paging: Paging) -> Result<Page<Payment>, PayError> {
        let rows = pg::list(&self.pg, user, paging).await?;
        Ok(paging.page(rows, |payment| payment.id.0))
    }
}
