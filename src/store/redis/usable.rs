//! Checks that a server that answers can also be used: it permits every command that onsale runs,
//! and accepts writes.

use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError};

use super::node::{Kind, NodeConnections};
use super::{Nodes, Redis, failure};
use crate::store::StoreError;

/// Commands that onsale runs in every setup, in scripts and outside of them, each with sample
/// arguments. docs/REDIS.md has the same list, as the ACL rules of a user.
pub const COMMANDS: [&str; 43] = [
    "BITCOUNT onsale:{0}:key",
    "BITFIELD onsale:{0}:key GET u2 0",
    "BITFIELD_RO onsale:{0}:key GET u2 0",
    "EVAL return 0",
    "EVALSHA 0000000000000000000000000000000000000000 0",
    "EXEC",
    "EXISTS onsale:{0}:key",
    "GET onsale:{0}:key",
    "GETBIT onsale:{0}:key 0",
    "GETRANGE onsale:{0}:key 0 0",
    "HDEL onsale:{0}:key field",
    "HGET onsale:{0}:key field",
    "HGETALL onsale:{0}:key",
    "HINCRBY onsale:{0}:key field 1",
    "HMGET onsale:{0}:key field",
    "HSET onsale:{0}:key field value",
    "HVALS onsale:{0}:key",
    "INFO server",
    "MULTI",
    "PEXPIRE onsale:{0}:key 1",
    "PING",
    "SADD onsale:{0}:key member",
    "SET onsale:{0}:key value",
    "SETBIT onsale:{0}:key 0 1",
    "SETRANGE onsale:{0}:key 0 value",
    "SISMEMBER onsale:{0}:key member",
    "TIME",
    "UNLINK onsale:{0}:key",
    "XADD onsale:{0}:key * field value",
    "XDEL onsale:{0}:key 1-1",
    "XLEN onsale:{0}:key",
    "XRANGE onsale:{0}:key - +",
    "XTRIM onsale:{0}:key MAXLEN 1",
    "ZADD onsale:{0}:key 1 member",
    "ZCARD onsale:{0}:key",
    "ZCOUNT onsale:{0}:key 0 1",
    "ZMSCORE onsale:{0}:key member",
    "ZRANGE onsale:{0}:key 0 1",
    "ZRANGEBYSCORE onsale:{0}:key 0 1",
    "ZRANK onsale:{0}:key member",
    "ZREM onsale:{0}:key member",
    "ZREVRANGE onsale:{0}:key 0 1",
    "ZSCORE onsale:{0}:key member",
];

/// Further commands where Sentinel names the primary.
pub const SENTINEL_COMMANDS: [&str; 1] = ["ROLE"];

/// Further commands in a cluster.
pub const CLUSTER_COMMANDS: [&str; 2] = ["CLUSTER INFO", "CLUSTER SLOTS"];

/// Returns the commands in ARGV that the user may not run. It has no flags, so the server treats it
/// like a script that writes: a full, read-only or failing server refuses it.
const CHECK: &str = "#!lua
local denied = {}
for _, command in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(command, '%S+') do
    words[#words + 1] = word
  end
  if not redis.acl_check_cmd(unpack(words)) then
    denied[#denied + 1] = command
  end
end
return denied";

/// Time limit for the answer of one node of a cluster; all nodes are asked at the same time.
const NODE_LIMIT: Duration = Duration::from_millis(300);

/// Why a server that answers cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The user of the connection lacks rights.
    #[error("the Redis user may not run {}: docs/REDIS.md has the rules that it needs", .0.join(", "))]
    NotPermitted(Vec<String>),
    /// The memory is full.
    #[error("Redis is full: its memory has reached maxmemory")]
    Full,
    /// The server refuses writes: it is a replica, cannot write its files, or lacks replicas.
    #[error("Redis refuses writes: {0}")]
    RefusesWrites(String),
}

impl Redis {
    /// Checks that the server permits every command and accepts writes; `None` if it does. Checks
    /// every node of a cluster that answers, of replicas only the commands.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if no server answers.
    pub async fn unusable(&self) -> Result<Option<Unusable>, StoreError> {
        let Nodes::Cluster(cluster) = &*self.nodes else {
            let more: &[&str] = if self.nodes.is_watched() { &SENTINEL_COMMANDS } else { &[] };
            return read(self.hot(&check(more)).await).map_err(failure::at_start);
        };
        cluster.serves().await.map_err(failure::at_start)?;
        let (command, nodes) = (check(&CLUSTER_COMMANDS), cluster.nodes());
        let found = join_all(nodes.iter().map(|(_, node)| ask(node, &command))).await;
        // A replica refuses writes by its nature.
        let is_replica = |found: &Unusable| match found {
            Unusable::RefusesWrites(reason) => reason.starts_with("READONLY"),
            Unusable::NotPermitted(_) | Unusable::Full => false,
        };
        Ok(found.into_iter().flatten().find(|found| !is_replica(found)))
    }
}

/// Runs the check on one node of a cluster; `None` if it does not answer in time.
async fn ask(node: &NodeConnections, command: &Cmd) -> Option<Unusable> {
    let ask = |mut conn: MultiplexedConnection| async move { command.query_async(&mut conn).await };
    let answer = tokio::time::timeout(NODE_LIMIT, node.run(Kind::Hot, ask)).await;
    read(answer.ok()?).ok()?
}

/// The command that checks [`COMMANDS`] and `more`.
fn check(more: &[&str]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(CHECK).arg(0).arg(&COMMANDS).arg(more);
    command
}

/// Reads the answer to [`CHECK`].
fn read(answer: Result<Vec<String>, RedisError>) -> Result<Option<Unusable>, RedisError> {
    let error = match answer {
        Ok(denied) if denied.is_empty() => return Ok(None),
        Ok(denied) => {
            let names = denied.iter().map(|command| name(command));
            return Ok(Some(Unusable::NotPermitted(names.collect())));
        }
        Err(error) => error,
    };
    let text = error.detail().unwrap_or_default();
    match error.code() {
        Some("OOM") => Ok(Some(Unusable::Full)),
        Some("NOPERM") => Ok(Some(Unusable::NotPermitted(vec!["eval".to_owned()]))),
        Some(code @ ("READONLY" | "MISCONF" | "NOREPLICAS")) => {
            Ok(Some(Unusable::RefusesWrites(format!("{code} {text}"))))
        }
        _ => Err(error),
    }
}

/// The name of a command with sample arguments, as ACL rules have it: `hset`, `cluster|info`.
#[must_use]
pub fn name(sample: &str) -> String {
    let mut words = sample.split(' ').map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    if first == "cluster" { format!("cluster|{}", words.next().unwrap_or_default()) } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules of the user in docs/REDIS.md that begin with these words.
    fn rules(beginning: &str) -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/REDIS.md");
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().find(|line| line.starts_with(beginning)).unwrap();
        line.split_whitespace()
            .filter_map(|rule| rule.strip_prefix('+'))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_document_has_the_rules_for_every_command() {
        let names = |commands: &[&str]| commands.iter().map(|it| name(it)).collect::<Vec<_>>();
        assert_eq!(rules("ACL SETUSER onsale on "), names(&COMMANDS));
        let others = [&SENTINEL_COMMANDS[..], &CLUSTER_COMMANDS].concat();
        assert_eq!(rules("ACL SETUSER onsale +role"), names(&others));
    }

    #[test]
    fn every_command_of_a_script_is_checked() {
        let checked: Vec<String> = COMMANDS.iter().map(|command| name(command)).collect();
        let mut calls = 0;
        for folder in ["lib", "queue", "seats"] {
            let folder = format!("{}/lua/{folder}", env!("CARGO_MANIFEST_DIR"));
            for file in std::fs::read_dir(folder).unwrap() {
                let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
                for call in text.split("redis.call('").skip(1) {
                    let command = call.split('\'').next().unwrap().to_ascii_lowercase();
                    assert!(checked.contains(&command), "{command}");
                    calls += 1;
                }
            }
        }
        assert!(calls > 100, "{calls}");
    }
}
