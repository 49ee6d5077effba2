//! Counts commands of Redis, round trips to PostgreSQL, and allocations.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use onsale::store::id::ScheduleId;
use onsale::store::keys::ScheduleKeys;
use onsale::store::script::{Keyspace, Script};
use redis::aio::MultiplexedConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::ALLOCATOR;

/// Codes of the requests for encryption, which come before the first message of a connection.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// Scripts that the loops run whenever it is time, whatever clients do.
const OF_LOOPS: [Script; 5] =
    [Script::Admit, Script::SweepSeats, Script::MarkPresent, Script::Inspect, Script::FindClaims];
/// The command that ends a measurement.
const END: &str = "the end of a measurement";

/// Counts the scripts that requests run, and the commands in them. `MONITOR` shows each command of a
/// script directly after its call.
pub struct ScriptMeter {
    url: String,
    /// The hashes of [`OF_LOOPS`].
    of_loops: BTreeSet<String>,
}

/// What requests cost Redis.
#[derive(Debug, Default, Clone, Copy)]
pub struct ScriptCounts {
    pub calls: u64,
    pub commands: u64,
}

impl ScriptMeter {
    /// A meter of the server with this URL.
    pub async fn of_url(url: &str) -> Self {
        let mut redis = connect(url).await;
        let info: String =
            redis::cmd("INFO").arg("server").query_async(&mut redis).await.expect("the server");
        let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:")).expect("run_id");
        let keyspace = Keyspace::new(ScheduleKeys::new(ScheduleId(1), 1), run_id);
        let of_loops = OF_LOOPS.map(|script| keyspace.name(script).to_owned()).into();
        Self { url: url.to_owned(), of_loops }
    }

    /// Counts what happens during `work`.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> (T, ScriptCounts) {
        let client = redis::Client::open(self.url.as_str()).expect("an address");
        let monitor = client.get_async_monitor().await.expect("a connection");
        let done = work.await;
        redis::cmd("ECHO").arg(END).exec_async(&mut connect(&self.url).await).await.expect("Redis");
        let lines = monitor.into_on_message::<String>();
        let lines = lines.take_while(|line| std::future::ready(!line.contains(END)));
        let counted = lines.fold((false, ScriptCounts::default()), |(counts, mut all), line| {
            let is_inside = line.contains(" lua] ");
            let is_call = !is_inside && line.to_ascii_lowercase().contains("\"evalsha\"");
            let counts = if is_inside {
                counts
            } else {
                is_call && !self.of_loops.iter().any(|hash| line.contains(hash))
            };
            all.calls += u64::from(counts && is_call);
            all.commands += u64::from(counts && is_inside);
            std::future::ready((counts, all))
        });
        (done, counted.await.1)
    }
}

async fn connect(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("an address");
    client.get_multiplexed_async_connection().await.expect("Redis")
}

/// Allocations and reallocations of this process so far.
pub fn allocations() -> usize {
    let stats = ALLOCATOR.stats();
    stats.allocations + stats.reallocations
}

/// A proxy in front of PostgreSQL that counts round trips.
pub struct PgMeter {
    round_trips: Arc<AtomicU64>,
}

impl PgMeter {
    /// Starts a proxy in front of the server that `url` names; returns it and the URL through it.
    pub async fn of_url(url: &str) -> (Self, String) {
        let (head, rest) = url.split_once("://").expect("a URL");
        let (host, database) = rest.split_once('/').expect("a database");
        let (user, host) = host.rsplit_once('@').expect("a user");
        let target: SocketAddr = host.parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let through =
            format!("{head}://{user}@{}/{database}", listener.local_addr().expect("an address"));
        let round_trips = Arc::default();
        let counter = Arc::clone(&round_trips);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target, Arc::clone(&counter)));
            }
        });
        (Self { round_trips }, through)
    }

    /// Messages so far after which a client waited for the server, without checks of connections.
    pub fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::SeqCst)
    }
}

async fn pass(client: TcpStream, target: SocketAddr, round_trips: Arc<AtomicU64>) {
    let server = TcpStream::connect(target).await.expect("PostgreSQL");
    client.set_nodelay(true).expect("a socket");
    server.set_nodelay(true).expect("a socket");
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let up = async {
        let (mut buffer, mut messages) = (vec![0; 64 * 1024], Messages::default());
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            round_trips.fetch_add(messages.read(&buffer[..read]), Ordering::SeqCst);
            if to_server.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
    }
}

/// The messages of one client, which may arrive in parts.
#[derive(Default)]
struct Messages {
    pending: Vec<u8>,
    has_started: bool,
    /// Whether there was a message since the last Sync.
    has_statement: bool,
}

impl Messages {
    /// Takes more bytes; returns how many messages now complete end a client's turn: a simple
    /// query, or a Sync after other messages. A Sync alone checks a connection.
    fn read(&mut self, bytes: &[u8]) -> u64 {
        self.pending.extend_from_slice(bytes);
        let (mut at, mut turns) = (0, 0);
        while let Some(length) = self.length(&self.pending[at..]) {
            let message = &self.pending[at..at + length];
            if self.has_started {
                let is_sync = message[0] == b'S';
                turns += u64::from(message[0] == b'Q' || is_sync && self.has_statement);
                self.has_statement = !is_sync && message[0] != b'Q';
            } else {
                self.has_started = !ENCRYPTION.contains(&number(&message[4..]));
            }
            at += length;
        }
        self.pending.drain(..at);
        turns
    }

    /// Length of the first message, if it is complete. The first one of a connection has no type.
    fn length(&self, bytes: &[u8]) -> Option<usize> {
        let kind = usize::from(self.has_started);
        let stated = bytes.get(kind..kind + 4).map(number)?;
        let length = kind + usize::try_from(stated).ok()?;
        (bytes.len() >= length.max(8 - 3 * kind)).then_some(length)
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes[..4].iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_counted_however_the_bytes_arrive() {
        let mut bytes = vec![0, 0, 0, 8, 4, 210, 22, 47]; // asks for encryption
        bytes.extend([0, 0, 0, 9, 0, 3, 0, 0, 0]); // the first message
        bytes.extend(b"Q\0\0\0\x0bselect\0"); // a simple query
        bytes.extend(b"B\0\0\0\x05xE\0\0\0\x04S\0\0\0\x04"); // Bind, Execute, Sync
        bytes.extend(b"S\0\0\0\x04"); // a check of the connection
        assert_eq!(Messages::default().read(&bytes), 2);
        let mut messages = Messages::default();
        let turns: u64 = bytes.iter().map(|byte| messages.read(&[*byte])).sum();
        assert_eq!((turns, messages.pending.len()), (2, 0));
    }
}
