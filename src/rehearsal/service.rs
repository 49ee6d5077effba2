//! Starts, stops and lists rehearsals.

use std::sync::Arc;

use chrono::Utc;
use serde_json::json;

use super::error::RehearsalError;
use super::model::{Rehearsal, RehearsalList, RehearsalPlan};
use super::parts::{OwnAddress, RehearsalParts};
use super::pg;
use super::runner::Runner;
use crate::admin::error::AdminError;
use crate::admin::pg::{Audit, write_audit};
use crate::store::id::{RehearsalId, ScheduleId, UserId};

/// Starts, stops and lists rehearsals; cheap to clone.
#[derive(Debug, Clone)]
pub struct Rehearsals {
    parts: Arc<RehearsalParts>,
}

impl Rehearsals {
    /// Creates the service.
    #[must_use]
    pub fn new(parts: RehearsalParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The address of this process, to be set once it listens.
    #[must_use]
    pub fn address(&self) -> OwnAddress {
        self.parts.address.clone()
    }

    /// Starts a rehearsal of a schedule, which this process runs.
    ///
    /// # Errors
    /// [`RehearsalError::Running`] if another one is not over, [`RehearsalError::SaleIsOpen`] if
    /// other sales are open and `plan` does not confirm that they may become slower.
    pub async fn start(
        &self,
        admin: UserId,
        id: ScheduleId,
        plan: RehearsalPlan,
    ) -> Result<Rehearsal, RehearsalError> {
        let parts = &self.parts;
        let own = || parts.address.url();
        let base = plan.base_url()?.or_else(own);
        let base = base.ok_or_else(|| RehearsalError::Generator("no address yet".to_owned()))?;
        let schedule = parts.catalogue.schedule(id).await?;
        let seats = parts.forecasts.seats_for_sale(&schedule).await?;
        if seats == 0 {
            return Err(AdminError::invalid("", "the schedule has no seats for sale").into());
        }
        if schedule.settings.capacity == 0 {
            return Err(AdminError::invalid("", "the capacity of the schedule is 0").into());
        }
        let open = pg::open_sales(&parts.pg).await?;
        if !open.is_empty() && !plan.beside_open_sales {
            return Err(RehearsalError::SaleIsOpen(open));
        }
        let rehearsal = self.begin(admin, id, &plan).await?;
        let stop = parts.stop.child_token();
        let runner =
            Runner { parts: Arc::clone(parts), id: rehearsal, plan, schedule, seats, base, stop };
        parts.tasks.spawn(runner.run());
        self.find(rehearsal).await
    }

    async fn begin(
        &self,
        admin: UserId,
        id: ScheduleId,
        plan: &RehearsalPlan,
    ) -> Result<RehearsalId, RehearsalError> {
        let mut tx = self.parts.pg.begin("begin_rehearsal").await?;
        let begun = pg::begin(&mut tx, id, admin, plan).await?;
        let rehearsal = begun.ok_or(RehearsalError::Running)?;
        let (action, subject) = ("rehearsal.start", format!("schedule {id}"));
        let after = json!({ "rehearsal": rehearsal, "plan": plan });
        write_audit(&mut tx, Audit { admin, action, subject, before: None, after }).await?;
        tx.commit().await?;
        Ok(rehearsal)
    }

    /// Finds a rehearsal.
    pub async fn find(&self, id: RehearsalId) -> Result<Rehearsal, RehearsalError> {
        pg::find(&self.parts.pg, id).await?.ok_or(RehearsalError::NotFound)
    }

    /// Lists the rehearsals of a schedule, newest first.
    pub async fn list(&self, id: ScheduleId) -> Result<RehearsalList, RehearsalError> {
        self.parts.catalogue.schedule(id).await?;
        let items = pg::list(&self.parts.pg, id).await?;
        Ok(RehearsalList { items, server_time: Utc::now() })
    }

    /// Asks the process of a rehearsal to end it. One that has ended stays as it is.
    pub async fn stop(&self, admin: UserId, id: RehearsalId) -> Result<(), RehearsalError> {
        let found = self.find(id).await?;
        let mut tx = self.parts.pg.begin("stop_rehearsal").await?;
        if pg::request_stop(&mut tx, id).await? {
            let schedule = found.schedule_id.map_or_else(String::new, |id| id.to_string());
            let (action, subject) = ("rehearsal.stop", format!("schedule {schedule}"));
            let after = json!({ "rehearsal": id });
            write_audit(&mut tx, Audit { admin, action, subject, before: None, after }).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
