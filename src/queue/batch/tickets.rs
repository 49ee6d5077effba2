//! Tickets in batches: after a loss of Redis they restore the entries that were not archived.

use super::BatchedCall;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::model::{QueueEntry, Ticket};
use crate::store::StoreError;
use crate::store::id::ScheduleId;

/// `queue/resolve_ticket` and `queue/resolve_many`.
#[derive(Debug, Clone)]
pub struct TicketCalls(pub Keyspaces);

impl BatchedCall for TicketCalls {
    type Item = Ticket;
    /// `None` if the ticket's drawn sequence must be looked up first.
    type Reply = Option<QueueEntry>;

    async fn one(
        &self,
        schedule: ScheduleId,
        ticket: Ticket,
    ) -> Result<Option<QueueEntry>, StoreError> {
        let ask = |scripts: ScheduleScripts| async move { scripts.resolve_ticket(&ticket).await };
        self.0.run(schedule, ask).await
    }

    async fn many(
        &self,
        schedule: ScheduleId,
        tickets: &[Ticket],
    ) -> Result<Vec<Option<Option<QueueEntry>>>, StoreError> {
        let ask = |scripts: ScheduleScripts| async move { scripts.resolve_many(tickets).await };
        let found = self.0.run(schedule, ask).await?;
        Ok(found.into_iter().map(|entry| entry.map(Some)).collect())
    }
}
