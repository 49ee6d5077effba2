//! A Redis Cluster: which node has which slot, and the shared connections to each.
//!
//! Every call is about one schedule, so it goes to one node. A node that is away or silent is
//! nobody's business but that of the schedules it has, and only until another has its slots: calls that
//! still wait for it are given up then. Only a call that a node refused with MOVED
//! is sent again, to where it says: it had no effect. ASK and TRYAGAIN are not followed: while a slot
//! is on its way, no script can have all its keys, and what reads a part would take it for a loss.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, Value};
use tokio::sync::{Mutex, watch};

use super::failure::{is_broken, moved_to, refused};
use super::shared_connection::{Kind, Pair, Server};

/// How often one call is sent on.
const MOVES: usize = 3;
/// How long a node may take to tell the map: all are asked at the same time.
const ASK_LIMIT: Duration = Duration::from_millis(300);
/// How soon the map is read again.
const READ_AGAIN: Duration = Duration::from_millis(100);

/// The nodes, as far as they are known, and who has what.
pub(super) struct Cluster {
    /// The nodes named in the settings; the first one's login is everybody's.
    seeds: Vec<ConnectionInfo>,
    pairs: RwLock<HashMap<String, Arc<Pair>>>,
    map: watch::Sender<Map>,
    /// The map is wrong somewhere: a node was away, or sent a call on.
    doubtful: AtomicBool,
    read_at: Mutex<Option<Instant>>,
}

/// Which primary has which slots, as one node told it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Map {
    /// Whether the node serves, then how many changes it has heard of: the most is believed.
    serves: bool,
    epoch: u64,
    /// The last slot of each range, with its first and its primary's address.
    ranges: BTreeMap<u16, (u16, String)>,
    /// Every node, replicas too.
    nodes: Vec<String>,
}

impl Cluster {
    /// Reads the URLs of seed nodes, comma-separated.
    pub(super) fn of_url(url: &str) -> Result<Self, RedisError> {
        let seeds = url.split(',').map(str::trim).filter(|seed| !seed.is_empty());
        let seeds: Vec<_> =
            seeds.map(IntoConnectionInfo::into_connection_info).collect::<Result<_, _>>()?;
        let (pairs, map) = (RwLock::default(), watch::Sender::default());
        let (doubtful, read_at) = (AtomicBool::new(true), Mutex::default());
        Ok(Self { seeds, pairs, map, doubtful, read_at })
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
            // Whoever was sent on knows more than the map.
            let mut map = (moves == 0).then(|| self.map.subscribe());
            let pair = self.pair(&address)?;
            let answer = tokio::select! {
                answer = pair.lane(kind).run(&call) => answer,
                () = taken_over(&mut map, slot, &address) => {
                    Err(refused("another node has the slot now"))
                }
            };
            let Err(error) = &answer else {
                return answer;
            };
            let moved = moved_to(error);
            if moved.is_some() || is_broken(error) {
                self.doubtful.store(true, Ordering::Relaxed);
            }
            match moved {
                Some(to) if moves < MOVES => address = at(&to, &address),
                _ => return answer,
            }
            moves += 1;
        }
    }

    /// Asks every node anew.
    ///
    /// # Errors
    /// Where none says that the cluster serves.
    pub(super) async fn serves(&self) -> Result<(), RedisError> {
        self.read().await;
        if self.known(|map| map.serves) {
            return Ok(());
        }
        Err(refused("no node says that the cluster serves"))
    }

    /// Every node that is known, by its address.
    pub(super) fn nodes(&self) -> Vec<(String, Arc<Pair>)> {
        let addresses = self.known(|map| map.nodes.clone());
        addresses.into_iter().filter_map(|at| Some((at.clone(), self.pair(&at).ok()?))).collect()
    }

    /// The address of the primary that has the slot.
    async fn owner(&self, slot: u16) -> Result<String, RedisError> {
        let owner = || self.known(|map| map.owner(slot).map(str::to_owned));
        if !self.doubtful.load(Ordering::Relaxed)
            && let Some(owner) = owner()
        {
            return Ok(owner);
        }
        // One reads; the others go by what is known meanwhile, or wait where nothing is. And not
        // again at once, whatever came of it.
        let mut read_at = match (self.read_at.try_lock(), owner()) {
            (Ok(read_at), _) => read_at,
            (Err(_), Some(owner)) => return Ok(owner),
            (Err(_), None) => self.read_at.lock().await,
        };
        if read_at.is_none_or(|at| at.elapsed() > READ_AGAIN) {
            self.doubtful.store(false, Ordering::Relaxed);
            self.read().await;
            *read_at = Some(Instant::now());
        }
        owner().ok_or_else(|| refused("no node is known to have the slot"))
    }

    /// Asks all nodes for the map at the same time, and keeps the best answer; the last one, where
    /// there is none.
    async fn read(&self) {
        let seeds = self.seeds.iter().filter_map(|seed| match seed.addr() {
            ConnectionAddr::Tcp(host, port) => Some(format!("{host}:{port}")),
            _ => None,
        });
        let mut asked: Vec<String> = seeds.chain(self.known(|map| map.nodes.clone())).collect();
        asked.sort();
        asked.dedup();
        let answers =
            join_all(asked.iter().map(|at| tokio::time::timeout(ASK_LIMIT, self.ask(at))));
        let answers = answers.await.into_iter().filter_map(|answer| answer.ok()?.ok());
        if let Some(best) = answers.max_by_key(|map| (map.serves, map.epoch)) {
            asked.extend(best.nodes.iter().cloned());
            let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
            pairs.retain(|at, _| asked.contains(at));
            self.map.send_replace(best);
        } else {
            self.map.send_modify(|map| map.serves = false);
        }
    }

    async fn ask(&self, address: &str) -> Result<Map, RedisError> {
        let mut pipe = redis::pipe();
        pipe.cmd("CLUSTER").arg("INFO").cmd("CLUSTER").arg("SLOTS");
        let pipe = &pipe;
        let ask =
            |mut conn: MultiplexedConnection| async move { pipe.query_async(&mut conn).await };
        let (info, slots): (String, Value) = self.pair(address)?.lane(Kind::Hot).run(ask).await?;
        Ok(Map::parse(&info, &slots, address))
    }

    fn pair(&self, address: &str) -> Result<Arc<Pair>, RedisError> {
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = pairs.get(address) {
            return Ok(Arc::clone(pair));
        }
        drop(pairs);
        let login = self.seeds.first().ok_or_else(|| refused("no seed node is named"))?;
        let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
        let port = port.parse().map_err(|_| refused("a node has no port"))?;
        let client = Client::open(login.clone().set_addr(ConnectionAddr::Tcp(host.into(), port)))?;
        let pair = Arc::new(Pair::new(&Server::Known(Box::new(client))));
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(pairs.entry(address.to_owned()).or_insert(pair)))
    }

    fn known<T>(&self, read: impl FnOnce(&Map) -> T) -> T {
        read(&self.map.borrow())
    }
}

impl Map {
    /// Reads `CLUSTER INFO` and `CLUSTER SLOTS` of the node at `address`.
    fn parse(info: &str, slots: &Value, address: &str) -> Self {
        let field = |name: &str| {
            info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let serves = field("cluster_state") == Some("ok");
        let epoch = field("cluster_current_epoch").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut map = Self { serves, epoch, ..Self::default() };
        for range in slots.as_sequence().unwrap_or_default() {
            let Some([Value::Int(first), Value::Int(last), nodes @ ..]) = range.as_sequence()
            else {
                continue;
            };
            let nodes: Vec<String> =
                nodes.iter().filter_map(|node| node_at(node, address)).collect();
            if let (Ok(first), Ok(last), Some(primary)) =
                (u16::try_from(*first), u16::try_from(*last), nodes.first())
            {
                map.ranges.insert(last, (first, primary.clone()));
                map.nodes.extend(nodes);
            }
        }
        map.nodes.sort();
        map.nodes.dedup();
        map
    }

    fn owner(&self, slot: u16) -> Option<&str> {
        let (_, (first, primary)) = self.ranges.range(slot..).next()?;
        (*first <= slot).then_some(primary)
    }
}

/// Returns when another node than `address` is known to have the slot; never, without a map.
async fn taken_over(map: &mut Option<watch::Receiver<Map>>, slot: u16, address: &str) {
    let other = |map: &Map| map.owner(slot).is_some_and(|owner| owner != address);
    if let Some(map) = map
        && map.wait_for(other).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// A node of `CLUSTER SLOTS`: its host, its port, and more. A host that it does not know is that of
/// the node that tells.
fn node_at(node: &Value, told_by: &str) -> Option<String> {
    let [host, Value::Int(port), ..] = node.as_sequence()? else {
        return None;
    };
    let host: Option<String> = redis::from_redis_value_ref(host).ok()?;
    Some(at(&format!("{}:{port}", host.unwrap_or_default()), told_by))
}

/// `host:port`, at the host of `told_by` where it names none.
fn at(address: &str, told_by: &str) -> String {
    match address.strip_prefix("?:").or_else(|| address.strip_prefix(':')) {
        Some(port) => {
            format!("{}:{port}", told_by.rsplit_once(':').map_or(told_by, |(host, _)| host))
        }
        None => address.to_owned(),
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the seeds: their URLs may carry a password.
        f.debug_struct("Cluster").field("map", &self.map).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
