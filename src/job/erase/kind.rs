//! The job that erases one person.
//!
//! First every process refuses the person's tokens and tickets. When that is certain, their queue
//! entries end, and what they have is looked at again: they may have bought in that moment. Then their
//! name is replaced in the audit, in jobs and in the reasons of the box office, page by page. At last the user row loses its name and its
//! identity, in one transaction with everything else that is theirs alone.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::Erasure;
use super::pg::{self, Scrubbed};
use crate::job::kind::{JobKind, JobPage, JobRun, Next, to_json};
use crate::point;
use crate::queue::service::WaitingRoom;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::{Pg, Tx};

/// Name of the kind.
pub const KIND: &str = "ERASE_USER";
/// Code of an erasure that is given up, because the person has something that they did not give up.
const HAS_ENTITLEMENTS: &str = "user_has_entitlements";
/// Rows of the audit in a page.
const PAGE: i64 = 2_000;
/// Until then every process has read that the user is barred, and its last transaction has ended: a
/// second to read, 4 s to commit.
const UNTIL_BARRED: Duration = Duration::from_secs(6);
/// Pause before the next look, while seats are held.
const WAIT_FOR_HOLDS: Duration = Duration::from_secs(5);

/// Erases one person.
#[derive(Debug)]
pub struct EraseUser {
    pg: Pg,
    queue: WaitingRoom,
}

/// Where a page begins.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cursor {
    /// Bar the user.
    #[default]
    Bar,
    /// Look again, now that the user is barred.
    Look,
    /// Replace the name in the audit, after this id.
    Audit(i64),
    /// Replace the name in the parameters of jobs, after this id.
    Jobs(i64),
    /// Replace the name in the reasons of the box office, after this id.
    Actions(i64),
    /// Replace the name in the reasons of guests' seats, after this id.
    Guests(i64),
    /// Erase the user.
    Erase,
}

impl EraseUser {
    /// Creates the kind.
    #[must_use]
    pub fn new(pg: Pg, queue: WaitingRoom) -> Self {
        Self { pg, queue }
    }

    /// Ends the user's queue entries, once the user is barred.
    async fn end_entries(&self, run: &JobRun) -> Result<(), StoreError> {
        if !matches!(run.cursor::<Cursor>()?, Cursor::Look) {
            return Ok(());
        }
        let user = user(run)?;
        for schedule in pg::queues(&self.pg, user).await? {
            self.queue.end_open_entry(schedule, user).await?;
        }
        Ok(())
    }
}

impl JobKind for EraseUser {
    fn name(&self) -> &'static str {
        KIND
    }

    fn prepare<'a>(&'a self, run: &'a JobRun) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.end_entries(run))
    }

    fn page<'a>(
        &'a self,
        tx: &'a mut Tx,
        run: &'a JobRun,
    ) -> BoxFuture<'a, Result<JobPage, StoreError>> {
        Box::pin(erase_page(tx, run))
    }
}

fn user(run: &JobRun) -> Result<UserId, StoreError> {
    let missing = || StoreError::Inconsistent(format!("job {} has no user", run.id));
    run.user.ok_or_else(missing)
}

async fn erase_page(tx: &mut Tx, run: &JobRun) -> Result<JobPage, StoreError> {
    let (user, cursor) = (user(run)?, run.cursor()?);
    let Some(name) = pg::name(tx, user).await? else {
        // Erased meanwhile, by retention.
        return Ok(JobPage { next: Next::Done, ..JobPage::default() });
    };
    match cursor {
        Cursor::Bar => bar(tx, run, user).await,
        Cursor::Look => look(tx, run, user).await,
        Cursor::Audit(after) => {
            let page = pg::scrub_audit(tx, user, &name, after, PAGE).await?;
            scrubbed(page, Cursor::Audit, Cursor::Jobs(0))
        }
        Cursor::Jobs(after) => {
            let page = pg::scrub_jobs(tx, user, &name, after, PAGE).await?;
            scrubbed(page, Cursor::Jobs, Cursor::Actions(0))
        }
        Cursor::Actions(after) => {
            let page = pg::scrub_actions(tx, user, &name, after, PAGE).await?;
            scrubbed(page, Cursor::Actions, Cursor::Guests(0))
        }
        Cursor::Guests(after) => {
            let page = pg::scrub_guests(tx, user, &name, after, PAGE).await?;
            scrubbed(page, Cursor::Guests, Cursor::Erase)
        }
        Cursor::Erase => {
            let done = pg::erase(tx, &[user]).await?;
            Ok(JobPage { done, next: Next::Done, ..JobPage::default() })
        }
    }
}

async fn bar(tx: &mut Tx, run: &JobRun, user: UserId) -> Result<JobPage, StoreError> {
    let erasure: Erasure = run.parameters()?;
    point::pg::lock(tx, user).await?;
    if !pg::entitlements(tx, user).await?.allow(&erasure) {
        return Ok(JobPage { next: Next::Failed(HAS_ENTITLEMENTS), ..JobPage::default() });
    }
    pg::bar(tx, user, false).await?;
    page_at(&Cursor::Look, Next::PageAfter(UNTIL_BARRED))
}

async fn look(tx: &mut Tx, run: &JobRun, user: UserId) -> Result<JobPage, StoreError> {
    let erasure: Erasure = run.parameters()?;
    point::pg::lock(tx, user).await?;
    let entitlements = pg::entitlements(tx, user).await?;
    if entitlements.allow(&erasure) {
        return page_at(&Cursor::Audit(0), Next::Page);
    }
    if entitlements.held_seats > 0 {
        // The user is barred, so nobody can pay them: they end by themselves.
        return page_at(&Cursor::Look, Next::PageAfter(WAIT_FOR_HOLDS));
    }
    pg::bar(tx, user, true).await?;
    Ok(JobPage { next: Next::Failed(HAS_ENTITLEMENTS), ..JobPage::default() })
}

fn page_at(cursor: &Cursor, next: Next) -> Result<JobPage, StoreError> {
    Ok(JobPage { cursor: to_json(cursor)?, next, ..JobPage::default() })
}

/// The page after one of a table: the next one of it, or `then`.
fn scrubbed(
    Scrubbed { last, rows }: Scrubbed,
    next: impl Fn(i64) -> Cursor,
    then: Cursor,
) -> Result<JobPage, StoreError> {
    let page = page_at(&last.map_or(then, next), Next::Page)?;
    let figures = json!({ "texts": rows }).as_object().cloned().unwrap_or_default();
    Ok(JobPage { figures, ..page })
}
