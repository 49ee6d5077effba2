//! The slot map of a cluster, as one node knows it.

use std::collections::{BTreeMap, BTreeSet};

use redis::Value;

use crate::store::keys::SLOTS;

/// The slot map: which primary has which slots, according to one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Map {
    /// Whether the node reports that the cluster serves.
    pub(super) serves: bool,
    /// The node's cluster epoch. Of the maps of nodes that serve, the highest epoch wins.
    pub(super) epoch: u64,
    /// The last slot of each range, with its first and its primary's address.
    ranges: BTreeMap<u16, (u16, String)>,
    /// The addresses of all nodes, including replicas.
    pub(super) nodes: Vec<String>,
}

impl Map {
    /// Parses the answers of the node at `address` to `CLUSTER INFO` and `CLUSTER SLOTS`.
    pub(super) fn parse(info: &str, slots: &Value, address: &str) -> Self {
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

    /// The addresses of all primaries that have slots; `None` if a slot has no primary.
    pub(super) fn primaries(&self) -> Option<BTreeSet<String>> {
        let (mut next, mut primaries) = (0, BTreeSet::new());
        for (last, (first, primary)) in &self.ranges {
            if u32::from(*first) > next {
                return None;
            }
            next = u32::from(*last) + 1;
            primaries.insert(primary.clone());
        }
        (next == u32::from(SLOTS)).then_some(primaries)
    }

    /// The address of the primary that has the slot.
    pub(super) fn owner(&self, slot: u16) -> Option<&str> {
        let (_, (first, primary)) = self.ranges.range(slot..).next()?;
        (*first <= slot).then_some(primary)
    }
}

/// The address of a node in `CLUSTER SLOTS`. A node without a host is at the host of `source`, the
/// node that answered.
fn node_at(node: &Value, source: &str) -> Option<String> {
    let [host, Value::Int(port), ..] = node.as_sequence()? else {
        return None;
    };
    let host: Option<String> = redis::from_redis_value_ref(host).ok()?;
    Some(with_host(&format!("{}:{port}", host.unwrap_or_default()), source))
}

/// Completes an address: `host:port`, with the host of `source` if `address` has none.
pub(super) fn with_host(address: &str, source: &str) -> String {
    match address.strip_prefix("?:").or_else(|| address.strip_prefix(':')) {
        Some(port) => {
            format!("{}:{port}", source.rsplit_once(':').map_or(source, |(host, _)| host))
        }
        None => address.to_owned(),
    }
}
