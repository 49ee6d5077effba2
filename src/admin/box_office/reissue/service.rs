//! Makes new codes for buyers.

use serde_json::json;

use super::model::{ReissuedCode, ReissuedPlace};
use crate::admin::box_office::error::BoxOfficeError;
use crate::admin::box_office::find::pg::buyer;
use crate::admin::box_office::pg::{Action, ActionKind, write_action};
use crate::queue::handoff::service::HandOffs;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::pg::Pg;
use crate::user::recovery::service::{Recovery, RecoveryError};

/// Makes new codes; cheap to clone.
#[derive(Debug, Clone)]
pub struct Reissues {
    pg: Pg,
    handoffs: HandOffs,
    recovery: Recovery,
}

impl Reissues {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, handoffs: HandOffs, recovery: Recovery) -> Self {
        Self { pg, handoffs, recovery }
    }

    /// Makes a code that opens the buyer's place in the queue of a schedule. The entry stays as it is:
    /// the same position, or the same active slot. The audit row is committed before anybody gets the code.
    pub async fn reissue_place(
        &self,
        admin: UserId,
        user: UserId,
        schedule: ScheduleId,
        reason: &str,
    ) -> Result<ReissuedPlace, BoxOfficeError> {
        buyer::find(&self.pg, user).await?.ok_or(BoxOfficeError::NoUser)?;
        let made = self.handoffs.make_for(schedule, user).await?;
        let (code, expires_at, ticket) = made.ok_or(BoxOfficeError::NoPlace)?;
        let action = Action {
            kind: ActionKind::ReissuePlace,
            admin,
            user,
            schedule: Some(schedule),
            seats: Vec::new(),
            to: None,
            reason,
            after: json!({ "schedule_id": schedule, "ticket_id": ticket.id }),
        };
        self.record(action).await?;
        Ok(ReissuedPlace {
            code,
            expires_at,
            user_id: user,
            schedule_id: schedule,
            ticket_id: ticket.id,
            sequence: ticket.shown,
        })
    }

    /// Makes a recovery code for the buyer, in place of an earlier one, which stops working.
    pub async fn reissue_code(
        &self,
        admin: UserId,
        user: UserId,
        reason: &str,
    ) -> Result<ReissuedCode, BoxOfficeError> {
        let mut tx = self.pg.begin("reissue_code").await?;
        let made = self.recovery.make_for(&mut tx, user).await.map_err(|error| match error {
            RecoveryError::Invalid => BoxOfficeError::NoUser,
            RecoveryError::NoSession => BoxOfficeError::SignsInElsewhere,
            other => other.into(),
        })?;
        let action = Action {
            kind: ActionKind::ReissueCode,
            admin,
            user,
            schedule: None,
            seats: Vec::new(),
            to: None,
            reason,
            after: json!({}),
        };
        write_action(&mut tx, action).await?;
        tx.commit().await?;
        Ok(ReissuedCode { code: made.code, created_at: made.created_at, user_id: user })
    }

    /// Commits what was done in a transaction of its own, before the code is given to anybody.
    async fn record(&self, action: Action<'_>) -> Result<(), StoreError> {
        let mut tx = self.pg.begin("reissue_place").await?;
        write_action(&mut tx, action).await?;
        tx.commit().await
    }
}
