//! The loops: what keeps the two stores in step and time moving. Each has one step that says whether
//! it did anything, so that a test drives it without waiting; every process runs all of them, and
//! none needs a leader.
//!
//! | loop | what it does | how often | bounded by |
//! | --- | --- | --- | --- |
//! | admission | lets people in, sweeps lapsed holds | 100 ms; 1 s where nothing moves | 100 per call |
//! | live | reads which schedules are live, and their epochs | 1 s | one statement |
//! | presence | merges whom this process heard from | 1 s | 1,000 per call |
//! | relay | tells Redis what the outbox holds | 500 ms | 100 entries, 2 s old |
//! | expiry | ends overdue reservations | 1 s | 200 seats |
//! | archive | writes the line's log to `queue` | 1 s | 2,000 entries or 5,000 events per schedule |
//! | draw | holds the draws that are due | 250 ms | 10,000 entrants per statement, 50 per call; one process per schedule |
//! | recovery | rebuilds what Redis lost | when a call finds it | one process per schedule |
//! | reconciler | compares Redis with PostgreSQL, and mends it | 20 s | 1,000 seats per call, 5,000 mended per round |
//! | purge | old keys, closed schedules | 10 min | 10,000 rows |
//! | turned away | writes down who was refused, and why | 5 s | 10,000 different counts |

use std::time::Duration;

use tokio::sync::mpsc;

use crate::board::service::Boards;
use crate::concert::service::Catalogue;
use crate::hold::service::Holds;
use crate::outbox::model::OutboxId;
use crate::queue::draw::service::Draws;
use crate::queue::lines::{Lines, Lost};
use crate::queue::service::Queue;
use crate::store::pg::Pg;
use crate::store::redis::Redis;

pub mod admission;
pub mod archive;
pub mod contradiction;
pub mod draw;
pub mod expire;
pub mod live;
pub mod load;
pub mod pg;
pub mod purge;
pub mod reconcile;
pub mod recover;
pub mod relay;
pub mod restate;
pub mod run;
pub mod turned_away;

/// What the loops work on.
#[expect(missing_docs, reason = "each is what its type says")]
#[derive(Debug, Clone)]
pub struct Parts {
    pub pg: Pg,
    pub redis: Redis,
    pub boards: Boards,
    pub catalogue: Catalogue,
    pub lines: Lines,
    pub draws: Draws,
    pub queue: Queue,
    pub holds: Holds,
    pub reconcile_every: Duration,
}

/// Starts every loop.
pub fn start(
    loops: &run::Loops,
    parts: Parts,
    deliveries: mpsc::Receiver<OutboxId>,
    losses: mpsc::Receiver<Lost>,
) {
    let reconciling = parts.reconcile_every;
    let Parts { pg, redis, boards, catalogue, lines, draws, queue, holds, .. } = parts;
    let metrics = loops.metrics.clone();
    let live = live::Live::new(pg.clone(), lines.clone());
    let both = || (lines.clone(), draws.clone());
    let admission = admission::Admission::new(both(), boards, live.clone(), metrics.clone());
    let reconciler = reconcile::Reconciler::new(
        pg.clone(),
        lines.clone(),
        (holds.clone(), queue.clone()),
        live.clone(),
        metrics.clone(),
        reconciling,
    );
    let (present, ending) = (admission.clone(), admission.clone());
    let refreshing = live.clone();
    let relay = relay::Relay::new(
        pg.clone(),
        holds.clone(),
        queue.clone(),
        lines.clone(),
        metrics.clone(),
        deliveries,
    );
    let archive = archive::Archive::new(pg.clone(), both(), live, metrics.clone());
    let drawing = draw::Drawing::new(pg.clone(), lines.clone(), draws.clone(), archive.clone());
    let expiry = expire::Expiry::new(pg.clone(), holds, metrics.clone());
    let refused = turned_away::TurnedAway::new(pg.clone(), metrics);
    let purge = purge::Purge::new(pg.clone(), redis.clone());
    let recovery = recover::Recovery::new(pg, redis, catalogue, lines, draws);
    loops.tasks.spawn(recovery.run(losses, loops.stop.clone()));
    let stop = loops.stop.clone();
    loops.tasks.spawn(async move {
        stop.cancelled().await;
        ending.end_presence().await;
    });
    let every = Duration::from_millis;
    loops.every("admission", every(100), admission, |it| async move { it.step().await });
    loops.every("live", every(1000), refreshing, |it| async move { it.step().await });
    loops.every("presence", every(1000), present, |it| async move { it.presence().await });
    loops.every("relay", every(500), relay, |it| async move { it.step().await });
    loops.every("expiry", every(1000), expiry, |it| async move { it.step().await });
    loops.every("archive", every(1000), archive, |it| async move { it.step().await });
    loops.every("draw", every(250), drawing, |it| async move { it.step().await });
    loops.every("reconciler", reconciling, reconciler, |it| async move { it.step().await });
    loops.every("turned away", every(5000), refused, |it| async move { it.step().await });
    loops.every("purge", every(600_000), purge, |it| async move { it.step().await });
}
