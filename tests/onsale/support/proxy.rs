//! A TCP proxy that breaks connections on purpose, between a process and a store or a client.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// PostgreSQL's message Sync, with which sqlx checks a connection before and after its use.
const SYNC: [u8; 5] = [b'S', 0, 0, 0, 4];

/// What the proxy does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Passes them on.
    Pass,
    /// Holds back what clients send until the mode changes, like a network that drops packets.
    HoleUp,
    /// Holds back what the server sends until the mode changes.
    HoleDown,
    /// Delays them by this time, in each direction.
    Delay(Duration),
    /// Closes open connections and new ones.
    Refuse,
    /// Cuts the connection at the next byte that the server sends; once.
    CutAtReply,
    /// Cuts the connection at this percentage of the server's answers.
    Lose(u64),
    /// Cuts the connection that sends this text when the server answers it; once.
    CutAfter(&'static str),
    /// Cuts the connection that sends this text, which the server never sees; once.
    CutBefore(&'static str),
    /// Holds back for ever what a client sends from this text on.
    KeepFrom(&'static str),
}

/// A proxy on a free loopback port, until it is dropped.
pub struct Proxy {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

struct Shared {
    mode: Mutex<watch::Sender<Mode>>,
    cuts: AtomicUsize,
    answers: AtomicU64,
    round_trips: AtomicUsize,
}

/// One connection through the proxy.
#[derive(Clone)]
struct Wire {
    shared: Arc<Shared>,
    mode: watch::Sender<Mode>,
    armed: Arc<AtomicBool>,
    /// Whether the server has answered since the client's last request.
    answered: Arc<AtomicBool>,
    end: CancellationToken,
}

impl Proxy {
    /// Starts a proxy in front of `target`.
    pub async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let mode = Mutex::new(watch::Sender::new(Mode::Pass));
        let (cuts, answers, round_trips) = Default::default();
        let shared = Arc::new(Shared { mode, cuts, answers, round_trips });
        let stop = CancellationToken::new();
        let accepting = accept(listener, target, Arc::clone(&shared), stop.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(accepting));
        Self { addr, shared, stop }
    }

    /// Starts a proxy in front of the store that a URL names; returns it and the URL through it.
    pub async fn of_url(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
        let proxy = Self::before(host.parse().expect("an address")).await;
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        let through = format!("{scheme}://{user}{}/{path}", proxy.addr);
        (proxy, through)
    }

    /// Changes the mode, also of open connections.
    pub fn set(&self, mode: Mode) {
        self.sender().send_replace(mode);
    }

    /// Makes every open connection silent for ever, neither answered nor closed, like a firewall
    /// that drops their state. New connections pass.
    pub fn silence_open_connections(&self) {
        self.set(Mode::HoleUp);
        *self.sender() = watch::Sender::new(Mode::Pass);
    }

    /// How many connections were cut, which proves that the fault happened.
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// How many requests clients sent after an answer, without the checks of connections: the round
    /// trips of clients that wait for each answer.
    pub fn round_trips(&self) -> usize {
        self.shared.round_trips.load(Ordering::SeqCst)
    }

    fn sender(&self) -> std::sync::MutexGuard<'_, watch::Sender<Mode>> {
        self.shared.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    while let Ok((client, _)) = listener.accept().await {
        let mode = shared.mode.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (armed, answered, end) = (Arc::default(), Arc::default(), stop.child_token());
        let wire = Wire { shared: Arc::clone(&shared), mode, armed, answered, end };
        tokio::spawn(connect(client, target, wire));
    }
}

async fn connect(client: TcpStream, target: SocketAddr, wire: Wire) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    for socket in [&client, &server] {
        socket.set_nodelay(true).expect("a socket");
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pump(from_client, to_server, true, wire.clone());
    let down = pump(from_server, to_client, false, wire.clone());
    tokio::select! {
        () = up => {}
        () = down => {}
        () = wire.end.cancelled() => {}
        () = refused(&wire) => {}
    }
}

async fn refused(wire: &Wire) {
    let mut mode = wire.mode.subscribe();
    let _ = mode.wait_for(|mode| *mode == Mode::Refuse).await;
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, up: bool, wire: Wire) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..read];
        wire.count(up, bytes);
        if !wire.passes(up, bytes).await || to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

impl Wire {
    fn count(&self, up: bool, bytes: &[u8]) {
        if !up {
            self.answered.store(true, Ordering::SeqCst);
        } else if bytes != SYNC && self.answered.swap(false, Ordering::SeqCst) {
            self.shared.round_trips.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits until the bytes may pass; returns false if the connection is cut instead.
    async fn passes(&self, up: bool, bytes: &[u8]) -> bool {
        if !up && self.armed.load(Ordering::SeqCst) {
            return self.cut();
        }
        let has = |text: &str| up && bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let mode = *self.mode.borrow();
        match mode {
            Mode::HoleUp if up => self.wait_for_change(mode).await,
            Mode::HoleDown if !up => self.wait_for_change(mode).await,
            Mode::Delay(time) => tokio::time::sleep(time).await,
            Mode::CutAtReply if !up && self.take(mode) => return self.cut(),
            Mode::Lose(percent) if !up && self.loses(percent) => return self.cut(),
            Mode::CutAfter(text) if has(text) && self.take(mode) => {
                self.armed.store(true, Ordering::SeqCst);
            }
            Mode::CutBefore(text) if has(text) && self.take(mode) => return self.cut(),
            Mode::KeepFrom(text) if has(text) => std::future::pending().await,
            _ => {}
        }
        true
    }

    /// Whether to lose this answer: spread evenly over all answers, and the same ones in each run.
    fn loses(&self, percent: u64) -> bool {
        let number = self.shared.answers.fetch_add(1, Ordering::SeqCst);
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 < percent * (1 << 32) / 100
    }

    async fn wait_for_change(&self, from: Mode) {
        let mut mode = self.mode.subscribe();
        if mode.wait_for(|mode| *mode != from).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends a mode that applies once; false if another connection was first.
    fn take(&self, mode: Mode) -> bool {
        self.mode.send_if_modified(|now| {
            let first = *now == mode;
            if first {
                *now = Mode::Pass;
            }
            first
        })
    }

    fn cut(&self) -> bool {
        self.shared.cuts.fetch_add(1, Ordering::SeqCst);
        self.end.cancel();
        false
    }
}
