//! Admission, and merging into Redis whom this process heard from.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use uuid::Uuid;

use super::live_schedules::Live;
use crate::board::meta::Drawn;
use crate::board::presence::Presence;
use crate::board::service::{Boards, Watched};
use crate::board::snapshot::Board;
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::{Line, Lines};
use crate::queue::model::{Admitted, Sequence};
use crate::queue::redis::Statement;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::script::ScriptError;
use crate::telemetry::Metrics;

/// A schedule where nothing moves is looked at this often.
const IDLE: Duration = Duration::from_secs(1);
/// How often one round is continued at once.
const ROUNDS: usize = 20;
/// Entries marked as present per script call.
const MARKS: usize = 1000;
/// How long Redis counts on a process that states up to where it has merged presence: it states so
/// every second. As long as this a process that died keeps the silent from being passed over.
const LEASE: Duration = Duration::from_secs(5);
/// How long the process itself counts on it. Shorter, so that it ends first.
const OWN_LEASE: Duration = Duration::from_millis(2500);
/// Schedules whose presence is merged at a time.
const MERGES: usize = 16;

/// Frees the lapsed seats of one schedule; `true` if there may be more. The seats feature, which is
/// above this one, provides it.
pub type SweepSeats = fn(Line) -> Pin<Box<dyn Future<Output = Result<bool, ScriptError>> + Send>>;

/// The admission loop of one process.
#[derive(Debug, Clone)]
pub struct Admission {
    lines: Lines,
    draws: Draws,
    boards: Boards,
    live: Live,
    sweep_seats: SweepSeats,
    metrics: Metrics,
    /// When to look at a schedule again.
    due: Arc<Mutex<HashMap<ScheduleId, Instant>>>,
    /// Whose gauges are told.
    told: Arc<Mutex<HashSet<ScheduleId>>>,
    /// The name of this process among those that serve a schedule.
    process: Arc<str>,
}

impl Admission {
    /// Puts the loop together.
    #[must_use]
    pub fn new(
        (lines, draws): (Lines, Draws),
        boards: Boards,
        live: Live,
        sweep_seats: SweepSeats,
        metrics: Metrics,
    ) -> Self {
        let process = Uuid::now_v7().simple().to_string().into();
        let (due, told) = Default::default();
        Self { lines, draws, boards, live, sweep_seats, metrics, due, told, process }
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
            let catch_up = all.stopped_at.is_some_and(|at| self.must_merge(schedule, at));
            if catch_up {
                self.merge(schedule, LEASE).await;
            } else if !round.more {
                break;
            }
        }
        self.metrics.line(schedule.0, all.waiting, all.active);
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(schedule);
        while self.lines.run(schedule, self.sweep_seats).await? {}
        Ok(all)
    }

    /// Whether admission stopped at an entry up to which this process can merge presence at once.
    fn must_merge(&self, schedule: ScheduleId, stopped_at: Sequence) -> bool {
        self.boards.watched(schedule).is_some_and(|watched| {
            let is_asked = |board: Arc<Board>| stopped_at.0 <= board.meta.notice;
            watched.presence.merged_up_to() < stopped_at.0 && watched.board().is_some_and(is_asked)
        })
    }

    /// Whoever was heard from by a ticket of before the draw was heard from at the place drawn.
    async fn rename(&self, schedule: ScheduleId, presence: &Presence, board: &Board) {
        let window = board.meta.presence();
        let before = presence.take(board.meta.draw_base, window, Instant::now());
        if before.is_empty() {
            return;
        }
        if let Ok(Some(places)) = self.draws.places(schedule).await {
            for drawn in before.into_iter().filter_map(|one| places.drawn(Sequence(one))) {
                presence.remember(&[drawn.0], window, Instant::now());
            }
        }
    }

    /// Merges whom this process heard from into Redis, for every schedule that is watched.
    pub async fn presence(&self) -> Result<bool, StoreError> {
        let schedules = self.boards.all().into_iter().map(|(schedule, _)| schedule);
        let merge = |schedule| self.merge(schedule, LEASE);
        stream::iter(schedules).for_each_concurrent(MERGES, merge).await;
        Ok(false)
    }

    /// Merges what is left, and tells Redis to count on this process no longer.
    pub async fn end_presence(&self) {
        let schedules = self.boards.all().into_iter().map(|(schedule, _)| schedule);
        let merge = |schedule| self.merge(schedule, Duration::ZERO);
        stream::iter(schedules).for_each_concurrent(MERGES, merge).await;
    }

    /// Merges everybody whom this process heard from up to the notice, and states so to Redis for
    /// `lease`: a poll up to there is answered from memory only while that holds.
    async fn merge(&self, schedule: ScheduleId, lease: Duration) {
        let Some(watched) = self.boards.watched(schedule) else {
            return;
        };
        let Some(board) = watched.board() else {
            return;
        };
        if board.meta.draw == Drawn::Done {
            self.rename(schedule, &watched.presence, &board).await;
        }
        let _turn = watched.presence.turn().await;
        let begun = Instant::now();
        let send = |line: Line| {
            let merge = Merge { watched: Arc::clone(&watched), board: Arc::clone(&board), begun };
            let process = Arc::clone(&self.process);
            async move { merge.send(&line, &process, lease).await }
        };
        if let Err(error) = self.lines.run(schedule, send).await {
            tracing::warn!(%schedule, %error, "presence is merged later");
        }
    }
}

/// One merge of a schedule's presence.
struct Merge {
    watched: Arc<Watched>,
    board: Arc<Board>,
    begun: Instant,
}

impl Merge {
    async fn send(&self, line: &Line, process: &str, lease: Duration) -> Result<(), ScriptError> {
        let Self { watched, board, begun } = self;
        let (presence, window) = (&watched.presence, board.meta.presence());
        let epoch = line.place.keys.epoch();
        let (upto, mut heard) = presence.begin_merge(epoch, board.meta.notice, window, *begun);
        if board.meta.draw == Drawn::Pending || lease.is_zero() {
            // Anybody may be drawn first; and this process will not come back to the rest.
            heard.append(&mut presence.take(u64::MAX, window, *begun));
        }
        let statement = Statement { process, upto, lease };
        let sent = async {
            let chunks = heard.chunks(MARKS);
            let last = chunks.len().saturating_sub(1);
            for (number, chunk) in chunks.enumerate() {
                line.mark_present((number == last).then_some(statement), chunk).await?;
            }
            if heard.is_empty() {
                line.mark_present(Some(statement), &[]).await?;
            }
            Ok(())
        };
        let sent = sent.await;
        if sent.is_ok() {
            let own = (!lease.is_zero()).then(|| *begun + OWN_LEASE);
            presence.end_merge(&heard, window, *begun, own);
        } else {
            presence.remember(&heard, window, *begun);
        }
        sent
    }
}
