//! The client's end of one stream: written to without waiting, and let go when it does not read.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

pub use axum::body::Bytes as Event;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::Open;
use super::event::{BEAT, RETRY};

/// A stream on which nothing was sent for this long gets a comment; with the second between two
/// looks, within the 15 s that are promised.
const QUIET: Duration = Duration::from_secs(12);
/// How long a client may take to make room for the rest of an event.
const PATIENCE: Duration = Duration::from_secs(10);
/// What was sent and is not acknowledged for this long ends the connection: with the comments, this
/// is how a client that vanished without a word is found.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);
/// The kernel's buffer for one client; it doubles this. A few events fit.
const SEND_BUFFER: usize = 16 * 1024;
/// What a client of a stream may say in one look before it is not listened to.
const CHATTER: usize = 512;

/// The stream is over: the client has gone, or was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// One stream's socket. Dropping it closes it.
#[derive(Debug)]
pub struct Socket {
    io: TcpStream,
    /// The rest of an event that did not fit; nothing is sent after it until it has.
    unsent: Event,
    /// When something was last written.
    wrote: Instant,
    open: Open,
}

impl Socket {
    /// Begins a stream: `head` is the head of the HTTP answer.
    ///
    /// # Errors
    /// [`Gone`] where the client does not take even that.
    pub fn begin(io: TcpStream, mut head: Vec<u8>, open: Open) -> Result<Self, Gone> {
        let socket = SockRef::from(&io);
        let bounded = socket.set_send_buffer_size(SEND_BUFFER);
        if let Err(error) = bounded.and(socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))) {
            tracing::debug!(%error, "a socket could not be bounded");
        }
        head.extend_from_slice(RETRY);
        let mut begun = Self { io, unsent: Event::new(), wrote: Instant::now(), open };
        begun.write(&head)?;
        Ok(begun)
    }

    /// Whether an event can be sent now. Sends what is left, notices who has gone, and tells a
    /// quiet client that the stream lives.
    ///
    /// # Errors
    /// [`Gone`], after which the socket is to be dropped.
    pub fn ready(&mut self, now: Instant) -> Result<bool, Gone> {
        self.listen()?;
        let quiet = now.saturating_duration_since(self.wrote);
        if !self.unsent.is_empty() {
            let rest = std::mem::take(&mut self.unsent);
            let left = self.push(&rest)?;
            self.unsent = rest.slice(left..);
            if left == 0 && quiet > PATIENCE {
                self.open.slow();
                return Err(Gone);
            }
            if left > 0 {
                self.wrote = now;
            }
        } else if quiet >= QUIET {
            self.write(BEAT)?;
        }
        Ok(self.unsent.is_empty())
    }

    /// Whether everything written was taken by the kernel.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Sends an event. Only after [`Socket::ready`] has said so, or it is not sent at all.
    ///
    /// # Errors
    /// [`Gone`], after which the socket is to be dropped.
    pub fn send(&mut self, event: &[u8]) -> Result<(), Gone> {
        if self.unsent.is_empty() {
            self.write(event)?;
            self.open.sent();
        }
        Ok(())
    }

    /// As [`Socket::send`], of an event that many get: the rest of it is kept for all of them once.
    ///
    /// # Errors
    /// [`Gone`], after which the socket is to be dropped.
    pub fn send_shared(&mut self, event: &Event) -> Result<(), Gone> {
        if self.unsent.is_empty() {
            let sent = self.push(event)?;
            self.unsent = event.slice(sent..);
            self.wrote = Instant::now();
            self.open.sent();
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let sent = self.push(bytes)?;
        if sent < bytes.len() {
            self.unsent = Event::copy_from_slice(&bytes[sent..]);
        }
        self.wrote = Instant::now();
        Ok(())
    }

    /// Gives the kernel what it takes now.
    fn push(&self, bytes: &[u8]) -> Result<usize, Gone> {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.io.try_write(&bytes[sent..]) {
                Ok(0) => return Err(Gone),
                Ok(more) => sent += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Gone),
            }
        }
        Ok(sent)
    }

    /// A client of a stream has nothing to say: what it says is dropped. Its end is the stream's.
    fn listen(&self) -> Result<(), Gone> {
        let mut said = [0; CHATTER];
        match self.io.try_read(&mut said) {
            Ok(0) => Err(Gone),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(Gone),
        }
    }
}

#[cfg(test)]
mod tests;
