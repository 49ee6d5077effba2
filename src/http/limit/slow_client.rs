//! A connection whose client is not waited for without end: not for the rest of a head it has begun,
//! and not for room for its answer.
//!
//! hyper's own limit of a head counts from the end of the answer before, so it has to be as long as
//! an idle connection is kept. This one counts from the head's first bytes. Timers are made only for
//! clients that keep us waiting: a request that comes in one piece costs a look at a number.

use std::io::{Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long clients are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the first byte of a head to its end; for the first head from the connection's beginning.
    pub head: Duration,
    /// While a client takes nothing of an answer that is ready for it. The kernel reports room only
    /// when a good part of its buffer is empty, so this asks for some kilobytes a second.
    pub write: Duration,
}

/// How far a connection's requests have come: odd while one is being answered.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<AtomicU32>);

/// A request that is being answered until this is dropped.
#[derive(Debug)]
pub struct Answering(Turns);

/// A connection, with what is left of our patience.
#[derive(Debug)]
pub struct Patient {
    io: TokioIo<TcpStream>,
    patience: Patience,
    turns: Turns,
    /// What `turns` said at the last look.
    seen: u32,
    /// A head is on its way.
    begun: bool,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), write: Duration::from_secs(10) }
    }
}

impl Turns {
    /// A request was read and answered in one go.
    pub fn passed(&self) {
        self.0.fetch_add(2, Ordering::Relaxed);
    }

    /// A request was read, its body aside.
    #[must_use]
    pub fn begin(&self) -> Answering {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Patient {
    /// A connection that owes its first head from now on.
    #[must_use]
    pub fn new(io: TcpStream, patience: Patience, turns: Turns) -> Self {
        let (io, seen, begun) = (TokioIo::new(io), 0, true);
        Self { io, patience, turns, seen, begun, reading: None, writing: None }
    }

    /// The connection itself.
    #[must_use]
    pub fn into_inner(self) -> TcpStream {
        self.io.into_inner()
    }

    /// Whether a head that was begun is owed for too long.
    fn owes(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.begun || !self.seen.is_multiple_of(2) {
            return false;
        }
        let head = self.patience.head;
        let limit = self.reading.get_or_insert_with(|| Box::pin(sleep(head)));
        limit.as_mut().poll(cx).is_ready()
    }

    /// What a write came to, unless there was no room for too long.
    fn written(
        &mut self,
        wrote: Poll<Result<usize, Error>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, Error>> {
        if wrote.is_ready() {
            self.writing = None;
            return wrote;
        }
        let write = self.patience.write;
        let limit = self.writing.get_or_insert_with(|| Box::pin(sleep(write)));
        ready!(limit.as_mut().poll(cx));
        Poll::Ready(Err(late("the client takes nothing of its answer")))
    }
}

fn late(what: &str) -> Error {
    Error::new(ErrorKind::TimedOut, what)
}

impl Read for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<Result<(), Error>> {
        let turn = self.turns.0.load(Ordering::Relaxed);
        if turn != self.seen {
            (self.seen, self.begun, self.reading) = (turn, false, None);
        }
        if let Poll::Ready(read) = Pin::new(&mut self.io).poll_read(cx, buf) {
            self.begun = true;
            return Poll::Ready(read);
        }
        if self.owes(cx) {
            return Poll::Ready(Err(late("the client does not finish its request's head")));
        }
        Poll::Pending
    }
}

impl Write for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize, Error>> {
        let wrote = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(wrote, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let wrote = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.written(wrote, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
