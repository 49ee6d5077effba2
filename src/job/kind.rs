//! What a kind of job is: one page of work at a time.

use std::fmt::Debug;
use std::future::ready;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::outbox::model::Recorded;
use crate::seats::model::SeatsChanged;
use crate::store::StoreError;
use crate::store::id::{JobId, ScheduleId, UserId};
use crate::store::pg::Tx;

/// A kind of job. Its code must be able to go on from any committed page, at another process.
pub trait JobKind: Debug + Send + Sync {
    /// The name in the table `job` and in the API.
    fn name(&self) -> &'static str;

    /// Work before a page that needs no transaction, such as calls to Redis. It may run again for
    /// the same page, so it must be repeatable.
    fn prepare<'a>(&'a self, _run: &'a JobRun) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(ready(Ok(())))
    }

    /// Does the next page in a transaction that has locked the job. The page should take at most
    /// half a second, because a statement may take 3 s, and buyers may wait for its locks. After an
    /// error the page is tried again.
    fn page<'a>(
        &'a self,
        tx: &'a mut Tx,
        run: &'a JobRun,
    ) -> BoxFuture<'a, Result<JobPage, StoreError>>;

    /// Counts a page in the metrics, after its commit.
    fn count(&self, _page: &JobPage) {}
}

/// A job as its kind sees it: what was asked for, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRun {
    /// Id of the job.
    pub id: JobId,
    /// The schedule that it is about.
    pub schedule: Option<ScheduleId>,
    /// The user that it is about.
    pub user: Option<UserId>,
    /// What was asked for.
    pub parameters: Value,
    /// Where the page begins; null before the first page.
    pub cursor: Value,
    /// When it was asked for, by PostgreSQL's clock.
    pub created_at: DateTime<Utc>,
}

/// What a page did.
#[derive(Debug, Default)]
pub struct JobPage {
    /// Number of items that it did.
    pub done: i64,
    /// Numbers to add to the job's figures.
    pub figures: Map<String, Value>,
    /// Where the next page begins.
    pub cursor: Value,
    /// What comes next.
    pub next: Next,
    /// Changes of seats, to be applied in Redis after the commit.
    pub seats: Vec<Recorded<SeatsChanged>>,
}

/// What comes after a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Next {
    /// Another page.
    #[default]
    Page,
    /// Another page, after a pause.
    PageAfter(Duration),
    /// Nothing: the job is done.
    Done,
    /// Nothing: the job cannot be done, for the reason with this stable code. The page commits.
    Failed(&'static str),
}

impl JobRun {
    /// The parameters as the kind's own type.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] if they are of another type.
    pub fn parameters<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        self.read(&self.parameters)
    }

    /// The cursor as the kind's own type; its default before the first page.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] if it is of another type.
    pub fn cursor<T: DeserializeOwned + Default>(&self) -> Result<T, StoreError> {
        if self.cursor.is_null() { Ok(T::default()) } else { self.read(&self.cursor) }
    }

    fn read<T: DeserializeOwned>(&self, value: &Value) -> Result<T, StoreError> {
        serde_json::from_value(value.clone())
            .map_err(|error| StoreError::Inconsistent(format!("job {}: {error}", self.id)))
    }
}

/// A cursor or parameters as JSON.
///
/// # Errors
/// [`StoreError::Inconsistent`] if the type cannot be JSON, which is a defect.
pub fn to_json(value: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Inconsistent(error.to_string()))
}
