//! Joining after a loss of Redis, without a ticket: PostgreSQL knows the places of before the loss,
//! and whose they are.
//!
//! Asked only in epochs after the first, and only for users whom Redis does not know, a few at a
//! time. A place that ended stays ended: its row says so, or Redis's bits do.

use std::time::Duration;

use tokio::sync::Semaphore;

use super::keyspaces::Line;
use super::model::{Joined, Sequence, Standing, Ticket, ticket_id};
use super::pg;
use super::redis::JoinReply;
use super::service::Queue;
use crate::store::id::{ScheduleId, UserId};
use crate::store::{Store, StoreError};

/// Questions to PostgreSQL at once in this process: a crowd that comes back must not take all its
/// connections from those who pay.
static TURNS: Semaphore = Semaphore::const_new(4);
/// How long somebody waits for theirs.
const WAIT: Duration = Duration::from_secs(2);

impl Queue {
    /// Gives `user` their place: the one that Redis knows, else the one of before a loss, else a new
    /// one.
    pub(super) async fn join_line(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<JoinReply, StoreError> {
        let ask = |line: Line| async move {
            let lost = line.place.keys.epoch() > 1;
            line.join(user, lost).await
        };
        let reply = self.lines.run(schedule, ask).await?;
        if reply != JoinReply::Unknown {
            return Ok(reply);
        }
        if let Some(ticket) = self.before_the_loss(schedule, user).await? {
            let stand = self.draws.ask(ticket).await?;
            if !matches!(stand.standing, Standing::Ended(_)) {
                return Ok(JoinReply::Joined(Joined { stand, new: false }));
            }
        }
        self.lines.run(schedule, |line| async move { line.join(user, false).await }).await
    }

    /// A ticket for the place that a user had, where one did not end. With PostgreSQL away there is
    /// none, and the line goes on: whoever kept the ticket itself still has the place.
    async fn before_the_loss(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<Option<Ticket>, StoreError> {
        let Ok(Ok(_turn)) = tokio::time::timeout(WAIT, TURNS.acquire()).await else {
            let reason = "too many look for their places of before the loss".to_owned();
            return Err(StoreError::Unavailable { store: Store::PostgreSql, reason });
        };
        let open = match pg::open_place(self.lines.pg(), schedule, user).await {
            Ok(open) => open,
            Err(StoreError::Unavailable { reason, .. }) => {
                tracing::warn!(%schedule, %user, reason, "joins without its place of before");
                None
            }
            Err(error) => return Err(error),
        };
        Ok(open.map(|place| {
            let sequence: Sequence = place.sequence;
            Ticket {
                id: ticket_id(schedule, user, sequence),
                user,
                schedule,
                sequence,
                shown: sequence,
                joined: sequence,
                active_until: place.until,
                expires_at: place.deadline,
                newest_key: true,
            }
        }))
    }
}
