//! Replaces and prices seats. A dry run does everything and rolls back, so it answers what the change
//! would do at that moment.

use serde_json::{Value, json};

use super::carry::Carried;
use super::model::{PriceChanges, SeatsEffect, SeatsState, Totals, seats_tag};
use super::pg;
use super::state::{append_events, ensure_seats_unchanged, state_in};
use crate::admin::error::AdminError;
use crate::admin::pg::{self as admin_pg, Audit};
use crate::admin::seat::model::{Columns, NewSeats};
use crate::admin::seat::pg as seat_pg;
use crate::admin::seat::service::SeatAdmin;
use crate::admin::service::{lock_and_read, schedule_in};
use crate::precondition::{EntityTag, Precondition};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::pg::Tx;

/// Who changes the seats of which schedule, and how.
#[derive(Debug)]
pub struct SeatsEdit<'e> {
    /// The administrator.
    pub admin: UserId,
    /// The schedule.
    pub schedule: ScheduleId,
    /// The state that the administrator has seen.
    pub expected: &'e Precondition,
    /// Whether to change nothing.
    pub dry_run: bool,
}

/// Replaces and prices seats; cheap to clone.
#[derive(Debug, Clone)]
pub struct SeatEditor {
    seats: SeatAdmin,
}

impl SeatEditor {
    /// Creates the service.
    #[must_use]
    pub fn new(seats: SeatAdmin) -> Self {
        Self { seats }
    }

    /// Reads the seats of a schedule by section and price, with their tag.
    pub async fn seats_state(&self, id: ScheduleId) -> Result<(SeatsState, EntityTag), AdminError> {
        let mut tx = pg::begin_read(&self.seats.sales.pg).await?;
        let schedule = schedule_in(&mut tx, id).await?;
        let tag = seats_tag(&schedule);
        Ok((state_in(&mut tx, &schedule).await?, tag))
    }

    /// Replaces all seats of a schedule without reservations; `None` removes them. The new seats have
    /// new ids, so nobody holds another seat than the one they saw.
    ///
    /// # Errors
    /// [`AdminError::SeatsReserved`] if the schedule has, or had, a reservation.
    pub async fn replace_seats(
        &self,
        edit: &SeatsEdit<'_>,
        new: Option<NewSeats>,
    ) -> Result<(SeatsEffect, EntityTag), AdminError> {
        let seats = new.map_or_else(|| Ok(Columns::default()), Columns::of)?;
        seats.may_follow(0)?;
        let id = edit.schedule;
        let mut tx = self.seats.sales.pg.begin("replace_seats").await?;
        seat_pg::take_time(&mut tx).await?;
        pg::lock_whole(&mut tx, id).await?;
        let schedule = lock_and_read(&mut tx, id).await?;
        ensure_seats_unchanged(&mut tx, edit.expected, &schedule).await?;
        if pg::is_reserved(&mut tx, id).await? {
            return Err(AdminError::SeatsReserved);
        }
        let before = pg::totals(&mut tx, id).await?;
        let old = pg::changed_seats(&mut tx, id).await?;
        let removed = pg::removed_seats(&mut tx, id).await?;
        let carried = Carried::to_replacement(&old, &removed, &seats);
        pg::delete_seats(&mut tx, id).await?;
        pg::write_removed_seats(&mut tx, id, &carried.removed).await?;
        seat_pg::insert(&mut tx, id, &seats, &carried).await?;
        pg::raise_versions(&mut tx, id, true).await?;
        let after = pg::totals(&mut tx, id).await?;
        let changed = before.seats.max(after.seats);
        let effect = SeatsEffect::new(edit.dry_run, (changed, 0), before, after);
        if edit.dry_run || changed == 0 {
            return Ok((effect, seats_tag(&schedule)));
        }
        let action = if seats.is_empty() { "seats.remove" } else { "seats.replace" };
        write_audit(&mut tx, edit, action, before, json!(after)).await?;
        let events = append_events(&mut tx, carried.events(id, true)).await?;
        let tag = seats_tag(&schedule_in(&mut tx, id).await?);
        self.seats.commit(tx, id, &events).await?;
        Ok((effect, tag))
    }

    /// Changes prices. Seats that buyers hold or own keep theirs: a reservation copies the price.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if a change names no seat.
    pub async fn change_prices(
        &self,
        edit: &SeatsEdit<'_>,
        changes: &PriceChanges,
    ) -> Result<(SeatsEffect, EntityTag), AdminError> {
        let id = edit.schedule;
        let mut sections: Vec<String> =
            changes.prices.iter().map(|change| change.section.clone()).collect();
        sections.sort_unstable();
        sections.dedup();
        let mut tx = self.seats.sales.pg.begin("change_prices").await?;
        seat_pg::take_time(&mut tx).await?;
        let schedule = lock_and_read(&mut tx, id).await?;
        ensure_seats_unchanged(&mut tx, edit.expected, &schedule).await?;
        // A hold locks its seats before it reads their prices, so it gets the old price or the new.
        pg::lock_sections(&mut tx, id, &sections).await?;
        let before = pg::totals(&mut tx, id).await?;
        let priced = pg::write_prices(&mut tx, id, &changes.prices).await?;
        if let Some(first) = priced.unmatched.first() {
            let pointer = format!("/prices/{}", first - 1);
            return Err(AdminError::invalid(pointer, "no seat fits this section, row and price"));
        }
        let after = pg::totals(&mut tx, id).await?;
        let counts = (priced.changed, priced.kept);
        let effect = SeatsEffect::new(edit.dry_run, counts, before, after);
        if edit.dry_run || priced.changed == 0 {
            return Ok((effect, seats_tag(&schedule)));
        }
        pg::raise_versions(&mut tx, id, false).await?;
        let mut described = json!(after);
        described["changed"] = json!(priced.changed);
        described["prices"] = prices_for_audit(changes);
        write_audit(&mut tx, edit, "seats.price", before, described).await?;
        let tag = seats_tag(&schedule_in(&mut tx, id).await?);
        tx.commit().await?;
        // Redis has no prices.
        self.seats.sales.catalogue.invalidate(id);
        Ok((effect, tag))
    }
}

async fn write_audit(
    tx: &mut Tx,
    edit: &SeatsEdit<'_>,
    action: &str,
    before: Totals,
    after: Value,
) -> Result<(), StoreError> {
    let subject = format!("schedule {}", edit.schedule);
    let audit = Audit { admin: edit.admin, action, subject, before: Some(json!(before)), after };
    admin_pg::write_audit(tx, audit).await
}

fn prices_for_audit(changes: &PriceChanges) -> Value {
    let change = changes.prices.iter().map(|change| {
        json!({ "section": change.section, "row": change.row,
                "seat_price_now": change.seat_price_now, "seat_price": change.seat_price })
    });
    change.collect()
}
