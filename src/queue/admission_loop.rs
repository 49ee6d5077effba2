//! The admission loop, and merging this process's presence into Redis.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use uuid::Uuid;

use super::live_schedules::LiveSchedules;
use crate::board::meta::Drawn;
use crate::board::presence::Presence;
use crate::board::service::{Boards, Watched};
use crate::board::snapshot::Board;
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::model::{Admitted, Sequence};
use crate::queue::redis::Statement;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::script::ScriptError;
use crate::telemetry::Metrics;

/// Interval of a schedule without waiting or active entries, and after an error.
const IDLE: Duration = Duration::from_secs(1);
/// Maximum calls of `queue/admit` per schedule and round.
const CALLS: usize = 20;
/// Entries marked as present per script call.
const MARKS: usize = 1000;
/// Lease of a process's statement up to where it has merged presence. The process renews it every
/// second. For this long a dead process keeps silent entries from being passed over.
const LEASE: Duration = Duration::from_secs(5);
/// How long the process itself relies on its statement. Shorter, so that it ends before Redis's
/// lease.
const OWN_LEASE: Duration = Duration::from_millis(2500);
/// Schedules whose presence is merged at the same time.
const MERGES: usize = 16;

/// Removes the lapsed seats of one schedule from the seat map; `true` if there may be more. The
/// seats feature provides it, since this feature must not import it.
pub type SweepSeats =
    fn(ScheduleScripts) -> Pin<Box<dyn Future<Output = Result<bool, ScriptError>> + Send>>;

/// The admission loop of one process.
#[derive(Debug, Clone)]
pub struct AdmissionLoop {
    keyspaces: Keyspaces,
    draws: Draws,
    boards: Boards,
    live: LiveSchedules,
    sweep_seats: SweepSeats,
    metrics: Metrics,
    /// When an idle schedule is due again.
    due: Arc<Mutex<HashMap<ScheduleId, Instant>>>,
    /// The schedules that have gauges.
    gauges: Arc<Mutex<HashSet<ScheduleId>>>,
    /// This process's name among the processes that serve a schedule.
    process: Arc<str>,
}

impl AdmissionLoop {
    /// Puts the loop together.
    #[must_use]
    pub fn new(
        keyspaces: Keyspaces,
        draws: Draws,
        boards: Boards,
        live: LiveSchedules,
        sweep_seats: SweepSeats,
        metrics: Metrics,
    ) -> Self {
        let process = Uuid::now_v7().simple().to_string().into();
        let (due, gauges) = Default::default();
        Self { keyspaces, draws, boards, live, sweep_seats, metrics, due, gauges, process }
    }

    /// One round over every live schedule that is due.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let now = Instant::now();
        let schedules = self.live.schedules().await;
        let due: Vec<ScheduleId> = {
            let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            due.retain(|schedule, _| schedules.contains(schedule));
            self.forget_gauges(&schedules);
            let is_due = |schedule: &ScheduleId| due.get(schedule).is_none_or(|at| *at <= now);
            schedules.into_iter().filter(is_due).collect()
        };
        for schedule in due {
            match self.admit(schedule).await {
                Ok(round) if round.waiting == 0 && round.active == 0 => {
                    let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
                    due.insert(schedule, now + IDLE);
                }
                Ok(_) => {
                    self.due.lock().unwrap_or_else(PoisonError::into_inner).remove(&schedule);
                }
                Err(error) => {
                    tracing::warn!(%schedule, %error, "admission failed");
                    let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
                    due.insert(schedule, now + IDLE);
                }
            }
        }
        Ok(false)
    }

    /// Removes the gauges of schedules that are no longer live.
    fn forget_gauges(&self, live: &[ScheduleId]) {
        let mut gauges = self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        gauges.retain(|schedule| {
            let stays = live.contains(schedule);
            if !stays {
                self.metrics.forget_line(schedule.0);
            }
            stays
        });
    }

    /// Admits the entries of one schedule for which there are slots, and sweeps its lapsed seats.
    pub async fn admit(&self, schedule: ScheduleId) -> Result<Admitted, StoreError> {
        let mut all = Admitted::default();
        for _ in 0..CALLS {
            let round = self
                .keyspaces
                .run(schedule, |scripts| async move { scripts.admit().await })
                .await?;
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
        self.gauges.lock().unwrap_or_else(PoisonError::into_inner).insert(schedule);
        while self.keyspaces.run(schedule, self.sweep_seats).await? {}
        Ok(all)
    }

    /// Whether admission stopped at an entry up to which this process has not merged presence yet,
    /// although the board asks its client to poll.
    fn must_merge(&self, schedule: ScheduleId, stopped_at: Sequence) -> bool {
        self.boards.watched(schedule).is_some_and(|watched| {
            let is_asked = |board: Arc<Board>| stopped_at.0 <= board.meta.notice;
            watched.presence.merged_up_to() < stopped_at.0 && watched.board().is_some_and(is_asked)
        })
    }

    /// Moves presence from the sequences of joining to the drawn sequences: clients may still show
    /// tickets from before the draw.
    async fn move_to_drawn(&self, schedule: ScheduleId, presence: &Presence, board: &Board) {
        let window = board.meta.presence();
        let joined = presence.take(board.meta.draw_base, window, Instant::now());
        if joined.is_empty() {
            return;
        }
        if let Ok(Some(places)) = self.draws.places(schedule).await {
            let drawn = joined.into_iter().filter_map(|joined| places.drawn(Sequence(joined)));
            for drawn in drawn {
                presence.remember(&[drawn.0], window, Instant::now());
            }
        }
    }

    /// Merges this process's presence into Redis, for every watched schedule.
    pub async fn presence(&self) -> Result<bool, StoreError> {
        let schedules = self.boards.all().into_iter().map(|(schedule, _)| schedule);
        let merge = |schedule| self.merge(schedule, LEASE);
        stream::iter(schedules).for_each_concurrent(MERGES, merge).await;
        Ok(false)
    }

    /// Merges the rest of this process's presence, and ends its statements in Redis.
    pub async fn end_presence(&self) {
        let schedules = self.boards.all().into_iter().map(|(schedule, _)| schedule);
        let merge = |schedule| self.merge(schedule, Duration::ZERO);
        stream::iter(schedules).for_each_concurrent(MERGES, merge).await;
    }

    /// Merges the entries up to the notice that polled at this process, and states that to Redis
    /// for `lease`. Polls up to the notice are answered from memory only while the statement holds.
    async fn merge(&self, schedule: ScheduleId, lease: Duration) {
        let Some(watched) = self.boards.watched(schedule) else {
            return;
        };
        let Some(board) = watched.board() else {
            return;
        };
        if board.meta.draw == Drawn::Done {
            self.move_to_drawn(schedule, &watched.presence, &board).await;
        }
        let _turn = watched.presence.turn().await;
        let begun = Instant::now();
        let send = |scripts: ScheduleScripts| {
            let merge = Merge { watched: Arc::clone(&watched), board: Arc::clone(&board), begun };
            let process = Arc::clone(&self.process);
            async move { merge.send(&scripts, &process, lease).await }
        };
        if let Err(error) = self.keyspaces.run(schedule, send).await {
            tracing::warn!(%schedule, %error, "merging presence into Redis failed");
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
    async fn send(
        &self,
        scripts: &ScheduleScripts,
        process: &str,
        lease: Duration,
    ) -> Result<(), ScriptError> {
        let Self { watched, board, begun } = self;
        let (presence, window) = (&watched.presence, board.meta.presence());
        let epoch = scripts.keyspace.keys.epoch();
        let (upto, mut heard) = presence.begin_merge(epoch, board.meta.notice, window, *begun);
        if board.meta.draw == Drawn::Pending || lease.is_zero() {
            // Before a draw, every entry may be drawn first. With no lease, this is the last merge.
            heard.append(&mut presence.take(u64::MAX, window, *begun));
        }
        let statement = Statement { process, upto, lease };
        let sent = async {
            let chunks = heard.chunks(MARKS);
            let last = chunks.len().saturating_sub(1);
            for (number, chunk) in chunks.enumerate() {
                scripts.mark_present((number == last).then_some(statement), chunk).await?;
            }
            if heard.is_empty() {
                scripts.mark_present(Some(statement), &[]).await?;
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
