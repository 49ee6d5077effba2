//! Lists keys by a pattern, on all primaries. Only for work of an operator: a running process never
//! needs it, and the rights of its user leave `SCAN` out.

use std::collections::BTreeSet;
use std::sync::Arc;

use redis::RedisError;
use redis::aio::MultiplexedConnection;

use super::node::{Kind, NodeConnections};
use super::{Nodes, Redis};
use crate::store::{Store, StoreError};

/// Keys that a server looks at per call.
const PER_CALL: u32 = 1000;

impl Redis {
    /// Lists the keys that match `pattern`, sorted. Keys that exist all the time are all listed;
    /// of keys that come and go meanwhile, some may be missing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if a primary does not answer, or a slot has none.
    /// [`StoreError::Defect`] if the user may not run `SCAN`.
    pub async fn scan(&self, pattern: &str) -> Result<Vec<String>, StoreError> {
        let nodes = match &*self.nodes {
            Nodes::One(node) => vec![Arc::clone(node)],
            Nodes::Cluster(cluster) => cluster.primaries().await?,
        };
        let mut found = BTreeSet::new();
        for node in nodes {
            found.extend(scan(&node, pattern).await.map_err(named)?);
        }
        Ok(found.into_iter().collect())
    }
}

async fn scan(node: &NodeConnections, pattern: &str) -> Result<Vec<String>, RedisError> {
    let (mut cursor, mut found) = (0_u64, Vec::new());
    loop {
        let call = |mut conn: MultiplexedConnection| async move {
            let mut command = redis::cmd("SCAN");
            command.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(PER_CALL);
            command.query_async::<(u64, Vec<String>)>(&mut conn).await
        };
        let (next, keys) = node.run(Kind::Bulk, call).await?;
        found.extend(keys);
        if next == 0 {
            return Ok(found);
        }
        cursor = next;
    }
}

/// Names the missing right.
fn named(error: RedisError) -> StoreError {
    if error.code() == Some("NOPERM") {
        let reason = "the Redis user may not run SCAN, which only this command needs: add +scan to \
                      its rules (docs/REDIS.md, rights of the Redis user)";
        return StoreError::Defect { store: Store::Redis, reason: reason.to_owned() };
    }
    error.into()
}
