//! Applies the migrations in this binary, and checks that the database has them.

use sqlx::migrate::{MigrateError, Migrator};

use super::super::StoreError;
use super::Pg;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Applies the missing migrations. Processes that start at the same time wait for each other.
///
/// # Errors
/// [`StoreError::Inconsistent`] if an applied migration differs from the one in this binary.
pub async fn apply(pg: &Pg) -> Result<(), StoreError> {
    // A migration may take longer than a request, so it has no time limit.
    let mut conn = pg.pool().acquire().await?.detach();
    sqlx::query("set statement_timeout = 0").execute(&mut conn).await?;
    sqlx::query("set lock_timeout = 0").execute(&mut conn).await?;
    MIGRATIONS.run_direct(None, &mut conn, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::Inconsistent(other.to_string()),
    })
}

/// Why the database does not match this binary; `None` if it matches.
///
/// Migrations that are not in this binary are accepted: a newer process may have applied them, and
/// both serve at the same time during an upgrade.
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
    Ok(MIGRATIONS.iter().find_map(|ours| {
        match applied.iter().find(|(version, _)| *version == ours.version) {
            None => Some(format!("migration {} is not applied", ours.version)),
            Some((_, checksum)) if *checksum != *ours.checksum => {
                Some(format!("migration {} has changed since it was applied", ours.version))
            }
            Some(_) => None,
        }
    }))
}
