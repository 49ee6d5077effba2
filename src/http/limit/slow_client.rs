//! Client timeouts: a client must finish the head of a request, and read its answer, in time.
//!
//! hyper's own time limit for a head starts at the end of the answer before, so it has to be as
//! long as an idle connection stays open. This one starts at the first bytes of the head. Timers
//! are created only when the server waits for a client: a request that arrives in one piece costs
//! one comparison.

use std::io::{Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// Bytes of an answer that wait in the kernel before they are sent. The kernel's send buffer grows
/// to megabytes, and takes more bytes only when a third of it is empty: a client that reads slowly
/// but steadily would seem to read nothing for longer than its time limit. With this limit, each
/// 128 KiB that are sent are noticed. Bytes that are on their way do not count, so it slows no
/// client down.
const UNSENT_BYTES: u32 = 128 * 1024;

/// How long the server waits for a slow client.
#[derive(Debug, Clone, Copy)]
pub struct ClientTimeouts {
    /// Time limit from the first byte of a head to its end. For a connection's first head it starts
    /// when the connection is accepted.
    pub head: Duration,
    /// Time limit for a client that reads nothing of its answer. The kernel reports free space only
    /// after about 128 KiB were sent ([`limit_unsent`]), so this requires some kilobytes per second.
    pub write: Duration,
}

/// Counts the beginnings and ends of a connection's requests: odd while one is being answered.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<AtomicU32>);

/// Marks a request as being answered until it is dropped.
#[derive(Debug)]
pub struct Answering(Turns);

/// A connection that fails when a client timeout passes.
#[derive(Debug)]
pub struct TimeoutStream {
    io: TokioIo<TcpStream>,
    timeouts: ClientTimeouts,
    turns: Turns,
    /// The value of `turns` at the last read.
    seen: u32,
    /// A part of a head has arrived, or the first head is awaited.
    head_begun: bool,
    read_timer: Option<Pin<Box<Sleep>>>,
    write_timer: Option<Pin<Box<Sleep>>>,
}

impl Default for ClientTimeouts {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), write: Duration::from_secs(10) }
    }
}

impl Turns {
    /// Counts a request that was read and answered in one step.
    pub fn passed(&self) {
        self.0.fetch_add(2, Ordering::Relaxed);
    }

    /// Counts a request whose head was read.
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

impl TimeoutStream {
    /// Wraps a connection; the time limit of its first head starts now.
    #[must_use]
    pub fn new(io: TcpStream, timeouts: ClientTimeouts, turns: Turns) -> Self {
        if let Err(error) = limit_unsent(&SockRef::from(&io)) {
            tracing::debug!(%error, "the unsent bytes of a connection could not be limited");
        }
        let (io, seen, head_begun) = (TokioIo::new(io), 0, true);
        Self { io, timeouts, turns, seen, head_begun, read_timer: None, write_timer: None }
    }

    /// Returns the connection without its timeouts.
    #[must_use]
    pub fn into_inner(self) -> TcpStream {
        self.io.into_inner()
    }

    /// Whether the rest of a head has not arrived within its time limit.
    fn is_head_late(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.head_begun || !self.seen.is_multiple_of(2) {
            return false;
        }
        let head = self.timeouts.head;
        let timer = self.read_timer.get_or_insert_with(|| Box::pin(sleep(head)));
        timer.as_mut().poll(cx).is_ready()
    }

    /// The result of a write; an error if the client has read nothing within the time limit.
    fn limit_write(
        &mut self,
        wrote: Poll<Result<usize, Error>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, Error>> {
        if wrote.is_ready() {
            self.write_timer = None;
            return wrote;
        }
        let write = self.timeouts.write;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep(write)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(timed_out("the client did not read its answer in time")))
    }
}

/// Limits the unsent bytes of a connection to [`UNSENT_BYTES`].
#[cfg(target_os = "linux")]
fn limit_unsent(socket: &SockRef<'_>) -> Result<(), Error> {
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)
}

/// Limits the send buffer: elsewhere, unsent bytes cannot be limited alone.
#[cfg(not(target_os = "linux"))]
fn limit_unsent(socket: &SockRef<'_>) -> Result<(), Error> {
    socket.set_send_buffer_size(UNSENT_BYTES as usize)
}

fn timed_out(what: &str) -> Error {
    Error::new(ErrorKind::TimedOut, what)
}

impl Read for TimeoutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<Result<(), Error>> {
        let turn = self.turns.0.load(Ordering::Relaxed);
        if turn != self.seen {
            (self.seen, self.head_begun, self.read_timer) = (turn, false, None);
        }
        if let Poll::Ready(read) = Pin::new(&mut self.io).poll_read(cx, buf) {
            self.head_begun = true;
            return Poll::Ready(read);
        }
        if self.is_head_late(cx) {
            return Poll::Ready(Err(timed_out("the client did not finish a request head in time")));
        }
        Poll::Pending
    }
}

impl Write for TimeoutStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize, Error>> {
        let wrote = Pin::new(&mut self.io).poll_write(cx, buf);
        self.limit_write(wrote, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let wrote = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.limit_write(wrote, cx)
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn a_client_that_has_read_a_little_of_a_long_answer_is_seen_to_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpSocket::new_v4().unwrap();
        client.set_recv_buffer_size(64 * 1024).unwrap();
        let connect = client.connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(connect, listener.accept());
        let (mut client, (server, _)) = (client.unwrap(), accepted.unwrap());
        let forever = Duration::from_hours(1);
        let timeouts = ClientTimeouts { head: forever, write: forever };
        let mut server = TimeoutStream::new(server, timeouts, Turns::default());
        let chunk = vec![0; 64 * 1024];
        let mut write = async |wait: Duration| {
            let write = poll_fn(|cx| Pin::new(&mut server).poll_write(cx, &chunk));
            tokio::time::timeout(wait, write).await.map(Result::unwrap)
        };
        // Until the kernel takes nothing more.
        while write(Duration::from_millis(200)).await.is_ok() {}
        let read_a_little = async {
            client.read_exact(&mut vec![0; 300 * 1024]).await.unwrap();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            wrote = write(Duration::from_secs(20)) => wrote.expect("the kernel takes more bytes"),
            () = read_a_little => unreachable!(),
        };
    }
}
