//! What is known from before a restore: the contents of the file.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::id::{ScheduleId, UserId};

/// Version of the file's format.
pub const VERSION: u64 = 1;

/// What was known before the restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedState {
    /// Id of the file. `onsale restore finish` works once for it.
    pub id: Uuid,
    /// When Redis was read, by the clock of Redis.
    pub prepared_at: DateTime<Utc>,
    /// The secrets with which it was made.
    pub secrets: SecretDigests,
    /// The processes that were running.
    pub running: Vec<String>,
    /// The database that `DATABASE_URL` led to; null if none answered.
    pub postgres: Option<SavedDatabase>,
    /// Every schedule that has keys in Redis, by its id.
    pub schedules: Vec<SavedSchedule>,
}

/// Digests of an installation's secrets, which do not reveal them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretDigests {
    /// Of the secret of access tokens; null with an identity provider.
    pub jwt_secret: Option<String>,
    /// Of the ticket secrets.
    pub queue_secrets: Vec<String>,
}

/// A database, as far as it can be distinguished from another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedDatabase {
    /// Which copy it is.
    pub identity: DatabaseIdentity,
    /// The last id of each table.
    pub last_ids: BTreeMap<String, i64>,
}

/// Differs between a database and a copy of it that was restored or promoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseIdentity {
    /// PostgreSQL's id of the cluster, which `initdb` makes.
    pub system: i64,
    /// The timeline, which changes when a server is promoted or recovered to a point in time.
    pub timeline: String,
    /// The oid of the database, which changes when it is created again.
    pub oid: i64,
}

/// What Redis knows about a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedSchedule {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The epoch of the keys.
    pub epoch: u64,
    /// The number of the last queue entry of this epoch.
    pub last_entry: u64,
    /// False if a rebuild of the keys had not ended: seats may be absent here.
    pub complete: bool,
    /// Every seat that is not free, by its number.
    pub seats: Vec<SavedSeat>,
}

/// A seat that Redis knows as not free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedSeat {
    /// Number of the seat in its schedule.
    pub number: u32,
    /// Its state.
    pub state: SavedSeatState,
    /// The fence of its last change.
    pub fence: i64,
    /// The hold by which it is held or was bought; null if Redis was rebuilt since.
    pub hold: Option<Uuid>,
    /// The user who holds or owns it.
    pub user: Option<UserId>,
}

/// The state of a seat that is not free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedSeatState {
    /// Sold.
    Sold,
    /// Held, and not paid yet.
    Held,
    /// Blocked by an administrator.
    Blocked,
}

impl SecretDigests {
    /// Whether both have a secret in common. A rotation replaces one secret after the other.
    #[must_use]
    pub fn share_one(&self, other: &Self) -> bool {
        let same_jwt = self.jwt_secret.is_some() && self.jwt_secret == other.jwt_secret;
        same_jwt || self.queue_secrets.iter().any(|secret| other.queue_secrets.contains(secret))
    }
}

impl SavedSchedule {
    /// The seats in this state.
    pub fn seats_in(&self, state: SavedSeatState) -> impl Iterator<Item = &SavedSeat> {
        self.seats.iter().filter(move |seat| seat.state == state)
    }
}

impl SavedState {
    /// The highest id of any table that is known to have been given out.
    #[must_use]
    pub fn highest_id(&self) -> i64 {
        let last_ids =
            self.postgres.iter().flat_map(|database| database.last_ids.values().copied());
        let schedules = self.schedules.iter().map(|saved| saved.schedule.0);
        let users = self.schedules.iter().flat_map(|saved| &saved.seats);
        let users = users.filter_map(|seat| Some(seat.user?.0));
        last_ids.chain(schedules).chain(users).max().unwrap_or(0)
    }

    /// The number of seats in this state, in all schedules.
    #[must_use]
    pub fn count(&self, state: SavedSeatState) -> usize {
        self.schedules.iter().map(|saved| saved.seats_in(state).count()).sum()
    }
}
