//! The current seats of a schedule, and whether they are those that an administrator has seen.

use super::model::{SeatsState, seats_tag};
use super::pg;
use crate::admin::edit::json;
use crate::admin::error::AdminError;
use crate::concert::model::Schedule;
use crate::outbox::model::Recorded;
use crate::outbox::pg as outbox;
use crate::precondition::Precondition;
use crate::seats::model::{SEATS_CHANGED, SeatsChanged};
use crate::store::StoreError;
use crate::store::pg::Tx;

/// Checks that the seats of a locked schedule are those that the caller has seen.
pub(in crate::admin) async fn ensure_seats_unchanged(
    tx: &mut Tx,
    expected: &Precondition,
    schedule: &Schedule,
) -> Result<(), AdminError> {
    let tag = seats_tag(schedule);
    if expected.accepts(&tag) {
        return Ok(());
    }
    let current = json(&state_in(tx, schedule).await?)?;
    Err(AdminError::ChangedMeanwhile { current, tag })
}

/// Writes the outbox entries of changed seats.
pub(in crate::admin) async fn append_events(
    tx: &mut Tx,
    events: Vec<SeatsChanged>,
) -> Result<Vec<Recorded<SeatsChanged>>, StoreError> {
    let mut appended = Vec::with_capacity(events.len());
    for event in events {
        appended.push(outbox::append(tx, SEATS_CHANGED, event).await?);
    }
    Ok(appended)
}

/// Reads the seats of a schedule by section and price.
pub(in crate::admin) async fn state_in(
    tx: &mut Tx,
    schedule: &Schedule,
) -> Result<SeatsState, StoreError> {
    let sections = pg::sections(tx, schedule.id).await?;
    Ok(SeatsState {
        schedule_id: schedule.id,
        seats_version: schedule.seats_version,
        layout_version: schedule.layout_version,
        reserved: pg::is_reserved(tx, schedule.id).await?,
        total: schedule.seats_total,
        blocked: sections.iter().map(|section| section.blocked).sum(),
        sections,
    })
}
