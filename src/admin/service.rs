//! Making and changing concerts, schedules and lines. A change, its audit row and what Redis must
//! hear of it are one transaction; afterwards Redis is told at once where it can be.
//!
//! Locks are taken in one order (concert → schedules by id → seats by id), so no two of these
//! transactions can wait for each other.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::Value;

use super::error::AdminError;
use super::model::{ConcertChange, NewConcert, NewSchedule, ScheduleSettings, TimesChange};
use super::pg::{self, Audit, Secret};
use super::report::answers::Answers;
use super::settings::{QueueChange, defaults, may_change};
use crate::board::service::Boards;
use crate::concert::model::{Concert, QueueSettings, SETTINGS_CHANGED, Schedule, SettingsChanged};
use crate::concert::pg as catalogue_pg;
use crate::concert::service::Catalogue;
use crate::outbox::model::OutboxId;
use crate::outbox::pg as outbox;
use crate::queue::keyspaces::Lines;
use crate::seats::service::Holds;
use crate::store::id::{ConcertId, ScheduleId, UserId};
use crate::store::pg::{Pg, Tx};
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;
use crate::telemetry::rate::CounterRate;

/// How long an answer waits for Redis to be told of all schedules of a concert.
const TELL_ALL_LIMIT: Duration = Duration::from_secs(1);

/// Administration as a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct AdminService {
    pub(super) pg: Pg,
    pub(super) catalogue: Catalogue,
    pub(super) boards: Boards,
    pub(super) holds: Holds,
    pub(super) lines: Lines,
    pub(super) polls: Arc<CounterRate>,
    pub(super) answers: Arc<Answers>,
    pub(super) metrics: Metrics,
}

/// A schedule whose settings changed, and the entry that says so.
pub(super) type Told = (OutboxId, ScheduleId);

impl AdminService {
    /// Puts the service together. `polls` counts the polls that this process served.
    #[must_use]
    pub fn new(
        pg: Pg,
        (catalogue, boards): (Catalogue, Boards),
        holds: Holds,
        lines: Lines,
        polls: Arc<AtomicU64>,
        metrics: Metrics,
    ) -> Self {
        let polls = Arc::new(CounterRate::new(polls));
        let answers = Arc::new(Answers::new(metrics.clone()));
        Self { pg, catalogue, boards, holds, lines, polls, answers, metrics }
    }

    /// Makes a concert.
    pub async fn create_concert(
        &self,
        admin: UserId,
        new: &NewConcert,
    ) -> Result<Concert, AdminError> {
        let mut tx = self.pg.begin().await?;
        let status = new.status.as_str();
        let id = pg::create_concert(&mut tx, &new.title, &new.description, status).await?;
        let concert = concert_in(&mut tx, id).await?;
        let subject = format!("concert {id}");
        let (action, before, after) = ("concert.create", None, json(&concert)?);
        pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        tx.commit().await?;
        Ok(concert)
    }

    /// Changes a concert; whether it is on is in force in all its schedules.
    pub async fn change_concert(
        &self,
        admin: UserId,
        id: ConcertId,
        change: &ConcertChange,
    ) -> Result<Concert, AdminError> {
        let mut tx = self.pg.begin().await?;
        pg::lock_concert(&mut tx, id).await?;
        let old = concert_in(&mut tx, id).await?;
        let concert = change.applied_to(&old);
        pg::write_concert(&mut tx, &concert).await?;
        let (action, subject) = ("concert.change", format!("concert {id}"));
        let (before, after) = (Some(json(&old)?), json(&concert)?);
        pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        let mut told = Vec::new();
        if concert.status != old.status {
            for schedule in pg::touch_schedules(&mut tx, id).await? {
                told.push(announce(&mut tx, schedule).await?);
            }
        }
        tx.commit().await?;
        self.put_in_force(&told).await;
        Ok(concert)
    }

    /// Makes a schedule, with the secret of its draw.
    pub async fn create_schedule(
        &self,
        admin: UserId,
        concert: ConcertId,
        new: &NewSchedule,
    ) -> Result<ScheduleSettings, AdminError> {
        let times = new.times();
        let settings = new.queue.applied_to(&defaults(times.reservation_available_at));
        times.check(settings.queue_opens_at)?;
        let secret = new_secret()?;
        let mut tx = self.pg.begin().await?;
        let opens = settings.queue_opens_at;
        let id = pg::create_schedule(&mut tx, concert, &times, opens, &secret).await?;
        pg::write_settings(&mut tx, id, &settings).await?;
        let made = ScheduleSettings::from(schedule_in(&mut tx, id).await?);
        let subject = format!("schedule {id}");
        let (action, before, after) = ("schedule.create", None, json(&made)?);
        pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        let told = announce(&mut tx, id).await?;
        tx.commit().await?;
        self.put_in_force(&[told]).await;
        Ok(made)
    }

    /// Moves the times of a schedule; tickets and holds stay.
    pub async fn change_times(
        &self,
        admin: UserId,
        id: ScheduleId,
        change: &TimesChange,
    ) -> Result<ScheduleSettings, AdminError> {
        let mut tx = self.pg.begin().await?;
        let old = locked(&mut tx, id).await?;
        let times = change.applied_to(&old);
        times.check(old.settings.queue_opens_at)?;
        pg::write_times(&mut tx, id, &times).await?;
        self.changed(tx, admin, "schedule.change", old).await
    }

    /// The settings of a line, at most 1 s old.
    pub async fn queue(&self, id: ScheduleId) -> Result<QueueSettings, AdminError> {
        Ok(self.catalogue.schedule(id).await?.settings.clone())
    }

    /// Changes the settings of a line, at once here and within a second everywhere.
    pub async fn change_queue(
        &self,
        admin: UserId,
        id: ScheduleId,
        change: &QueueChange,
    ) -> Result<QueueSettings, AdminError> {
        let mut tx = self.pg.begin().await?;
        let old = locked(&mut tx, id).await?;
        let settings = change.applied_to(&old.settings);
        may_change(&old, &settings, pg::clock(&mut tx).await?)?;
        pg::write_settings(&mut tx, id, &settings).await?;
        Ok(self.changed(tx, admin, "queue.change", old).await?.queue)
    }

    /// Ends a transaction that has changed a schedule: writes down what it was and is, commits, and
    /// puts that in force.
    async fn changed(
        &self,
        mut tx: Tx,
        admin: UserId,
        action: &str,
        old: Schedule,
    ) -> Result<ScheduleSettings, AdminError> {
        let id = old.id;
        let new = ScheduleSettings::from(schedule_in(&mut tx, id).await?);
        let subject = format!("schedule {id}");
        let (before, after) = (Some(json(&ScheduleSettings::from(old))?), json(&new)?);
        pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        let told = announce(&mut tx, id).await?;
        tx.commit().await?;
        self.put_in_force(&[told]).await;
        Ok(new)
    }

    /// Makes what was committed hold in this process at once, and in Redis as soon as it answers.
    pub(super) async fn put_in_force(&self, told: &[Told]) {
        for (_, schedule) in told {
            self.catalogue.forget(*schedule);
        }
        let tell = async {
            for (entry, schedule) in told {
                self.lines.tell_settings(*entry, *schedule).await;
            }
        };
        if tokio::time::timeout(TELL_ALL_LIMIT, tell).await.is_err() {
            tracing::warn!("settings reach Redis later: it takes too long");
        }
    }
}

/// Writes what Redis must hear of a schedule.
pub(super) async fn announce(tx: &mut Tx, schedule: ScheduleId) -> Result<Told, StoreError> {
    let entry = outbox::append(tx, SETTINGS_CHANGED, &SettingsChanged { schedule }).await?;
    Ok((entry, schedule))
}

/// A schedule, locked against other changes.
async fn locked(tx: &mut Tx, id: ScheduleId) -> Result<Schedule, AdminError> {
    pg::lock_schedule(tx, id).await?;
    schedule_in(tx, id).await
}

/// A schedule that is there, since it is locked or was made in this transaction.
pub(super) async fn schedule_in(tx: &mut Tx, id: ScheduleId) -> Result<Schedule, AdminError> {
    catalogue_pg::schedule_in(tx, id).await?.ok_or(AdminError::ScheduleNotFound)
}

pub(super) async fn concert_in(tx: &mut Tx, id: ConcertId) -> Result<Concert, AdminError> {
    catalogue_pg::concert(tx.conn(), id).await?.ok_or(AdminError::ConcertNotFound)
}

/// As an audit row keeps it.
pub(super) fn json(value: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(value)
        .map_err(|error| StoreError::Inconsistent(format!("a change is not JSON: {error}")))
}

fn new_secret() -> Result<Secret, StoreError> {
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| StoreError::Defect {
        // The secret is PostgreSQL's to keep; there is no store to name for a lack of randomness.
        store: Store::PostgreSql,
        reason: "no random bytes for the secret of a draw".to_owned(),
    })?;
    let mut commitment = [0; 32];
    commitment.copy_from_slice(digest(&SHA256, &secret).as_ref());
    Ok(Secret { secret, commitment })
}
