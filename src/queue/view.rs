//! What is told of a place, from a board. Pure.

use super::model::{Stand, Standing, Ticket, TicketStatus, TicketView, ticket_id};
use super::pacing;
use crate::board::meta::Drawn;
use crate::board::snapshot::Board;
use crate::concert::model::Phase;
use crate::store::id::{ScheduleId, UserId};

/// What the owner of a place is told.
#[must_use]
pub fn view(board: &Board, schedule: ScheduleId, user: UserId, stand: Stand) -> TicketView {
    let spread = stand.sequence.0 ^ board.now().timestamp_millis().cast_unsigned();
    let (status, ahead, until, poll_after_ms) = match stand.standing {
        Standing::Waiting { ahead } => {
            let pause = pacing::poll_after_ms(board, ahead, spread);
            (TicketStatus::Waiting, Some(ahead), None, Some(pause))
        }
        Standing::Active { until } => {
            (TicketStatus::Active, None, Some(until), Some(pacing::poll_active_ms(spread)))
        }
        Standing::Ended(ended) => (ended.status(), None, None, None),
    };
    let ahead = ahead.filter(|_| !board.recovering && board.meta.draw != Drawn::Pending);
    let eta = ahead.and_then(|ahead| pacing::eta(board, ahead));
    TicketView {
        queue_token: None,
        ticket_id: ticket_id(schedule, user, stand.joined),
        schedule_id: schedule,
        status,
        sequence: stand.sequence,
        position: ahead.map(|ahead| ahead + 1),
        ahead,
        waiting: board.line.waiting(),
        eta_seconds: eta.map(|(middle, _, _)| middle),
        eta_low_seconds: eta.map(|(_, low, _)| low),
        eta_high_seconds: eta.map(|(_, _, high)| high),
        poll_after_ms,
        seats_available: board.seats.available,
        active_expires_at: until,
        claim_by: None,
        recovering: board.recovering,
        phase: phase(board),
        message: board.meta.message.clone(),
        server_time: board.now(),
    }
}

/// Whether the owner should be given a new token: the state, the place or the expiry changed, or
/// the secret was rotated.
#[must_use]
pub fn outdated(board: &Board, ticket: &Ticket, stand: Stand) -> bool {
    let active_until = match stand.standing {
        Standing::Active { until } => Some(until),
        Standing::Waiting { .. } => None,
        Standing::Ended(_) => return false,
    };
    // A board that knows no deadline knows nothing to sign.
    board.meta.deadline_ms > 0
        && (active_until != ticket.active_until
            || stand.sequence != ticket.shown
            || board.meta.deadline().timestamp() != ticket.expires_at.timestamp()
            || !ticket.newest_key)
}

/// The phase of a sale as its board shows it.
#[must_use]
pub fn phase(board: &Board) -> Phase {
    let meta = &board.meta;
    let times = (board.now().timestamp_millis(), meta.opens_ms, meta.deadline_ms);
    Phase::at(times, meta.paused, meta.gone, meta.seats_total)
}
