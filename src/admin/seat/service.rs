//! Adds seats, and blocks or unblocks those that no buyer holds or owns.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::change::carry::Carried;
use super::change::model::seats_tag;
use super::change::pg as change_pg;
use super::change::state::{append_events, ensure_seats_unchanged};
use super::model::{BlockedSeats, Blocking, Columns, NewSeats, SeatsAdded, SeatsBlocked};
use super::pg;
use crate::admin::error::AdminError;
use crate::admin::pg::{self as admin_pg, Audit};
use crate::admin::service::{SaleAdmin, append_settings_changed, lock_and_read, schedule_in};
use crate::outbox::model::Recorded;
use crate::outbox::pg as outbox;
use crate::precondition::{EntityTag, Precondition};
use crate::reservation::model::ReservationStatus;
use crate::reservation::pg::{end_waiting, live_rows};
use crate::seats::model::{SEATS_CHANGED, SeatState, SeatsChanged};
use crate::seats::service::SeatClaims;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::{Tx, clock};

/// Adds and blocks seats; cheap to clone.
#[derive(Debug, Clone)]
pub struct SeatAdmin {
    pub(in crate::admin) sales: SaleAdmin,
    claims: SeatClaims,
}

/// A change of seats, to be applied in Redis after the commit.
struct SeatChange {
    change: Recorded<SeatsChanged>,
    now: DateTime<Utc>,
}

impl SeatAdmin {
    /// Creates the service.
    #[must_use]
    pub fn new(sales: SaleAdmin, claims: SeatClaims) -> Self {
        Self { sales, claims }
    }

    /// Adds seats to a schedule, all or none.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if the numbers do not follow the last seat, or there are too many.
    pub async fn add_seats(
        &self,
        admin: UserId,
        id: ScheduleId,
        expected: &Precondition,
        new: NewSeats,
    ) -> Result<(SeatsAdded, EntityTag), AdminError> {
        let seats = Columns::of(new)?;
        let mut tx = self.sales.pg.begin("add_seats").await?;
        pg::take_time(&mut tx).await?;
        // With the lock, two calls for one schedule number their seats one after the other.
        let schedule = lock_and_read(&mut tx, id).await?;
        ensure_seats_unchanged(&mut tx, expected, &schedule).await?;
        let last = schedule.seats_total;
        seats.may_follow(last)?;
        let removed = change_pg::removed_seats(&mut tx, id).await?;
        let carried = Carried::to_added(last, &removed, &seats);
        pg::insert(&mut tx, id, &seats, &carried).await?;
        if !removed.is_empty() {
            change_pg::write_removed_seats(&mut tx, id, &carried.removed).await?;
        }
        change_pg::raise_versions(&mut tx, id, true).await?;
        let (action, subject) = ("seats.add", format!("schedule {id}"));
        let before = Some(json!({ "seats": last }));
        let schedule = schedule_in(&mut tx, id).await?;
        let after = json!({ "seats": schedule.seats_total });
        admin_pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        let events = append_events(&mut tx, carried.events(id, false)).await?;
        self.commit(tx, id, &events).await?;
        Ok((SeatsAdded { created: seats.len() }, seats_tag(&schedule)))
    }

    /// Commits a change of the seats, then applies it in Redis.
    pub(in crate::admin) async fn commit(
        &self,
        mut tx: Tx,
        id: ScheduleId,
        events: &[Recorded<SeatsChanged>],
    ) -> Result<(), AdminError> {
        let entry = append_settings_changed(&mut tx, id).await?;
        let now = clock(tx.conn()).await?;
        tx.commit().await?;
        self.sales.apply_settings(&[entry]).await;
        for event in events {
            self.claims.deliver(event, now).await;
        }
        Ok(())
    }

    /// Lists the blocked seats of a schedule. Public maps show them like sold seats.
    pub async fn blocked_seats(
        &self,
        id: ScheduleId,
    ) -> Result<(BlockedSeats, EntityTag), AdminError> {
        // Read first: a tag that is older than the list makes a change fail, and never too much.
        let tag = seats_tag(&*self.sales.catalogue.schedule(id).await?);
        Ok((BlockedSeats { seat_ids: pg::blocked(&self.sales.pg, id).await? }, tag))
    }

    /// Blocks or unblocks seats, all or none. Seats already in the requested state do not change.
    ///
    /// # Errors
    /// [`AdminError::SeatsInUse`] lists the seats that buyers hold or own.
    pub async fn block_seats(
        &self,
        admin: UserId,
        id: ScheduleId,
        expected: &Precondition,
        blocking: &Blocking,
    ) -> Result<(SeatsBlocked, EntityTag), AdminError> {
        let mut seats = blocking.seat_ids.clone();
        seats.sort_unstable();
        seats.dedup();
        let mut tx = self.sales.pg.begin("block_seats").await?;
        let schedule = lock_and_read(&mut tx, id).await?;
        ensure_seats_unchanged(&mut tx, expected, &schedule).await?;
        let Some(SeatChange { change, now }) =
            block(&mut tx, admin, id, &seats, blocking.blocked).await?
        else {
            return Ok((SeatsBlocked { changed: 0 }, seats_tag(&schedule)));
        };
        let tag = seats_tag(&schedule_in(&mut tx, id).await?);
        tx.commit().await?;
        self.sales.catalogue.invalidate(id);
        self.claims.deliver(&change, now).await;
        Ok((SeatsBlocked { changed: change.event.seats.len() }, tag))
    }
}

async fn block(
    tx: &mut Tx,
    admin: UserId,
    id: ScheduleId,
    seats: &[SeatId],
    blocked: bool,
) -> Result<Option<SeatChange>, AdminError> {
    let locked = pg::lock(tx, id, seats).await?;
    if locked.len() != seats.len() {
        return Err(AdminError::SeatNotFound);
    }
    let changing: Vec<SeatId> =
        locked.iter().filter(|seat| seat.blocked != blocked).map(|seat| seat.id).collect();
    if changing.is_empty() {
        return Ok(None);
    }
    refuse_in_use(tx, &changing).await?;
    let fenced = pg::write_blocked(tx, &changing, blocked).await?;
    pg::raise_seats_version(tx, id).await?;
    let state = if blocked { SeatState::Blocked } else { SeatState::Free };
    let event = SeatsChanged { schedule: id, seats: fenced, state };
    let change = outbox::append(tx, SEATS_CHANGED, event).await?;
    let action = if blocked { "seats.block" } else { "seats.unblock" };
    let (subject, before) = (format!("schedule {id}"), Some(json!({ "blocked": !blocked })));
    let after = json!({ "blocked": blocked, "seat_ids": changing });
    admin_pg::write_audit(tx, Audit { admin, action, subject, before, after }).await?;
    Ok(Some(SeatChange { change, now: clock(tx.conn()).await? }))
}

/// Ends lapsed holds on these locked seats. Fails if a buyer still holds or owns one of the seats.
async fn refuse_in_use(tx: &mut Tx, seats: &[SeatId]) -> Result<(), AdminError> {
    let rows = live_rows(tx, seats).await?;
    let mut in_use: Vec<SeatId> =
        rows.iter().filter(|row| !row.lapsed).map(|row| row.seat).collect();
    if !in_use.is_empty() {
        in_use.sort_unstable();
        return Err(AdminError::SeatsInUse(in_use));
    }
    let lapsed: Vec<ReservationId> = rows.iter().map(|row| row.id).collect();
    if !lapsed.is_empty() {
        end_waiting(tx, &lapsed, ReservationStatus::Expired).await?;
    }
    Ok(())
}
