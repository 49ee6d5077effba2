//! Runs one rehearsal: makes the shadow and the buyers, lets them buy, and writes the sheet. The
//! removal is left to [`super::upkeep`], which works also if this process dies.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onsale_model::simulation::{SimulationInput, Summary};
use reqwest::Url;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::error::RehearsalError;
use super::generator::observations::Observations;
use super::generator::{Generator, GeneratorParts};
use super::judge::{Evidence, judge};
use super::model::{CROWD_SEED, Progress, RehearsalPlan, RehearsalState, SEEDS};
use super::parts::RehearsalParts;
use super::pg::{self, shadow};
use super::sheet::Sheet;
use crate::admin::forecast::model::set_rules;
use crate::concert::model::{EntryOrder, Schedule};
use crate::store::id::RehearsalId;
use crate::user::rehearsal_pass::Pass;

/// Time between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);
/// Time from the copy to the first buyer: for the keys in Redis.
const PREPARATION: TimeDelta = TimeDelta::seconds(3);
/// The same for each 5,000 seats.
const PREPARATION_PER_5000: TimeDelta = TimeDelta::seconds(1);
/// Time after the end within which a shadow is surely removed.
const MARGIN: TimeDelta = TimeDelta::minutes(10);
/// Tries to build the keys in Redis.
const TRIES: u32 = 40;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_millis(500);

/// One rehearsal.
pub(super) struct Runner {
    pub(super) parts: Arc<RehearsalParts>,
    pub(super) id: RehearsalId,
    pub(super) plan: RehearsalPlan,
    pub(super) schedule: Arc<Schedule>,
    pub(super) seats: u64,
    pub(super) base: Url,
    pub(super) stop: CancellationToken,
}

/// What the heartbeat shows: nothing until the buyers start.
#[derive(Debug, Default)]
struct Shown(Mutex<Option<(Instant, Arc<Observations>)>>);

impl Shown {
    fn set(&self, opens_at: Instant, seen: Arc<Observations>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((opens_at, seen));
    }

    fn progress(&self, requests_before: u64) -> Progress {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(opens_at, seen): &(Instant, Arc<Observations>)| {
            seen.progress(*opens_at, requests_before)
        };
        shown.as_ref().map(of).unwrap_or_default()
    }
}

impl Runner {
    /// Runs the rehearsal to its end, and records how that was.
    pub(super) async fn run(self) {
        let shown = Shown::default();
        let outcome = tokio::select! {
            outcome = self.rehearse(&shown) => outcome,
            ended = self.beat(&shown) => Err(ended),
            () = self.stop.cancelled() => {
                Err(RehearsalError::Generator("the process stops".to_owned()))
            }
        };
        self.stop.cancel();
        let id = self.id;
        let (state, sheet) = match outcome {
            Ok(sheet) if sheet.passed => (RehearsalState::Passed, Some(sheet)),
            Ok(sheet) => (RehearsalState::Failed, Some(sheet)),
            Err(RehearsalError::Ended) => (RehearsalState::Stopped, None),
            Err(error) => {
                tracing::warn!(rehearsal = %id, %error, "a rehearsal could not be completed");
                (RehearsalState::Broken, None)
            }
        };
        // Without an answer, another process finds the rehearsal silent and ends it.
        if let Err(error) = pg::end(&self.parts.pg, id, state, sheet.as_ref()).await {
            tracing::warn!(rehearsal = %id, %error, "the end of a rehearsal was not recorded");
        }
    }

    /// Writes the live figures once a second. Returns when the rehearsal must end.
    async fn beat(&self, shown: &Shown) -> RehearsalError {
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut requests = 0;
        loop {
            ticks.tick().await;
            let progress = shown.progress(requests);
            requests = progress.requests;
            match pg::beat(&self.parts.pg, self.id, &progress).await {
                Ok(Some(false)) => {}
                Ok(Some(true) | None) => return RehearsalError::Ended,
                Err(error) => {
                    tracing::debug!(%error, "the figures of a rehearsal were not written");
                }
            }
        }
    }

    async fn rehearse(&self, shown: &Shown) -> Result<Sheet, RehearsalError> {
        let pg = &self.parts.pg;
        let memory_before = self.redis_bytes().await;
        shadow::create_buyers(pg, self.id, self.plan.buyers).await?;
        let (opens_at, closes_at) = self.make_shadow().await?;
        self.build_keys().await?;
        let predicted = tokio::spawn({
            let (forecasts, input) = (self.parts.forecasts.clone(), self.input());
            async move { forecasts.predict(input, SEEDS).await }
        });
        let opens = Instant::now() + (opens_at - Utc::now()).to_std().unwrap_or_default();
        let mut generator = Generator::start(self.generator(opens, closes_at)?)?;
        let seen = Arc::clone(&generator.seen);
        shown.set(opens, Arc::clone(&seen));
        let most = Duration::from_secs(u64::from(self.plan.max_minutes) * 60);
        let mut memory = memory_before;
        tokio::select! {
            () = generator.finish() => {}
            () = tokio::time::sleep_until(opens + most) => {}
            () = self.follow(&seen, &mut memory) => {}
        }
        seen.follow_sales(self.seats);
        // Buyers who are still there end with the generator.
        drop(generator);
        let failed = |error: tokio::task::JoinError| RehearsalError::Generator(error.to_string());
        let predicted: Summary = predicted.await.map_err(failed)??;
        let books = shadow::sold_seats(pg, self.id.schedule()).await?;
        Ok(judge(&Evidence {
            plan: &self.plan,
            seats: self.seats,
            seen: &seen,
            totals: &seen.totals(opens),
            books: &books,
            predicted: &predicted,
            redis_bytes: memory.saturating_sub(memory_before),
        }))
    }

    /// Copies the schedule. Returns when the sale of the copy opens, and when it closes.
    async fn make_shadow(&self) -> Result<(DateTime<Utc>, DateTime<Utc>), RehearsalError> {
        let thousands = i32::try_from(self.seats / 5_000).unwrap_or(i32::MAX);
        let now = Utc::now();
        let early = TimeDelta::seconds(self.plan.early_seconds.into());
        let opens_at = now + PREPARATION + PREPARATION_PER_5000 * thousands + early;
        let closes_at = opens_at + TimeDelta::minutes(self.plan.max_minutes.into()) + MARGIN;
        let times = shadow::ShadowTimes { queue_opens_at: now, opens_at, closes_at };
        let mut tx = self.parts.pg.begin("copy_schedule").await?;
        shadow::copy(&mut tx, self.schedule.id, self.id, times).await?;
        tx.commit().await?;
        self.parts.catalogue.invalidate(self.id.schedule());
        Ok((opens_at, closes_at))
    }

    /// Builds the keys of the shadow in Redis before the first buyer comes.
    async fn build_keys(&self) -> Result<(), RehearsalError> {
        let mut failed = None;
        for _ in 0..TRIES {
            match self.parts.keyspaces.configure(self.id.schedule()).await {
                Ok(()) => return Ok(()),
                Err(error) => failed = Some(error),
            }
            sleep(PAUSE).await;
        }
        Err(failed.map_or(RehearsalError::Ended, Into::into))
    }

    /// The sale of the shadow, for the forecast and for its crowd.
    fn input(&self) -> SimulationInput {
        let mut input = SimulationInput::new(self.plan.buyers.into(), self.seats);
        set_rules(&mut input, &self.schedule);
        self.plan.set_crowd(&mut input);
        input.rules.closes_after_seconds = f64::from(self.plan.max_minutes) * 60.0;
        input
    }

    fn generator(
        &self,
        opens_at: Instant,
        closes_at: DateTime<Utc>,
    ) -> Result<GeneratorParts, RehearsalError> {
        let pass = |number| Pass { rehearsal: self.id, number, expires_at: closes_at };
        let passes = (1..=self.plan.buyers).map(|number| self.parts.users.sign_pass(&pass(number)));
        let passes: Option<Vec<String>> = passes.collect();
        let unsigned = || RehearsalError::Generator("no ticket secret signs passes".to_owned());
        let settings = &self.schedule.settings;
        Ok(GeneratorParts {
            base: self.base.clone(),
            schedule: self.id.schedule(),
            is_drawn: settings.entry_order == EntryOrder::Draw,
            passes: passes.ok_or_else(unsigned)?,
            people: self.input().crowd_of(CROWD_SEED),
            opens_at,
            requests_per_second: self.plan.requests_per_second,
            hold: Duration::from_secs(settings.hold_ttl_seconds.into()),
            stop: self.stop.child_token(),
        })
    }

    /// Follows the sales and the memory of Redis, for ever.
    async fn follow(&self, seen: &Observations, most: &mut u64) {
        let mut ticks = interval(PAUSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            seen.follow_sales(self.seats);
            *most = (*most).max(self.redis_bytes().await);
        }
    }

    /// Memory that all servers of Redis use together; 0 if none answers.
    async fn redis_bytes(&self) -> u64 {
        let servers = self.parts.keyspaces.redis().memory().await;
        servers.iter().map(|server| server.used).sum()
    }
}
