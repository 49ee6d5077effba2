//! Refuses to change a database that processes use, or that the file is not of, and a file that lacks
//! later sales.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::RestoreError;
use super::model::{SavedSchedule, SavedSeatState, SavedState, SecretDigests};
use super::pg;
use super::redis::read_schedule;
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

/// Checks that the file has every sold and blocked seat that Redis has. It lacks some if processes served
/// after it was written: `finish` would sell these seats again. A schedule whose keys were rebuilt since
/// is not compared, because Redis has it from PostgreSQL.
///
/// # Errors
/// [`RestoreError::Outdated`], [`RestoreError::Store`].
pub async fn latest_file(redis: &Redis, saved: &SavedState) -> Result<(), RestoreError> {
    for before in &saved.schedules {
        let now = read_schedule(redis, before.schedule).await?;
        let now = now.filter(|now| now.epoch == before.epoch);
        let count = now.map_or(0, |now| lacking(before, &now));
        if count > 0 {
            return Err(RestoreError::Outdated { schedule: before.schedule, count });
        }
    }
    Ok(())
}

/// How many seats are sold or blocked in `now` and not in `before`.
fn lacking(before: &SavedSchedule, now: &SavedSchedule) -> usize {
    let in_state = |state| {
        let known: HashSet<u32> = before.seats_in(state).map(|seat| seat.number).collect();
        now.seats_in(state).filter(|seat| !known.contains(&seat.number)).count()
    };
    in_state(SavedSeatState::Sold) + in_state(SavedSeatState::Blocked)
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
