//! What servers report about themselves (`INFO`), and the check of their settings at the start.

use redis::RedisError;
use redis::aio::MultiplexedConnection;

use super::node::Kind;
use super::{Nodes, Redis, failure};
use crate::store::StoreError;
use crate::telemetry::stores::RedisMemory;

/// The answer of one server to `INFO`.
#[derive(Debug)]
pub struct ServerInfo {
    /// The address in a cluster; `None` for a single server.
    pub address: Option<String>,
    text: String,
}

impl ServerInfo {
    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    /// The value of a field that is a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.field(name)?.parse().ok()
    }

    /// The address in a cluster, for messages: empty for a single server.
    #[must_use]
    pub fn at(&self) -> String {
        self.address.as_ref().map_or_else(String::new, |address| format!(" at {address}"))
    }

    /// Why the server may not be used: it evicts keys, or is a node of a cluster whose other nodes
    /// are not named.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        match self.field("maxmemory_policy") {
            Some("noeviction") | None => {}
            Some(policy) => {
                return Some(format!(
                    "Redis{} has maxmemory-policy {policy}, which evicts seat claims and queue \
                     entries: set it to noeviction",
                    self.at()
                ));
            }
        }
        let is_node = self.address.is_none() && self.field("cluster_enabled") == Some("1");
        is_node.then(|| "Redis is a cluster node: REDIS_URL must name several nodes".to_owned())
    }

    /// The memory of the server; `own` is its address if it is a single one. `None` if the answer
    /// lacks the memory.
    fn memory(&self, own: &str) -> Option<RedisMemory> {
        let server = self.address.as_deref().unwrap_or(own).to_owned();
        Some(RedisMemory {
            server,
            used: self.number("used_memory")?,
            limit: self.number("maxmemory")?,
        })
    }

    /// Whether the server writes an append-only file; `true` if it does not say.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        self.field("aof_enabled") != Some("0")
    }
}

impl Redis {
    /// Asks the one server, or each node of a cluster that answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if none answers, [`StoreError::Inconsistent`] if the settings of
    /// the connection are wrong.
    pub async fn infos(&self) -> Result<Vec<ServerInfo>, StoreError> {
        let Nodes::Cluster(cluster) = &*self.nodes else {
            let info = redis::cmd("INFO");
            let text = self.hot(&info).await.map_err(failure::at_start)?;
            return Ok(vec![ServerInfo { address: None, text }]);
        };
        cluster.serves().await.map_err(failure::at_start)?;
        let mut all = Vec::new();
        for (address, node) in cluster.nodes() {
            let ask = |mut conn| async move { info_of(&mut conn).await };
            match node.run(Kind::Hot, ask).await {
                Ok(text) => all.push(ServerInfo { address: Some(address), text }),
                Err(error) => tracing::warn!(address, %error, "a Redis node could not be checked"),
            }
        }
        Ok(all)
    }

    /// Refuses servers that evict keys, and warns about servers that lose their data at a restart.
    /// Checks the one server, or every reachable node of a cluster.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] names the setting to change.
    pub async fn check_server(&self) -> Result<(), StoreError> {
        for info in self.infos().await? {
            if let Some(reason) = info.refusal() {
                return Err(StoreError::Inconsistent(reason));
            }
            if !info.is_persistent() {
                tracing::warn!(
                    node = info.address.unwrap_or_default(),
                    "Redis persists no data: after a restart, all keys are rebuilt from PostgreSQL"
                );
            }
        }
        Ok(())
    }
}

impl Redis {
    /// The memory of the one server, or of every node of a cluster. A server that does not answer
    /// is left out.
    pub async fn memory(&self) -> Vec<RedisMemory> {
        let own = match &*self.nodes {
            Nodes::One(node) => node.address(),
            Nodes::Cluster(_) => String::new(),
        };
        let infos = self.infos().await.unwrap_or_default();
        infos.iter().filter_map(|info| info.memory(&own)).collect()
    }
}

async fn info_of(conn: &mut MultiplexedConnection) -> Result<String, RedisError> {
    redis::cmd("INFO").query_async(conn).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_server_is_read() {
        let text = "# Memory\r\nused_memory:1048576\r\nused_memory_human:1.00M\r\n\
                    maxmemory:2097152\r\nmaxmemory_policy:noeviction\r\n";
        let info = ServerInfo { address: None, text: text.to_owned() };
        let expected = RedisMemory { server: "a:1".into(), used: 1_048_576, limit: 2_097_152 };
        assert_eq!(info.memory("a:1"), Some(expected));
        assert_eq!(ServerInfo { address: None, text: String::new() }.memory("a:1"), None);
    }
}
