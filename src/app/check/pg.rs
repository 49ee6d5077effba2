//! Checks PostgreSQL.

use chrono::{DateTime, TimeDelta, Utc};

use super::clocks;
use super::report::Report;
use crate::config::PostgresSettings;
use crate::outbox;
use crate::store::StoreError;
use crate::store::pg::{self, Pg, guards, migrations};
use crate::store::process_records::ProcessRecord;

/// The first version that onsale supports, as `server_version_num` has it.
const MIN_VERSION: i32 = 150_000;

/// Maximum number of schedules that a check lists.
const MOST_SCHEDULES: i64 = 100;

/// Checks PostgreSQL. Returns whether the tables can be read.
pub(super) async fn check(
    pg: &Pg,
    settings: &PostgresSettings,
    running: &[ProcessRecord],
    report: &mut Report,
) -> bool {
    match pg.dropped_setting().await {
        Ok(None) => report.ok("postgresql.sessions", "the timeouts of onsale are in force"),
        Ok(Some(dropped)) => {
            let advice =
                "set it for the database or the role (docs/OPERATIONS.md, what runs where)";
            report.fail("postgresql.sessions", dropped, advice);
            return false;
        }
        Err(error) => {
            report.fail("postgresql.reachable", error.to_string(), "see DATABASE_URL");
            return false;
        }
    }
    match pg.write_refusal().await {
        Ok(None) => report.ok("postgresql.writable", "it accepts writes"),
        Ok(Some(reason)) => {
            let advice = "DATABASE_URL must lead to the primary";
            report.fail("postgresql.writable", reason, advice);
            return false;
        }
        Err(error) => {
            report.fail("postgresql.reachable", error.to_string(), "check again");
            return false;
        }
    }
    match server(pg, settings, running, report).await {
        Ok(is_readable) => is_readable,
        Err(error) => {
            report.fail("postgresql.reachable", error.to_string(), "check again");
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
    if number < MIN_VERSION {
        report.fail("postgresql.version", version, "upgrade PostgreSQL to 15 or later");
    } else {
        report.ok("postgresql.version", version);
    }
    let ahead_ms = ahead_ms(pg).await?;
    clocks::add(report, "postgresql.clock", "this machine and PostgreSQL", ahead_ms);
    connections(pg, settings, running, report).await?;
    if let Some(mismatch) = migrations::mismatch(pg).await? {
        report.fail("postgresql.schema", mismatch, "run onsale migrate");
        return Ok(false);
    }
    report.ok("postgresql.schema", "it matches this program");
    durability(pg, settings, report).await?;
    let outbox = outbox::pg::backlog(pg).await?;
    if outbox.parked > 0 {
        let text = format!("{} events are parked", outbox.parked);
        report.warn("postgresql.outbox", text, "see docs/OPERATIONS.md, parked events");
    } else {
        report.ok("postgresql.outbox", format!("{} events to deliver", outbox.waiting));
    }
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
        report.fail(name, missing, "run onsale migrate, or restore the constraint");
        return Ok(());
    }
    match guards::missing(pg, true).await? {
        None => report.ok(name, "constraints, functions and durable commits are in force"),
        Some(missing) if settings.unsafe_postgres => {
            let advice = "ONSALE_UNSAFE_POSTGRES is for tests: do not set it for a sale";
            report.warn(name, missing, advice);
        }
        Some(missing) => report.fail(name, missing, "set it to on"),
    }
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
    if pools > free {
        report.fail("postgresql.connections", text, advice);
    } else if pools * 5 > free * 4 {
        report.warn("postgresql.connections", text, advice);
    } else {
        report.ok("postgresql.connections", text);
    }
    Ok(())
}

/// A schedule whose sale has not ended, with its seats.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct ComingSale {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) is_available: bool,
    pub(super) paused: bool,
    pub(super) queue_opens_at: DateTime<Utc>,
    pub(super) opens_at: DateTime<Utc>,
    pub(super) deadline_at: DateTime<Utc>,
    pub(super) capacity: i32,
    pub(super) admit_per_second: i32,
    pub(super) active_ttl_seconds: i32,
    pub(super) hold_ttl_seconds: i32,
    pub(super) seats: i64,
    pub(super) blocked: i64,
}

/// Reads the schedules whose sales have not ended, the next ones first; 100 at most.
pub(super) async fn coming_sales(pg: &Pg) -> Result<Vec<ComingSale>, StoreError> {
    let rows = sqlx::query_as(
        "select s.id, c.title, c.status = 'AVAILABLE' as is_available, s.paused, s.queue_opens_at,
                s.reservation_available_at as opens_at, s.deadline_at, s.capacity,
                s.admit_per_second, s.active_ttl_seconds, s.hold_ttl_seconds, seats, blocked
         from concert_schedule s join concert c on c.id = s.concert_id
         cross join lateral (
           select count(*) as seats, count(*) filter (where blocked) as blocked
           from seat where concert_schedule_id = s.id) counted
         where s.deadline_at > now() order by s.reservation_available_at, s.id limit $1",
    )
    .bind(MOST_SCHEDULES)
    .fetch_all(pg.pool())
    .await?;
    Ok(rows)
}
