//! Reads the figures of a sale, and the audit.

use std::time::Instant;

use super::model::{AuditEntry, AuditQuery, Stats};
use super::pg;
use crate::admin::error::AdminError;
use crate::admin::service::AdminService;
use crate::pagination::{Page, Paging};
use crate::store::id::ScheduleId;

impl AdminService {
    /// Reads the current figures of a sale.
    pub async fn stats(&self, id: ScheduleId) -> Result<Stats, AdminError> {
        let schedule = self.catalogue.schedule(id).await?;
        let board = self.boards.get(id).await?;
        let sales = pg::sales(&self.pg, id).await?;
        let now = Instant::now();
        let (polls, answers) = (self.polls.per_second(now), self.answers.of_late(now));
        Ok(Stats::new(&schedule, &board, sales, polls, answers))
    }

    /// Lists the audit entries that match `query`, newest first.
    pub async fn audit(
        &self,
        query: &AuditQuery,
        paging: Paging,
    ) -> Result<Page<AuditEntry>, AdminError> {
        let entries = pg::audit(&self.pg, query, paging).await?;
        Ok(paging.page(entries, |entry| entry.id))
    }
}
