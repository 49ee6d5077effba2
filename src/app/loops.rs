//! The background loops: starts each, and runs its steps until the process drains.
//!
//! A loop exposes one step that says whether there may be more to do, so a test drives it without
//! waiting. Every process runs all of them, and none needs a leader.
//!
//! docs/OPERATIONS.md (The loops) says what each does, how often, within which limits, and what
//! happens if it stops.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::alerts::rules::AlertRules;
use crate::admin::alerts::watch::{self, AlertWatch};
use crate::admin::auto_admission::controller::{self, RateController};
use crate::admin::history::recorder::Recorder;
use crate::admin::history::rollup::Rollup;
use crate::admin::sales_report::rejection_writer::RejectionWriter;
use crate::board::service::Boards;
use crate::concert::service::Catalogue;
use crate::http::server::drain::Drain;
use crate::job::kinds;
use crate::job::runner::JobRunner;
use crate::outbox::model::OutboxId;
use crate::queue::admission_loop::AdmissionLoop;
use crate::queue::archive_worker::ArchiveWorker;
use crate::queue::draw::service::Draws;
use crate::queue::draw::worker::DrawWorker;
use crate::queue::keyspaces::{Keyspaces, RebuildRequest};
use crate::queue::live_schedules::LiveSchedules;
use crate::queue::presence_loop::PresenceLoop;
use crate::queue::service::WaitingRoom;
use crate::rehearsal::upkeep::RehearsalUpkeep;
use crate::reservation::expiry::ExpiryLoop;
use crate::seats;
use crate::seats::service::SeatClaims;
use crate::store::StoreError;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::telemetry::Metrics;
use crate::telemetry::rounds::Round;
use crate::upkeep::purge::PurgeLoop;
use crate::upkeep::reconcile::Reconciler;
use crate::upkeep::recover::Recovery;
use crate::upkeep::relay::Relay;
use crate::upkeep::removal::RemovalLoop;
use crate::webhook::dispatcher::Dispatcher;
use crate::webhook::upkeep::{PhaseLoop, WebhookUpkeep};

/// Runs the loops of one process.
#[derive(Debug, Clone)]
pub struct Loops {
    /// Tracks the running loops.
    pub tasks: TaskTracker,
    /// Ends all loops.
    pub stop: CancellationToken,
    /// Whether the process drains.
    pub drain: Drain,
    /// Counts how late rounds are.
    pub metrics: Metrics,
}

impl Loops {
    /// Runs `step` of `part` every `period`, and again at once while it returns `true`. After a failure
    /// it runs again after the period. The first failure in a row is logged, and the end of them.
    /// Returns the task, which ends after the step that runs when the process stops.
    pub fn every<P, S, F>(
        &self,
        name: &'static str,
        period: Duration,
        part: P,
        step: S,
    ) -> JoinHandle<()>
    where
        P: Clone + Send + 'static,
        S: Fn(P) -> F + Send + 'static,
        F: Future<Output = Result<bool, StoreError>> + Send,
    {
        let Self { stop, metrics, .. } = self.clone();
        metrics.loop_started(name, period);
        self.tasks.spawn(async move {
            let (mut due, mut was_failing) = (Instant::now(), false);
            loop {
                let begun = Instant::now();
                let result = step(part.clone()).await;
                match &result {
                    Err(error) if !was_failing => tracing::warn!(name, %error, "a loop fails"),
                    Ok(_) if was_failing => tracing::info!(name, "a loop no longer fails"),
                    _ => {}
                }
                was_failing = result.is_err();
                let round = Round::ended(period, begun.elapsed(), result.is_err());
                metrics.loop_ran(name, due.elapsed().saturating_sub(period), round);
                let pause = if result.unwrap_or(false) { Duration::ZERO } else { period };
                due = Instant::now();
                if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                    return;
                }
            }
        })
    }
}

/// The services that the loops use.
#[expect(missing_docs, reason = "each is what its type says")]
#[derive(Debug, Clone)]
pub struct LoopServices {
    pub pg: Pg,
    pub redis: Redis,
    pub boards: Boards,
    pub catalogue: Catalogue,
    pub keyspaces: Keyspaces,
    pub draws: Draws,
    pub queue: WaitingRoom,
    pub claims: SeatClaims,
    pub reconcile_every: Duration,
}

/// Starts every loop.
pub fn start(
    loops: &Loops,
    services: LoopServices,
    deliveries: mpsc::Receiver<OutboxId>,
    losses: mpsc::Receiver<RebuildRequest>,
) {
    let reconcile_period = services.reconcile_every;
    let LoopServices { pg, redis, boards, catalogue, keyspaces, draws, queue, claims, .. } =
        services;
    let metrics = loops.metrics.clone();
    let live = LiveSchedules::new(pg.clone(), keyspaces.clone());
    start_history(loops, &pg, &keyspaces, &live);
    start_auto_admission(loops, &pg, &catalogue, &keyspaces);
    let presence = PresenceLoop::new(keyspaces.clone(), draws.clone(), boards);
    let admission = AdmissionLoop::new(
        keyspaces.clone(),
        presence.clone(),
        live.clone(),
        |scripts| Box::pin(async move { seats::redis::sweep(&scripts).await }),
        metrics.clone(),
    );
    let reconciler = Reconciler {
        pg: pg.clone(),
        keyspaces: keyspaces.clone(),
        claims: claims.clone(),
        queue: queue.clone(),
        live: live.clone(),
        metrics: metrics.clone(),
        every: reconcile_period,
    };
    let live_refresh = live.clone();
    let relay = Relay::new(
        pg.clone(),
        claims.clone(),
        queue.clone(),
        keyspaces.clone(),
        metrics.clone(),
        deliveries,
    );
    let expiry = ExpiryLoop::new(pg.clone(), claims, metrics.clone());
    let rejections = RejectionWriter::new(pg.clone(), metrics.clone());
    let archive = ArchiveWorker::new(pg.clone(), keyspaces.clone(), draws.clone(), live, metrics);
    let draw = DrawWorker::new(pg.clone(), keyspaces.clone(), draws.clone(), archive.clone());
    start_removals(loops, &pg, &redis);
    let recovery = Recovery::new(pg, redis, catalogue, keyspaces, draws);
    loops.tasks.spawn(recovery.run(losses, loops.stop.clone()));
    start_admission(loops, admission, presence);
    let every = Duration::from_millis;
    loops.every("live", every(1000), live_refresh, |it| async move { it.step().await });
    loops.every("relay", every(500), relay, |it| async move { it.step().await });
    loops.every("expiry", every(1000), expiry, |it| async move { it.step().await });
    loops.every("archive", every(1000), archive, |it| async move { it.step().await });
    loops.every("draw", every(250), draw, |it| async move { it.step().await });
    loops.every("reconciler", reconcile_period, reconciler, |it| async move { it.step().await });
    loops.every("rejections", every(5000), rejections, |it| async move { it.step().await });
}

/// Starts the loops that remove what is no longer needed.
fn start_removals(loops: &Loops, pg: &Pg, redis: &Redis) {
    let purge = PurgeLoop::new(pg.clone(), redis.clone());
    let removal = RemovalLoop::new(pg.clone(), redis.clone());
    let rehearsals = RehearsalUpkeep::new(pg.clone(), redis.clone());
    let every = Duration::from_secs;
    loops.every("removal", every(1), removal, |it| async move { it.step().await });
    loops.every("purge", every(600), purge, |it| async move { it.step().await });
    loops.every("rehearsals", every(2), rehearsals, |it| async move { it.step().await });
}

/// Starts the loops of the history of sales, and of the alerts that are found in it.
fn start_history(loops: &Loops, pg: &Pg, keyspaces: &Keyspaces, live: &LiveSchedules) {
    let (every, rollup) = (Duration::from_millis, Rollup::new(pg.clone()));
    let alerts = AlertWatch::new(pg.clone(), keyspaces.redis().clone(), AlertRules::default());
    let recorder =
        Recorder::new(pg.clone(), keyspaces.clone(), live.clone(), loops.metrics.clone());
    loops.every("history", every(1000), recorder, |it| async move { it.step().await });
    loops.every("history rollup", every(10_000), rollup, |it| async move { it.step().await });
    loops.every("alerts", watch::EVERY, alerts, |it| async move { it.step().await });
}

/// Starts the loop that checks the automatic admission rates.
fn start_auto_admission(loops: &Loops, pg: &Pg, catalogue: &Catalogue, keyspaces: &Keyspaces) {
    let rates = RateController::new(pg.clone(), catalogue, keyspaces.clone());
    loops.every("auto admission", controller::EVERY, rates, |it| async move { it.step().await });
}

/// Starts the two loops that take presence leases. When they have ended, gives this process's leases
/// back, so that admission does not wait for them.
fn start_admission(loops: &Loops, admission: AdmissionLoop, presence: PresenceLoop) {
    let (every, last) = (Duration::from_millis, presence.clone());
    let takers = [
        loops.every("admission", every(100), admission, |it| async move { it.step().await }),
        loops.every("presence", every(1000), presence, |it| async move { it.step().await }),
    ];
    loops.tasks.spawn(async move {
        for taker in takers {
            // An error means that a step has panicked, and the loop has ended too.
            let _ = taker.await;
        }
        last.end().await;
    });
}

/// Starts the loop that runs jobs.
pub fn start_jobs(loops: &Loops, services: &LoopServices) {
    let LoopServices { pg, queue, claims, .. } = services;
    let kinds = kinds::all(pg, queue, &loops.metrics);
    let runner = JobRunner::new(pg.clone(), claims.clone(), kinds);
    let every = Duration::from_secs(1);
    loops.every("jobs", every, runner, |it| async move { it.step().await });
}

/// The loops of webhooks.
#[derive(Debug)]
pub struct WebhookLoops {
    /// Delivers events.
    pub dispatcher: Dispatcher,
    /// Announces phases of sales.
    pub phases: PhaseLoop,
    /// Ends, counts and purges.
    pub upkeep: WebhookUpkeep,
}

/// Starts the loops of webhooks.
pub fn start_webhooks(loops: &Loops, webhooks: WebhookLoops) {
    let WebhookLoops { dispatcher, phases, upkeep } = webhooks;
    let (stop, last) = (loops.stop.clone(), dispatcher.clone());
    loops.tasks.spawn(async move {
        stop.cancelled().await;
        last.finish().await;
    });
    let every = Duration::from_millis;
    loops.every("webhooks", every(1000), dispatcher, |it| async move { it.step().await });
    loops.every("sale phases", every(1000), phases, |it| async move { it.step().await });
    loops.every("webhook upkeep", every(10_000), upkeep, |it| async move { it.step().await });
}
