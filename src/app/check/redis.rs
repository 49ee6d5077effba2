//! Checks Redis.

use super::clocks;
use super::report::Report;
use crate::store::process_records;
use crate::store::redis::Redis;
use crate::store::redis::info::ServerInfo;
use crate::store::redis::usable::Unusable;

/// The first major version that onsale supports. Valkey reports a Redis version of 7 too.
const MIN_VERSION: u64 = 7;

/// Checks everything but the memory. Returns whether Redis answers.
pub(super) async fn check(redis: &Redis, report: &mut Report) -> bool {
    match redis.unusable().await {
        Err(error) => {
            report.fail_with("redis.reachable", error, "see REDIS_URL");
            return false;
        }
        Ok(Some(unusable)) => {
            let (case, advice) = match &unusable {
                Unusable::NotPermitted(_) => {
                    ("not_permitted", "give its user the rules in docs/REDIS.md")
                }
                Unusable::Full => ("full", "raise maxmemory, or remove other data"),
                Unusable::RefusesWrites(_) => ("refuses_writes", "see the log of Redis"),
            };
            let permits = !matches!(unusable, Unusable::NotPermitted(_));
            report.fail_with("redis.usable", unusable, advice).case(case);
            if !permits {
                return false;
            }
        }
        Ok(None) => {
            report.ok("redis.usable", "every command is permitted, and writes are accepted");
        }
    }
    match redis.infos().await {
        Ok(servers) => servers.iter().for_each(|server| settings(server, report)),
        Err(error) => {
            report.fail_with("redis.reachable", error, "check again");
            return false;
        }
    }
    match process_records::clock(redis).await {
        Ok((_, ahead)) => clocks::add(report, "redis.clock", "this machine and Redis", ahead),
        Err(error) => {
            report.fail_with("redis.clock", error, "check again").case("unread");
        }
    }
    true
}

fn settings(server: &ServerInfo, report: &mut Report) {
    let at = server.at();
    let version = server.field("redis_version").unwrap_or("unknown");
    let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    let text = match server.field("valkey_version") {
        Some(valkey) => format!("Valkey {valkey}{at}"),
        None => format!("Redis {version}{at}"),
    };
    let finding = if major.is_some_and(|major| major >= MIN_VERSION) {
        report.ok("redis.version", text.clone())
    } else {
        report.fail("redis.version", text.clone(), "upgrade it to Redis 7.0 or later, or Valkey")
    };
    finding.value("version", text);
    match server.refusal() {
        Some(reason) => report.fail_with("redis.settings", reason, "change it on every server"),
        None => report.ok("redis.settings", format!("it evicts no keys (noeviction){at}")),
    };
    if server.is_persistent() {
        report.ok("redis.persistence", format!("it writes an append-only file{at}"));
    } else {
        let text = format!("it keeps nothing on disk{at}");
        let advice = "set appendonly yes: otherwise admission pauses after a restart";
        report.warn("redis.persistence", text, advice);
    }
    if let Some(evicted) = server.number("evicted_keys").filter(|evicted| *evicted > 0) {
        let text = format!("it has evicted {evicted} keys since its start{at}");
        let advice = "find out why: maxmemory-policy was another one, or is on a replica";
        report.warn("redis.evicted", text, advice).value("keys", evicted);
    }
}
