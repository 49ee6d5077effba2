//! The SQL that records what staff did for a buyer, and changes of one seat for Redis.

use crate::admin::pg::{Audit, write_audit};
use crate::outbox::model::{OutboxId, Recorded};
use crate::seats::model::{FencedSeat, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Tx;

/// A kind of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// Payments were refunded.
    Refund,
    /// A reservation got another seat.
    Move,
    /// Seats were given to a guest.
    Give,
    /// A seat was taken back from a guest.
    Revoke,
    /// A code that opens the buyer's place in the queue.
    ReissuePlace,
    /// A new recovery code.
    ReissueCode,
}

/// What staff did for one buyer in one call.
#[derive(Debug)]
pub struct Action<'a> {
    /// What was done.
    pub kind: ActionKind,
    /// Who did it.
    pub admin: UserId,
    /// The buyer or guest.
    pub user: UserId,
    /// The schedule; `None` for a recovery code.
    pub schedule: Option<ScheduleId>,
    /// The reservations and their seats.
    pub seats: Vec<(ReservationId, SeatId)>,
    /// The new seat of a move.
    pub to: Option<SeatId>,
    /// Why it was done.
    pub reason: &'a str,
    /// The result, for the audit.
    pub after: serde_json::Value,
}

impl ActionKind {
    /// The name in PostgreSQL.
    fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "REFUND",
            Self::Move => "MOVE",
            Self::Give => "GIVE",
            Self::Revoke => "REVOKE",
            Self::ReissuePlace => "REISSUE_PLACE",
            Self::ReissueCode => "REISSUE_CODE",
        }
    }

    /// The action in the audit.
    fn audited_as(self) -> &'static str {
        match self {
            Self::Refund => "box_office.refund",
            Self::Move => "box_office.move",
            Self::Give => "box_office.give",
            Self::Revoke => "box_office.revoke",
            Self::ReissuePlace => "box_office.reissue_place",
            Self::ReissueCode => "box_office.reissue_code",
        }
    }
}

/// Records an action: a row for each seat, or one without a seat, and the audit row.
pub async fn write_action(tx: &mut Tx, action: Action<'_>) -> Result<(), StoreError> {
    let Action { kind, admin, user, schedule, seats, to, reason, after } = action;
    // An action without a seat has one row, with nulls.
    let rows: Vec<(Option<i64>, Option<i64>)> = match seats.as_slice() {
        [] => vec![(None, None)],
        seats => seats.iter().map(|(row, seat)| (Some(row.0), Some(seat.0))).collect(),
    };
    let (reservations, seats): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    sqlx::query!(
        "insert into box_office_action
           (kind, admin, user_id, concert_schedule_id, reservation_id, seat_id, to_seat_id, reason)
         select $1, $2, $3, $4, row_id, seat, $7, $8
         from unnest($5::bigint[], $6::bigint[]) with ordinality as done (row_id, seat, n) order by n",
        kind.as_str(),
        admin.0,
        user.0,
        schedule.map(|schedule| schedule.0),
        &reservations as &[Option<i64>],
        &seats as &[Option<i64>],
        to.map(|seat| seat.0),
        reason
    )
    .execute(tx.conn())
    .await?;
    let mut after = after;
    after["reason"] = reason.into();
    let (action, subject) = (kind.audited_as(), format!("user {user}"));
    write_audit(tx, Audit { admin, action, subject, before: None, after }).await
}

/// The outbox entry `id` about one seat.
#[must_use]
pub fn changed(
    id: i64,
    schedule: ScheduleId,
    seat: FencedSeat,
    state: SeatState,
) -> Recorded<SeatsChanged> {
    let event = SeatsChanged { schedule, seats: vec![seat], state };
    Recorded { id: OutboxId(id), event }
}
