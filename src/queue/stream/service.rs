//! Opening the stream of a ticket.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;

use super::listener::{END, Wants};
use super::topic;
use crate::http::problem::Problem;
use crate::http::stream::hub::{Arrival, Hub};
use crate::http::stream::socket::Socket;
use crate::http::stream::{Open, Streams};
use crate::queue::code::CodeKeys;
use crate::queue::model::{Standing, Ticket};
use crate::queue::service::{Queue, QueueError};

/// Questions to Redis that all streams of a process may have under way at a time: a loss finds all
/// of them asking at once.
const QUESTIONS: usize = 32;

/// The streams of tickets; cheap to clone.
#[derive(Debug, Clone)]
pub struct TicketStreams {
    queue: Queue,
    codes: Arc<CodeKeys>,
    streams: Streams,
    hub: Hub<Wants>,
    slots: Arc<Semaphore>,
}

/// A stream that is to be begun.
#[derive(Debug)]
pub(super) struct Beginning {
    streams: TicketStreams,
    wants: Wants,
}

impl TicketStreams {
    /// Puts the service together.
    #[must_use]
    pub fn new(queue: Queue, codes: CodeKeys, streams: Streams) -> Self {
        let slots = Arc::new(Semaphore::new(QUESTIONS));
        Self { queue, codes: Arc::new(codes), streams, hub: Hub::default(), slots }
    }

    /// A code that opens the stream of a ticket, and when it expires.
    pub(super) fn code(&self, token: &str) -> Result<(String, DateTime<Utc>), QueueError> {
        let ticket = self.queue.read(token)?;
        Ok(self.codes.sign(&ticket, ticket.shown.epoch(), Utc::now())?)
    }

    /// The ticket of a token.
    pub(super) fn by_token(&self, token: &str) -> Result<Ticket, QueueError> {
        Ok(self.queue.read(token)?)
    }

    /// The ticket of a code.
    pub(super) fn by_code(&self, code: &str) -> Result<Ticket, QueueError> {
        Ok(self.codes.verify(code)?.ticket)
    }

    /// Counts a stream as open; `503` where there are too many.
    pub(super) fn open(&self) -> Result<Open, Problem> {
        self.streams.open("ticket")
    }

    /// Looks where a ticket stands, as a poll does; nothing where its stream is over. `last` is the
    /// id of the last event that the client has seen: whoever saw one before the end is told it.
    pub(super) async fn begin(
        &self,
        ticket: Ticket,
        last: Option<&str>,
    ) -> Result<Option<Beginning>, QueueError> {
        let board = self.queue.boards.get(ticket.schedule).await?;
        let ticket = self.queue.draws.placed(&board, ticket).await?;
        let watched = self.queue.boards.watch(ticket.schedule);
        let (stand, asked) = match self.queue.known(&board, &ticket) {
            Some(stand) if Queue::may_answer(&watched, &board, stand) => (stand, None),
            Some(stand) => match self.queue.ask(&ticket).await {
                Ok((_, asked)) => (asked, Some(asked)),
                Err(_) => (stand, None),
            },
            None => {
                let (_, stand) = self.queue.ask(&ticket).await?;
                (stand, Some(stand))
            }
        };
        if matches!(stand.standing, Standing::Ended(_)) && last.is_none_or(|last| last == END) {
            return Ok(None);
        }
        let last = last.and_then(|last| u64::from_str_radix(last, 16).ok());
        let wants = Wants { ticket, asked, last };
        Ok(Some(Beginning { streams: self.clone(), wants }))
    }
}

impl Beginning {
    /// Serves the stream on this socket.
    pub fn serve(self, socket: Socket) {
        let Self { streams: TicketStreams { queue, streams, hub, slots, .. }, wants } = self;
        let schedule = wants.ticket.schedule;
        hub.enter(schedule, Arrival { socket, wants }, |arrivals| {
            streams.spawn(topic::serve(queue, schedule, slots, arrivals));
        });
    }
}
