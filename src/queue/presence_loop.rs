//! The presence loop: merges the presence that this process recorded into Redis.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use uuid::Uuid;

use crate::board::meta::Drawn;
use crate::board::presence::Presence;
use crate::board::service::{Boards, Watched};
use crate::board::snapshot::Board;
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::model::Sequence;
use crate::queue::redis::MergeLease;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::script::ScriptError;

/// Entries marked as present per script call.
const MARKS: usize = 1000;
/// How long a process's lease lasts in Redis. The process renews it every second. For this long a
/// dead process keeps silent entries from being passed over.
const LEASE: Duration = Duration::from_secs(5);
/// How long the process itself relies on its lease. Shorter, so that it stops before Redis does.
const OWN_LEASE: Duration = Duration::from_millis(2500);
/// Schedules for which a loop calls Redis at the same time.
pub(super) const AT_ONCE: usize = 16;

/// The presence loop of one process.
#[derive(Debug, Clone)]
pub struct PresenceLoop {
    keyspaces: Keyspaces,
    draws: Draws,
    boards: Boards,
    /// This process's name among the processes that serve a schedule.
    process: Arc<str>,
}

impl PresenceLoop {
    /// Puts the loop together.
    #[must_use]
    pub fn new(keyspaces: Keyspaces, draws: Draws, boards: Boards) -> Self {
        let process = Uuid::now_v7().simple().to_string().into();
        Self { keyspaces, draws, boards, process }
    }

    /// Merges this process's presence into Redis, for every schedule whose board is read. Admission
    /// need not wait for this process where nobody asks for the board: there it gives its lease back.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let merges = self.boards.all().into_iter().filter_map(|(schedule, watched)| {
            if !watched.is_asleep() {
                return Some((schedule, LEASE));
            }
            let has_lease = watched.presence.stop_answering(Instant::now());
            has_lease.then_some((schedule, Duration::ZERO))
        });
        let merge = |(schedule, lease)| self.merge_for(schedule, lease);
        stream::iter(merges).for_each_concurrent(AT_ONCE, merge).await;
        Ok(false)
    }

    /// Merges the rest of this process's presence, and gives its leases back.
    pub async fn end(&self) {
        let schedules = self.boards.all().into_iter().map(|(schedule, _)| schedule);
        let merge = |schedule| self.merge_for(schedule, Duration::ZERO);
        stream::iter(schedules).for_each_concurrent(AT_ONCE, merge).await;
    }

    /// Merges the entries up to the notice that polled at this process, and takes a lease of the
    /// duration `lease`. Polls up to the notice are answered from memory only while it lasts.
    async fn merge_for(&self, schedule: ScheduleId, lease: Duration) {
        let Some(watched) = self.boards.watched(schedule) else {
            return;
        };
        let Some(board) = watched.latest() else {
            return;
        };
        let complete = self.move_to_drawn(schedule, &watched.presence, &board).await;
        let notice = board.meta.notice;
        let notice = if complete { notice } else { notice.min(board.meta.draw_base) };
        let _turn = watched.presence.turn().await;
        let begun = Instant::now();
        let send = |scripts: ScheduleScripts| {
            let (watched, board) = (Arc::clone(&watched), Arc::clone(&board));
            let merge = Merge { watched, board, notice, begun };
            let process = Arc::clone(&self.process);
            async move { merge.send(&scripts, &process, lease).await }
        };
        if let Err(error) = self.keyspaces.run(schedule, send).await {
            tracing::warn!(%schedule, %error, "merging presence into Redis failed");
        }
    }

    /// Whether admission stopped at an entry up to which this process has not merged presence yet,
    /// although the board asks its client to poll.
    pub(super) fn must_merge(&self, schedule: ScheduleId, stopped_at: Sequence) -> bool {
        self.boards.watched(schedule).is_some_and(|watched| {
            let is_asked = |board: Arc<Board>| stopped_at.0 <= board.meta.notice;
            watched.presence.merged_up_to() < stopped_at.0 && watched.board().is_some_and(is_asked)
        })
    }

    /// Merges the presence in one schedule now.
    pub(super) async fn merge(&self, schedule: ScheduleId) {
        self.merge_for(schedule, LEASE).await;
    }

    /// Moves presence from the sequences of joining to the drawn sequences: clients may still show
    /// tickets from before the draw. Returns whether all entries polled under their current
    /// sequences: not while a draw moves the queue and this process has not read the ranks yet.
    async fn move_to_drawn(
        &self,
        schedule: ScheduleId,
        presence: &Presence,
        board: &Board,
    ) -> bool {
        let (base, window) = (board.meta.draw_base, board.meta.presence());
        let ranks = match board.meta.draw {
            Drawn::No => return true,
            Drawn::Pending => self.draws.cached_ranks(schedule).await,
            Drawn::Done => self.draws.ranks(schedule).await.ok().flatten(),
        };
        let Some(ranks) = ranks else {
            return base == 0;
        };
        for joined in presence.take(base, window, Instant::now()) {
            let drawn = ranks.drawn(Sequence(joined)).map_or(joined, |drawn| drawn.0);
            presence.remember(&[drawn], window, Instant::now());
        }
        true
    }
}

/// One merge of a schedule's presence.
struct Merge {
    watched: Arc<Watched>,
    board: Arc<Board>,
    /// The last sequence that the lease may cover.
    notice: u64,
    begun: Instant,
}

impl Merge {
    async fn send(
        &self,
        scripts: &ScheduleScripts,
        process: &str,
        lease: Duration,
    ) -> Result<(), ScriptError> {
        let Self { watched, board, notice, begun } = self;
        let (presence, window) = (&watched.presence, board.meta.presence());
        let epoch = scripts.keyspace.keys.epoch();
        let (upto, mut unmerged) = presence.begin_merge(epoch, *notice, window, *begun);
        if board.meta.draw == Drawn::Pending || lease.is_zero() {
            // Before a draw, every entry may be drawn first. With no lease, this is the last merge.
            unmerged.append(&mut presence.take(u64::MAX, window, *begun));
        }
        let merge_lease = MergeLease { process, upto, duration: lease };
        let sent = async {
            let chunks = unmerged.chunks(MARKS);
            let last = chunks.len().saturating_sub(1);
            for (number, chunk) in chunks.enumerate() {
                scripts.mark_present((number == last).then_some(merge_lease), chunk).await?;
            }
            if unmerged.is_empty() {
                scripts.mark_present(Some(merge_lease), &[]).await?;
            }
            Ok(())
        };
        let sent = sent.await;
        if sent.is_ok() {
            let own = (!lease.is_zero()).then(|| *begun + OWN_LEASE);
            presence.end_merge(&unmerged, window, *begun, own);
        } else {
            presence.remember(&unmerged, window, *begun);
        }
        sent
    }
}
