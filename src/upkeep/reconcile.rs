//! The reconciler: compares Redis with PostgreSQL, and repairs drift.
//!
//! There should never be drift: the outbox delivers each change to Redis, and a loss is followed by
//! a rebuild. The reconciler is for unforeseen causes, and counts its repairs. A change that is
//! still on its way is not taken for drift, because of the order of the reads. PostgreSQL is read
//! first, in one statement, without the seats that the outbox still names. Redis is read
//! afterwards, when it has every other change. If Redis has a later change than that, the seat is
//! compared with PostgreSQL again, under the seat's lock.

pub mod drift;
pub mod repair;

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use self::drift::{Drift, between};
use self::repair::{DriftSuspect, RepairSeats, SaleSeen};
use super::pg::{self, SeatNow};
use crate::queue;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::live_schedules::LiveSchedules;
use crate::queue::model::Completed;
use crate::queue::service::WaitingRoom;
use crate::seats;
use crate::seats::model::{FencedSeat, SeatSeen};
use crate::seats::service::{SeatClaims, decided};
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::store::script::{ScriptError, inspect};
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

/// Seats read per Redis call: about 1 ms of its time.
const PAGE: u32 = 1000;
/// Seats repaired per transaction, and transactions per round. The next round repairs the rest.
const REPAIRED: usize = 200;
const TRANSACTIONS: usize = 25;
/// Active entries checked per round: those whose slots end last.
const ACTIVE_CHECKED: isize = 5000;

/// The reconciler of one process.
#[derive(Debug, Clone)]
pub struct Reconciler {
    /// PostgreSQL, which is right where the two differ.
    pub pg: Pg,
    /// The keys that are compared.
    pub keyspaces: Keyspaces,
    /// Applies repaired seats.
    pub claims: SeatClaims,
    /// Completes entries that were paid from.
    pub queue: WaitingRoom,
    /// The schedules that are compared.
    pub live: LiveSchedules,
    /// Counts comparisons and repairs.
    pub metrics: Metrics,
    /// How often each schedule is compared, by any number of processes together.
    pub every: Duration,
}

impl Reconciler {
    /// Compares each schedule that no other process has compared lately.
    pub async fn step(&self) -> Result<bool, StoreError> {
        // A little less than the interval: the lease has ended when this process's next round
        // begins.
        let lease = self.every.mul_f32(0.9);
        for schedule in self.live.schedules().await {
            let redis = self.keyspaces.redis();
            if !queue::redis::take_lease(redis, schedule, "reconciler", lease).await? {
                continue;
            }
            let begun = Instant::now();
            match self.reconcile(schedule).await {
                Ok(()) => self.metrics.compared(begun.elapsed()),
                // The keys are being rebuilt, or a store is down. The next round tries again.
                Err(error) => tracing::warn!(%schedule, %error, "comparing the stores failed"),
            }
        }
        Ok(false)
    }

    /// Compares one schedule, and repairs its drift.
    pub async fn reconcile(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        let epoch = async |scripts: ScheduleScripts| Ok(scripts.keyspace.keys.epoch());
        let epoch = self.keyspaces.run(schedule, epoch).await?;
        self.repair_settings(schedule, epoch).await?;
        let suspects = self.find_suspects(schedule).await?;
        if !suspects.is_empty() {
            self.check_same_keys(schedule, epoch).await?;
        }
        let mut repaired = 0;
        for batch in suspects.chunks(REPAIRED).take(TRANSACTIONS) {
            repaired += self.repair_seats(schedule, batch).await?;
        }
        let has_repaired = repaired > 0;
        let recount = |scripts: ScheduleScripts| async move {
            seats::redis::recount(&scripts, has_repaired).await
        };
        let (gone_off, blocked_off) = self.keyspaces.run(schedule, recount).await?;
        // After a repair of seats the counts may differ because of it, which is not another drift.
        if !has_repaired && (gone_off, blocked_off) != (0, 0) {
            tracing::error!(%schedule, gone_off, blocked_off, "repaired the seat counts in Redis");
            self.note_repair(schedule, "count", 1).await;
        }
        self.complete_paid(schedule, epoch).await
    }

    /// Checks that the keys are still those of `epoch`, and that Redis has not lost them unnoticed.
    /// Lost keys are rebuilt, and what they showed is not drift.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the keys were or are being rebuilt.
    async fn check_same_keys(&self, schedule: ScheduleId, epoch: u64) -> Result<(), StoreError> {
        let same = |scripts: ScheduleScripts| async move {
            let expected = self.keyspaces.expected(schedule).await?;
            let found = inspect(self.keyspaces.redis(), &scripts.keyspace.keys).await?;
            if !expected.agrees(&found) {
                return Err(ScriptError::Lost);
            }
            Ok(found.epoch == epoch && found.loading_until_ms == 0)
        };
        if self.keyspaces.run(schedule, same).await? {
            return Ok(());
        }
        let reason = "the schedule's keys were rebuilt meanwhile".to_owned();
        Err(StoreError::Unavailable { store: Store::Redis, reason })
    }

    /// The seats that differ between Redis and PostgreSQL.
    async fn find_suspects(&self, schedule: ScheduleId) -> Result<Vec<DriftSuspect>, StoreError> {
        let (seats, now) = pg::seats_now(&self.pg, schedule).await?;
        let begun = Instant::now();
        let total = pg::seats_total(&self.pg, schedule).await?;
        let mut changed = seats.iter().peekable();
        let mut suspects = Vec::new();
        for first in (1..=total).step_by(PAGE as usize) {
            let last = total.min(first + PAGE - 1);
            let look = |scripts: ScheduleScripts| async move {
                seats::redis::read_seats(&scripts, first, last).await
            };
            let seen = self.keyspaces.run(schedule, look).await?;
            let passed = TimeDelta::from_std(begun.elapsed()).unwrap_or_default();
            for (number, seen) in (first..=last).zip(&seen) {
                let changed = changed.next_if(|seat| seat.seat.number == number);
                let untouched = SeatNow::untouched(number);
                let seat = changed.unwrap_or(&untouched);
                suspects.extend(suspect(seat, seen, now + passed));
            }
        }
        Ok(suspects)
    }

    /// Repairs seats; returns how many of them still differed.
    async fn repair_seats(
        &self,
        schedule: ScheduleId,
        suspects: &[DriftSuspect],
    ) -> Result<u64, StoreError> {
        let (events, now) = self.pg.transact(&RepairSeats { schedule, suspects }).await?;
        let mut repaired = 0;
        for change in &events {
            repaired += change.event.seats.len() as u64;
            self.claims.deliver(change, now).await;
        }
        if repaired > 0 {
            self.note_repair(schedule, "seat", repaired).await;
        }
        Ok(repaired)
    }

    /// Counts a repair, and records it for the operator. A repair that is not recorded has happened
    /// all the same.
    async fn note_repair(&self, schedule: ScheduleId, what: &'static str, times: u64) {
        self.metrics.repaired(what, times);
        if let Err(error) = pg::record_repair(&self.pg, schedule, what, times).await {
            tracing::warn!(%schedule, what, %error, "a repair was not recorded");
        }
    }

    /// Applies the current settings in Redis if it has older ones.
    async fn repair_settings(&self, schedule: ScheduleId, epoch: u64) -> Result<(), StoreError> {
        let Some(version) = pg::delivered_settings_version(&self.pg, schedule).await? else {
            return Ok(());
        };
        let read = |scripts: ScheduleScripts| async move { scripts.settings_version().await };
        let seen = self.keyspaces.run(schedule, read).await?;
        if seen < version {
            self.check_same_keys(schedule, epoch).await?;
            tracing::error!(%schedule, version, seen, "Redis has older settings than PostgreSQL");
            self.keyspaces.configure(schedule).await?;
            self.note_repair(schedule, "settings", 1).await;
        }
        Ok(())
    }

    /// Completes the entries that were paid from and still have an active slot.
    async fn complete_paid(&self, schedule: ScheduleId, epoch: u64) -> Result<(), StoreError> {
        let read = |scripts: ScheduleScripts| async move {
            Ok(scripts.list_active(ACTIVE_CHECKED).await?)
        };
        let active = self.keyspaces.run(schedule, read).await?;
        let paid = pg::paid_of(&self.pg, schedule, &active).await?;
        if paid.is_empty() {
            return Ok(());
        }
        // Read again: PostgreSQL, which has the payments, was read after Redis.
        let still_active = self.keyspaces.run(schedule, read).await?;
        self.check_same_keys(schedule, epoch).await?;
        for (user, sequence) in paid.into_iter().filter(|entry| still_active.contains(entry)) {
            self.queue.complete(&Completed { schedule, user, sequence }).await?;
            tracing::error!(
                %schedule, %user, sequence = sequence.0,
                "released the slot of a ticket that was already paid"
            );
            self.note_repair(schedule, "place", 1).await;
        }
        Ok(())
    }
}

/// The drift of a seat at PostgreSQL's clock `now`; `None` if it does not differ, or if Redis may
/// not have its last change yet.
fn suspect(seat: &SeatNow, seen: &SeatSeen, now: DateTime<Utc>) -> Option<DriftSuspect> {
    let FencedSeat { number, fence, .. } = seat.seat;
    let how: Drift = between(fence, decided(seat.state(), now), seen)?;
    let is_sale = how == Drift::Ahead && seen.state == "SELL";
    let sale = is_sale.then_some(SaleSeen { hold: seen.hold, user: seen.user });
    (!seat.pending).then_some(DriftSuspect { number, fence, seen: seen.fence, how, sale })
}
