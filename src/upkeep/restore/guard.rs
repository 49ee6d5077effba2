//! Refuses to change a database that processes use, or that the file is not of.

use std::time::{Duration, Instant};

use super::RestoreError;
use super::model::{SavedState, SecretDigests};
use super::pg;
use crate::store::pg::{Pg, migrations};
use crate::store::process_records;
use crate::store::redis::Redis;

/// How long sessions of processes that have ended are waited for.
const SESSIONS_END: Duration = Duration::from_secs(3);

/// Pause between two looks at the sessions.
const LOOK: Duration = Duration::from_millis(100);

/// Checks that the file was made with a secret of this installation. A staging system has others, and
/// its file names other seats and ids.
///
/// # Errors
/// [`RestoreError::OtherInstallation`].
pub fn same_installation(saved: &SavedState, own: &SecretDigests) -> Result<(), RestoreError> {
    if saved.secrets.share_one(own) { Ok(()) } else { Err(RestoreError::OtherInstallation) }
}

/// Checks that the schema is that of this program.
///
/// # Errors
/// [`RestoreError::Schema`].
pub async fn current_schema(pg: &Pg) -> Result<(), RestoreError> {
    let mismatch = migrations::mismatch(pg).await?;
    mismatch.map_or(Ok(()), |mismatch| Err(RestoreError::Schema(mismatch)))
}

/// Checks that no process serves: by the records in Redis, and by the sessions in PostgreSQL.
///
/// # Errors
/// [`RestoreError::Running`], [`RestoreError::Unknown`].
pub async fn nothing_runs(redis: &Redis, pg: &Pg) -> Result<(), RestoreError> {
    let running = process_records::list(redis).await.map_err(RestoreError::Unknown)?;
    if !running.is_empty() {
        let places: Vec<&str> = running.iter().map(|process| process.place.as_str()).collect();
        let (places, lifetime) = (places.join(", "), process_records::LIFETIME.as_secs());
        let text =
            format!("processes run at {places}, or were killed within the last {lifetime} s");
        return Err(RestoreError::Running(text));
    }
    // PostgreSQL ends the sessions of a process a moment after the process.
    let begun = Instant::now();
    loop {
        match pg::other_sessions(pg).await? {
            0 => return Ok(()),
            count if begun.elapsed() > SESSIONS_END => {
                let text = format!("{count} other sessions of onsale are connected to PostgreSQL");
                return Err(RestoreError::Running(text));
            }
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}
