//! Joining without a ticket after a loss of Redis: PostgreSQL has the entries from before the loss,
//! with their users.
//!
//! PostgreSQL is read only in epochs after the first, only for users without an entry in Redis, and
//! for a few users at a time. An entry that ended stays ended, by its row or by Redis's bits.

use std::time::Duration;

use tokio::sync::Semaphore;

use super::reply::JoinReply;
use crate::queue::batch::joins::Joining;
use crate::queue::model::{EntryState, Joined, Sequence, Ticket, ticket_id};
use crate::queue::pg::{self, OpenEntry};
use crate::queue::service::WaitingRoom;
use crate::store::id::{ScheduleId, UserId};
use crate::store::{Store, StoreError};

/// Maximum number of such reads at the same time in this process: many returning users must not
/// take all connections from payments.
static LOOKUPS: Semaphore = Semaphore::const_new(4);
/// How long a join waits for its read.
const WAIT: Duration = Duration::from_secs(2);

impl WaitingRoom {
    /// Finds or creates the entry of `user`: the one in Redis, else the one from before a loss,
    /// else a new one.
    pub(in crate::queue) async fn find_or_create_entry(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<JoinReply, StoreError> {
        let reply = self.joins.run(schedule, Joining { user, first_try: true }).await?;
        if reply != JoinReply::Unknown {
            return Ok(reply);
        }
        if let Some(ticket) = self.find_earlier_entry(schedule, user).await? {
            let entry = self.draws.resolve(ticket).await?;
            if !matches!(entry.state, EntryState::Ended(_)) {
                return Ok(JoinReply::Joined(Joined { entry, new: false }));
            }
        }
        self.joins.run(schedule, Joining { user, first_try: false }).await
    }

    /// A ticket for the user's open entry from before the loss. `None` if there is none, or
    /// PostgreSQL is down: joins go on, and a user with the ticket itself still gets the entry
    /// back.
    pub(super) async fn find_earlier_entry(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<Option<Ticket>, StoreError> {
        let Ok(Ok(_permit)) = tokio::time::timeout(WAIT, LOOKUPS.acquire()).await else {
            let reason = "too many users look up their earlier entries".to_owned();
            return Err(StoreError::Unavailable { store: Store::PostgreSql, reason });
        };
        let open = match pg::find_open_entry(self.keyspaces.pg(), schedule, user).await {
            Ok(open) => open,
            Err(StoreError::Unavailable { reason, .. }) => {
                tracing::warn!(%schedule, %user, reason, "looking up an earlier entry failed");
                None
            }
            Err(error) => return Err(error),
        };
        Ok(open.map(|open| ticket_of(schedule, user, &open)))
    }

    /// Ends the open entry that PostgreSQL has of a user whose tickets are refused. Repeating it
    /// changes nothing.
    pub async fn end_open_entry(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<(), StoreError> {
        let Some(open) = pg::find_open_entry(self.keyspaces.pg(), schedule, user).await? else {
            return Ok(());
        };
        let (ticket, board) = (ticket_of(schedule, user, &open), self.boards.get(schedule));
        self.end(&self.draws.at_drawn_sequence_on(board, ticket).await?).await
    }
}

/// The ticket of an open entry, as it would be signed.
fn ticket_of(schedule: ScheduleId, user: UserId, open: &OpenEntry) -> Ticket {
    let sequence: Sequence = open.sequence;
    Ticket {
        id: ticket_id(schedule, user, sequence),
        user,
        schedule,
        sequence,
        shown: sequence,
        joined: sequence,
        active_until: open.until,
        expires_at: open.deadline,
        newest_key: true,
    }
}
