//! Computes the ticket view of a queue entry from a board. Pure.

use chrono::DateTime;
use onsale_model::pacing::poll_active_ms;
use uuid::Uuid;

use super::model::{EntryState, QueueEntry, Ticket, TicketStatus, TicketView};
use crate::board::meta::Drawn;
use crate::board::snapshot::Board;
use crate::concert::model::{Phase, SaleState};
use crate::store::id::ScheduleId;

/// The view of a queue entry. `id` is the ticket's id.
#[must_use]
pub fn view(board: &Board, schedule: ScheduleId, id: Uuid, entry: QueueEntry) -> TicketView {
    let now_ms = board.now_ms();
    let spread = entry.sequence.0 ^ now_ms.cast_unsigned();
    let (status, ahead, until, poll_after_ms) = match entry.state {
        EntryState::Waiting { ahead } => {
            let pause = board.poll_after_ms(entry.sequence.0, ahead, spread);
            (TicketStatus::Waiting, Some(ahead), None, Some(pause))
        }
        EntryState::Active { until } => {
            (TicketStatus::Active, None, Some(until), Some(poll_active_ms(spread)))
        }
        EntryState::Ended(ended) => (ended.status(), None, None, None),
    };
    let ahead = ahead.filter(|_| !board.recovering && board.meta.draw != Drawn::Pending);
    let wait = ahead.and_then(|ahead| board.wait_estimate(ahead));
    TicketView {
        queue_token: None,
        ticket_id: id,
        schedule_id: schedule,
        status,
        sequence: entry.sequence,
        position: ahead.map(|ahead| ahead + 1),
        ahead,
        waiting: board.waiting.count(),
        eta_seconds: wait.map(|wait| wait.seconds),
        eta_low_seconds: wait.map(|wait| wait.low),
        eta_high_seconds: wait.map(|wait| wait.high),
        poll_after_ms,
        seats_available: board.seats.available,
        active_expires_at: until,
        claim_by: None,
        recovering: board.recovering,
        phase: phase_at(board, now_ms),
        message: board.meta.message.clone(),
        server_time: DateTime::from_timestamp_millis(now_ms).unwrap_or_default(),
    }
}

/// Whether the client needs a new ticket: the slot, the sequence or the expiry changed, or the
/// secret was rotated.
#[must_use]
pub fn outdated(board: &Board, ticket: &Ticket, entry: QueueEntry) -> bool {
    let active_until = match entry.state {
        EntryState::Active { until } => Some(until),
        EntryState::Waiting { .. } => None,
        EntryState::Ended(_) => return false,
    };
    // Without a deadline there is no expiry to sign.
    board.meta.deadline_ms > 0
        && (active_until != ticket.active_until
            || entry.sequence != ticket.shown
            || board.meta.deadline().timestamp() != ticket.expires_at.timestamp()
            || !ticket.newest_key)
}

/// The phase of the sale that a board shows.
#[must_use]
pub fn phase(board: &Board) -> Phase {
    phase_at(board, board.now_ms())
}

fn phase_at(board: &Board, now_ms: i64) -> Phase {
    let meta = &board.meta;
    let state = SaleState {
        opens_ms: meta.opens_ms,
        deadline_ms: meta.deadline_ms,
        paused: meta.paused,
        gone: meta.gone,
        seats: meta.seats_total,
    };
    state.phase(now_ms)
}
