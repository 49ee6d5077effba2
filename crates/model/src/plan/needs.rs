//! What serves a load, by the measured costs.

use serde::Serialize;

use super::input::PlanInput;
use super::load::Load;
use crate::costs::{Figure, Figures};
use crate::memory::{JOINER_BYTES, SEAT_BYTES, USABLE_PERCENT};
use crate::number::{ceiling, float};

/// Boards are read at most this often per second, and in at most this part of the time.
const BOARD_READS: f64 = 5.0;
const BOARD_PART: f64 = 1.0 / 20.0;
/// Rounds of admission per second and process.
const ROUNDS: f64 = 10.0;
/// Fewest processes: one may fail.
const FEWEST: u64 = 2;

/// Processes, cores, memory and bandwidth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Needs {
    /// Processes, each on a machine of its own.
    pub processes: u64,
    /// The same, if clients far from the front read the public board at a CDN.
    pub processes_with_cdn: u64,
    /// Cores of all processes that the load uses at the peak.
    pub onsale_cores: f64,
    /// The same, if clients far from the front read the public board at a CDN.
    pub onsale_cores_with_cdn: f64,
    /// Cores of Redis that the load uses at the peak. One sale uses one thread.
    pub redis_cores: f64,
    /// `maxmemory` of Redis, in bytes: enough for `onsale check --expect`.
    pub redis_bytes: u64,
    /// Memory of Redis for the people in the queue, as measured, in bytes.
    pub redis_waiting_bytes: u64,
    /// Cores of PostgreSQL that the load uses at the peak.
    pub postgresql_cores: f64,
    /// Transactions of holds and payments per second.
    pub postgresql_transactions: f64,
    /// Rows of the queue's archive per second, in batches.
    pub postgresql_queue_rows: f64,
    /// Bits per second that the processes send at the peak, without pages.
    pub sent_bits: f64,
    /// The same, if clients far from the front read the public board at a CDN.
    pub sent_bits_with_cdn: f64,
    /// Bits per second of the public board that the CDN sends.
    pub cdn_bits: f64,
    /// Cores of all processes, if each waiting client has a stream in place of polls.
    pub stream_cores: f64,
    /// Memory of all processes for these streams, in bytes.
    pub stream_bytes: f64,
}

/// What reading the board costs a process: the share of the time, and CPU of Redis (s per second).
fn board(waiting: u64, figures: &Figures) -> (f64, f64) {
    let (short, million) = (figures.board_short.value, figures.board_million.value);
    let read_ms = short + (million - short) * float(waiting) / 1e6;
    let reads = BOARD_READS.min(BOARD_PART * 1000.0 / read_ms);
    let redis_million =
        figures.poll_redis.value * figures.polls_per_second.value / 1e6 / BOARD_READS;
    (reads * read_ms / 1000.0, reads * redis_million * read_ms / million)
}

/// The cost of a number of operations per second, each of `micros`, in cores.
fn cores(per_second: f64, micros: &Figure) -> f64 {
    per_second * micros.value / 1e6
}

fn bits(per_second: f64, bytes: &Figure) -> f64 {
    per_second * bytes.value * 8.0
}

/// Cores of Redis with this number of processes, each of which costs `board_redis`.
fn redis_cores(load: &Load, processes: u64, board_redis: f64, figures: &Figures) -> f64 {
    // Batches form only where joins come fast to one process.
    let is_batched = load.joins / float(processes) > figures.join_rate.value;
    let join = if is_batched { &figures.batched_join_redis } else { &figures.join_redis };
    cores(load.joins, join)
        + cores(load.seats, &figures.seat_redis)
        + cores(load.refusals, &figures.refused_redis)
        // ms for 1,000 are µs for one.
        + cores(load.admissions, &figures.admit_thousand)
        + float(processes) * (board_redis + cores(ROUNDS, &figures.call_redis))
}

impl Needs {
    /// What serves `load`.
    #[must_use]
    pub(super) fn of(input: &PlanInput, load: &Load, figures: &Figures) -> Self {
        let (board_share, board_redis) = board(load.waiting, figures);
        let fixed = cores(load.joins, &figures.join_onsale)
            + cores(load.seats, &figures.seat_onsale)
            + cores(load.refusals, &figures.refused_onsale);
        let usable = input.cores_per_process * input.utilization - board_share;
        // The processes, and the cores that they use.
        let with_polls = |polls: f64| {
            let needed = fixed + cores(polls, &figures.poll_onsale);
            let processes = ceiling(needed / usable.max(0.01)).max(FEWEST);
            (processes, needed + float(processes) * board_share)
        };
        let (processes, onsale_cores) = with_polls(load.polls);
        let (processes_with_cdn, onsale_cores_with_cdn) = with_polls(load.polls_near_front);
        let sent = bits(load.joins, &figures.join_bytes)
            + bits(load.purchases, &figures.purchase_bytes)
            + bits(load.refusals, &figures.refused_bytes);
        let memory = input.people * JOINER_BYTES + input.seats * SEAT_BYTES;
        Self {
            processes,
            processes_with_cdn,
            onsale_cores,
            onsale_cores_with_cdn,
            redis_cores: redis_cores(load, processes, board_redis, figures),
            redis_bytes: memory / USABLE_PERCENT * 100,
            redis_waiting_bytes: ceiling(float(load.waiting) * figures.waiting_bytes.value),
            postgresql_cores: cores(load.seats, &figures.seat_postgresql)
                + cores(load.joins, &figures.join_postgresql),
            postgresql_transactions: load.admissions + load.purchases,
            postgresql_queue_rows: load.joins + 2.0 * load.admissions,
            sent_bits: sent + bits(load.polls, &figures.poll_bytes),
            sent_bits_with_cdn: sent + bits(load.polls_near_front, &figures.poll_bytes),
            cdn_bits: bits(load.board_reads, &figures.board_bytes),
            stream_cores: cores(load.stream_events, &figures.stream_event),
            stream_bytes: float(load.waiting) * figures.stream_kilobytes.value * 1000.0,
        }
    }
}
