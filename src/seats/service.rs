//! Claiming seats, and telling Redis what PostgreSQL decided about them.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::model::{Claim, SeatState, SeatsChanged};
use super::redis::{self, Decided};
use crate::outbox::model::{Delivered, OutboxId};
use crate::queue::keyspaces::{Line, Lines};
use crate::queue::model::Ticket;
use crate::store::StoreError;
use crate::store::id::ScheduleId;

/// How much longer Redis keeps a seat than the buyer was promised: nobody else can take it in
/// PostgreSQL before that either. `lua/hold/take.lua` has the same figure.
const BEYOND_EXPIRY: TimeDelta = TimeDelta::milliseconds(5_500);

/// Holds as a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Holds {
    lines: Lines,
    delivered: Delivered,
}

impl Holds {
    /// Puts the service together.
    #[must_use]
    pub fn new(lines: Lines, delivered: Delivered) -> Self {
        Self { lines, delivered }
    }

    /// Claims `seats` for `hold` for 5 s, all or none: the right to try in PostgreSQL. With what the
    /// ticket's user has claimed, holds and owns they must not be more than `limit`.
    pub async fn claim(
        &self,
        ticket: &Ticket,
        hold: Uuid,
        limit: u32,
        seats: &[u32],
    ) -> Result<Claim, StoreError> {
        let take = |line: Line| async move { redis::take(&line, ticket, hold, limit, seats).await };
        self.lines.run(ticket.schedule, take).await
    }

    /// Gives back claims that came to nothing; left to lapse where Redis does not answer.
    pub async fn give_up(&self, schedule: ScheduleId, hold: Uuid, seats: &[u32]) {
        let drop = |line: Line| async move { redis::drop(&line, hold, seats).await };
        if let Err(error) = self.lines.run(schedule, drop).await {
            tracing::debug!(%schedule, %error, "claims are left to lapse");
        }
    }

    /// Tells Redis what PostgreSQL decided, right after the commit that outbox entry `id` belongs
    /// to; `now` is PostgreSQL's clock in that transaction. A failure is left to the relay.
    pub async fn tell(&self, id: OutboxId, event: &SeatsChanged, now: DateTime<Utc>) {
        self.delivered.after(id, self.apply(event, now)).await;
    }

    /// Tells Redis what PostgreSQL decided. `now` is PostgreSQL's clock: a hold lasts in Redis for
    /// what is left by it, whatever this machine's clock says.
    pub async fn apply(&self, event: &SeatsChanged, now: DateTime<Utc>) -> Result<(), StoreError> {
        let decided = decided(event.state, now);
        let apply = |line: Line| async move { redis::apply(&line, decided, &event.seats).await };
        self.lines.tell(event.schedule, apply).await
    }
}

/// What `hold/apply` is told at `now` of what seats became.
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
