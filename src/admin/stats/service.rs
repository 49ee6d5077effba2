//! Reads the figures of a sale, and the audit.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use super::answers::Answers;
use super::model::{AuditEntry, AuditQuery, Stats};
use super::pg;
use crate::admin::error::AdminError;
use crate::board::service::Boards;
use crate::concert::service::Catalogue;
use crate::pagination::{Page, Paging};
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;
use crate::telemetry::rate::CounterRate;

/// Reads the current figures of sales; cheap to clone.
#[derive(Debug, Clone)]
pub struct SaleFigures {
    pg: Pg,
    pub(super) catalogue: Catalogue,
    boards: Boards,
    polls: Arc<CounterRate>,
    answers: Arc<Answers>,
}

/// Reads the changes that administrators made; cheap to clone.
#[derive(Debug, Clone)]
pub struct AuditLog {
    pg: Pg,
}

impl SaleFigures {
    /// Creates the service. `polls` counts the polls that this process has served.
    #[must_use]
    pub fn new(
        pg: Pg,
        catalogue: Catalogue,
        boards: Boards,
        polls: Arc<AtomicU64>,
        metrics: &Metrics,
    ) -> Self {
        let polls = Arc::new(CounterRate::new(polls));
        let answers = Arc::new(Answers::new(metrics.clone()));
        Self { pg, catalogue, boards, polls, answers }
    }

    /// Reads the current figures of a sale.
    pub async fn stats(&self, id: ScheduleId) -> Result<Stats, AdminError> {
        let schedule = self.catalogue.schedule(id).await?;
        let board = self.boards.get(id).await?;
        let sales = pg::sales(&self.pg, id).await?;
        let now = Instant::now();
        let (polls, answers) = (self.polls.per_second(now), self.answers.recent_figures(now));
        Ok(Stats::new(&schedule, &board, sales, polls, answers))
    }
}

impl AuditLog {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg) -> Self {
        Self { pg }
    }

    /// Lists the audit entries that match `query`, newest first.
    pub async fn entries(
        &self,
        query: &AuditQuery,
        paging: Paging,
    ) -> Result<Page<AuditEntry>, AdminError> {
        let entries = pg::audit(&self.pg, query, paging).await?;
        Ok(paging.page(entries, |entry| entry.id))
    }
}
