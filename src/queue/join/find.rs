//! Finds the ticket of a user who has lost it: joining again would do it for the user, but creates an
//! entry where there is none.

use super::reply::JoinReply;
use crate::queue::error::QueueError;
use crate::queue::keyspaces::ScheduleScripts;
use crate::queue::model::{EntryState, QueueEntry, Ticket, ticket_id};
use crate::queue::service::WaitingRoom;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};

impl WaitingRoom {
    /// A ticket for the user's open entry; `None` if there is none. The call marks the entry as
    /// present, as a poll does: it is not passed over for a presence window.
    pub async fn find_ticket(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<Option<Ticket>, QueueError> {
        let board = self.board(schedule).await?;
        let Some(entry) = self.find_entry(schedule, user).await? else {
            return Ok(None);
        };
        let active_until = match entry.state {
            EntryState::Active { until } => Some(until),
            EntryState::Waiting { .. } => None,
            EntryState::Ended(_) => return Ok(None),
        };
        Ok(Some(Ticket {
            id: ticket_id(schedule, user, entry.joined),
            user,
            schedule,
            sequence: entry.sequence,
            shown: entry.sequence,
            joined: entry.joined,
            active_until,
            expires_at: board.meta.deadline(),
            newest_key: true,
        }))
    }

    /// The user's entry in Redis, else the one from before a loss of Redis.
    async fn find_entry(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<Option<QueueEntry>, StoreError> {
        let find = |scripts: ScheduleScripts| async move { scripts.join(user, true).await };
        match self.keyspaces.run(schedule, find).await {
            Ok(JoinReply::Joined(joined)) => {
                self.draws.with_joining(schedule, joined.entry, None).await.map(Some)
            }
            // The queue is not open, or is over: nobody has an entry.
            Err(StoreError::SaleOver) => Ok(None),
            Err(error) => Err(error),
            Ok(_) => match self.find_earlier_entry(schedule, user).await? {
                Some(ticket) => self.draws.resolve(ticket).await.map(Some),
                None => Ok(None),
            },
        }
    }
}
