//! Letting people in, and telling admission who is here.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::live::Live;
use crate::board::here::Here;
use crate::board::meta::Drawn;
use crate::board::service::Boards;
use crate::hold;
use crate::queue::draw::service::Draws;
use crate::queue::lines::{Line, Lines};
use crate::queue::model::{Admitted, Sequence};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::telemetry::Metrics;

/// A schedule where nothing moves is looked at this often.
const IDLE: Duration = Duration::from_secs(1);
/// How often one round is continued at once.
const ROUNDS: usize = 20;
/// Presence sent per call.
const PRESENT: usize = 1000;

/// The admission loop of one process.
#[derive(Debug, Clone)]
pub struct Admission {
    lines: Lines,
    draws: Draws,
    boards: Boards,
    live: Live,
    metrics: Metrics,
    /// When to look at a schedule again.
    due: Arc<Mutex<HashMap<ScheduleId, Instant>>>,
    /// Whose gauges are told.
    told: Arc<Mutex<HashSet<ScheduleId>>>,
}

impl Admission {
    /// Puts the loop together.
    #[must_use]
    pub fn new(
        (lines, draws): (Lines, Draws),
        boards: Boards,
        live: Live,
        metrics: Metrics,
    ) -> Self {
        Self { lines, draws, boards, live, metrics, due: Arc::default(), told: Arc::default() }
    }

    /// One round over every live schedule that is due.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let now = Instant::now();
        let schedules = self.live.schedules().await;
        let due: Vec<ScheduleId> = {
            let mut known = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|schedule, _| schedules.contains(schedule));
            self.forget_gauges(&schedules);
            let is_due = |schedule: &ScheduleId| known.get(schedule).is_none_or(|at| *at <= now);
            schedules.into_iter().filter(is_due).collect()
        };
        for schedule in due {
            match self.admit(schedule).await {
                Ok(round) if round.waiting == 0 && round.active == 0 => {
                    let mut known = self.due.lock().unwrap_or_else(PoisonError::into_inner);
                    known.insert(schedule, now + IDLE);
                }
                Ok(_) => {
                    self.due.lock().unwrap_or_else(PoisonError::into_inner).remove(&schedule);
                }
                Err(error) => {
                    tracing::warn!(%schedule, %error, "nobody could be let in");
                    let mut known = self.due.lock().unwrap_or_else(PoisonError::into_inner);
                    known.insert(schedule, now + IDLE);
                }
            }
        }
        Ok(false)
    }

    /// Tells no more of lines that are over.
    fn forget_gauges(&self, live: &[ScheduleId]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|schedule| {
            let stays = live.contains(schedule);
            if !stays {
                self.metrics.forget_line(schedule.0);
            }
            stays
        });
    }

    /// Lets in whom there is room for in one line, and frees what has lapsed.
    pub async fn admit(&self, schedule: ScheduleId) -> Result<Admitted, StoreError> {
        let mut all = Admitted::default();
        for _ in 0..ROUNDS {
            let round = self.lines.run(schedule, |line| async move { line.admit().await }).await?;
            self.metrics.admitted(u64::from(round.admitted));
            all = Admitted {
                admitted: all.admitted + round.admitted,
                parked: all.parked + round.parked,
                expired: all.expired + round.expired,
                ..round
            };
            if !round.more {
                break;
            }
        }
        self.metrics.line(schedule.0, all.waiting, all.active);
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(schedule);
        let sweep = |line: Line| async move { hold::redis::sweep(&line).await };
        while self.lines.run(schedule, sweep).await? {}
        Ok(all)
    }

    /// Whoever was heard from by a ticket of before the draw was heard from at the place drawn.
    async fn rename(&self, schedule: ScheduleId, here: &Here, base: u64, window: Duration) {
        let before = here.take(base, window, usize::MAX, Instant::now());
        if before.is_empty() {
            return;
        }
        if let Ok(Some(places)) = self.draws.places(schedule).await {
            for drawn in before.into_iter().filter_map(|one| places.drawn(Sequence(one))) {
                here.mark(drawn.0, Instant::now());
            }
        }
    }

    /// Merges whom this process heard from into Redis, for those near the front of each line.
    pub async fn presence(&self) -> Result<bool, StoreError> {
        for (schedule, watched) in self.boards.all() {
            let Some(board) = watched.board() else {
                continue;
            };
            // Twice what may be let in until the next merge, and then some.
            let near = board.meta.rate * 4 + 500;
            let mut horizon = board.line.at(near).unwrap_or(u64::MAX);
            let window = Duration::from_millis(board.meta.presence_ms);
            let mut enough = PRESENT * usize::try_from(near / 1000 + 1).unwrap_or(1);
            if board.meta.draw == Drawn::Pending {
                // Anybody may be drawn first.
                (horizon, enough) = (u64::MAX, usize::MAX);
            } else if board.meta.draw == Drawn::Done {
                self.rename(schedule, &watched.here, board.meta.draw_base, window).await;
            }
            let present = watched.here.take(horizon, window, enough, Instant::now());
            for present in present.chunks(PRESENT) {
                let merge = |line: Line| async move { line.here(present).await };
                if let Err(error) = self.lines.run(schedule, merge).await {
                    tracing::warn!(%schedule, %error, "presence is merged later");
                    for one in present {
                        watched.here.mark(*one, Instant::now());
                    }
                }
            }
        }
        Ok(false)
    }
}
