//! Reads the figures of a sale, and the audit.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use super::answers::{self, Answers, Window};
use super::model::{AnswerFigures, AuditEntry, AuditQuery, Stats};
use super::pg;
use crate::admin::error::AdminError;
use crate::admin::pace::service::Paces;
use crate::board::service::Boards;
use crate::board::snapshot::Board;
use crate::concert::service::Catalogue;
use crate::concert::view::SeatCounts;
use crate::pagination::{Page, Paging};
use crate::queue::keyspaces::Keyspaces;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::store::process_figures;
use crate::store::redis::Redis;
use crate::telemetry::Metrics;
use crate::telemetry::rate::CounterRate;

/// Reads the current figures of sales; cheap to clone.
#[derive(Debug, Clone)]
pub struct SaleFigures {
    pg: Pg,
    redis: Redis,
    pub(super) catalogue: Catalogue,
    boards: Boards,
    paces: Paces,
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
        keyspaces: Keyspaces,
        polls: Arc<AtomicU64>,
        metrics: &Metrics,
    ) -> Self {
        let (redis, polls) = (keyspaces.redis().clone(), Arc::new(CounterRate::new(polls)));
        let paces = Paces::new(pg.clone(), keyspaces);
        let answers = Arc::new(Answers::new(metrics.clone()));
        Self { pg, redis, catalogue, boards, paces, polls, answers }
    }

    /// Reads the current figures of a sale.
    pub async fn stats(&self, id: ScheduleId) -> Result<Stats, AdminError> {
        let schedule = self.catalogue.schedule(id).await?;
        let board = self.boards.get(id).await?;
        let sales = pg::sales(&self.pg, id).await?;
        let seats = SeatCounts::new(schedule.seats_total, &board);
        let pace = self.paces.pace(&schedule, &board, &seats).await?;
        let answers = self.answers(&board).await;
        Ok(Stats::new(&schedule, &board, sales, pace, answers))
    }

    /// The answers of this process and of all processes.
    async fn answers(&self, board: &Board) -> AnswerFigures {
        let now = Instant::now();
        let own = self.answers.recent(now);
        let all: Vec<Window> = if board.overdue().is_some() {
            Vec::new()
        } else {
            process_figures::list(&self.redis).await.unwrap_or_default()
        };
        // Before the first loop has written them, and while Redis does not answer.
        let all = if all.is_empty() { own.iter().cloned().collect() } else { all };
        AnswerFigures {
            poll_per_second: self.polls.per_second(now),
            own: answers::figures(own.as_slice()),
            all: answers::figures(&all),
            processes: all.len() as u64,
        }
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
