//! Charges points, and reads balances and their history.

use super::model::{Balance, Change, Charged, Kind, MAX_CHARGE};
use super::pg;
use crate::idempotency::model::{Answer, Done, Effect, KeyError, Request};
use crate::idempotency::service as idempotency;
use crate::pagination::{Page, Paging};
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::{MaybeConflict, Pg, Tx, Work};
use crate::telemetry::Metrics;

/// Why points were not charged.
#[derive(Debug, thiserror::Error)]
pub enum PointError {
    /// The amount is outside 1 to 10,000,000.
    #[error("the amount must be from 1 to {MAX_CHARGE}")]
    InvalidAmount,
    /// The token's user does not exist.
    #[error("there is no such user")]
    UnknownUser,
    /// The idempotency key does not allow the request.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MaybeConflict for PointError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

/// Points as a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Points {
    pg: Pg,
    metrics: Metrics,
}

impl Points {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, metrics: Metrics) -> Self {
        Self { pg, metrics }
    }

    /// Reads a user's balance.
    pub async fn balance(&self, user: UserId) -> Result<Balance, PointError> {
        pg::balance(&self.pg, user).await?.ok_or(PointError::UnknownUser)
    }

    /// Lists the changes of a user's balance, newest first.
    pub async fn history(&self, user: UserId, paging: Paging) -> Result<Page<Change>, PointError> {
        let rows = pg::history(&self.pg, user, paging).await?;
        Ok(paging.page(rows, |change| change.id))
    }

    /// Adds `amount` points, once per idempotency key.
    pub async fn charge(
        &self,
        request: &Request,
        amount: i64,
    ) -> Result<Answer<Charged>, PointError> {
        if !(1..=MAX_CHARGE).contains(&amount) {
            return Err(PointError::InvalidAmount);
        }
        let Done { answer, .. } =
            idempotency::once(&self.pg, request, &Charge { request, amount }).await?;
        if !answer.replayed {
            self.metrics.charged(amount.unsigned_abs());
        }
        Ok(answer)
    }
}

/// The transaction of a charge.
struct Charge<'a> {
    request: &'a Request,
    amount: i64,
}

impl Work for Charge<'_> {
    type Output = Effect<Charged>;
    type Error = PointError;

    async fn run(&self, tx: &mut Tx) -> Result<Effect<Charged>, PointError> {
        let Self { request: Request { user, key, .. }, amount } = *self;
        pg::lock(tx, *user).await?.ok_or(PointError::UnknownUser)?;
        let balance = pg::change(tx, *user, Kind::Charge, amount, key).await?;
        let balance = balance.ok_or_else(|| {
            StoreError::Inconsistent("a charge made a balance negative".to_owned())
        })?;
        Ok(Effect { outcome: Charged { amount, balance }, event: () })
    }
}
