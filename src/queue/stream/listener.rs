//! One open stream: where its ticket stands, and what was told of it.

use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::round::{Round, Told};
use crate::http::stream::event::{self, STALE};
use crate::http::stream::socket::{Gone, Socket};
use crate::queue::model::{Stand, Standing, Ticket};
use crate::queue::service::QueueError;
use crate::queue::view::outdated;

/// The id of the last event of a stream: whoever comes back with it has been told everything.
pub(super) const END: &str = "end";
const END_EVENT: &[u8] = b"event: end\nid: end\ndata: {}\n\n";

/// Whoever is inside is asked for this often: so a slot that was given back, or paid from, in
/// another process is heard of.
const ACTIVE_PAUSE: Duration = Duration::from_secs(10);
/// Whoever waits and is not on the board: back in front, or not on it yet.
const WAITING_PAUSE: Duration = Duration::from_secs(2);
const FAILED_PAUSE: Duration = Duration::from_secs(1);
/// A slot that is over is asked for when Redis is sure to think so too.
const OVER: Duration = Duration::from_millis(100);
/// A ticket is accepted this long after its expiry, as by a poll.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// What a new stream is to be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wants {
    /// Whose.
    pub ticket: Ticket,
    /// Where it stands, where Redis had to be asked.
    pub asked: Option<Stand>,
    /// The id of the last event that its client has seen.
    pub last: Option<u64>,
}

/// What a listener needs after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    /// Redis is to be asked; [`Listener::hear`] is told what it says.
    Ask,
}

/// One open stream.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Socket,
    ticket: Ticket,
    /// What Redis said last, while the board does not know the place.
    asked: Option<Stand>,
    /// When to ask it next; none while an answer is under way.
    ask_at: Option<Instant>,
    /// Redis was asked and did not answer.
    failed: bool,
    told: Option<Told>,
    told_at: Instant,
    /// When the place was last marked as heard from.
    here_at: Instant,
    /// `stale` was the last thing told.
    stale: bool,
    /// `end` was told: closed once it is sent.
    over: bool,
}

impl Listener {
    /// A stream that was told nothing yet. Its place was marked as heard from just now.
    pub fn new(socket: Socket, wants: Wants, round: &Round) -> Self {
        let Wants { ticket, asked, last } = wants;
        let now = round.now;
        Self {
            socket,
            ticket,
            ask_at: Some(asked.map_or(now, |stand| now + pause(&stand, round))),
            asked,
            failed: false,
            told: last.map(|whole| Told { urgent: 0, whole }),
            told_at: now,
            here_at: now,
            stale: false,
            over: false,
        }
    }

    /// The ticket as its owner has it.
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Sends what is due, for which `out` is scratch paper.
    ///
    /// # Errors
    /// [`Gone`] where the stream is over, and its socket is to be dropped.
    pub fn step(&mut self, round: &Round, out: &mut Vec<u8>) -> Result<Next, Gone> {
        let ready = self.socket.ready(round.now)?;
        if self.over {
            return if ready { Err(Gone) } else { Ok(Next::Nothing) };
        }
        let ahead = round.board.line.ahead(self.ticket.sequence.0);
        let stand = match ahead {
            Some(ahead) => {
                self.asked = None;
                self.failed = false;
                let standing = Standing::Waiting { ahead };
                Some(Stand { standing, ..Stand::of(&self.ticket) })
            }
            None => round.queue.resolver.known_entry(&round.board, &self.ticket).or(self.asked),
        };
        let mut must_ask = false;
        if ready {
            must_ask = ahead.is_some() && !self.mark_present(round);
            self.tell(round, stand, out)?;
        }
        if must_ask && !round.failing {
            self.ask_at = None;
            return Ok(Next::Ask);
        }
        Ok(self.next(round, stand, ahead.is_some()))
    }

    /// Takes what Redis has said.
    pub fn hear(&mut self, answer: Result<Stand, QueueError>, round: &Round) {
        let wait = match answer {
            Ok(stand) => {
                self.failed = false;
                self.asked = Some(stand);
                pause(&stand, round)
            }
            Err(error) => {
                self.failed |= matches!(error, QueueError::Store(_));
                FAILED_PAUSE
            }
        };
        self.ask_at = Some(Instant::now() + wait);
    }

    /// Marks the owner of a stream that is read as present, every third of the presence window. False
    /// where Redis has to hear of it first.
    fn mark_present(&mut self, round: &Round) -> bool {
        let window = round.board.meta.presence();
        if round.now.saturating_duration_since(self.here_at) < window / 3 {
            return true;
        }
        self.here_at = round.now;
        round.watched.presence.mark(self.ticket.sequence.0, window, round.now)
    }

    fn tell(&mut self, round: &Round, stand: Option<Stand>, out: &mut Vec<u8>) -> Result<(), Gone> {
        if round.failing || self.failed {
            if !self.stale {
                self.socket.send(STALE)?;
                // The next view is news, whatever it is.
                (self.stale, self.told) = (true, None);
            }
            return Ok(());
        }
        out.clear();
        if let Some(stand) = stand.filter(|stand| self.is_due(round, stand)) {
            self.write(round, stand, out);
        } else if round.board.now() > self.ticket.expires_at + LEEWAY {
            self.end(out);
        }
        if out.is_empty() { Ok(()) } else { self.socket.send(out) }
    }

    /// Whether what is told of somebody who stands there is news, and its time has come.
    fn is_due(&mut self, round: &Round, stand: &Stand) -> bool {
        if outdated(&round.board, &self.ticket, *stand) {
            return true;
        }
        let now = round.told(stand);
        let Some(last) = self.told else {
            return true;
        };
        if now.whole == last.whole {
            self.told = Some(now);
            return false;
        }
        let ahead = match stand.standing {
            Standing::Waiting { ahead } if now.urgent == last.urgent => ahead,
            Standing::Active { .. } if now.urgent == last.urgent => 0,
            _ => return true,
        };
        let since = round.now.saturating_duration_since(self.told_at);
        since >= round.board.event_pause(ahead, self.ticket.sequence.0)
    }

    /// Writes the event `ticket`, and `end` after it where that was the last.
    fn write(&mut self, round: &Round, stand: Stand, out: &mut Vec<u8>) {
        // Only now, since it costs more: what this process knows beside the board.
        let stand = round.queue.resolver.known_entry(&round.board, &self.ticket).unwrap_or(stand);
        let view = match round.queue.view_of(&round.board, &self.ticket, stand) {
            Ok(view) => view,
            Err(error) => return tracing::error!(%error, "a ticket could not be told"),
        };
        let told = round.told(&stand);
        event::write(out, "ticket", format_args!("{:016x}", told.whole), &view);
        (self.told, self.told_at, self.stale) = (Some(told), round.now, false);
        if view.queue_token.is_some() {
            self.ticket.id = view.ticket_id;
            self.ticket.sequence = stand.sequence;
            self.ticket.shown = stand.sequence;
            self.ticket.joined = stand.joined;
            self.ticket.active_until = view.active_expires_at;
            self.ticket.expires_at = round.board.meta.deadline();
            self.ticket.newest_key = true;
        }
        if matches!(stand.standing, Standing::Ended(_)) {
            self.end(out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(END_EVENT);
        self.over = true;
    }

    /// Whether Redis is to be asked: what it said is old, or the place has just left the board.
    fn next(&mut self, round: &Round, stand: Option<Stand>, on_board: bool) -> Next {
        let ended = matches!(stand, Some(Stand { standing: Standing::Ended(_), .. }));
        if on_board {
            // Asked as soon as it is not any more.
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

/// How long what Redis said is taken for true.
fn pause(stand: &Stand, round: &Round) -> Duration {
    match stand.standing {
        Standing::Active { until } => {
            let left = (until - round.board.now()).to_std().unwrap_or_default();
            (left + OVER).min(ACTIVE_PAUSE)
        }
        Standing::Waiting { .. } | Standing::Ended(_) => WAITING_PAUSE,
    }
}
