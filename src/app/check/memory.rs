//! Compares the memory of Redis with what a sale takes.

use onsale_model::memory::{JOINER_BYTES, SEAT_BYTES, USABLE_PERCENT};

use super::report::Report;
use crate::store::redis::Redis;
use crate::store::redis::info::ServerInfo;

/// Compares the memory with what `expected` joiners and `seats` take. A sale is on one server, so
/// each primary must have this memory.
pub(super) async fn check(redis: &Redis, expected: Option<u64>, seats: u64, report: &mut Report) {
    let Ok(servers) = redis.infos().await else {
        return;
    };
    for server in servers.iter().filter(|server| server.field("role") != Some("slave")) {
        memory(server, expected, seats, report);
    }
}

fn memory(server: &ServerInfo, expected: Option<u64>, seats: u64, report: &mut Report) {
    let name = "redis.memory";
    let number = |name| server.number(name).unwrap_or(0);
    let (used, most) = (number("used_memory"), number("maxmemory"));
    let limit = if most > 0 { most } else { number("total_system_memory") };
    let usable = limit.saturating_sub(used) / 100 * USABLE_PERCENT;
    let room = usable.saturating_sub(seats * SEAT_BYTES) / JOINER_BYTES;
    let mib = |bytes: u64| bytes / (1024 * 1024);
    let kind = if most > 0 { "maxmemory" } else { "the memory of its machine" };
    let text = format!(
        "{} MiB used of {} MiB ({kind}){}: room for about {room} joiners beside {seats} seats",
        mib(used),
        mib(limit),
        server.at()
    );
    let needed = expected.unwrap_or(0) * JOINER_BYTES + seats * SEAT_BYTES;
    let missing = mib(needed.saturating_sub(usable)) + 1;
    let finding = if needed > usable {
        let advice = format!("{missing} MiB more are needed: raise maxmemory");
        report.fail(name, text, advice).case("short").value("missing", missing)
    } else if most == 0 {
        let advice = "set maxmemory: without it, the system may end Redis when memory runs out";
        report.warn(name, text, advice).case("unlimited")
    } else if expected.is_none() {
        let text = format!("{text} (--expect N compares it with your number)");
        report.ok(name, text).case("not_compared")
    } else {
        report.ok(name, text)
    };
    finding.value("used", mib(used)).value("limit", mib(limit));
    finding.value("room", room).value("seats", seats).value("expected", expected);
}
