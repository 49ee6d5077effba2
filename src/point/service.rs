//! Charges points, and reads balances and their history.

use super::model::{Balance, Change, Charged, MAX_CHARGE};
use super::pg::{self, ChargeReply};
use crate::idempotency::model::{Answer, KeyError, Request};
use crate::idempotency::pg as key;
use crate::idempotency::service as idempotency;
use crate::pagination::{Page, Paging};
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::Pg;
use crate::store::pg::single::{Call, Single};
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
        let called = idempotency::once_called(&self.pg, &Charge { request, amount }).await?;
        let answer = charged(&called.output)?;
        if !answer.replayed {
            self.metrics.charged(amount.unsigned_abs());
        }
        Ok(answer)
    }
}

/// Charging points: one call of `charge_points` (`migrations/functions/charge_points.sql`), which
/// locks, writes and commits.
struct Charge<'a> {
    request: &'a Request,
    amount: i64,
}

impl Call for Charge<'_> {
    type Output = ChargeReply;
    const FUNCTION: &'static str = "charge_points";

    async fn run(&self, on: &mut Single) -> Result<ChargeReply, StoreError> {
        pg::charge_points(on, self.request, self.amount).await
    }
}

/// Converts the reply of `charge_points`.
fn charged(reply: &ChargeReply) -> Result<Answer<Charged>, PointError> {
    key::check_reply(&reply.word)?;
    let word = reply.word.as_str();
    if let ("OK" | "REPLAYED", Some(outcome)) = (word, reply.outcome) {
        return Ok(Answer { outcome, replayed: key::is_replayed(word) });
    }
    Err(match word {
        "UNKNOWN_USER" => PointError::UnknownUser,
        word => StoreError::Inconsistent(format!("charge_points replied {word}")).into(),
    })
}
