//! Adding seats and keeping some back, without coming between a buyer and their seat.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::model::{BlockedSeats, Blocking, Columns, NewSeats, SeatsAdded, SeatsBlocked};
use super::pg;
use crate::admin::error::AdminError;
use crate::admin::pg::{self as admin_pg, Audit};
use crate::admin::service::{AdminService, announce, schedule_in};
use crate::outbox::model::OutboxId;
use crate::outbox::pg as outbox;
use crate::reservation::model::ReservationStatus;
use crate::reservation::pg::{end_waiting, live_rows, lock_schedule};
use crate::seats::model::{SEATS_CHANGED, SeatState, SeatsChanged};
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Tx;

/// Seats that changed, for Redis.
struct Announced {
    entry: OutboxId,
    event: SeatsChanged,
    now: DateTime<Utc>,
}

impl AdminService {
    /// Adds seats to a schedule, all or none.
    ///
    /// # Errors
    /// [`AdminError::Invalid`]: numbers that do not follow the last there is, or too many.
    pub async fn add_seats(
        &self,
        admin: UserId,
        id: ScheduleId,
        new: NewSeats,
    ) -> Result<SeatsAdded, AdminError> {
        let seats = Columns::of(new)?;
        let mut tx = self.pg.begin().await?;
        pg::take_time(&mut tx).await?;
        // The lock makes two calls for one schedule number their seats one after the other.
        admin_pg::lock_schedule(&mut tx, id).await?;
        let last = schedule_in(&mut tx, id).await?.seats_total;
        seats.may_follow(last)?;
        pg::insert(&mut tx, id, last, &seats).await?;
        let (action, subject) = ("seats.add", format!("schedule {id}"));
        let before = Some(json!({ "seats": last }));
        let after = json!({ "seats": schedule_in(&mut tx, id).await?.seats_total });
        admin_pg::write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        let told = announce(&mut tx, id).await?;
        tx.commit().await?;
        self.put_in_force(&[told]).await;
        Ok(SeatsAdded { created: seats.len() })
    }

    /// The seats that are kept back: public maps show them as sold.
    pub async fn blocked_seats(&self, id: ScheduleId) -> Result<BlockedSeats, AdminError> {
        self.catalogue.schedule(id).await?;
        Ok(BlockedSeats { seat_ids: pg::blocked(&self.pg, id).await? })
    }

    /// Blocks or unblocks seats, all or none; those that are so already stay as they are.
    ///
    /// # Errors
    /// [`AdminError::SeatsInUse`] names those that somebody holds or has bought.
    pub async fn block_seats(
        &self,
        admin: UserId,
        id: ScheduleId,
        blocking: &Blocking,
    ) -> Result<SeatsBlocked, AdminError> {
        let mut seats = blocking.seat_ids.clone();
        seats.sort_unstable();
        seats.dedup();
        let mut tx = self.pg.begin().await?;
        let Some(told) = block(&mut tx, admin, id, &seats, blocking.blocked).await? else {
            return Ok(SeatsBlocked { changed: 0 });
        };
        tx.commit().await?;
        self.holds.tell(told.entry, &told.event, told.now).await;
        Ok(SeatsBlocked { changed: told.event.seats.len() })
    }
}

async fn block(
    tx: &mut Tx,
    admin: UserId,
    id: ScheduleId,
    seats: &[SeatId],
    blocked: bool,
) -> Result<Option<Announced>, AdminError> {
    lock_schedule(tx, id).await?.ok_or(AdminError::ScheduleNotFound)?;
    let locked = pg::lock(tx, id, seats).await?;
    if locked.len() != seats.len() {
        return Err(AdminError::SeatNotFound);
    }
    let differ: Vec<SeatId> =
        locked.iter().filter(|seat| seat.blocked != blocked).map(|seat| seat.id).collect();
    if differ.is_empty() {
        return Ok(None);
    }
    refuse_in_use(tx, &differ).await?;
    let fenced = pg::write_blocked(tx, &differ, blocked).await?;
    let state = if blocked { SeatState::Blocked } else { SeatState::Free };
    let event = SeatsChanged { schedule: id, seats: fenced, state };
    let entry = outbox::append(tx, SEATS_CHANGED, &event).await?;
    let action = if blocked { "seats.block" } else { "seats.unblock" };
    let (subject, before) = (format!("schedule {id}"), Some(json!({ "blocked": !blocked })));
    let after = json!({ "blocked": blocked, "seat_ids": differ });
    admin_pg::write_audit(tx, Audit { admin, action, subject, before, after }).await?;
    Ok(Some(Announced { entry, event, now: admin_pg::clock(tx).await? }))
}

/// Ends holds on these locked seats that are past their end for good; refuses where one is not.
async fn refuse_in_use(tx: &mut Tx, seats: &[SeatId]) -> Result<(), AdminError> {
    let rows = live_rows(tx, seats).await?;
    let mut used: Vec<SeatId> = rows.iter().filter(|row| !row.lapsed).map(|row| row.seat).collect();
    if !used.is_empty() {
        used.sort_unstable();
        return Err(AdminError::SeatsInUse(used));
    }
    let lapsed: Vec<ReservationId> = rows.iter().map(|row| row.id).collect();
    if !lapsed.is_empty() {
        end_waiting(tx, &lapsed, ReservationStatus::Expired).await?;
    }
    Ok(())
}
