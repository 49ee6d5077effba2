//! Health of a process, its loops and its stores.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::telemetry::rounds::Round;

/// Health of one store.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StoreHealth {
    /// The store: `redis` or `postgresql`.
    pub store: &'static str,
    /// Whether it answered a ping within 1 s.
    pub up: bool,
    /// Time until the answer, in milliseconds. Null if there was none.
    pub answer_ms: Option<f64>,
}

/// Last run of one background loop of the answering process.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LoopHealth {
    /// Name of the loop, such as `admission`.
    pub name: &'static str,
    /// Time between two runs while the loop has no work, in milliseconds.
    pub every_ms: u64,
    /// When the last run ended.
    pub last_run_at: DateTime<Utc>,
    /// Duration of the last run, in milliseconds.
    pub took_ms: f64,
    /// Whether the last run failed. The log has the reason.
    pub failed: bool,
    /// Whether the next run is overdue.
    pub late: bool,
}

/// Health of the answering process and its stores.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Health {
    /// True if both stores answer, and no loop is late or failed in its last run.
    pub well: bool,
    /// The two stores, checked for this answer.
    pub stores: Vec<StoreHealth>,
    /// The loops that have run at least once, in order of name.
    pub loops: Vec<LoopHealth>,
    /// Changes that were waiting to be applied in Redis when the relay last looked. Changes of the
    /// last moment do not count.
    pub outbox_waiting: u64,
    /// Changes that Redis refused too often. They need an operator.
    pub outbox_parked: u64,
    /// Open connections to PostgreSQL.
    pub connections: u32,
    /// Idle connections among them.
    pub connections_idle: u32,
    /// Whether `onsale drill` may cause failures here (`ONSALE_ALLOW_DRILL`).
    pub drill_allowed: bool,
    /// Version of onsale.
    pub version: &'static str,
    /// Server time of this answer.
    pub server_time: DateTime<Utc>,
}

impl LoopHealth {
    /// Describes a loop by its last run.
    #[must_use]
    pub fn of(name: &'static str, round: &Round) -> Self {
        Self {
            name,
            every_ms: u64::try_from(round.period.as_millis()).unwrap_or(u64::MAX),
            last_run_at: round.at.into(),
            took_ms: round.took.as_secs_f64() * 1e3,
            failed: round.failed,
            late: round.is_late(),
        }
    }
}
