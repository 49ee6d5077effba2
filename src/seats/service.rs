//! Claims seats, and applies PostgreSQL's decisions about seats in Redis.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::model::{Claim, SeatState, SeatsChanged};
use super::redis::{self, Decided};
use crate::outbox::model::{Delivered, Recorded};
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::model::Ticket;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};

/// How long Redis keeps a seat from other buyers beyond the end of its hold. PostgreSQL gives the
/// seat to another buyer 5 s after that end at the earliest. `lua/seats/claim.lua` has the same
/// figure; the model of the scripts' tests compares the two.
pub const BEYOND_EXPIRY: TimeDelta = TimeDelta::milliseconds(5_500);

/// The service for seat claims; cheap to clone.
#[derive(Debug, Clone)]
pub struct SeatClaims {
    keyspaces: Keyspaces,
    delivered: Delivered,
}

impl SeatClaims {
    /// Puts the service together.
    #[must_use]
    pub fn new(keyspaces: Keyspaces, delivered: Delivered) -> Self {
        Self { keyspaces, delivered }
    }

    /// Claims `seats` for `hold` for 5 s, all or none. A claim is the right to try in PostgreSQL.
    /// The user may have at most `limit` seats: claimed, held and bought ones, and these.
    pub async fn claim(
        &self,
        ticket: &Ticket,
        hold: Uuid,
        limit: u32,
        seats: &[u32],
    ) -> Result<Claim, StoreError> {
        let claim = |scripts: ScheduleScripts| async move {
            redis::claim_seats(&scripts, ticket, hold, limit, seats).await
        };
        self.keyspaces.run(ticket.schedule, claim).await
    }

    /// Whether the user has live claims for `hold`: another request for it is in progress.
    pub async fn is_claiming(
        &self,
        schedule: ScheduleId,
        user: UserId,
        hold: Uuid,
    ) -> Result<bool, StoreError> {
        let find = |scripts: ScheduleScripts| async move {
            redis::find_claims(&scripts, user, hold).await
        };
        Ok(self.keyspaces.run(schedule, find).await? > 0)
    }

    /// Releases the claims of a hold that was not made. If Redis does not answer, they lapse after
    /// 5 s.
    pub async fn release(&self, schedule: ScheduleId, hold: Uuid, seats: &[u32]) {
        let release = |scripts: ScheduleScripts| async move {
            redis::release_claims(&scripts, hold, seats).await
        };
        if let Err(error) = self.keyspaces.run(schedule, release).await {
            tracing::debug!(%schedule, %error, "releasing claims failed");
        }
    }

    /// Applies a decision in Redis right after the commit of outbox entry `id`. `now` is
    /// PostgreSQL's clock in that transaction. After a failure the relay tries again.
    pub async fn deliver(&self, change: &Recorded<SeatsChanged>, now: DateTime<Utc>) {
        self.delivered.after(change.id, self.apply(&change.event, now)).await;
    }

    /// Applies a decision in Redis. `now` is PostgreSQL's clock: the time left of a hold is
    /// computed with it, not with this machine's clock.
    pub async fn apply(&self, event: &SeatsChanged, now: DateTime<Utc>) -> Result<(), StoreError> {
        let decided = decided(event.state, now);
        let apply = |scripts: ScheduleScripts| async move {
            redis::apply(&scripts, decided, &event.seats).await
        };
        self.keyspaces.run_unless_over(event.schedule, apply).await
    }
}

/// The arguments of `seats/apply` for a state at `now`.
#[must_use]
pub fn decided(state: SeatState, now: DateTime<Utc>) -> Decided {
    let (state, hold, left_ms) = match state {
        SeatState::Held { hold, expires_at } => {
            ("KEEP", Some(hold), (expires_at + BEYOND_EXPIRY - now).num_milliseconds())
        }
        SeatState::Sold { hold } => ("SELL", Some(hold), 0),
        SeatState::Free => ("FREE", None, 0),
        SeatState::Blocked => ("BLOCK", None, 0),
    };
    Decided { state, hold, left_ms }
}
