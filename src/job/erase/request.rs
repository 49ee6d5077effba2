//! Asks for an erasure.

use super::kind::KIND;
use super::model::{Entitlements, Erasure};
use super::pg;
use crate::idempotency::model::{Answer, Effect, Request};
use crate::idempotency::service::once;
use crate::job::error::JobError;
use crate::job::kind::to_json;
use crate::job::model::Job;
use crate::job::pg::NewJob;
use crate::job::service::{Jobs, create};
use crate::point;
use crate::store::id::{JobId, UserId};
use crate::store::pg::{Tx, Work};

impl Jobs {
    /// Makes the job that erases a person, once per idempotency key.
    ///
    /// # Errors
    /// [`JobError::HasEntitlements`] if the person has holds, or has tickets or points and does not give
    /// them up.
    pub async fn erase(
        &self,
        request: &Request,
        user: UserId,
        erasure: &Erasure,
    ) -> Result<Answer<Job>, JobError> {
        if user == request.user {
            return Err(JobError::OwnUser);
        }
        self.made(once(&self.pg, request, &BeginErasure { request, user, erasure }).await?.answer)
            .await
    }
}

/// Making the job.
struct BeginErasure<'a> {
    request: &'a Request,
    user: UserId,
    erasure: &'a Erasure,
}

impl Work for BeginErasure<'_> {
    type Output = Effect<JobId>;
    type Error = JobError;
    const NAME: &'static str = "begin_erasure";

    async fn run(&self, tx: &mut Tx) -> Result<Effect<JobId>, JobError> {
        let user = self.user;
        pg::name(tx, user).await?.ok_or(JobError::NoUser)?;
        point::pg::lock(tx, user).await?.ok_or(JobError::NoUser)?;
        let entitlements = pg::entitlements(tx, user).await?;
        if !entitlements.allow(self.erasure) {
            let Entitlements { held_seats, tickets, balance } = entitlements;
            return Err(JobError::HasEntitlements { held_seats, tickets, balance });
        }
        let new = NewJob {
            kind: KIND,
            schedule: None,
            user: Some(user),
            parameters: to_json(self.erasure)?,
            total: Some(1),
            cancellable: false,
        };
        let subject = format!("user {user}");
        let outcome = create(tx, self.request.user, &new, "user.erase", subject).await?;
        Ok(Effect { outcome, event: () })
    }
}
