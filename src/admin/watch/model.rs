//! How a process and its stores are.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::telemetry::rounds::Round;

/// Whether a store answers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StoreHealth {
    /// `redis` or `postgresql`.
    pub store: &'static str,
    /// Whether it answered within a second.
    pub up: bool,
    /// How long that took; null where it did not.
    pub answer_ms: Option<f64>,
}

/// How a loop of the answering process runs.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LoopHealth {
    /// Such as `admission`.
    pub name: &'static str,
    /// How often it runs, where it has nothing to do.
    pub every_ms: u64,
    /// When it ran last.
    pub last_run_at: DateTime<Utc>,
    /// How long that took.
    pub took_ms: f64,
    /// Whether that failed; the log says why.
    pub failed: bool,
    /// Whether the next one should long have ended.
    pub late: bool,
}

/// How the answering process and what it rests on are.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Health {
    /// Both stores answer, and no loop has failed last or is late.
    pub well: bool,
    /// The two stores, asked just now.
    pub stores: Vec<StoreHealth>,
    /// The loops that have run, by name.
    pub loops: Vec<LoopHealth>,
    /// Changes that Redis had not heard of when the relay last looked: for longer than a moment.
    pub outbox_waiting: u64,
    /// Changes that Redis refused too often; an operator has to look at them.
    pub outbox_parked: u64,
    /// Connections to PostgreSQL that are open.
    pub connections: u32,
    /// Those of them that nobody uses.
    pub connections_idle: u32,
    /// Of onsale.
    pub version: &'static str,
    /// When.
    pub server_time: DateTime<Utc>,
}

impl LoopHealth {
    /// Of a loop's last round.
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
