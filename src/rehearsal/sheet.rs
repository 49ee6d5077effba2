//! The sheet of a rehearsal: what passed and what failed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The result of a rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sheet {
    /// Whether no line failed.
    pub passed: bool,
    /// The lines.
    pub lines: Vec<SheetLine>,
    /// Latency by step.
    pub steps: Vec<StepTimes>,
    /// The step with the highest 99th percentile; null without requests.
    pub slowest_step: Option<String>,
    /// Synthetic buyers.
    pub buyers: u32,
    /// Seats for sale.
    pub seats: u64,
    /// Seats sold, by PostgreSQL.
    pub seats_sold: u64,
    /// Answered requests.
    pub requests: u64,
    /// Requests refused for now, with `Retry-After`.
    pub refused: u64,
    /// Requests without an answer.
    pub unreached: u64,
    /// Holds refused for lack of seats.
    pub refused_holds: u64,
    /// How the buyers ended.
    pub ends: BuyerEnds,
    /// Seconds from the opening until 99 of 100 seats were paid.
    pub nearly_sold: Compared,
    /// Seconds from the opening until the last seat was paid.
    pub sold_out: Compared,
    /// Memory of Redis that the sale took at its peak, in bytes: what it grew by.
    pub redis_bytes: u64,
    /// Examples of what went wrong.
    pub examples: Vec<String>,
}

/// One line of a sheet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SheetLine {
    /// Stable name, such as `double_sales`.
    pub name: String,
    /// Whether `seen` is within `limit`.
    pub passed: bool,
    /// What was seen.
    pub seen: f64,
    /// The most that is allowed.
    pub limit: f64,
}

/// Latency of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepTimes {
    /// `join`, `poll`, `hold`, `pay` or `leave`.
    pub step: String,
    /// Answered requests.
    pub requests: u64,
    /// Median, in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile, in milliseconds.
    pub p99_ms: f64,
}

/// How the buyers ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BuyerEnds {
    /// Bought seats.
    pub bought: u64,
    /// Held seats and did not pay.
    pub never_paid: u64,
    /// Were admitted, and found too few free seats.
    pub found_no_seats: u64,
    /// Found everything sold while they waited, or when they came.
    pub sold_out: u64,
    /// Left the queue, or the sale without a hold.
    pub left: u64,
    /// Were away when their turn came.
    pub away: u64,
    /// Were late: the slot or the sale had ended.
    pub late: u64,
    /// Got answers that no client could have expected.
    pub failed: u64,
}

/// A measured time beside the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Compared {
    /// What was measured; null if it did not happen.
    pub measured: Option<f64>,
    /// The lowest of the simulated runs; null if it happened in none.
    pub low: Option<f64>,
    /// The middle one.
    pub median: Option<f64>,
    /// The highest.
    pub high: Option<f64>,
}
