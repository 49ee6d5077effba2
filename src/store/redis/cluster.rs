//! A Redis Cluster: which node has which slot, and the connections to each node.
//!
//! Every call concerns one schedule, so it goes to one node. A node that is down affects only the
//! schedules whose slots it has, and only until another node takes these slots over. Calls that
//! still wait for the old node then fail.
//!
//! A call that a node refused with MOVED had no effect, so it is sent again, to the node that the
//! answer names. ASK and TRYAGAIN are not followed: while a slot migrates, no node has all its
//! keys, and a script that reads only some of them would report lost data.

mod map;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::{Client, ConnectionAddr, ConnectionInfo, RedisError, Value};
use tokio::sync::{Mutex, watch};

use self::map::{Map, with_host};
use super::failure::{is_broken, is_setting, moved_to, refused};
use super::node::{Kind, NodeConnections};
use super::server::Server;
use super::tls::{self, Certificates};

/// Maximum number of times that one call follows MOVED.
const MOVES: usize = 3;
/// Time limit for a node's answer with the slot map; all nodes are asked at the same time.
const ASK_LIMIT: Duration = Duration::from_millis(300);
/// Minimum time between two reads of the slot map.
const READ_AGAIN: Duration = Duration::from_millis(100);

/// The known nodes, their connections, and the slot map.
pub(super) struct Cluster {
    /// The nodes named in the settings; the first one's login is used for all nodes.
    seeds: Vec<ConnectionInfo>,
    connections: RwLock<HashMap<String, Arc<NodeConnections>>>,
    map: watch::Sender<Map>,
    /// The map may be outdated: a node was down, or answered MOVED.
    outdated: AtomicBool,
    read_at: Mutex<Option<Instant>>,
    /// Bulk calls that found no free connection in time.
    wait_timeouts: Arc<AtomicU64>,
}

impl Cluster {
    /// Reads the URLs of seed nodes, comma-separated. `wait_timeouts` counts the calls that found no
    /// free bulk connection in time. Either all URLs ask for TLS, or none does.
    pub(super) fn of_url(
        url: &str,
        certificates: &Certificates,
        wait_timeouts: Arc<AtomicU64>,
    ) -> Result<Self, RedisError> {
        let seeds = url.split(',').map(str::trim).filter(|seed| !seed.is_empty());
        let server = |seed: &str| -> Result<ConnectionInfo, RedisError> {
            Ok(certificates.client(seed)?.get_connection_info().clone())
        };
        let seeds: Vec<_> = seeds.map(server).collect::<Result<_, _>>()?;
        if seeds.iter().any(|seed| tls::is_used(seed) != tls::is_used(&seeds[0])) {
            let reason = "either all URLs of a cluster must begin with rediss, or none";
            return Err((redis::ErrorKind::InvalidClientConfig, reason).into());
        }
        let (connections, map) = (RwLock::default(), watch::Sender::default());
        let (outdated, read_at) = (AtomicBool::new(true), Mutex::default());
        Ok(Self { seeds, connections, map, outdated, read_at, wait_timeouts })
    }

    /// Runs `call` on the node that has the slot.
    pub(super) async fn run<T, F>(
        &self,
        kind: Kind,
        slot: u16,
        call: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let mut address = self.owner(slot).await?;
        let mut moves = 0;
        loop {
            // After MOVED, the answer is newer than the map.
            let mut map = (moves == 0).then(|| self.map.subscribe());
            let node = self.node(&address)?;
            let answer = tokio::select! {
                answer = node.run(kind, &call) => answer,
                () = taken_over(&mut map, slot, &address) => {
                    Err(refused("another node has the slot now"))
                }
            };
            let Err(error) = &answer else {
                return answer;
            };
            let moved = moved_to(error);
            if moved.is_some() || is_broken(error) {
                self.outdated.store(true, Ordering::Relaxed);
            }
            match moved {
                Some(target) if moves < MOVES => address = with_host(&target, &address),
                _ => return answer,
            }
            moves += 1;
        }
    }

    /// Reads the slot map, and checks that a node reports that the cluster serves.
    ///
    /// # Errors
    /// A refused call if no node does.
    pub(super) async fn serves(&self) -> Result<(), RedisError> {
        let wrong_setting = self.read_map().await;
        if self.map.borrow().serves {
            return Ok(());
        }
        Err(wrong_setting.unwrap_or_else(|| refused("no node reports that the cluster serves")))
    }

    /// The connections to every primary that has slots.
    ///
    /// # Errors
    /// A refused call if no node reports that the cluster serves, or if a slot has no primary.
    pub(super) async fn primaries(&self) -> Result<Vec<Arc<NodeConnections>>, RedisError> {
        self.serves().await?;
        let addresses = self.map.borrow().primaries();
        let addresses = addresses.ok_or_else(|| refused("some slots have no primary"))?;
        addresses.iter().map(|at| self.node(at)).collect()
    }

    /// All nodes of the slot map, with their addresses.
    pub(super) fn nodes(&self) -> Vec<(String, Arc<NodeConnections>)> {
        let addresses = self.map.borrow().nodes.clone();
        addresses.into_iter().filter_map(|at| Some((at.clone(), self.node(&at).ok()?))).collect()
    }

    /// The connections to all nodes that were used.
    pub(super) fn connected(&self) -> Vec<Arc<NodeConnections>> {
        let connections = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        connections.values().cloned().collect()
    }

    /// The address of the primary that has the slot.
    async fn owner(&self, slot: u16) -> Result<String, RedisError> {
        let owner = || self.map.borrow().owner(slot).map(str::to_owned);
        if !self.outdated.load(Ordering::Relaxed)
            && let Some(owner) = owner()
        {
            return Ok(owner);
        }
        // One caller reads the map. The others use the present map, or wait if it has no owner.
        // After a read, with any result, the next one waits for `READ_AGAIN`.
        let mut read_at = match (self.read_at.try_lock(), owner()) {
            (Ok(read_at), _) => read_at,
            (Err(_), Some(owner)) => return Ok(owner),
            (Err(_), None) => self.read_at.lock().await,
        };
        if read_at.is_none_or(|at| at.elapsed() > READ_AGAIN) {
            self.outdated.store(false, Ordering::Relaxed);
            self.read_map().await;
            *read_at = Some(Instant::now());
        }
        owner().ok_or_else(|| refused("the slot map has no node for this slot"))
    }

    /// Asks all nodes for the map at the same time, and keeps the best answer. Without an answer it
    /// keeps the previous map, marked as not serving. Returns the error of a node to which
    /// connections have a wrong setting.
    async fn read_map(&self) -> Option<RedisError> {
        let seeds = self.seeds.iter().filter_map(|seed| match seed.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Some(format!("{host}:{port}"))
            }
            _ => None,
        });
        let known = self.map.borrow().nodes.clone();
        let mut addresses: Vec<String> = seeds.chain(known).collect();
        addresses.sort();
        addresses.dedup();
        let answers =
            join_all(addresses.iter().map(|at| tokio::time::timeout(ASK_LIMIT, self.ask(at))));
        let (mut maps, mut wrong_setting) = (Vec::new(), None);
        for answer in answers.await.into_iter().flatten() {
            match answer {
                Ok(map) => maps.push(map),
                Err(error) if is_setting(&error) => wrong_setting = Some(error),
                Err(_) => {}
            }
        }
        if let Some(best) = maps.into_iter().max_by_key(|map| (map.serves, map.epoch)) {
            addresses.extend(best.nodes.iter().cloned());
            let mut connections = self.connections.write().unwrap_or_else(PoisonError::into_inner);
            connections.retain(|at, _| addresses.contains(at));
            self.map.send_replace(best);
        } else {
            self.map.send_modify(|map| map.serves = false);
        }
        wrong_setting
    }

    /// Asks one node for its slot map.
    async fn ask(&self, address: &str) -> Result<Map, RedisError> {
        let mut pipe = redis::pipe();
        pipe.cmd("CLUSTER").arg("INFO").cmd("CLUSTER").arg("SLOTS");
        let pipe = &pipe;
        let ask =
            |mut conn: MultiplexedConnection| async move { pipe.query_async(&mut conn).await };
        let node = self.node(address)?;
        let (info, slots): (String, Value) = node.run(Kind::Hot, ask).await?;
        Ok(Map::parse(&info, &slots, address))
    }

    /// The connections to a node.
    fn node(&self, address: &str) -> Result<Arc<NodeConnections>, RedisError> {
        let connections = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = connections.get(address) {
            return Ok(Arc::clone(node));
        }
        drop(connections);
        let login = self.seeds.first().ok_or_else(|| refused("no seed node is named"))?;
        let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
        let port = port.parse().map_err(|_| refused("a node has no port"))?;
        let client = Client::open(tls::moved(login, host, port))?;
        let server = Server::Known(Box::new(client));
        let node = Arc::new(NodeConnections::new(server, &self.wait_timeouts)?);
        let mut connections = self.connections.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(connections.entry(address.to_owned()).or_insert(node)))
    }
}

/// Returns when the map names another node than `address` for the slot; never returns without a
/// map.
async fn taken_over(map: &mut Option<watch::Receiver<Map>>, slot: u16, address: &str) {
    let other = |map: &Map| map.owner(slot).is_some_and(|owner| owner != address);
    if let Some(map) = map
        && map.wait_for(other).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the seeds: their URLs may carry a password.
        f.debug_struct("Cluster").field("map", &self.map).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
