//! Applies the migrations and SQL functions in this binary, and checks that the database has them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

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

/// Applies the missing migrations in order of their numbers, then the SQL functions whose text is
/// newer than the database's. Processes that start at the same time wait for each other. What a
/// newer release applied stays as it is.
///
/// # Errors
/// [`StoreError::Inconsistent`] if an applied migration or function differs from the one in this
/// binary.
pub async fn apply(pg: &Pg) -> Result<Applied, StoreError> {
    // A migration may take longer than a request, so it has no time limit.
    let mut conn = pg.pool().acquire().await?.detach();
    sqlx::query("set statement_timeout = 0").execute(&mut conn).await?;
    sqlx::query("set lock_timeout = 0").execute(&mut conn).await?;
    // The lock is the session's, and counts: `run_direct` takes and releases it once more. It ends
    // with the connection.
    conn.lock().await.map_err(failed)?;
    functions::check(&mut conn).await?;
    let before = versions(&mut conn).await?;
    MIGRATIONS.run_direct(None, &mut conn, false).await.map_err(failed)?;
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
