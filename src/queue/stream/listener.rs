//! One open stream: the state of its ticket, and what was sent.

use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::round::{Fingerprint, Round};
use crate::caller::CLOCK_LEEWAY_SECONDS;
use crate::http::stream::event::{self, STALE};
use crate::http::stream::socket::{Gone, Socket};
use crate::queue::model::{EntryState, QueueEntry, Ticket};
use crate::queue::resolver::TicketResolver;
use crate::queue::service::QueueError;
use crate::queue::view::outdated;

/// The id of the last event of a stream. A client that reconnects with it has every event.
pub(super) const END: &str = "end";
const END_EVENT: &[u8] = b"event: end\nid: end\ndata: {}\n\n";

/// Pause between Redis calls for an active entry: they detect a slot that was given back or paid
/// from in another process.
const ACTIVE_PAUSE: Duration = Duration::from_secs(10);
/// Pause between Redis calls for a waiting entry that is not on the board: it has returned, or the
/// board does not have it yet.
const WAITING_PAUSE: Duration = Duration::from_secs(2);
/// Pause after a failed Redis call.
const FAILED_PAUSE: Duration = Duration::from_secs(1);
/// Redis is called this long after the end of a slot, when the slot has also ended by Redis's
/// clock.
const AFTER_END: Duration = Duration::from_millis(100);
/// A ticket is accepted this long after its expiry, as by a poll.
const LEEWAY: TimeDelta = TimeDelta::seconds(CLOCK_LEEWAY_SECONDS.cast_signed());

/// The start of a new stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wants {
    /// The ticket.
    pub ticket: Ticket,
    /// The state from Redis, if Redis was called.
    pub asked: Option<QueueEntry>,
    /// The id of the last event that the client has.
    pub last: Option<u64>,
}

/// What the topic must do for a listener after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    /// Call Redis, and pass its answer to [`Listener::take_answer`].
    Ask,
}

/// One open stream.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Socket,
    ticket: Ticket,
    /// The last state from Redis, while the entry is not on the board.
    asked: Option<QueueEntry>,
    /// When to call Redis next; `None` during a call.
    ask_at: Option<Instant>,
    /// The last Redis call failed.
    failed: bool,
    /// The fingerprint of the last view that was sent, and when.
    sent: Option<Fingerprint>,
    sent_at: Instant,
    /// When the entry was last marked as present.
    present_at: Instant,
    /// The last event is `stale`.
    stale: bool,
    /// `end` was written: the stream closes once it is sent.
    over: bool,
}

impl Listener {
    /// A stream without events. Its entry was marked as present just now.
    pub fn new(socket: Socket, wants: Wants, round: &Round) -> Self {
        let Wants { ticket, asked, last } = wants;
        let now = round.now;
        Self {
            socket,
            ticket,
            ask_at: Some(asked.map_or(now, |entry| now + pause(&entry, round))),
            asked,
            failed: false,
            sent: last.map(|whole| Fingerprint { urgent: 0, whole }),
            sent_at: now,
            present_at: now,
            stale: false,
            over: false,
        }
    }

    /// The ticket that the client has.
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Sends the events that are due. `out` is a buffer for writing them.
    ///
    /// # Errors
    /// [`Gone`] if the stream is over; the caller drops it.
    pub fn step(&mut self, round: &Round, out: &mut Vec<u8>) -> Result<Next, Gone> {
        let ready = self.socket.ready(round.now)?;
        if self.over {
            return if ready { Err(Gone) } else { Ok(Next::Nothing) };
        }
        let waiting = TicketResolver::waiting_entry(&round.board, &self.ticket);
        let entry = match waiting {
            Some(_) => {
                self.asked = None;
                self.failed = false;
                waiting
            }
            None => round.queue.resolver.known_entry(&round.board, &self.ticket).or(self.asked),
        };
        let mut must_ask = false;
        if ready {
            must_ask = waiting.is_some() && !self.mark_present(round);
            self.send(round, entry, out)?;
        }
        if must_ask && !round.failing {
            self.ask_at = None;
            return Ok(Next::Ask);
        }
        Ok(self.next(round, entry, waiting.is_some()))
    }

    /// Takes the answer of a Redis call.
    pub fn take_answer(&mut self, answer: Result<QueueEntry, QueueError>, round: &Round) {
        let wait = match answer {
            Ok(entry) => {
                self.failed = false;
                self.asked = Some(entry);
                pause(&entry, round)
            }
            Err(error) => {
                self.failed |= matches!(error, QueueError::Store(_));
                FAILED_PAUSE
            }
        };
        self.ask_at = Some(Instant::now() + wait);
    }

    /// Marks the entry of a stream that its client reads as present, every third of the presence
    /// window. False if Redis must be called first.
    fn mark_present(&mut self, round: &Round) -> bool {
        let window = round.board.meta.presence();
        if round.now.saturating_duration_since(self.present_at) < window / 3 {
            return true;
        }
        self.present_at = round.now;
        round.watched.presence.mark(self.ticket.sequence.0, window, round.now)
    }

    /// Sends `stale`, or the view if it is due, or `end` after the ticket's expiry.
    fn send(
        &mut self,
        round: &Round,
        entry: Option<QueueEntry>,
        out: &mut Vec<u8>,
    ) -> Result<(), Gone> {
        if round.failing || self.failed {
            if !self.stale {
                self.socket.send(STALE)?;
                // The next view is sent in any case.
                (self.stale, self.sent) = (true, None);
            }
            return Ok(());
        }
        out.clear();
        if let Some(entry) = entry.filter(|entry| self.is_due(round, entry)) {
            self.write(round, entry, out);
        } else if round.board.now() > self.ticket.expires_at + LEEWAY {
            self.end(out);
        }
        if out.is_empty() { Ok(()) } else { self.socket.send(out) }
    }

    /// Whether the view changed and the throttle interval has passed.
    fn is_due(&mut self, round: &Round, entry: &QueueEntry) -> bool {
        if outdated(&round.board, &self.ticket, *entry) {
            return true;
        }
        let now = round.fingerprint(entry);
        let Some(last) = self.sent else {
            return true;
        };
        if now.whole == last.whole {
            self.sent = Some(now);
            return false;
        }
        let ahead = match entry.state {
            EntryState::Waiting { ahead } if now.urgent == last.urgent => ahead,
            EntryState::Active { .. } if now.urgent == last.urgent => 0,
            _ => return true,
        };
        let since = round.now.saturating_duration_since(self.sent_at);
        since >= round.board.event_pause(ahead, self.ticket.sequence.0)
    }

    /// Writes the event `ticket`, and `end` after a final status.
    fn write(&mut self, round: &Round, entry: QueueEntry, out: &mut Vec<u8>) {
        // The resolver may have a later state than the board. Asked only now, since it costs more.
        let entry = round.queue.resolver.known_entry(&round.board, &self.ticket).unwrap_or(entry);
        let view = match round.queue.view_of(&round.board, &self.ticket, entry) {
            Ok(view) => view,
            Err(error) => return tracing::error!(%error, "signing a ticket for a stream failed"),
        };
        let fingerprint = round.fingerprint(&entry);
        event::write(out, "ticket", format_args!("{:016x}", fingerprint.whole), &view);
        (self.sent, self.sent_at, self.stale) = (Some(fingerprint), round.now, false);
        if view.queue_token.is_some() {
            self.ticket.id = view.ticket_id;
            self.ticket.sequence = entry.sequence;
            self.ticket.shown = entry.sequence;
            self.ticket.joined = entry.joined;
            self.ticket.active_until = view.active_expires_at;
            self.ticket.expires_at = round.board.meta.deadline();
            self.ticket.newest_key = true;
        }
        if matches!(entry.state, EntryState::Ended(_)) {
            self.end(out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(END_EVENT);
        self.over = true;
    }

    /// Whether Redis must be called: its last answer is old, or the entry has just left the board.
    fn next(&mut self, round: &Round, entry: Option<QueueEntry>, on_board: bool) -> Next {
        let ended = matches!(entry, Some(QueueEntry { state: EntryState::Ended(_), .. }));
        if on_board {
            // Redis is called as soon as the entry has left the board.
            self.ask_at = self.ask_at.map(|_| round.now);
        }
        let is_due = self.ask_at.is_some_and(|at| at <= round.now);
        if on_board || ended || self.over || round.failing || !is_due {
            return Next::Nothing;
        }
        self.ask_at = None;
        Next::Ask
    }
}

/// How long an answer of Redis is used.
fn pause(entry: &QueueEntry, round: &Round) -> Duration {
    match entry.state {
        EntryState::Active { until } => {
            let left = (until - round.board.now()).to_std().unwrap_or_default();
            (left + AFTER_END).min(ACTIVE_PAUSE)
        }
        EntryState::Waiting { .. } | EntryState::Ended(_) => WAITING_PAUSE,
    }
}
