//! The socket of one stream: writes never wait, and a client that does not read is disconnected.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

pub use axum::body::Bytes as Event;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::Open;
use super::event::{BEAT, QUIET, RETRY};

/// Time limit for a client to read enough that the rest of an event can be sent.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection ends if the client acknowledges nothing for this long. Together with the comments,
/// this detects a client that vanished without closing its connection.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);
/// Send buffer of one client, in bytes; the kernel doubles it. A few events fit.
const SEND_BUFFER: usize = 16 * 1024;
/// Bytes that are read from a client, and dropped, in one check.
const READ_BUFFER: usize = 512;

/// The stream has ended: the client disconnected or was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// One stream's socket. Dropping it closes it.
#[derive(Debug)]
pub struct Socket {
    io: TcpStream,
    /// The rest of an event that did not fit into the send buffer; sent before anything else.
    unsent: Event,
    /// When bytes were last written.
    written_at: Instant,
    open: Open,
}

impl Socket {
    /// Begins a stream: `head` is the head of the HTTP answer.
    ///
    /// # Errors
    /// [`Gone`] if the head cannot be written.
    pub fn begin(io: TcpStream, mut head: Vec<u8>, open: Open) -> Result<Self, Gone> {
        let socket = SockRef::from(&io);
        let bounded = socket.set_send_buffer_size(SEND_BUFFER);
        if let Err(error) = bounded.and_then(|()| detect_vanished(&socket)) {
            tracing::debug!(%error, "the limits of a stream's socket could not be set");
        }
        head.extend_from_slice(RETRY);
        let mut begun = Self { io, unsent: Event::new(), written_at: Instant::now(), open };
        begun.write(&head)?;
        Ok(begun)
    }

    /// Whether an event can be sent now. Also sends the rest of the last event, detects a closed
    /// connection, and sends a comment on a quiet stream.
    ///
    /// # Errors
    /// [`Gone`]; the caller then drops the socket.
    pub fn ready(&mut self, now: Instant) -> Result<bool, Gone> {
        self.check_open()?;
        let quiet = now.saturating_duration_since(self.written_at);
        if !self.unsent.is_empty() {
            let rest = std::mem::take(&mut self.unsent);
            let sent = self.push(&rest)?;
            self.unsent = rest.slice(sent..);
            if sent == 0 && quiet > READ_TIMEOUT {
                self.open.slow();
                return Err(Gone);
            }
            if sent > 0 {
                self.written_at = now;
            }
        } else if self.open.must_close(now) {
            return Err(Gone);
        } else if quiet >= QUIET {
            self.write(BEAT)?;
        }
        Ok(self.unsent.is_empty())
    }

    /// Whether the kernel has taken every byte.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Sends an event. Call it only after [`Socket::ready`] has returned `true`; otherwise the
    /// event is dropped.
    ///
    /// # Errors
    /// [`Gone`]; the caller then drops the socket.
    pub fn send(&mut self, event: &[u8]) -> Result<(), Gone> {
        if self.unsent.is_empty() {
            self.write(event)?;
            self.open.sent();
        }
        Ok(())
    }

    /// Like [`Socket::send`], for an event that goes to many clients: they share one copy of it.
    ///
    /// # Errors
    /// [`Gone`]; the caller then drops the socket.
    pub fn send_shared(&mut self, event: &Event) -> Result<(), Gone> {
        if self.unsent.is_empty() {
            let sent = self.push(event)?;
            self.unsent = event.slice(sent..);
            self.written_at = Instant::now();
            self.open.sent();
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let sent = self.push(bytes)?;
        if sent < bytes.len() {
            self.unsent = Event::copy_from_slice(&bytes[sent..]);
        }
        self.written_at = Instant::now();
        Ok(())
    }

    /// Writes as many bytes as the kernel takes now, and returns their number.
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

    /// Reads and drops what the client has sent, and detects a closed connection. A client of a
    /// stream has nothing to send.
    fn check_open(&self) -> Result<(), Gone> {
        let mut ignored = [0; READ_BUFFER];
        match self.io.try_read(&mut ignored) {
            Ok(0) => Err(Gone),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(Gone),
        }
    }
}

/// Ends the connection if sent bytes stay unacknowledged for [`UNACKNOWLEDGED`].
#[cfg(target_os = "linux")]
fn detect_vanished(socket: &SockRef<'_>) -> std::io::Result<()> {
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))
}

/// Probes a connection on which nothing is sent. Only Linux has a time limit for unacknowledged
/// bytes. Elsewhere a client that vanishes while bytes are on their way is detected when the system
/// stops to send them again, after minutes.
#[cfg(not(target_os = "linux"))]
fn detect_vanished(socket: &SockRef<'_>) -> std::io::Result<()> {
    socket.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(UNACKNOWLEDGED))
}

#[cfg(test)]
mod tests;
