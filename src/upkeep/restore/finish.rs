//! Makes sure that nothing from before the restore is given out again, or trusted: ids, queue
//! entries, tokens, and seats. One transaction, once per file.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{DatabaseIdentity, SavedSchedule, SavedSeatState, SavedState};
use super::pg::Numbered;
use super::{RestoreError, pg, redis};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId, UserId};
use crate::store::pg::{Pg, Tx, Work};
use crate::store::redis::Redis;
use crate::user;

/// Ids continue from the time of the restore in seconds since 1970 times this: an id is repeated only
/// if more than 10,000 were given out per second since 1970, or since an earlier restore. All ids
/// stay below 2^53 and so are exact in JavaScript.
const IDS_PER_SECOND: i64 = 10_000;

/// How far the clocks of Redis and PostgreSQL may be apart.
const CLOCKS: TimeDelta = TimeDelta::minutes(1);

/// What becomes of seats that were sold and are free now. Seats that were blocked stay blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingSeats {
    /// They are kept from sale until an administrator unblocks them.
    Block,
    /// They are sold again.
    Sell,
    /// Nothing is done if there are any.
    Refuse,
}

/// What the operator has decided.
#[derive(Debug, Clone)]
pub struct Choices {
    /// About seats that were sold and are free now.
    pub missing: MissingSeats,
    /// End all earlier tokens and tickets, also of users that the database has.
    pub end_all_tokens: bool,
    /// Name of the operator, for the audit.
    pub operator: String,
}

/// What a finished restore has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Id of the file.
    pub file: Uuid,
    /// The new token generation.
    pub generation: i64,
    /// Users up to this id keep their tokens and tickets.
    pub kept_users: i64,
    /// From here on ids continue.
    pub first_id: i64,
    /// Tables whose ids were moved.
    pub tables: Vec<String>,
    /// Number of schedules whose epochs were raised.
    pub raised_epochs: u64,
    /// Seats that were blocked, by schedule.
    pub blocked: Vec<(ScheduleId, u64)>,
    /// The user in the audit.
    pub operator: UserId,
}

/// The result of a run.
#[derive(Debug)]
pub struct Finished {
    /// What was changed.
    pub changes: Changes,
    /// Whether an earlier run for the file has changed it.
    pub is_repeated: bool,
}

/// Finishes the restore. Safe to repeat: a second run for the same file changes nothing, and a run
/// that was cut off left nothing but skipped ids.
///
/// # Errors
/// [`RestoreError::Undecided`] if seats that were sold are free and nothing is chosen.
pub async fn finish(
    redis: Option<&Redis>,
    pg: &Pg,
    saved: &SavedState,
    choices: &Choices,
) -> Result<Finished, RestoreError> {
    // Before the transaction: the pool has one connection.
    let (identity, tables) = (pg::identity(pg).await?, pg::numbered(pg).await?);
    let mut epochs = Vec::new();
    for before in &saved.schedules {
        // A rebuild may have raised it since the file was written.
        let now = match redis {
            Some(redis) => redis::epoch(redis, before.schedule).await?,
            None => 0,
        };
        epochs.push((before.schedule, now.max(before.epoch)));
    }
    pg.transact(&FinishRestore { saved, choices, identity, tables, epochs }).await
}

/// The transaction.
struct FinishRestore<'a> {
    saved: &'a SavedState,
    choices: &'a Choices,
    identity: DatabaseIdentity,
    tables: Vec<Numbered>,
    /// The highest epoch of each schedule that Redis knows.
    epochs: Vec<(ScheduleId, u64)>,
}

impl Work for FinishRestore<'_> {
    type Output = Finished;
    type Error = RestoreError;
    const NAME: &'static str = "finish_restore";

    async fn run(&self, tx: &mut Tx) -> Result<Finished, RestoreError> {
        pg::take_time(tx).await?;
        if let Some(changes) = pg::find_finished(tx, self.saved.id).await? {
            let changes = serde_json::from_value(changes).map_err(|error| inconsistent(&error))?;
            return Ok(Finished { changes, is_repeated: true });
        }
        let kept_users = self.kept_users(tx).await?;
        let (now, last) = pg::last_generation(tx).await?;
        let generation = now.max(last + 1);
        let first_id = (generation * IDS_PER_SECOND).max(self.saved.highest_id() + 1);
        for table in &self.tables {
            pg::move_ids(tx, table, first_id).await?;
        }
        pg::move_feed(tx, first_id).await?;
        let raised_epochs = pg::raise_epochs(tx, &self.epochs).await?;
        let blocked = self.settle_missing_seats(tx).await?;
        let operator = user::pg::create(tx, &self.choices.operator).await?;
        let changes = Changes {
            file: self.saved.id,
            generation,
            kept_users,
            first_id,
            tables: self.tables.iter().map(|numbered| numbered.table.clone()).collect(),
            raised_epochs,
            blocked,
            operator,
        };
        let text = serde_json::to_value(&changes).map_err(|error| inconsistent(&error))?;
        pg::record(tx, self.saved.id, (generation, kept_users, first_id), &text).await?;
        pg::write_audit(tx, operator, self.saved.id, &text).await?;
        Ok(Finished { changes, is_repeated: false })
    }
}

impl FinishRestore<'_> {
    /// Users up to this id are the same people before and after the restore: the highest one in the
    /// database, if nobody can have signed up between the restore and the file. Users who signed up
    /// after the file was written are not kept. 0 if that is not certain.
    async fn kept_users(&self, tx: &mut Tx) -> Result<i64, RestoreError> {
        let is_certain = match &self.saved.postgres {
            Some(before) => before.identity != self.identity,
            None => self.saved.running.is_empty(),
        };
        if self.choices.end_all_tokens || !is_certain {
            return Ok(0);
        }
        Ok(pg::highest_user_before(tx, self.saved.prepared_at - CLOCKS).await?)
    }

    /// Blocks the seats that were blocked before and are free now, and those that were sold and are
    /// free now, if that was chosen; returns how many.
    async fn settle_missing_seats(
        &self,
        tx: &mut Tx,
    ) -> Result<Vec<(ScheduleId, u64)>, RestoreError> {
        let (mut blocked, mut undecided) = (Vec::new(), 0);
        for before in &self.saved.schedules {
            let mut missing = unsold(tx, before, SavedSeatState::Blocked).await?;
            match self.choices.missing {
                MissingSeats::Block => {
                    missing.extend(unsold(tx, before, SavedSeatState::Sold).await?);
                }
                MissingSeats::Refuse => {
                    undecided += unsold(tx, before, SavedSeatState::Sold).await?.len() as u64;
                }
                MissingSeats::Sell => {}
            }
            if !missing.is_empty() {
                pg::block(tx, &missing).await?;
                blocked.push((before.schedule, missing.len() as u64));
            }
        }
        if undecided > 0 { Err(RestoreError::Undecided(undecided)) } else { Ok(blocked) }
    }
}

/// Locks the seats that were in this state and are neither sold nor blocked now.
async fn unsold(
    tx: &mut Tx,
    before: &SavedSchedule,
    state: SavedSeatState,
) -> Result<Vec<SeatId>, StoreError> {
    let numbers: Vec<i32> = before.seats_in(state).map(|seat| seat.number.cast_signed()).collect();
    pg::lock_unsold(tx, before.schedule, &numbers).await
}

fn inconsistent(error: &serde_json::Error) -> StoreError {
    StoreError::Inconsistent(format!("the changes of a restore: {error}"))
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Changes { file, generation, kept_users, first_id, tables, .. } = &self.changes;
        if self.is_repeated {
            writeln!(f, "an earlier run finished the restore {file}; it changed:")?;
        }
        writeln!(f, "ids of {} tables continue from {first_id} or later", tables.len())?;
        writeln!(f, "the epochs of {} schedules were raised", self.changes.raised_epochs)?;
        for (schedule, count) in &self.changes.blocked {
            writeln!(f, "schedule {schedule}: {count} seats were blocked")?;
        }
        match kept_users {
            0 => writeln!(f, "all earlier access tokens and tickets are refused")?,
            _ => writeln!(
                f,
                "access tokens and tickets of users after {kept_users}, from before the restore, are \
                 refused"
            )?,
        }
        writeln!(f, "the token generation is {generation}")?;
        writeln!(f, "the audit has it under user {}", self.changes.operator)
    }
}
