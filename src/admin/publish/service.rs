//! Publishes drafts. Locks are taken as by every change: the concert, then the schedule.

use super::model::{Publication, PublishSchedule, obstacles, warnings};
use super::pg;
use crate::admin::edit::{ensure_unchanged, json};
use crate::admin::error::AdminError;
use crate::admin::pg::{self as admin_pg, Audit};
use crate::admin::service::{
    SaleAdmin, SettingsEntry, append_settings_changed, lock_and_read, lock_and_read_concert,
    schedule_in,
};
use crate::admin::state::{AdminConcert, ScheduleSettings, ScheduleState};
use crate::concert::model::Schedule;
use crate::precondition::Precondition;
use crate::store::id::{ConcertId, ScheduleId, UserId};
use crate::store::pg::{Tx, clock};

/// Publishes drafts; cheap to clone.
#[derive(Debug, Clone)]
pub struct Publisher {
    sales: SaleAdmin,
}

impl Publisher {
    /// Creates the service.
    #[must_use]
    pub fn new(sales: SaleAdmin) -> Self {
        Self { sales }
    }

    /// Publishes a concert if it is as `expected`. Its schedules that are drafts stay drafts. A
    /// published concert does not change.
    pub async fn publish_concert(
        &self,
        admin: UserId,
        id: ConcertId,
        expected: &Precondition,
    ) -> Result<AdminConcert, AdminError> {
        let mut tx = self.sales.pg.begin("publish_concert").await?;
        let old = lock_and_read_concert(&mut tx, id).await?;
        ensure_unchanged(expected, &old)?;
        if !old.draft {
            return Ok(old);
        }
        let (published, entries) = publish_concert(&mut tx, admin, &old).await?;
        tx.commit().await?;
        self.sales.apply_settings(&entries).await;
        Ok(published)
    }

    /// Publishes a schedule if it is as `expected`. A published schedule does not change.
    ///
    /// # Errors
    /// [`AdminError::NotPublishable`] lists every obstacle.
    pub async fn publish_schedule(
        &self,
        admin: UserId,
        id: ScheduleId,
        expected: &Precondition,
        how: PublishSchedule,
    ) -> Result<(Publication, ScheduleState), AdminError> {
        let mut tx = self.sales.pg.begin("publish_schedule").await?;
        let concert = schedule_in(&mut tx, id).await?.concert_id;
        let concert = lock_and_read_concert(&mut tx, concert).await?;
        let old = lock_and_read(&mut tx, id).await?;
        ensure_unchanged(expected, &ScheduleState::from(&old))?;
        let now = clock(tx.conn()).await?;
        let (seats, warnings) = (pg::seats_found(&mut tx, id).await?, warnings(&old, now));
        let obstacles = obstacles(&old, seats, how.concert, now);
        if !old.hidden.draft || how.dry_run {
            let state = ScheduleState::from(&old);
            return Ok((Publication { draft: old.hidden.draft, obstacles, warnings }, state));
        }
        if !obstacles.is_empty() {
            return Err(AdminError::NotPublishable(obstacles));
        }
        let mut entries = Vec::new();
        if concert.draft {
            entries = publish_concert(&mut tx, admin, &concert).await?.1;
        }
        let (state, entry) = publish_schedule(&mut tx, admin, old).await?;
        entries.push(entry);
        tx.commit().await?;
        self.sales.apply_settings(&entries).await;
        Ok((Publication { draft: false, obstacles, warnings }, state))
    }
}

/// Publishes a locked concert. The entries make Redis accept joins of its published schedules.
async fn publish_concert(
    tx: &mut Tx,
    admin: UserId,
    old: &AdminConcert,
) -> Result<(AdminConcert, Vec<SettingsEntry>), AdminError> {
    pg::publish_concert(tx, old.id).await?;
    let published = AdminConcert { draft: false, ..old.clone() };
    let (action, subject) = ("concert.publish", format!("concert {}", old.id));
    let (before, after) = (Some(json(old)?), json(&published)?);
    admin_pg::write_audit(tx, Audit { admin, action, subject, before, after }).await?;
    let mut entries = Vec::new();
    for schedule in admin_pg::touch_schedules(tx, old.id).await? {
        entries.push(append_settings_changed(tx, schedule).await?);
    }
    Ok((published, entries))
}

async fn publish_schedule(
    tx: &mut Tx,
    admin: UserId,
    old: Schedule,
) -> Result<(ScheduleState, SettingsEntry), AdminError> {
    let id = old.id;
    pg::publish_schedule(tx, id).await?;
    let published = ScheduleSettings::from(schedule_in(tx, id).await?);
    let (action, subject) = ("schedule.publish", format!("schedule {id}"));
    let (before, after) = (Some(json(&ScheduleSettings::from(old))?), json(&published)?);
    admin_pg::write_audit(tx, Audit { admin, action, subject, before, after }).await?;
    let entry = append_settings_changed(tx, id).await?;
    Ok((ScheduleState::from(&published), entry))
}
