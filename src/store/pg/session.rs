//! The settings of each session, and the check that they are in force on a server that can be
//! written to.
//!
//! A pooler may drop settings that a client sends at the start (pgbouncer with
//! `ignore_startup_parameters = options`). Then nothing would end a wait for a lock.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Error, PgExecutor};

/// Name of the sessions in `pg_stat_activity`.
const APPLICATION: &str = "onsale";

/// Settings of each session, as `pg_settings` shows them; times in milliseconds. A wait for a lock
/// ends before its statement, and a statement ends before a client gives up. A process that stalls
/// in a transaction loses its locks after `idle_in_transaction_session_timeout`.
///
/// Statements read few rows by key, or pages in the order of a key. A plan with a bitmap would read
/// and sort the rest of a table for each page, and PostgreSQL chooses one for a table that has grown
/// since its last statistics. Compiling a plan (`jit`) takes longer than most statements.
const SETTINGS: [(&str, &str); 7] = [
    ("lock_timeout", "1500"),
    ("statement_timeout", "3000"),
    ("idle_in_transaction_session_timeout", "2500"),
    ("synchronous_commit", "on"),
    ("TimeZone", "UTC"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
];

/// The options with the settings of a session.
#[must_use]
pub fn configured(options: PgConnectOptions) -> PgConnectOptions {
    // Never log statements, not even with a log filter that shows everything.
    options.application_name(APPLICATION).options(SETTINGS).disable_statement_logging()
}

/// Checks a new connection: its server accepts writes, and the session has the settings.
///
/// # Errors
/// [`Error::Io`] if the server is read-only, [`Error::Configuration`] if a setting is not in force.
/// The message names it.
pub async fn check(conn: &mut PgConnection) -> Result<(), Error> {
    check_writable(conn).await?;
    let missing = missing_setting(conn).await?;
    missing.map_or(Ok(()), |reason| Err(Error::Configuration(reason.into())))
}

/// Checks that the server accepts writes.
///
/// # Errors
/// [`Error::Io`] if it is a standby, or read-only.
pub async fn check_writable(conn: &mut PgConnection) -> Result<(), Error> {
    let state = "select pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'";
    let (is_standby, is_read_only): (bool, bool) = sqlx::query_as(state).fetch_one(conn).await?;
    let reason = match (is_standby, is_read_only) {
        (true, _) => "PostgreSQL is a standby",
        (_, true) => "PostgreSQL is read-only",
        (false, false) => return Ok(()),
    };
    Err(Error::Io(std::io::Error::other(reason)))
}

/// Checks that the server accepts writes, and that no commit has waited for a synchronous standby for
/// longer than `limit`.
///
/// # Errors
/// [`Error::Io`] if it does not, or one has.
pub(super) async fn check_commits(conn: &mut PgConnection, limit: Duration) -> Result<(), Error> {
    check_writable(conn).await?;
    if commits_wait_for_standby(conn, limit).await? {
        return Err(Error::Io(std::io::Error::other("commits wait for a synchronous standby")));
    }
    Ok(())
}

/// Whether a commit of an onsale session has waited for a synchronous standby, and its statement
/// began at least this long ago.
pub(super) async fn commits_wait_for_standby(
    on: impl PgExecutor<'_>,
    since: Duration,
) -> Result<bool, Error> {
    let waiting = "select exists (select from pg_stat_activity
                     where wait_event = 'SyncRep' and application_name = $1
                       and query_start <= clock_timestamp() - make_interval(secs => $2))";
    sqlx::query_scalar(waiting).bind(APPLICATION).bind(since.as_secs_f64()).fetch_one(on).await
}

/// Why writes are refused on a new connection, or have not been confirmed for `limit`; `None` if they
/// are.
///
/// # Errors
/// If no connection can be opened.
pub(super) async fn write_refusal(
    options: &PgConnectOptions,
    limit: Duration,
) -> Result<Option<String>, Error> {
    let mut conn = PgConnection::connect_with(options).await?;
    let refusal = check_commits(&mut conn, limit).await.err();
    conn.close().await?;
    Ok(refusal.map(|error| error.to_string()))
}

/// As [`missing_setting`], of a new connection.
///
/// # Errors
/// If no connection can be opened.
pub(super) async fn dropped_setting(options: &PgConnectOptions) -> Result<Option<String>, Error> {
    let mut conn = PgConnection::connect_with(options).await?;
    let missing = missing_setting(&mut conn).await?;
    conn.close().await?;
    Ok(missing)
}

/// Which setting is not in force in a session, and why that may be; `None` if all are.
///
/// # Errors
/// If the server does not answer.
pub async fn missing_setting(conn: &mut PgConnection) -> Result<Option<String>, Error> {
    let names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
    let in_force: Vec<(String, String)> =
        sqlx::query_as("select name, setting from pg_settings where name = any($1)")
            .bind(names)
            .fetch_all(conn)
            .await?;
    Ok(missing(&in_force))
}

/// Why the settings in force are not those of [`SETTINGS`]; `None` if they are.
fn missing(in_force: &[(String, String)]) -> Option<String> {
    SETTINGS.iter().find_map(|(name, value)| {
        let found = in_force.iter().find(|(found, _)| found == name).map(|(_, value)| value);
        let found = found.map_or("not set", String::as_str);
        (found != *value).then(|| {
            format!(
                "{name} is {found} and not {value}: a pooler may drop settings that are sent when \
                 a connection is opened (pgbouncer: ignore_startup_parameters)"
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_not_in_force_is_named() {
        let with = |name: &str, value: &str| {
            let settings = SETTINGS.iter().map(|(it, usual)| {
                ((*it).to_owned(), if *it == name { value } else { usual }.to_owned())
            });
            missing(&settings.collect::<Vec<_>>())
        };
        assert_eq!(with("", ""), None);
        let reason = with("lock_timeout", "0").unwrap();
        assert!(reason.starts_with("lock_timeout is 0 and not 1500"), "{reason}");
        assert!(missing(&[]).unwrap().starts_with("lock_timeout is not set"));
    }
}
