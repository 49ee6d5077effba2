//! Figures of a sale, and the audit.

use std::time::Instant;

use super::model::{AuditEntry, AuditQuery, Stats};
use super::pg;
use crate::admin::error::AdminError;
use crate::admin::service::AdminService;
use crate::pagination::{Page, Paging};
use crate::store::id::ScheduleId;

impl AdminService {
    /// How the sale of a schedule goes.
    pub async fn stats(&self, id: ScheduleId) -> Result<Stats, AdminError> {
        let schedule = self.catalogue.schedule(id).await?;
        let board = self.boards.get(id).await?;
        let sales = pg::sales(&self.pg, id).await?;
        let now = Instant::now();
        let (polls, answers) = (self.polls.per_second(now), self.answers.of_late(now));
        Ok(Stats::new(&schedule, &board, sales, polls, answers))
    }

    /// Who changed what, newest first.
    pub async fn audit(
        &self,
        wanted: &AuditQuery,
        paging: Paging,
    ) -> Result<Page<AuditEntry>, AdminError> {
        let entries = pg::audit(&self.pg, wanted, paging).await?;
        Ok(paging.page(entries, |entry| entry.id))
    }
}
