//! Begins removals. The schedule is locked against everything while it is checked, so no hold is
//! written between the check and the mark, and `write_hold` refuses afterwards.

use super::model::Removal;
use super::pg::{self, Buyers};
use crate::admin::edit::{ensure_unchanged, json};
use crate::admin::error::AdminError;
use crate::admin::pg::{self as admin_pg, Audit};
use crate::admin::seat::change::pg::lock_whole;
use crate::admin::service::{SaleAdmin, concert_in, schedule_in};
use crate::admin::state::{ScheduleSettings, ScheduleState};
use crate::concert::model::Schedule;
use crate::precondition::Precondition;
use crate::store::id::{ConcertId, ScheduleId, UserId};
use crate::store::pg::Tx;

/// Begins removals; cheap to clone.
#[derive(Debug, Clone)]
pub struct Removals {
    sales: SaleAdmin,
}

impl Removals {
    /// Creates the service.
    #[must_use]
    pub fn new(sales: SaleAdmin) -> Self {
        Self { sales }
    }

    /// Begins the removal of a schedule without buyers. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`AdminError::HasBuyers`] if seats are paid, or held by buyers who may still pay.
    pub async fn remove_schedule(
        &self,
        admin: UserId,
        id: ScheduleId,
        expected: &Precondition,
        dry_run: bool,
    ) -> Result<Removal, AdminError> {
        let mut tx = self.sales.pg.begin("remove_schedule").await?;
        lock_whole(&mut tx, id).await?;
        let schedule = schedule_in(&mut tx, id).await?;
        let removal = pg::counts(&mut tx, id).await?;
        if schedule.hidden.removing {
            return Ok(Removal { removing: true, ..removal });
        }
        ensure_unchanged(expected, &ScheduleState::from(&schedule))?;
        refuse_buyers(pg::buyers(&mut tx, id).await?)?;
        if dry_run {
            return Ok(removal);
        }
        mark_schedule(&mut tx, admin, schedule, removal).await?;
        tx.commit().await?;
        self.sales.catalogue.invalidate(id);
        Ok(Removal { removing: true, ..removal })
    }

    /// Begins the removal of a concert with all its schedules, none of which has buyers. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// [`AdminError::HasBuyers`] as for a schedule, with the seats of all of them.
    pub async fn remove_concert(
        &self,
        admin: UserId,
        id: ConcertId,
        expected: &Precondition,
        dry_run: bool,
    ) -> Result<Removal, AdminError> {
        let mut tx = self.sales.pg.begin("remove_concert").await?;
        admin_pg::lock_concert(&mut tx, id).await?;
        let concert = concert_in(&mut tx, id).await?;
        let ids = pg::lock_schedules(&mut tx, id).await?;
        let (mut all, mut each, mut buyers) = (Removal::default(), Vec::new(), Buyers::default());
        for id in &ids {
            let removal = pg::counts(&mut tx, *id).await?;
            let found = pg::buyers(&mut tx, *id).await?;
            (buyers.paid, buyers.held) = (buyers.paid + found.paid, buyers.held + found.held);
            all = all.and(removal);
            each.push(removal);
        }
        if concert.removing {
            return Ok(Removal { removing: true, ..all });
        }
        ensure_unchanged(expected, &concert)?;
        refuse_buyers(buyers)?;
        if dry_run {
            return Ok(all);
        }
        for (id, removal) in ids.iter().zip(each) {
            let schedule = schedule_in(&mut tx, *id).await?;
            if !schedule.hidden.removing {
                mark_schedule(&mut tx, admin, schedule, removal).await?;
            }
        }
        pg::mark_concert(&mut tx, id).await?;
        let (action, subject) = ("concert.remove", format!("concert {id}"));
        let after = json(&Removal { removing: true, ..all })?;
        let before = Some(json(&concert)?);
        admin_pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        tx.commit().await?;
        for id in ids {
            self.sales.catalogue.invalidate(id);
        }
        Ok(Removal { removing: true, ..all })
    }
}

fn refuse_buyers(Buyers { paid, held }: Buyers) -> Result<(), AdminError> {
    if paid + held > 0 { Err(AdminError::HasBuyers { paid, held }) } else { Ok(()) }
}

async fn mark_schedule(
    tx: &mut Tx,
    admin: UserId,
    schedule: Schedule,
    removal: Removal,
) -> Result<(), AdminError> {
    let id = schedule.id;
    pg::mark_schedule(tx, id).await?;
    let (action, subject) = ("schedule.remove", format!("schedule {id}"));
    let before = Some(json(&ScheduleSettings::from(schedule))?);
    let after = json(&Removal { removing: true, ..removal })?;
    Ok(admin_pg::write_audit(tx, Audit { admin, action, subject, before, after }).await?)
}
