//! Checks PostgreSQL.

pub(super) mod alerts;
pub(super) mod sales;

use chrono::{TimeDelta, Utc};

use super::clocks;
use super::report::Report;
use crate::config::PostgresSettings;
use crate::outbox;
use crate::store::StoreError;
use crate::store::pg::{self, Pg, guards, migrations};
use crate::store::process_records::ProcessRecord;

/// The first version that onsale supports, as `server_version_num` has it.
const MIN_VERSION: i32 = 150_000;

/// Checks PostgreSQL. Returns whether the tables can be read.
pub(super) async fn check(
    pg: &Pg,
    settings: &PostgresSettings,
    running: &[ProcessRecord],
    report: &mut Report,
) -> bool {
    match pg.dropped_setting().await {
        Ok(None) => {
            report.ok("postgresql.sessions", "the timeouts of onsale are in force");
        }
        Ok(Some(dropped)) => {
            let advice =
                "set it for the database or the role (docs/OPERATIONS.md, what runs where)";
            report.fail_with("postgresql.sessions", dropped, advice);
            return false;
        }
        Err(error) => {
            report.fail_with("postgresql.reachable", error, "see DATABASE_URL");
            return false;
        }
    }
    match pg.write_refusal().await {
        Ok(None) => {
            report.ok("postgresql.writable", "it accepts writes");
        }
        Ok(Some(reason)) => {
            let advice = "DATABASE_URL must lead to the primary";
            report.fail_with("postgresql.writable", reason, advice);
            return false;
        }
        Err(error) => {
            report.fail_with("postgresql.reachable", error, "check again");
            return false;
        }
    }
    match server(pg, settings, running, report).await {
        Ok(is_readable) => is_readable,
        Err(error) => {
            report.fail_with("postgresql.reachable", error, "check again");
            false
        }
    }
}

async fn server(
    pg: &Pg,
    settings: &PostgresSettings,
    running: &[ProcessRecord],
    report: &mut Report,
) -> Result<bool, StoreError> {
    let (number, version): (i32, String) = sqlx::query_as(
        "select current_setting('server_version_num')::integer, current_setting('server_version')",
    )
    .fetch_one(pg.pool())
    .await?;
    let name = "postgresql.version";
    let finding = if number < MIN_VERSION {
        report.fail(name, version.clone(), "upgrade PostgreSQL to 15 or later")
    } else {
        report.ok(name, version.clone())
    };
    finding.value("version", version);
    let ahead_ms = ahead_ms(pg).await?;
    clocks::add(report, "postgresql.clock", "this machine and PostgreSQL", ahead_ms);
    connections(pg, settings, running, report).await?;
    if let Some(mismatch) = migrations::mismatch(pg).await? {
        report.fail_with("postgresql.schema", mismatch, "run onsale migrate");
        return Ok(false);
    }
    report.ok("postgresql.schema", "it matches this program");
    durability(pg, settings, report).await?;
    let (outbox, name) = (outbox::pg::backlog(pg).await?, "postgresql.outbox");
    let finding = if outbox.parked > 0 {
        let text = format!("{} events are parked", outbox.parked);
        report.warn(name, text, "see docs/OPERATIONS.md, parked events")
    } else {
        report.ok(name, format!("{} events to deliver", outbox.waiting))
    };
    finding.value("parked", outbox.parked).value("waiting", outbox.waiting);
    Ok(true)
}

/// By how much the clock of this machine is ahead of PostgreSQL's: the most exact of three
/// measurements.
async fn ahead_ms(pg: &Pg) -> Result<i64, StoreError> {
    let mut best: Option<(TimeDelta, TimeDelta)> = None;
    for _ in 0..3 {
        let begun = Utc::now();
        let theirs = pg::clock(pg.pool()).await?;
        let took = Utc::now() - begun;
        if best.is_none_or(|(shortest, _)| took < shortest) {
            best = Some((took, begun + took / 2 - theirs));
        }
    }
    Ok(best.map_or(0, |(_, ahead)| ahead.num_milliseconds()))
}

async fn durability(
    pg: &Pg,
    settings: &PostgresSettings,
    report: &mut Report,
) -> Result<(), StoreError> {
    let name = "postgresql.guarantees";
    if let Some(missing) = guards::missing(pg, false).await? {
        let advice = "run onsale migrate, or restore the constraint";
        report.fail_with(name, missing, advice).case("missing");
        return Ok(());
    }
    match guards::missing(pg, true).await? {
        None => report.ok(name, "constraints, functions and durable commits are in force"),
        Some(missing) if settings.unsafe_postgres => {
            let advice = "ONSALE_UNSAFE_POSTGRES is for tests: do not set it for a sale";
            report.warn(name, missing.clone(), advice).value("reason", missing)
        }
        Some(missing) => report.fail_with(name, missing, "set it to on"),
    };
    Ok(())
}

/// Compares the pools of all processes with what the server allows. `running` is empty if no process
/// runs: then the pool of this command's settings counts once.
async fn connections(
    pg: &Pg,
    settings: &PostgresSettings,
    running: &[ProcessRecord],
    report: &mut Report,
) -> Result<(), StoreError> {
    // Sessions of onsale count by the sizes of their pools.
    let (most, reserved, others): (i64, i64, i64) = sqlx::query_as(
        "select current_setting('max_connections')::bigint,
                current_setting('superuser_reserved_connections')::bigint
                  + coalesce(current_setting('reserved_connections', true), '0')::bigint,
                (select count(*) from pg_stat_activity
                 where backend_type = 'client backend' and application_name <> 'onsale')",
    )
    .fetch_one(pg.pool())
    .await?;
    let pools: i64 = match running {
        [] => settings.db_pool.into(),
        running => running.iter().map(|process| i64::from(process.db_pool)).sum(),
    };
    let free = most - reserved - others;
    let processes = running.len().max(1);
    let text = format!(
        "{processes} processes may open {pools} connections; PostgreSQL allows {most}, of which \
         {reserved} are reserved and {others} are used by others"
    );
    let advice = "raise max_connections, or lower ONSALE_DB_POOL";
    let name = "postgresql.connections";
    let finding = if pools > free {
        report.fail(name, text, advice)
    } else if pools * 5 > free * 4 {
        report.warn(name, text, advice)
    } else {
        report.ok(name, text)
    };
    finding.value("processes", processes).value("pools", pools).value("most", most);
    finding.value("reserved", reserved).value("others", others);
    Ok(())
}
