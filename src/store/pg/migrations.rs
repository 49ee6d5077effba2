//! Applies the migrations and SQL functions in this binary, and checks that the database has them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::PgConnection;

use super::super::StoreError;
use super::Pg;
use super::functions::{self, AppliedFunctions};

/// The numbered migrations. A database may have more: those of a newer release.
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!();
    migrations.set_ignore_missing(true);
    migrations
});

/// What [`apply`] did. Its text has one line per item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Versions of the numbered migrations that it applied.
    pub migrations: Vec<i64>,
    /// Versions of numbered migrations of a newer release, which the database has.
    pub newer: Vec<i64>,
    /// The SQL functions.
    pub functions: AppliedFunctions,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for version in &self.migrations {
            let migration = MIGRATIONS.iter().find(|migration| migration.version == *version);
            let description = migration.map_or("", |migration| &migration.description);
            writeln!(f, "applied migration {version}: {description}")?;
        }
        for (name, revision) in &self.functions.applied {
            writeln!(f, "applied function {name}, revision {revision}")?;
        }
        for version in &self.newer {
            writeln!(f, "kept migration {version} of a newer release")?;
        }
        for (name, revision) in &self.functions.newer {
            writeln!(f, "kept function {name}, revision {revision} of a newer release")?;
        }
        if self.migrations.is_empty() && self.functions.applied.is_empty() {
            writeln!(f, "nothing to apply: the database is up to date")?;
        }
        Ok(())
    }
}

/// How long a migration waits for a lock. Statements of buyers queue behind a waiting `ALTER TABLE`.
const LOCK_TIMEOUT: &str = "500ms";
/// Pause before a migration that did not get its locks is tried again: buyers go on meanwhile.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a migration is tried again: a dump may take minutes.
const TRIES: u32 = 300;

/// Applies the missing migrations in order of their numbers, then the SQL functions whose text is
/// newer than the database's. Processes that start at the same time wait for each other. A migration
/// that does not get its locks at once is tried again for minutes. What a newer release applied
/// stays as it is.
///
/// # Errors
/// [`StoreError::Inconsistent`] if an applied migration or function differs from the one in this
/// binary, [`StoreError::Unavailable`] if another session keeps a lock that a migration needs.
pub async fn apply(pg: &Pg) -> Result<Applied, StoreError> {
    // A migration may take longer than a request, so it has no time limit.
    let mut conn = pg.pool.acquire().await?.detach();
    sqlx::query("set statement_timeout = 0").execute(&mut conn).await?;
    sqlx::query("set lock_timeout = 0").execute(&mut conn).await?;
    // Such as "relation exists, skipping", which would be logged.
    sqlx::query("set client_min_messages = warning").execute(&mut conn).await?;
    // The lock is the session's, and counts: `run_direct` takes and releases it once more. It ends
    // with the connection.
    conn.lock().await.map_err(failed)?;
    functions::check(&mut conn).await?;
    let before = versions(&mut conn).await?;
    sqlx::query("select set_config('lock_timeout', $1, false)")
        .bind(LOCK_TIMEOUT)
        .execute(&mut conn)
        .await?;
    let mut tries = 0;
    while let Err(error) = MIGRATIONS.run_direct(None, &mut conn, false).await {
        tries += 1;
        if !is_lock_timeout(&error) || tries == TRIES {
            return Err(failed(error));
        }
        tracing::warn!(%error, tries, "a migration waits for a lock; trying again");
        tokio::time::sleep(PAUSE).await;
    }
    let after = versions(&mut conn).await?;
    let functions = functions::apply(&mut conn).await?;
    conn.unlock().await.map_err(failed)?;
    let ours: BTreeSet<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
    Ok(Applied {
        migrations: after.difference(&before).copied().collect(),
        newer: after.difference(&ours).copied().collect(),
        functions,
    })
}

/// Whether a migration did not get a lock in time. It was rolled back.
fn is_lock_timeout(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    error.as_database_error().and_then(DatabaseError::code).as_deref() == Some("55P03")
}

fn failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::Inconsistent(other.to_string()),
    }
}

/// Versions of the migrations that the database has.
async fn versions(conn: &mut PgConnection) -> Result<BTreeSet<i64>, StoreError> {
    let has_schema: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(&mut *conn)
        .await?;
    if !has_schema {
        return Ok(BTreeSet::new());
    }
    let applied: Vec<i64> =
        sqlx::query_scalar("select version from _sqlx_migrations where success")
            .fetch_all(conn)
            .await?;
    Ok(applied.into_iter().collect())
}

/// Why the database does not match this binary; `None` if it matches.
///
/// Migrations that are not in this binary, and later revisions of functions, are accepted: a newer
/// process may have applied them, and both serve at the same time during an upgrade.
pub async fn mismatch(pg: &Pg) -> Result<Option<String>, StoreError> {
    let has_schema: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(pg.pool())
        .await?;
    if !has_schema {
        return Ok(Some("the database has no schema yet".to_owned()));
    }
    let applied: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select version, checksum from _sqlx_migrations where success")
            .fetch_all(pg.pool())
            .await?;
    let missing = MIGRATIONS.iter().find_map(|ours| {
        match applied.iter().find(|(version, _)| *version == ours.version) {
            None => Some(format!("migration {} is not applied", ours.version)),
            Some((_, checksum)) if *checksum != *ours.checksum => {
                Some(format!("migration {} has changed since it was applied", ours.version))
            }
            Some(_) => None,
        }
    });
    match missing {
        None => functions::mismatch(pg.pool()).await,
        missing => Ok(missing),
    }
}
