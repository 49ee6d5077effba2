//! Makes, lists and cancels jobs.

use serde_json::{Value, json};

use super::error::JobError;
use super::model::{Job, JobQuery, JobState};
use super::pg::{self, NewJob, read};
use crate::admin::pg::{Audit, write_audit};
use crate::admin::seat::pg::take_time;
use crate::idempotency::model::Answer;
use crate::pagination::{Page, Paging};
use crate::store::StoreError;
use crate::store::id::{JobId, UserId};
use crate::store::pg::{Pg, Tx};

/// Jobs as a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Jobs {
    pub(super) pg: Pg,
}

impl Jobs {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg) -> Self {
        Self { pg }
    }

    /// Lists the jobs that match `query`, newest first.
    pub async fn list(&self, query: &JobQuery, paging: Paging) -> Result<Page<Job>, JobError> {
        let jobs = read::list(&self.pg, query, paging).await?;
        Ok(paging.page(jobs, |job| job.id.0))
    }

    /// Finds one job.
    pub async fn find(&self, id: JobId) -> Result<Job, JobError> {
        read::find(self.pg.pool(), id).await?.ok_or(JobError::NoJob)
    }

    /// The answer with a job that was made. A repeated answer has the job as it is now.
    pub(super) async fn made(&self, answer: Answer<JobId>) -> Result<Answer<Job>, JobError> {
        let Answer { outcome, replayed } = answer;
        Ok(Answer { outcome: self.find(outcome).await?, replayed })
    }

    /// Cancels a job. A page that is being done commits first; no other one begins. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// [`JobError::NotCancellable`] if the job is done or has failed, or its kind cannot be cancelled.
    pub async fn cancel(&self, admin: UserId, id: JobId) -> Result<Job, JobError> {
        let mut tx = self.pg.begin("cancel_job").await?;
        // A page may have to wait for the lock of a seat.
        take_time(&mut tx).await?;
        let cancelled = pg::cancel(&mut tx, id).await?;
        let job = read::find(tx.conn(), id).await?.ok_or(JobError::NoJob)?;
        if !cancelled {
            return if job.state == JobState::Cancelled {
                Ok(job)
            } else {
                Err(JobError::NotCancellable)
            };
        }
        let (action, subject, before) = ("job.cancel", format!("job {id}"), None);
        let after = json!({ "done": job.done, "figures": job.figures });
        write_audit(&mut tx, Audit { admin, action, subject, before, after }).await?;
        tx.commit().await?;
        Ok(job)
    }
}

/// Makes a job and its audit row in the transaction of a request. `action` and `subject` are those of
/// the audit.
///
/// # Errors
/// [`JobError::Exists`] if one of this kind is not finished yet for the same schedule or user.
pub async fn create(
    tx: &mut Tx,
    admin: UserId,
    new: &NewJob,
    action: &str,
    subject: String,
) -> Result<JobId, JobError> {
    let Some(id) = pg::insert(tx, admin, new).await? else {
        let other = pg::unfinished(tx.conn(), new.kind, new.schedule, new.user).await?;
        // It may have ended since, by another process.
        let gone = || StoreError::Conflict(format!("a {} job has just ended", new.kind));
        return Err(other.map_or_else(|| gone().into(), JobError::Exists));
    };
    let mut after = new.parameters.clone();
    if let Value::Object(members) = &mut after {
        members.insert("job_id".to_owned(), json!(id));
    }
    write_audit(tx, Audit { admin, action, subject, before: None, after }).await?;
    Ok(id)
}
