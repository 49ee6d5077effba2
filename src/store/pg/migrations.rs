//! The schema: the migrations in this binary, and whether the database has them.

use sqlx::migrate::{MigrateError, Migrator};

use super::super::StoreError;
use super::Pg;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Applies what is missing. Processes that start together wait for each other.
///
/// # Errors
/// [`StoreError::Inconsistent`] where an applied migration is not the one of this binary.
pub async fn apply(pg: &Pg) -> Result<(), StoreError> {
    // A migration may take longer than any request, and is worth waiting for.
    let mut conn = pg.pool().acquire().await?.detach();
    sqlx::query("set statement_timeout = 0").execute(&mut conn).await?;
    sqlx::query("set lock_timeout = 0").execute(&mut conn).await?;
    MIGRATIONS.run_direct(None, &mut conn, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::Inconsistent(other.to_string()),
    })
}

/// What keeps the database from matching this binary; none where it matches.
///
/// Migrations that this binary does not know are fine: a newer process may have applied them, and
/// the two serve side by side while one replaces the other.
pub async fn mismatch(pg: &Pg) -> Result<Option<String>, StoreError> {
    let there: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(pg.pool())
        .await?;
    if !there {
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
                Some(format!("migration {} was another one when it was applied", ours.version))
            }
            Some(_) => None,
        }
    }))
}
