//! Creates and changes concerts, schedules and queue settings. One transaction writes the change,
//! its audit row and its outbox entry. After the commit the change is applied in Redis at once if
//! Redis answers, and by the relay otherwise.
//!
//! All transactions take locks in one order (concert → schedules by id → seats by id), so that no
//! two of them can deadlock.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::auto_admission::pg as auto_pg;
use super::edit::{ensure_unchanged, json};
use super::error::AdminError;
use super::model::{ConcertChange, NewConcert, NewSchedule, TimesChange};
use super::pg::{self, Audit, NewScheduleRow, Secret};
use super::settings::{QueueChange, check_bounds, defaults, may_change};
use super::state::{AdminConcert, ScheduleSettings, ScheduleState};
use crate::concert::audience::Audience;
use crate::concert::model::{QueueSettings, SETTINGS_CHANGED, Schedule, SettingsChanged};
use crate::concert::pg as catalogue_pg;
use crate::concert::service::Catalogue;
use crate::outbox::model::Recorded;
use crate::outbox::pg as outbox;
use crate::precondition::Precondition;
use crate::queue::keyspaces::Keyspaces;
use crate::store::id::{ConcertId, ScheduleId, UserId};
use crate::store::pg::{Pg, Tx, clock};
use crate::store::{Store, StoreError};

/// Longest time that a request waits until Redis has the settings of all changed schedules.
const APPLY_TIMEOUT: Duration = Duration::from_secs(1);

/// Creates and changes concerts, schedules and queue settings; cheap to clone.
#[derive(Debug, Clone)]
pub struct SaleAdmin {
    pub(super) pg: Pg,
    pub(super) catalogue: Catalogue,
    keyspaces: Keyspaces,
}

/// The outbox entry of a change of settings.
pub(super) type SettingsEntry = Recorded<SettingsChanged>;

impl SaleAdmin {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, catalogue: Catalogue, keyspaces: Keyspaces) -> Self {
        Self { pg, catalogue, keyspaces }
    }

    /// Creates a concert.
    pub async fn create_concert(
        &self,
        admin: UserId,
        new: &NewConcert,
    ) -> Result<AdminConcert, AdminError> {
        let mut tx = self.pg.begin("create_concert").await?;
        let id = pg::create_concert(&mut tx, new).await?;
        let concert = concert_in(&mut tx, id).await?;
        let subject = format!("concert {id}");
        let (action, before, after) = ("concert.create", None, json(&concert)?);
        pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        tx.commit().await?;
        Ok(concert)
    }

    /// Changes a concert if it is as `expected`. A new status applies to all its schedules.
    pub async fn change_concert(
        &self,
        admin: UserId,
        id: ConcertId,
        expected: &Precondition,
        change: &ConcertChange,
    ) -> Result<AdminConcert, AdminError> {
        let mut tx = self.pg.begin("change_concert").await?;
        let old = lock_and_read_concert(&mut tx, id).await?;
        ensure_unchanged(expected, &old)?;
        let concert = change.applied_to(&old);
        pg::write_concert(&mut tx, &concert).await?;
        let (action, subject) = ("concert.change", format!("concert {id}"));
        let (before, after) = (Some(json(&old)?), json(&concert)?);
        pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        let mut entries = Vec::new();
        if concert.status != old.status {
            for schedule in pg::touch_schedules(&mut tx, id).await? {
                entries.push(append_settings_changed(&mut tx, schedule).await?);
            }
        }
        tx.commit().await?;
        self.apply_settings(&entries).await;
        Ok(concert)
    }

    /// Creates a schedule, with a random secret for its draw.
    pub async fn create_schedule(
        &self,
        admin: UserId,
        concert: ConcertId,
        new: &NewSchedule,
    ) -> Result<ScheduleSettings, AdminError> {
        let times = new.times();
        let settings = new.queue.applied_to(&defaults(times.reservation_available_at));
        times.check(settings.queue_opens_at)?;
        check_bounds(&settings)?;
        let secret = new_secret()?;
        let mut tx = self.pg.begin("create_schedule").await?;
        // Locked, so that its removal cannot begin meanwhile.
        lock_and_read_concert(&mut tx, concert).await?;
        let row =
            NewScheduleRow { times, queue_opens_at: settings.queue_opens_at, draft: new.draft };
        let id = pg::create_schedule(&mut tx, concert, &row, &secret).await?;
        pg::write_settings(&mut tx, id, &settings).await?;
        let created = ScheduleSettings::from(schedule_in(&mut tx, id).await?);
        let subject = format!("schedule {id}");
        let (action, before, after) = ("schedule.create", None, json(&created)?);
        pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        let entry = append_settings_changed(&mut tx, id).await?;
        tx.commit().await?;
        self.apply_settings(&[entry]).await;
        Ok(created)
    }

    /// Changes the times of a schedule if they are as `expected`. Tickets and holds stay valid.
    pub async fn change_times(
        &self,
        admin: UserId,
        id: ScheduleId,
        expected: &Precondition,
        change: &TimesChange,
    ) -> Result<ScheduleSettings, AdminError> {
        let mut tx = self.pg.begin("change_times").await?;
        let old = lock_and_read(&mut tx, id).await?;
        ensure_unchanged(expected, &ScheduleState::from(&old))?;
        let times = change.applied_to(&old);
        times.check(old.settings.queue_opens_at)?;
        pg::write_times(&mut tx, id, &times).await?;
        self.commit_change(tx, admin, "schedule.change", old).await
    }

    /// Reads the queue settings of a schedule, at most 1 s old.
    pub async fn queue(&self, id: ScheduleId) -> Result<QueueSettings, AdminError> {
        Ok(self.catalogue.schedule(id).await?.settings.clone())
    }

    /// Changes the queue settings of a schedule if they are as `expected`: at once in this process,
    /// within 1 s in all others.
    pub async fn change_queue(
        &self,
        admin: UserId,
        id: ScheduleId,
        expected: &Precondition,
        change: &QueueChange,
    ) -> Result<QueueSettings, AdminError> {
        let mut tx = self.pg.begin("change_queue").await?;
        let old = lock_and_read(&mut tx, id).await?;
        ensure_unchanged(expected, &old.settings)?;
        let settings = change.applied_to(&old.settings);
        may_change(&old, &settings, clock(tx.conn()).await?)?;
        pg::write_settings(&mut tx, id, &settings).await?;
        if settings.admission_mode != old.settings.admission_mode {
            // AUTO starts with the fixed rate, also when it is turned on again.
            auto_pg::forget(&mut tx, id).await?;
        }
        Ok(self.commit_change(tx, admin, "queue.change", old).await?.queue)
    }

    /// Completes a transaction that has changed a schedule: writes the audit row, commits, and
    /// applies the settings.
    async fn commit_change(
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
        let entry = append_settings_changed(&mut tx, id).await?;
        tx.commit().await?;
        self.apply_settings(&[entry]).await;
        Ok(new)
    }

    /// Applies committed settings: in this process at once, in Redis within [`APPLY_TIMEOUT`] if it
    /// answers. Otherwise the relay applies them later.
    pub(super) async fn apply_settings(&self, entries: &[SettingsEntry]) {
        for changed in entries {
            self.catalogue.invalidate(changed.event.schedule);
        }
        let apply = async {
            for changed in entries {
                self.keyspaces.deliver_settings(changed).await;
            }
        };
        if tokio::time::timeout(APPLY_TIMEOUT, apply).await.is_err() {
            tracing::warn!(
                schedules = entries.len(),
                "applying settings in Redis timed out; the relay applies them later"
            );
        }
    }
}

/// Writes the outbox entry that makes Redis load the settings of a schedule.
pub(super) async fn append_settings_changed(
    tx: &mut Tx,
    schedule: ScheduleId,
) -> Result<SettingsEntry, StoreError> {
    outbox::append(tx, SETTINGS_CHANGED, SettingsChanged { schedule }).await
}

/// Locks a schedule against other changes, and reads it.
///
/// # Errors
/// [`AdminError::BeingRemoved`] if its removal has begun.
pub(super) async fn lock_and_read(tx: &mut Tx, id: ScheduleId) -> Result<Schedule, AdminError> {
    pg::lock_schedule(tx, id).await?;
    let schedule = schedule_in(tx, id).await?;
    if schedule.hidden.removing { Err(AdminError::BeingRemoved) } else { Ok(schedule) }
}

/// Locks a concert against other changes, and reads it.
///
/// # Errors
/// [`AdminError::BeingRemoved`] if its removal has begun.
pub(super) async fn lock_and_read_concert(
    tx: &mut Tx,
    id: ConcertId,
) -> Result<AdminConcert, AdminError> {
    pg::lock_concert(tx, id).await?;
    let concert = concert_in(tx, id).await?;
    if concert.removing { Err(AdminError::BeingRemoved) } else { Ok(concert) }
}

/// Reads a schedule that this transaction has locked or created.
pub(super) async fn schedule_in(tx: &mut Tx, id: ScheduleId) -> Result<Schedule, AdminError> {
    catalogue_pg::schedule_in(tx, id).await?.ok_or(AdminError::ScheduleNotFound)
}

pub(super) async fn concert_in(tx: &mut Tx, id: ConcertId) -> Result<AdminConcert, AdminError> {
    let concert = catalogue_pg::concert(tx.conn(), id, Audience::Administrators).await?;
    concert.map(AdminConcert::from).ok_or(AdminError::ConcertNotFound)
}

fn new_secret() -> Result<Secret, StoreError> {
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| StoreError::Defect {
        // No store failed here, but the error has to name one. PostgreSQL would store the secret.
        store: Store::PostgreSql,
        reason: "generating the secret of a draw failed".to_owned(),
    })?;
    let mut commitment = [0; 32];
    commitment.copy_from_slice(digest(&SHA256, &secret).as_ref());
    Ok(Secret { secret, commitment })
}
